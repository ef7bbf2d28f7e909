/*
 * status.h - the exit statuses of kvcached-cli.
 */
#ifndef KVCACHED_SCRIPTS_CLI_STATUS_H
#define KVCACHED_SCRIPTS_CLI_STATUS_H

enum status {
    STATUS_DONE = 0,
    STATUS_NOT_FOUND = 1,     /* NOT_FOUND, or EXISTS */
    STATUS_REFUSED = 2,       /* an error reply, DENIED, or wrong usage */
    STATUS_NO_CONNECTION = 3, /* no server was reached, or the connection was lost */
};

/* Of several replies to one request the higher one counts. */
static inline enum status status_worse(enum status a, enum status b)
{
    return a > b ? a : b;
}

#endif

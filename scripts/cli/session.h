/*
 * session.h - a server, the connection to it, and what is printed: all that a command works with.
 */
#ifndef KVCACHED_SCRIPTS_CLI_SESSION_H
#define KVCACHED_SCRIPTS_CLI_SESSION_H

#include "scripts/cli/client.h"
#include "scripts/cli/printer.h"

struct session {
    const struct endpoint *endpoint;
    struct credentials credentials; /* of the last AUTH that was answered with OK */
    char *user;                     /* credentials.user, where that is of an AUTH; owned */
    struct client client;
    struct printer printer;
    bool was_connected; /* so that the next connection is another one */
    bool lasting;       /* several requests: it is said when the connection was made anew */
};

void session_init(struct session *session, const struct endpoint *endpoint,
                  const struct credentials *credentials, bool json, int timeout);
void session_deinit(struct session *session);

/* Makes sure that there is a connection. Else what is wrong was printed. */
enum status session_ready(struct session *session);

/* Sends the request that the words make, and prints the replies. `value`: as in message_make. */
enum status session_ask(struct session *session, const struct words *words,
                        const struct slice *value);

/* What the result of a call of client.h means; anything but CLIENT_DONE is printed. */
enum status session_result(struct session *session, enum client_result result);

#endif

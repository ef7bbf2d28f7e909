/*
 * link.h - a connected socket, which never blocks: link_wait waits. One thread.
 */
#ifndef KVCACHED_SCRIPTS_CLI_LINK_H
#define KVCACHED_SCRIPTS_CLI_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/slice.h"
#include "scripts/cli/endpoint.h"

enum { LINK_ERROR_MAX = 512 };

struct link {
    int fd;               /* -1: closed */
    struct link_tls *tls; /* NULL: without */
    short events;         /* of poll(2), that the last call that returned LINK_LATER waits for */
    char error[LINK_ERROR_MAX]; /* after LINK_BROKEN, and after stream_open failed */
};

enum link_result {
    LINK_DONE,
    LINK_LATER,  /* nothing can be done before link_wait says so */
    LINK_CLOSED, /* the peer has closed the connection */
    LINK_BROKEN,
};

enum link_wait_result { LINK_READY, LINK_TIMED_OUT, LINK_INTERRUPTED };

/* Connects within that many milliseconds. False with link->error, and closed. */
bool link_connect(struct link *link, const struct endpoint *endpoint, int timeout);
void link_disconnect(struct link *link);

/* Waits for these events of poll(2). `timeout` is in milliseconds, -1 for none. Interrupted by
 * what interrupt_noted tells of. */
enum link_wait_result link_wait(const struct link *link, short events, int timeout);

/* Sets link->error. */
void link_fail(struct link *link, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

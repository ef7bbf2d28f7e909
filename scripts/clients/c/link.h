/*
 * link.h - a connected socket, which never blocks: link_wait waits. One thread.
 */
#ifndef KVCACHED_SCRIPTS_CLIENTS_C_LINK_H
#define KVCACHED_SCRIPTS_CLIENTS_C_LINK_H

#include <stdbool.h>

#include "protocol/slice.h"
#include "scripts/clients/c/settings.h"

struct link {
    int fd;               /* -1: closed */
    struct link_tls *tls; /* NULL: without */
    const struct settings *settings;
    short events; /* of poll(2), that the last call that returned LINK_LATER waits for */
    char error[KVC_TEXT_MAX]; /* after LINK_BROKEN, and after stream_open failed */
};

enum link_result {
    LINK_DONE,
    LINK_LATER,  /* nothing can be done before link_wait says so */
    LINK_CLOSED, /* the peer has closed the connection */
    LINK_BROKEN,
};

enum link_wait_result { LINK_READY, LINK_TIMED_OUT, LINK_INTERRUPTED };

/* Connects within that many milliseconds. False with link->error, and closed. */
bool link_connect(struct link *link, int timeout);
void link_disconnect(struct link *link);

/* Waits for these events of poll(2). `timeout` is in milliseconds, -1 for none. */
enum link_wait_result link_wait(const struct link *link, short events, int timeout);

/* Sets link->error. */
void link_fail(struct link *link, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with the text of an errno. */
void link_fail_errno(struct link *link, int error);

#endif

/*
 * listener.h - a endpoint: one socket that listens, and what it is called.
 *
 * The main thread's. Workers read the endpoint of a connection, which does not change while
 * there are any.
 */
#ifndef KVCACHED_DAEMON_NET_LISTENER_H
#define KVCACHED_DAEMON_NET_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "daemon/net/endpoint.h"
#include "daemon/os/cleanup.h"

struct conf_listen;
struct privilege_user;

enum { LISTENER_ERROR_MAX = 256 /* bytes of a message, its NUL included */ };

struct listener {
    int fd;
    struct endpoint endpoint;
    bool taken;             /* handed over, not opened here */
    bool reached;           /* by others than this machine */
    struct cleanup cleanup; /* the name of a Unix socket that was made here */
};

/*
 * Opens what the configuration asks for. A Unix socket without an owner of its
 * own is given to `user`, where that is not NULL. The struct stays where it is until
 * listener_close. On failure *listener is closed,
 * `error` says what could not be done and where, and errno says why.
 */
bool listener_open(struct listener *listener, const struct conf_listen *conf,
                   const struct privilege_user *user, char error[LISTENER_ERROR_MAX]);

/* Takes a socket that somebody else opened, which must listen already. What is
 * spoken there, and where its keys live, is `endpoint`'s; the name is the socket's. The
 * descriptor is the listener's also where this fails. */
bool listener_take(struct listener *listener, int fd, const struct endpoint *endpoint,
                   char error[LISTENER_ERROR_MAX]);

/* The endpoint that a listener of that configuration is; without a name. */
struct endpoint listener_endpoint(const struct conf_listen *conf);

/* Closes the socket, and removes the name of a Unix socket made here. Good for a
 * second call. */
void listener_close(struct listener *listener);

#endif

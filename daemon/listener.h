/*
 * listener.h - a door: one socket that listens, and what it is called.
 */
#ifndef KVCACHED_LISTENER_H
#define KVCACHED_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "protocol/protocol.h"

struct privilege_user;

enum {
    LISTENER_NAME_MAX = 128,  /* bytes of a name, its NUL included */
    LISTENER_ERROR_MAX = 256, /* bytes of a message, its NUL included */
};

struct listener {
    int fd;
    const struct protocol *protocol;
    char name[LISTENER_NAME_MAX]; /* "127.0.0.1:7171", "[::1]:7171", or a path */
    bool taken;                   /* handed over, not opened here */
    /* Of a Unix socket that was made here: whether its name may be removed. */
    bool named;
    dev_t device;
    ino_t inode;
};

/*
 * Opens what the configuration asks for. A Unix socket without an owner of its
 * own is given to `user`, where that is not NULL. On failure *listener is closed,
 * `error` says what could not be done and where, and errno says why.
 */
bool listener_open(struct listener *listener, const struct conf_listen *conf,
                   const struct privilege_user *user, char error[LISTENER_ERROR_MAX]);

/* Takes a socket that somebody else opened, which must listen already. The
 * descriptor is the listener's also where this fails. */
bool listener_take(struct listener *listener, int fd, const struct protocol *protocol,
                   char error[LISTENER_ERROR_MAX]);

/* Closes the socket, and removes the name of a Unix socket made here. Good for a
 * second call. */
void listener_close(struct listener *listener);

#endif

/*
 * listener.h - one listening socket, and the endpoint that its connections share.
 *
 * The main thread's. Other threads read the endpoint of their connections, which does not change
 * while there are any.
 */
#ifndef KVCACHED_DAEMON_NET_LISTENER_H
#define KVCACHED_DAEMON_NET_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/net/endpoint.h"
#include "daemon/os/cleanup.h"

struct conf_listen;
struct privilege_user;

enum { LISTENER_ERROR_MAX = 800 /* bytes of a message, its NUL included */ };

struct listener {
    int fd;
    struct endpoint endpoint;
    bool inherited;         /* from the service manager, not opened here */
    bool is_exposed;        /* other machines can reach its address */
    struct cleanup cleanup; /* of the file of a Unix socket that was made here */
};

/*
 * Opens a socket as configured. A Unix socket for which no owner is configured gets `user` as its
 * owner, unless that is NULL. The struct must not move until listener_close. False with errno:
 * *listener is closed, and `error` is a text that names the address, the cause and,
 * as far as that is known, the remedy.
 */
bool listener_open(struct listener *listener, const struct conf_listen *conf,
                   const struct privilege_user *user, char error[LISTENER_ERROR_MAX]);

/* Takes over a socket that another process opened, which must listen already. Its endpoint is a
 * copy of `endpoint`, with the address of the socket as its name. False with errno and `error`: the
 * descriptor is closed. */
bool listener_inherit(struct listener *listener, int fd, const struct endpoint *endpoint,
                      char error[LISTENER_ERROR_MAX]);

/* The port of a TCP listener; 0 for any other. */
uint16_t listener_port(const struct listener *listener);

/* The endpoint of a listener with that configuration, without name and TLS. */
struct endpoint listener_endpoint(const struct conf_listen *conf);

/* Closes the socket, and unlinks a Unix socket that was made here. A second call is legal. */
void listener_close(struct listener *listener);

#endif

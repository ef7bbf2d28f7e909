/*
 * endpoint.h - what a connection must know of the listener that accepted it.
 *
 * Written by the main thread before the first connection; read by any thread after that.
 */
#ifndef KVCACHED_DAEMON_NET_ENDPOINT_H
#define KVCACHED_DAEMON_NET_ENDPOINT_H

#include "protocol/protocol.h"

enum {
    ENDPOINT_NAME_MAX = 128, /* bytes of a name, its NUL included */
    /* Connections that may wait to be accepted; the kernel lowers it to net.core.somaxconn. */
    ENDPOINT_BACKLOG = 4096,
};

struct tls;

struct endpoint {
    const struct protocol *protocol;
    struct tls *tls;              /* NULL: no TLS */
    char name[ENDPOINT_NAME_MAX]; /* "127.0.0.1:7171", "[::1]:7171", or a path */

    /* The namespace of keys that name none. If the part of a key before its first `separator` is
     * the name of a declared namespace, the rest is a key in that namespace. */
    char default_namespace[REQUEST_NAMESPACE_MAX + 1]; /* empty: that of the daemon */
    char separator;                                    /* 0: none */
};

#endif

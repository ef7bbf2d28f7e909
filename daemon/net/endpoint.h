/*
 * endpoint.h - what a connection must know of the listener that accepted it.
 *
 * Written by the main thread before the first connection; read by any thread after that.
 */
#ifndef KVCACHED_DAEMON_NET_ENDPOINT_H
#define KVCACHED_DAEMON_NET_ENDPOINT_H

#include <stdbool.h>
#include <string.h>

#include "conf/conf.h"
#include "protocol/protocol.h"

enum {
    ENDPOINT_NAME_MAX = 128, /* bytes of a name, its NUL included */
    /* Connections that may wait to be accepted; the kernel lowers it to net.core.somaxconn. */
    ENDPOINT_BACKLOG = 4096,
};

struct tls;

struct endpoint {
    const struct protocol *protocol; /* NULL: HTTP, which no worker speaks */
    bool is_http;
    enum conf_open_pages open;    /* of HTTP */
    struct tls *tls;              /* NULL: no TLS */
    char name[ENDPOINT_NAME_MAX]; /* "127.0.0.1:7171", "[::1]:7171", or a path */

    /* The namespace of keys that name none. If the part of a key before its first `separator` is
     * the name of a declared namespace, the rest is a key in that namespace. */
    char default_namespace[REQUEST_NAMESPACE_MAX + 1]; /* empty: that of the daemon */
    uint8_t default_length;                            /* bytes of it */
    char separator;                                    /* 0: none */
};

/* As in the configuration. */
static inline const char *endpoint_protocol(const struct endpoint *endpoint)
{
    return endpoint->is_http ? "http" : endpoint->protocol->name;
}

/* Whether it is a Unix socket. */
static inline bool endpoint_is_local(const struct endpoint *endpoint)
{
    return endpoint->name[0] == '/' || endpoint->name[0] == '@' ||
           strchr(endpoint->name, ':') == NULL;
}

#endif

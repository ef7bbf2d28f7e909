/*
 * endpoint.h - what a connection has to know of the endpoint that it came through.
 */
#ifndef KVCACHED_DAEMON_NET_ENDPOINT_H
#define KVCACHED_DAEMON_NET_ENDPOINT_H

#include <stdbool.h>
#include <string.h>

#include "conf/conf.h"
#include "protocol/protocol.h"

enum {
    ENDPOINT_NAME_MAX = 128, /* bytes of a name, its NUL included */
    ENDPOINT_BACKLOG = 4096, /* connections that wait to be accepted; the kernel lowers it to
                            net.core.somaxconn */
};

struct tls;

struct endpoint {
    const struct protocol *protocol; /* NULL: HTTP, which no worker speaks */
    bool is_http;
    enum conf_open_pages open;    /* of HTTP */
    struct tls *tls;              /* NULL: bytes go as they are */
    char name[ENDPOINT_NAME_MAX]; /* "127.0.0.1:7171", "[::1]:7171", or a path */

    /* Where keys live that come without a namespace. Before the first `separator` in a
     * key may stand the name of a declared namespace: then it lives there, as what
     * stands behind. */
    char default_namespace[REQUEST_NAMESPACE_MAX + 1]; /* empty: the daemon's default */
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

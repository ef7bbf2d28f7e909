/*
 * handoff.h - an accepted connection in transit to the worker that will own it.
 *
 * A handoff has one owner at a time: the thread that accepts, then on a TLS endpoint the
 * handshaker, then the worker. One that replaces an unauthenticated connection goes to the worker
 * before the handshaker. Each passes it on under the lock of a mailbox.
 *
 * No function here waits: what a rejected peer is told is sent if it fits the socket's buffer,
 * which it does in a new connection.
 */
#ifndef KVCACHED_DAEMON_NET_HANDOFF_H
#define KVCACHED_DAEMON_NET_HANDOFF_H

#include <stdbool.h>
#include <sys/queue.h>

#include "daemon/base/instance.h"
#include "daemon/net/endpoint.h"
#include "daemon/net/transport.h"

struct handoff {
    STAILQ_ENTRY(handoff) next;
    struct transport transport;
    const struct endpoint *endpoint;
    /* Accepted above max_connections: the worker closes an unauthenticated connection in its
     * favour, or rejects it if there is none. */
    bool replaces_unauthenticated;
};

STAILQ_HEAD(handoffs, handoff);

/* Takes over a connected socket. NULL: no memory, and the socket is still the caller's. */
struct handoff *handoff_create(int fd, const struct endpoint *endpoint,
                               bool replaces_unauthenticated);

/* Closes it, and takes it off the count of connections. Sets *handoff to NULL. */
void handoff_close(struct handoff **handoff, struct instance *instance);

/* The same for all of them; the list is empty then. */
void handoffs_close(struct handoffs *handoffs, struct instance *instance);

/* Tells the peer that there are too many connections, and does what handoff_close does. */
void handoff_reject(struct handoff **handoff, struct instance *instance);

/* Tells the same to the peer of a socket that has no handoff; the caller closes the socket. On a
 * TLS endpoint the peer is told nothing, since that would take a handshake. */
void handoff_say_full(int fd, const struct endpoint *endpoint);

#endif

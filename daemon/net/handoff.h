/*
 * handoff.h - an accepted connection on its way to the worker that it will belong to.
 *
 * Whoever has the handoff owns it: the thread that accepts, then the handshaker where TLS is
 * spoken, then the worker; one that is in exchange goes to the worker first. Each hands it on
 * under the lock of a mailbox.
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
    bool replaces_unauthenticated; /* there is no room for it but that of another:
                                      timeouts_make_room */
};

STAILQ_HEAD(handoffs, handoff);

/* Of a connected socket, which is the handoff's from now on. NULL: no memory, and it is still
 * the caller's. */
struct handoff *handoff_create(int fd, const struct endpoint *endpoint,
                               bool replaces_unauthenticated);

/* Closes it, and takes it off the count of connections. Sets *handoff to NULL. */
void handoff_close(struct handoff **handoff, struct instance *instance);

/* Likewise, all of them. */
void handoffs_close(struct handoffs *handoffs, struct instance *instance);

/* Likewise, one, and the peer is told that there are too many. */
void handoff_reject(struct handoff **handoff, struct instance *instance);

#endif

/*
 * handoff.h - an accepted connection on its way to the worker that it will belong to.
 *
 * Whoever has the parcel owns it: the thread that accepts, then the reception where TLS is
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

struct parcel {
    STAILQ_ENTRY(parcel) next;
    struct transport transport;
    const struct door *door;
    bool in_exchange; /* there is no room for it but that of another: strangers_make_room */
};

STAILQ_HEAD(parcels, parcel);

/* Of a connected socket, which is the parcel's from now on. NULL: no memory, and it is still
 * the caller's. */
struct parcel *parcel_create(int fd, const struct door *door, bool in_exchange);

/* Closes it, and takes it off the count of connections. Sets *parcel to NULL. */
void parcel_close(struct parcel **parcel, struct instance *instance);

/* Likewise, all of them. */
void parcels_close(struct parcels *parcels, struct instance *instance);

/* Likewise, one, and the peer is told that there are too many. */
void parcel_refuse(struct parcel **parcel, struct instance *instance);

#endif

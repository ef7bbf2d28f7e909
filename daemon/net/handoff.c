/*
 * handoff.c - see handoff.h.
 */
#include "daemon/net/handoff.h"

#include <stdlib.h>

#include "daemon/net/handoff_reject.h"

struct parcel *parcel_create(int fd, const struct door *door, bool in_exchange)
{
    struct parcel *parcel = malloc(sizeof *parcel);
    if (parcel != NULL) {
        *parcel = (struct parcel){.door = door, .in_exchange = in_exchange};
        transport_plain(&parcel->transport, fd);
    }
    return parcel;
}

static void destroy(struct parcel **parcel)
{
    (*parcel)->transport.ops->close(&(*parcel)->transport);
    free(*parcel);
    *parcel = NULL;
}

void parcel_close(struct parcel **parcel, struct instance *instance)
{
    instance_connection_closed(instance);
    destroy(parcel);
}

void parcels_close(struct parcels *parcels, struct instance *instance)
{
    struct parcel *parcel;
    while ((parcel = STAILQ_FIRST(parcels)) != NULL) {
        STAILQ_REMOVE_HEAD(parcels, next);
        parcel_close(&parcel, instance);
    }
}

void parcel_refuse(struct parcel **parcel, struct instance *instance)
{
    instance_connection_closed(instance);
    refuse_one_more((*parcel)->transport.fd, (*parcel)->door);
    destroy(parcel);
}

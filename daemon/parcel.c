/*
 * parcel.c - see parcel.h.
 */
#include "daemon/parcel.h"

#include <stdlib.h>

#include "daemon/refusal.h"

struct parcel *parcel_create(int fd, const struct door *door, bool in_exchange)
{
    struct parcel *parcel = malloc(sizeof *parcel);
    if (parcel != NULL) {
        *parcel = (struct parcel){.door = door, .in_exchange = in_exchange};
        transport_plain(&parcel->transport, fd);
    }
    return parcel;
}

/* Its peer may look at the count as soon as it hears of its end. */
static void uncount(struct facts *facts)
{
    atomic_fetch_sub_explicit(&facts->connections, 1, memory_order_relaxed);
}

static void destroy(struct parcel **parcel)
{
    (*parcel)->transport.ops->close(&(*parcel)->transport);
    free(*parcel);
    *parcel = NULL;
}

void parcel_close(struct parcel **parcel, struct facts *facts)
{
    uncount(facts);
    destroy(parcel);
}

void parcel_refuse(struct parcel **parcel, struct facts *facts)
{
    uncount(facts);
    refuse_one_more((*parcel)->transport.fd, (*parcel)->door);
    destroy(parcel);
}

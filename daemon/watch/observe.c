/*
 * observe.c - see observe.h.
 */
#include "daemon/watch/observe.h"

#include "daemon/base/clock.h"

void observe_deed(struct watch_source *source, const atomic_uint *wanted,
                  const struct store_observed *observed)
{
    enum event_kind kind = observed->deed == STORE_DEED_EVICTED ? EVENT_EVICTION : EVENT_EXPIRATION;
    if (observed->deed == STORE_DEED_RECLAIMS || !watch_wants(wanted, EVENT_BIT(kind))) {
        return;
    }
    watch_publish(source, &(struct watch_event){.kind = kind,
                                                .us = clock_wall_us(),
                                                .ns = observed->ns,
                                                .key = observed->key,
                                                .number = observed->number,
                                                .bytes = observed->bytes,
                                                .left = observed->left,
                                                .was_read = observed->was_read});
}

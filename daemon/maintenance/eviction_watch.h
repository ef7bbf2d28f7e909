/*
 * eviction_watch.h - logs that living records are evicted, when that begins.
 *
 * It begins where nothing was evicted for EVICTION_WATCH_QUIET_MS: of a namespace with a quota, or
 * of all namespaces that share the memory which no quota reserves. So a cache that is always full
 * says so once. However many namespaces there are, so many lines are logged in that time at most:
 * EVICTION_WATCH_NAMED for namespaces with a quota, one that sums up the others with a quota, and
 * one for the shared memory.
 *
 * The housekeeper's. `now` is in milliseconds, of a clock that never goes back, and not 0.
 */
#ifndef KVCACHED_DAEMON_MAINTENANCE_EVICTION_WATCH_H
#define KVCACHED_DAEMON_MAINTENANCE_EVICTION_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store.h"

enum {
    EVICTION_WATCH_QUIET_MS = 10 * 60 * 1000,
    EVICTION_WATCH_ROUND_MS = 1000, /* between two looks at all namespaces */
    EVICTION_WATCH_NAMED = 4,       /* namespaces with a line of their own, in QUIET_MS */
};

/* All zero at the start. */
struct eviction_watch {
    /* of the round */
    struct eviction_watch_namespace {
        char name[STORE_NAMESPACE_MAX + 1];
        uint64_t quota;
        uint64_t records;          /* 0: there is none */
    } begun[EVICTION_WATCH_NAMED], /* with a quota: those with the most records */
        shared;                    /* without one: that with the most records */
    size_t sharing;                /* how many without a quota there are */
    /* of all rounds; times of 0: never */
    uint64_t next_round;
    uint64_t named_at[EVICTION_WATCH_NAMED]; /* when the last lines were logged */
    size_t beyond;                           /* namespaces that have begun and had no line */
    uint64_t beyond_at;                      /* when the last of these lines was logged */
    uint64_t shared_at;                      /* when a round last found any */
};

/* Whether it is time for a round: then eviction_watch_note follows for each namespace of which
 * living records were evicted, and eviction_watch_end. */
bool eviction_watch_is_due(const struct eviction_watch *watch, uint64_t now);

void eviction_watch_note(struct eviction_watch *watch, const struct store_evicted *evicted,
                         uint64_t now);

/* Logs what has begun. `memory` is the limit of the store in bytes. */
void eviction_watch_end(struct eviction_watch *watch, uint64_t memory, uint64_t now);

#endif

/*
 * store_evicted.h - which namespaces evict. A part of store.h; the housekeeper's side.
 */
#ifndef KVCACHED_DAEMON_STORE_STORE_EVICTED_H
#define KVCACHED_DAEMON_STORE_STORE_EVICTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/slice.h"

struct store_thread;

/* A namespace of which living records were evicted, or all those together that are gone meanwhile,
 * since nothing was left in them. */
struct store_evicted {
    struct slice name; /* good until the visitor returns; of those that are gone the last one's */
    size_t namespaces; /* how many; more than 1 only of those that are gone */
    uint64_t quota;    /* 0: none, as of those that are gone */
    uint64_t records;  /* evicted since the last look */
    uint64_t before;   /* `now` of the last look that found any, rounded up to a second; 0: none
                          did */
};

/* Must call nothing of the store. */
typedef void store_visit_evicted(void *context, const struct store_evicted *evicted);

/* Looks at up to `limit` numbers of namespaces from *next on, and visits those namespaces of which
 * living records were evicted since the last look. True when all have been looked at: then *next
 * is 0, for the next time. On one thread, inside of enter and leave. `now` is not 0. */
bool store_evicted_step(struct store_thread *thread, uint32_t *next, size_t limit, uint64_t now,
                        store_visit_evicted *visit, void *context);

#endif

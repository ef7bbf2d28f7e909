/*
 * evict_segment.h - emptying one segment: which of its records stay; see evict.h.
 *
 * Under store.reclaim_lock, with no namespace or bucket locked.
 */
#ifndef KVCACHED_DAEMON_STORE_RECLAIM_EVICT_SEGMENT_H
#define KVCACHED_DAEMON_STORE_RECLAIM_EVICT_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/records/state.h"

struct segment_eviction {
    struct store_thread *thread;
    struct segment *segment;
    uint64_t now;
    bool may_drop; /* what is not fresh (age.h); else what lives is moved, all of it */
    /* results */
    size_t effort;  /* records looked at */
    uint64_t moved; /* bytes of those that were kept */
};

void evict_segment_records(struct segment_eviction *eviction);

#endif

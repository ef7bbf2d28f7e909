/*
 * evict_segment.h - emptying one segment: which of its records stay; see evict.h.
 *
 * Under store.reclaim_lock, with no namespace or bucket locked.
 */
#ifndef KVCACHED_DAEMON_STORE_RECLAIM_EVICT_SEGMENT_H
#define KVCACHED_DAEMON_STORE_RECLAIM_EVICT_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/records/state.h"

enum { EVICT_WASTE_LEAST = 96 /* of 1024: below, moving the rest costs too much */ };

/* How much of a linked segment can be won back without losing a record: parts in 1024, or 0
 * where it is too little, or nothing may be moved. */
uint32_t evict_segment_waste(const struct store *store, const struct segment *segment);

/* Empties one segment; returns the effort, in records. `may_drop`: records that are not fresh
 * (age.h) may go; else what lives is moved, all of it. */
size_t evict_segment(struct store_thread *thread, struct segment *segment, bool may_drop,
                     uint64_t now);

/* Linked, and of a namespace without a quota. */
static inline bool evict_segment_is_pooled(const struct segment *segment)
{
    const struct generation *generation = segment_owner(segment);
    return generation != NULL && namespace_quota(generation->ns) == 0;
}

/* Whose turn it is, where `young` bytes of all are young: the young have theirs until they are
 * few. */
static inline enum segment_queue evict_queue(uint64_t young, uint64_t all)
{
    enum { YOUNG_SHARE = 20 }; /* of the memory: the young may have a twentieth */
    return young > all / YOUNG_SHARE ? SEGMENT_YOUNG : SEGMENT_PROVEN;
}

#endif

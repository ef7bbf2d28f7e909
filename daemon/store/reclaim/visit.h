/*
 * visit.h - all the records of one segment, each with its bucket locked.
 *
 * Purge, flush, compaction and eviction remove records with it. Records are taken in
 * batches, so that the index lines of a batch are prefetched before the first is needed.
 *
 * Under store.reclaim_lock. A visitor runs with the record's bucket locked, and with the
 * namespace's lock if `lock_namespace`.
 */
#ifndef KVCACHED_DAEMON_STORE_RECLAIM_VISIT_H
#define KVCACHED_DAEMON_STORE_RECLAIM_VISIT_H

#include "daemon/store/records/lookup.h"

struct visited {
    struct store_thread *thread;
    uint64_t now;
    struct segment *segment;
    struct slot slot; /* the record's own; the visitor may empty it or set its place */
    uint64_t hash;    /* of its key */
    char *bytes;
    struct record record;
    uint64_t expires;
    void *context;
};

struct visit {
    struct store_thread *thread;
    struct segment *segment;
    uint64_t now;
    uint64_t expired_by; /* only records that expire at or before this time;
                            SEGMENT_NEVER: all */
    bool lock_namespace; /* hold the namespace's lock during a batch: to move records */
    void (*each)(struct visited *visited);
    void *context;
    const bool *stop; /* or NULL: the walk ends when this has become true */
    /* results */
    uint64_t earliest_left; /* when the first of the living records that were not visited
                               expires */
    size_t seen;            /* records walked over, dead ones included */
};

/* Visits what was in the segment when it began. No namespace or bucket may be locked. */
void visit_segment(struct visit *visit);

/* For visitors: where the record lies in the segment, in bytes. */
static inline uint32_t visited_offset(const struct visited *visited)
{
    return (uint32_t)(visited->bytes -
                      segment_bytes(&visited->thread->store->segments, visited->segment));
}

/* For visitors: the record ends, and its slot is emptied. */
void visited_remove(struct visited *visited, enum retire_reason why);

#endif

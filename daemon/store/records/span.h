/*
 * span.h - a large record while it is put together, block by block.
 *
 * Such a record has a segment of its own, and pieces: blocks of halving sizes, so that less
 * than a kilobyte of the last one is unused. Until span_publish they belong to the caller alone,
 * one thread at a time, and cannot be evicted.
 *
 * In a file the pieces get their labels before the head does, and the head's label is the
 * commit: without a head that names them, pieces belong to no record. What of the value lies in a
 * segment is summed as it is filled, and the sum waits in the label, which is not read
 * before it has an owner.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_SPAN_H
#define KVCACHED_DAEMON_STORE_RECORDS_SPAN_H

#include "daemon/store/records/write_txn.h"

struct span {
    struct store *store;
    struct record record; /* its key is the caller's */
    uint64_t given;       /* bytes of the value that are there */
    uint64_t memory;      /* bytes of its blocks */
    uint32_t head;        /* its segment, or 0: nothing was taken yet */
    uint32_t last;        /* the piece that is being filled */
    uint64_t born;        /* the head's version as it was made: what its pieces know it by */
    bool promised;        /* all bytes of the value will be given: blocks may be as large
                             as it is, else none is larger than what has come */
};

static inline uint32_t span_header_and_key(const struct span *span)
{
    return record_header_size(&span->record) + (uint32_t)span->record.key.length;
}

/* The order that the next block should have. */
uint8_t span_next_order(const struct span *span);
/* One more block; see arena_alloc for `reserve`. False: there is none. */
bool span_add(struct span *span, struct generation *generation, uint8_t order, uint32_t reserve,
              uint64_t now);

/* How many bytes of the value there is room for now, and where. */
uint32_t span_room(const struct span *span, char **bytes);
/* So many were written there. */
void span_advance(struct span *span, size_t bytes);
/* Where no byte will be given: what an empty value comes to. */
void span_finish_empty(struct span *span);

/* Once, when all bytes were given. */
void span_enter_pieces(const struct span *span);
/* The segments become the namespace's, and the slot is turned to them; both are locked. */
void span_publish(struct write_txn *txn, const struct span *span, struct slot *slot,
                  uint64_t expires, bool stale);
/* Instead of that. */
void span_drop(struct span *span);

/* The version of a large record, which is its segment's but for where it begins there. */
static inline uint64_t span_version(const struct store *store, const struct segment *segment)
{
    return segment->version + store->segments.lead;
}

static inline void span_set_version(const struct store *store, struct segment *segment,
                                    uint64_t version)
{
    __atomic_store_n(&segment->version, version - store->segments.lead, __ATOMIC_RELAXED);
}

/* Gives a large record another expiry where it lies; `stale`: whether it is so from now on.
 * Namespace and bucket are locked. */
void span_set_life(struct store *store, struct segment *segment, uint64_t expires, bool stale);

#endif

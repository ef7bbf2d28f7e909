/*
 * generation.h - what a namespace holds from one flush to the next: plain data.
 *
 * A generation owns segments, in a list from the oldest to the youngest, and counts the live
 * records in them. Functions on that list are in generation_segments.h, making and freeing a
 * generation in namespace.h.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_GENERATION_H
#define KVCACHED_DAEMON_STORE_RECORDS_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/siphash.h"
#include "daemon/store/records/age.h"

struct namespace;

/* Where a listing stands; cursor.c owns it. */
struct cursor_position {
    struct cursor_position *next;
    uint32_t segment; /* 0: at the end */
    uint32_t offset;  /* 0: at its first record */
};

/* So much between what is read and what is written keeps them on different lines of the
 * processor's cache. With two workers and a pipeline this took a fifth off what a request costs. */
enum { NAMESPACE_LINE = 64 };

struct generation {
    struct siphash_state hashing; /* begun with `number` */
    uint64_t number;              /* never used twice; salts the hash of its keys */
    struct namespace *ns;
    char padding[NAMESPACE_LINE]; /* every request reads what is above, every write changes
                                   what is below */
    uint64_t items;               /* live records; atomic */
    uint64_t bytes;               /* of them, headers included; atomic */
    uint64_t memory;              /* bytes of its blocks; atomic, changed under ns->lock */
    uint64_t young;               /* of that in segments that are young; likewise */
    struct age_clock age;         /* where the namespace has a quota */
    /* ns->lock guards what follows */
    uint32_t first, last; /* its segments, oldest first */
    uint64_t links;       /* how many were ever linked: the last one's `link` */
    uint32_t first_young; /* the oldest young one */
    uint32_t open;        /* the first one that is appended to */
    uint32_t begun;       /* bytes of the first block that are counted already; age_segment.c */
    struct cursor_position *listings; /* those under way; atomic */
    bool retired;                     /* flushed: ns has another by now; atomic */
    uint16_t remnants;                /* orders of blocks that its segments left unused, as bits */
    /* the housekeeper's */
    struct generation *next_retired;
    uint64_t epoch;
};

/* Counts so many records more, and bytes of them; negative numbers wrap around. Returns how many
 * records there are then. Any thread. */
static inline uint64_t generation_count(struct generation *generation, int64_t items, int64_t bytes)
{
    __atomic_fetch_add(&generation->bytes, (uint64_t)bytes, __ATOMIC_RELAXED);
    return __atomic_add_fetch(&generation->items, (uint64_t)items, __ATOMIC_RELAXED);
}

/* Without ns->lock the answer may be out of date as soon as it is given. */
static inline bool generation_is_retired(const struct generation *generation)
{
    return __atomic_load_n(&generation->retired, __ATOMIC_RELAXED);
}

#endif

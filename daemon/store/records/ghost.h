/*
 * ghost.h - which keys were evicted not long ago.
 *
 * A key that was evicted and comes back soon was worth more than what was kept
 * instead: its record is taken for proven at once. (Ghost entries: Megiddo and Modha,
 * "ARC", FAST 2003; to pass the queue of the young by them: Yang, Zhang, Qiu, Yue and
 * Rashmi, "FIFO queues are all you need for cache eviction", SOSP 2023.)
 *
 * Remembered is not the key but four bits of a Bloom filter, and of these there are
 * three: one is filled, the one before it is full, and the oldest is being emptied,
 * some of it with every key, so that no request waits for a large filter to be
 * cleared. All three are asked. A line of the processor's cache holds the same part of all
 * three (blocked Bloom filters: Putze, Sanders and Singler, 2007), so a question
 * costs one line. A false positive keeps a record longer that no client missed.
 *
 * A filter takes a sixth as many keys as there are records. Longer memories follow a
 * change of habits faster, and tell popular keys worse, also because fuller filters are
 * mistaken more often. What the store misses on traces of tests/store/eviction/simulate.c:
 *
 *                     Zipf 0.8   Zipf 1.0   sets   mistaken
 *     no memory         0.298      0.123    0.144
 *     an eighth         0.293      0.120    0.125    0.7 %
 *     a sixth           0.293      0.120    0.122    1.8 %
 *     a quarter         0.298      0.120    0.121    5.5 %
 *
 * All three are 1/170 of the memory. They are paid for when something is evicted for
 * the first time: a store that never fills has none. Where a key's line is depends on how many
 * there are, so that all is forgotten when the memory becomes another.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_GHOST_H
#define KVCACHED_DAEMON_STORE_RECORDS_GHOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/arena/budget.h"
#include "daemon/store/records/segment.h"

enum { GHOST_LANES = 16 };

/* Of 16 bits each. The first one says which of the others is the oldest key, and the next to be
 * replaced. */
struct ghost_line {
    uint64_t words[GHOST_LANES / 4]; /* atomic */
};

_Static_assert(sizeof(struct ghost_line) == 32, "two lines are a line of the processor's cache");

struct ghost {
    struct ghost_line *lines; /* reserved; keys are added under store.reclaim_lock */
    uint32_t most;            /* lines that are reserved */
    uint32_t count;           /* atomic, changed under store.reclaim_lock while it is not open */
    uint32_t open;            /* paid for, and in use; atomic */
    uint64_t reach;           /* how far back; atomic */
    /* under store.reclaim_lock */
    uint32_t wanted; /* what count is to be */
    uint64_t paid;   /* bytes */
};

/* For so much memory of a store, and for `most` bytes one day. False with errno when there is
 * no address space. */
bool ghost_init(struct ghost *ghost, uint64_t memory, uint64_t most);
void ghost_deinit(struct ghost *ghost);

/* What it takes with so much memory can be used. False with errno. */
bool ghost_open(struct ghost *ghost, uint64_t memory);
/* It is to be as with so much memory, which was opened: ghost_settle goes there. */
void ghost_resize(struct ghost *ghost, uint64_t memory);
/* Gives some of what it was back. False: it is as large as it is to be. */
bool ghost_settle(struct ghost *ghost, struct budget *budget);

/* Takes a part of what it needs from the budget. False when that has no more. */
bool ghost_pay(struct ghost *ghost, struct budget *budget);

/* A key was evicted from that queue. */
void ghost_add(struct ghost *ghost, uint64_t hash, enum segment_queue queue);

/* The bits of a key all come from one product. */
static inline uint64_t ghost_mix(uint64_t hash)
{
    return hash * UINT64_C(0x9e3779b97f4a7c15);
}

static inline uint32_t ghost_lines(const struct ghost *ghost)
{
    return __atomic_load_n(&ghost->count, __ATOMIC_RELAXED);
}

static inline struct ghost_line *ghost_line(const struct ghost *ghost, uint64_t mixed)
{
    return &ghost->lines[(mixed >> 32) * ghost_lines(ghost) >> 32];
}

/* Any thread, of a key that is written: was it evicted lately, in a store of so many records? */
bool ghost_has(struct ghost *ghost, uint64_t hash, uint64_t records);

/* Where a record that is written belongs. */
static inline enum segment_queue ghost_queue(struct ghost *ghost, uint64_t hash, uint64_t records)
{
    return ghost_has(ghost, hash, records) ? SEGMENT_PROVEN : SEGMENT_YOUNG;
}

#endif

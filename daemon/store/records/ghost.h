/*
 * ghost.h - which keys were evicted not long ago.
 *
 * A key that was evicted and comes back soon was worth more than what was kept
 * instead: its record is taken for proven at once. (Ghost entries: Megiddo and Modha,
 * "ARC", FAST 2003; to pass the queue of the young by them: Yang, Zhang, Qiu, Yue and
 * Rashmi, "FIFO queues are all you need for cache eviction", SOSP 2023.)
 *
 * Remembered is 14 bits of the key's hash, whether the record was proven, and whether the key was
 * written since. A line holds 15 keys that another part of the hash leads to, in the order of their
 * eviction; the oldest is replaced. A lookup costs one line of the processor's cache, and takes one
 * other key in 1,000 for one that was evicted, which keeps a record longer that no client missed.
 * How long ago a key was evicted is told by its place in the line: each key behind it stands for as
 * many evictions as there are lines.
 *
 * Not all that is remembered counts, but what was evicted within the reach: a share of the records
 * that there are, from 3/32 to 5/8 of them. A long reach follows a change of habits faster, and
 * tells popular keys worse. So the reach follows what comes back (as the target of ARC does): it
 * grows with each key beyond it whose record was young, which a longer reach would have proven,
 * and shrinks with each key whose record was proven, which had to go for others that were proven
 * by the reach. A key counts once for each time that it is evicted.
 *
 * What the store misses on traces of tests/store/eviction/simulate.c, and on a recorded trace of
 * block accesses (113,872 to 48,974 blocks, of 1,000 bytes each, in 8 MiB):
 *
 *                                       Zipf 0.8   Zipf 1.0   scans   sets    blocks
 *     no memory                           0.300      0.122    0.258   0.160   0.747
 *     Bloom filters, a sixth to a half    0.292      0.120    0.257   0.121   0.730
 *     reach of 3/8, fixed                 0.291      0.119    0.255   0.121   0.715
 *     reach as it is now                  0.291      0.119    0.254   0.121   0.706
 *
 * Tried and dropped: keys of 11 bits with counts of how often they came back, which would let keys
 * beyond the reach in when they come back for the second time (Zipf 0.8 0.001 less, scans and sets
 * more), also as first count of reads; a reach of all records (blocks 0.710, sizes 0.222 instead
 * of 0.221); 1/170 of the memory (blocks 0.710) and 1/90 (Zipf 0.8 0.292); lines of 31 keys, whose
 * places tell more and cost 40 instructions more (blocks 0.705).
 *
 * The lines are 1/120 of the memory. They are paid for when something is evicted for
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

/* Any thread, of a key that is written: was it evicted lately, in a store of so many records? */
bool ghost_has(struct ghost *ghost, uint64_t hash, uint64_t records);

/* Where a record that is written belongs. */
static inline enum segment_queue ghost_queue(struct ghost *ghost, uint64_t hash, uint64_t records)
{
    return ghost_has(ghost, hash, records) ? SEGMENT_PROVEN : SEGMENT_YOUNG;
}

#endif

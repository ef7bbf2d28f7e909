/*
 * evict.h - which records go when memory runs out, though they live.
 *
 * None, as long as a fifth of some segment is dead: those are emptied by moving what
 * lives. After that:
 *
 * Whole segments are taken, the oldest first, from one of two queues. Records that are
 * written go to segments that are young. When such a segment is the oldest of them,
 * what was read since is moved to segments that are proven, and the rest is dropped:
 * most of what is written once and never read leaves within a sixteenth of the memory.
 * When the young have less than that sixteenth, the oldest proven segment is taken:
 * what was read most is appended to the proven again, with half its count (cull.h).
 * What was dropped is remembered for a while (ghost.h); if it is written again it
 * is taken for proven at once.
 *
 * This is S3-FIFO (Yang, Zhang, Qiu, Yue and Rashmi, "FIFO queues are all you need for
 * cache eviction", SOSP 2023) with segments for records, as Segcache merges them (Yang,
 * Yue and Vinayak, NSDI 2021), and with counts of sixteen steps, as GCLOCK has (Smith,
 * 1978). A tenth for the young, as S3-FIFO has, misses 0.297 of Zipf 0.8 where this
 * misses 0.294, and 0.122 instead of 0.124 where sets of keys replace each other.
 * tests/simulate.c holds the store itself to bounds, beside other policies.
 *
 * A search looks at EVICT_SAMPLE segments at most, so that nobody waits longer for it the
 * more there are. Where there are more, it looks at every second, third and so on, and what is
 * said above of all segments holds for these: the oldest of a sample go, as Redis has it, but
 * of a sample that is spread evenly over all, and that is another each time until each segment
 * was looked at.
 *
 * Namespaces with a quota are only ever evicted from by their own pressure. All
 * others share the rest of the memory and are one pool.
 */
#ifndef KVCACHED_EVICT_H
#define KVCACHED_EVICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/victims.h"

struct lane;
struct namespace;

enum { EVICT_SAMPLE = 512 };

/* Under store.upkeep. */
struct evict {
    struct victims wasteful;            /* by dead space: emptied without losses */
    struct victims old[SEGMENT_QUEUES]; /* by age */
    uint64_t bytes[SEGMENT_QUEUES];     /* of the pool's segments in the sample, about */
    uint32_t hand;                      /* where the sample begins */
    uint32_t unit, units_end;           /* of a frame that is being emptied; equal: of none */
    bool found_waste;                   /* when the lists were made there was some: look again,
                                           before a record that lives is dropped */
};

/* Evicts from the pool; returns the effort, 0 when there is nothing to evict. */
size_t evict_from_pool(struct lane *lane, uint64_t now);
/* Evicts inside of one namespace. */
size_t evict_from_namespace(struct lane *lane, struct namespace *ns, uint64_t now);
/* The same, such that a frame comes free: what others have in it is moved. */
size_t evict_frame_of_namespace(struct lane *lane, struct namespace *ns, uint64_t now);
/* Brings a namespace that nears its quota, or is above it, safely below. */
size_t evict_ahead(struct lane *lane, struct namespace *ns, uint64_t now);

#endif

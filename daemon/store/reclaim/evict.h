/*
 * evict.h - which records go when memory runs out, though they live.
 *
 * None, as long as a tenth of some frame is dead or free: those are emptied by moving what lives.
 * Nor any that is fresh (age.h): where such a record lies in a segment or a frame that is emptied,
 * it is moved. After that:
 *
 * Whole segments are taken, the oldest first, from one of two queues. Records that are
 * written go to segments that are young. When such a segment is the oldest of them,
 * what was read since is moved to segments that are proven, and the rest is dropped:
 * most of what is written once and never read leaves within a sixteenth of the memory.
 * When the young have less than that sixteenth, the oldest proven segment is taken:
 * what was read most is appended to the proven again, with half its count (evict_segment.h).
 * What was dropped is remembered for a while (ghost.h); if it is written again it
 * is taken for proven at once.
 *
 * This is S3-FIFO (Yang, Zhang, Qiu, Yue and Rashmi, "FIFO queues are all you need for
 * cache eviction", SOSP 2023) with segments for records, as Segcache merges them (Yang,
 * Yue and Vinayak, NSDI 2021), and with counts of sixteen steps, as GCLOCK has (Smith,
 * 1978). A tenth for the young, as S3-FIFO has, misses 0.297 of Zipf 0.8 where this
 * misses 0.294, and 0.122 instead of 0.124 where sets of keys replace each other.
 * tests/store/eviction/simulate.c holds the store itself to bounds, beside other policies.
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
#ifndef KVCACHED_DAEMON_STORE_RECLAIM_EVICT_H
#define KVCACHED_DAEMON_STORE_RECLAIM_EVICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/records/state.h"

enum {
    EVICT_SAMPLE = 512,
    EVICT_WASTE_LEAST = 96, /* of 1024: below, moving the rest costs too much */
};

/* Evicts from the pool; returns the effort, 0 when there is nothing to evict. */
size_t evict_from_pool(struct store_thread *thread, uint64_t now);
/* Evicts inside of one namespace. */
size_t evict_from_namespace(struct store_thread *thread, struct namespace *ns, uint64_t now);
/* The same, such that a frame comes free: what others have in it is moved. */
size_t evict_frame_of_namespace(struct store_thread *thread, struct namespace *ns, uint64_t now);
/* Brings a namespace that nears its quota, or is above it, safely below. */
size_t evict_ahead(struct store_thread *thread, struct namespace *ns, uint64_t now);

/* --- for the files of eviction ------------------------------------------------- */

struct segment;

/* How much of a linked segment can be won back without losing a record: parts in 1024, or 0
 * where it is too little, or nothing may be moved. */
uint32_t evict_waste(const struct store *store, const struct segment *segment);
/* Whose turn it is, where `young` bytes of all are young. */
enum segment_queue evict_queue(uint64_t young, uint64_t all);
/* Empties it, and the frame that it shares with others; returns the effort. */
size_t evict_with_frame(struct store_thread *thread, struct segment *segment, uint64_t now);
/* Empties one; returns the effort. */
size_t evict_segment(struct store_thread *thread, struct segment *segment, bool may_drop,
                     uint64_t now);

#endif

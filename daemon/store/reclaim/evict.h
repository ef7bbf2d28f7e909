/*
 * evict.h - which living records are removed when memory runs out.
 *
 * None, as long as a tenth of some frame is dead or free: such frames are emptied by moving what
 * lives. Nor any record that is fresh (age.h): if it lies in a segment or a frame that is emptied,
 * it is moved. After that:
 *
 * Whole segments are taken, the oldest first, from one of two queues. Records that are
 * written go to segments that are young. When a young segment is the oldest of them,
 * the records that were read since are moved to segments that are proven, and the rest
 * is dropped: most of what is written once and never read leaves within a 20th of the
 * memory. When the young have less than that 20th, the oldest proven segment is taken:
 * the records that were read most are appended to the proven again, with one read less and
 * a few at most (evict_segment.c). Keys that were dropped are remembered for a while (ghost.h);
 * if one is written again, its record is proven at once.
 *
 * This is S3-FIFO (Yang, Zhang, Qiu, Yue and Rashmi, "FIFO queues are all you need for
 * cache eviction", SOSP 2023) with segments for records, as Segcache merges them (Yang,
 * Yue and Vinayak, NSDI 2021), and with counts of 16 steps, as GCLOCK has (Smith,
 * 1978). A tenth for the young, as in S3-FIFO, misses 0.294 of Zipf 0.8 where this
 * misses 0.291, and 0.119 instead of 0.121 where sets of keys replace each other. A 16th
 * misses 0.0003 less of the simulated traces, and 0.001 more of two million keys by Zipf 0.8
 * in 64 MiB.
 * tests/store/eviction/simulate.c holds the store itself to bounds, beside other policies.
 *
 * A search looks at EVICT_SAMPLE segments at most, so that its time does not grow with the
 * store. If there are more, it looks at every second, third and so on, and what is said above
 * of all segments holds for these: the oldest of a sample are taken, as in Redis. But a sample
 * is spread evenly over all segments, and it is another one each time until every segment was
 * looked at.
 *
 * A namespace with a quota loses records only to its own writes. All others share the rest
 * of the memory and are one pool.
 *
 * With store.reclaim_lock held, and no namespace or bucket locked.
 */
#ifndef KVCACHED_DAEMON_STORE_RECLAIM_EVICT_H
#define KVCACHED_DAEMON_STORE_RECLAIM_EVICT_H

#include <stddef.h>
#include <stdint.h>

struct store_thread;

enum { EVICT_SAMPLE = 512 /* segments that a search looks at */ };

/* Evicts from the pool. Returns the effort, in records; 0: there is nothing to evict. */
size_t evict_from_pool(struct store_thread *thread, uint64_t now);

#endif

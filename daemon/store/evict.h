/*
 * evict.h - which records go when memory runs out, though they live.
 *
 * Whole segments are taken, the oldest first. Of a segment's records those that
 * were read most since they were last looked at are kept: they are appended to an
 * open segment with half their count, and so survive for another round. What was
 * kept is at most half of the segment, so each eviction frees the other half.
 * (The idea of merging by frequency is Segcache's: Yang, Yue and Vinayak,
 * NSDI 2021; second chances by a small counter are GCLOCK's: Smith, 1978.)
 *
 * Namespaces with a quota are only ever evicted from by their own pressure. All
 * others share the rest of the memory and are one pool.
 */
#ifndef KVCACHED_EVICT_H
#define KVCACHED_EVICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lane;
struct namespace;

enum { EVICT_CANDIDATES = 256 };

/* Under store.upkeep. */
struct evict {
    uint32_t candidate[EVICT_CANDIDATES]; /* segments, the oldest last */
    uint32_t serial[EVICT_CANDIDATES];    /* what they were when they were chosen */
    unsigned count;
    unsigned most; /* how many are chosen at once: few of few, so that the list does not
                      outlive what it says */
};

/* Evicts from the pool; returns the effort, 0 when there is nothing to evict. */
size_t evict_from_pool(struct lane *lane, uint64_t now);
/* Evicts inside of one namespace. */
size_t evict_from_namespace(struct lane *lane, struct namespace *ns, uint64_t now);
/* Brings a namespace that nears its quota, or is above it, safely below. */
size_t evict_ahead(struct lane *lane, struct namespace *ns, uint64_t now);

#endif

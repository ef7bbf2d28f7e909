/*
 * evict.h - which records go when memory runs out, though they live.
 *
 * None, as long as a fifth of some segment is dead: those are emptied by moving what
 * lives. After that:
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

#include "daemon/store/victims.h"

struct lane;
struct namespace;

/* Under store.upkeep. */
struct evict {
    struct victims wasteful; /* by dead space: emptied without losses */
    struct victims old;      /* by age */
    bool found_waste;        /* when the lists were made there was some: look again,
                                before a record that lives is dropped */
};

/* Evicts from the pool; returns the effort, 0 when there is nothing to evict. */
size_t evict_from_pool(struct lane *lane, uint64_t now);
/* Evicts inside of one namespace. */
size_t evict_from_namespace(struct lane *lane, struct namespace *ns, uint64_t now);
/* Brings a namespace that nears its quota, or is above it, safely below. */
size_t evict_ahead(struct lane *lane, struct namespace *ns, uint64_t now);

#endif

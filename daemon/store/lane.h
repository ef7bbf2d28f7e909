/*
 * lane.h - what each thread that uses the store has for itself.
 *
 * Its counters, by namespace, which nobody else writes and which are summed when
 * they are read; its memory of the last few namespace names; and its epoch, which
 * says whether it is inside (epoch-based reclamation: Fraser, "Practical
 * lock-freedom", 2004). What was unlinked at epoch e is freed when no lane is
 * inside that entered at e or before.
 */
#ifndef KVCACHED_LANE_H
#define KVCACHED_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/namespace.h"
#include "daemon/store/store.h"

enum {
    LANES_MAX = 72,
    LANE_NAMES = 8,  /* remembered names; a power of two */
    LANE_CHUNK = 64, /* namespaces whose counters are allocated together */
    LANE_CHUNKS = (STORE_NAMESPACES_MAX + LANE_CHUNK) / LANE_CHUNK,
};

struct lane {
    struct store *store;
    uint64_t epoch; /* 0: outside; atomic */
    unsigned number;
    uint32_t names_removals;                      /* namespaces.removals when they were noted */
    struct namespace *names[LANE_NAMES];          /* good while that has not changed */
    struct store_counters *counters[LANE_CHUNKS]; /* atomic pointers */
    uint64_t ahead;                               /* bytes that were counted ahead; age.c */
    struct store_join *joining;                   /* the one that proceeds in steps; join.c */
    struct store_counters scrap;                  /* counts that no memory could be had for */
    store_maker *maker;                           /* or NULL; store_lane_name_maker */
    void *maker_context;
};

struct lanes {
    struct lane *all[LANES_MAX];              /* atomic; changed under namespaces.lock */
    uint64_t epoch;                           /* starts at 1; atomic */
    struct store_counters *gone[LANE_CHUNKS]; /* what lanes that are no more had
                                                 counted; namespaces.lock */
};

/* The namespace of that name or NULL, remembered for the next time. */
struct namespace *lane_find(struct lane *lane, struct slice name);

/* The lane's own counters for a namespace number (0: for requests to namespaces
 * that do not exist). Never NULL: without memory they count into nowhere. */
struct store_counters *lane_counters(struct lane *lane, uint32_t id);

/* The maker of a namespace that is made now; 0: none in particular. */
static inline uint64_t lane_maker(const struct lane *lane)
{
    return lane->maker != NULL ? lane->maker(lane->maker_context) : 0;
}

/* Only the owner adds, so a load and a store are enough. */
static inline void lane_count(uint64_t *counter, uint64_t by)
{
    __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + by, __ATOMIC_RELAXED);
}

/* Sums over all lanes for one number, or for all of them. Under namespaces.lock. */
void lanes_sum(const struct lanes *lanes, uint32_t id, struct store_counters *sum);
void lanes_sum_all(const struct lanes *lanes, uint32_t highest, struct store_counters *sum);

void counters_add(struct store_counters *to, const struct store_counters *from);
void counters_subtract(struct store_counters *from, const struct store_counters *what);

void lanes_init(struct lanes *lanes);
/* Every lane must have been destroyed. */
void lanes_deinit(struct lanes *lanes);

/* Call after unlinking something: the epoch to pass to lanes_have_left. */
uint64_t lanes_unlinked(struct lanes *lanes);
/* True when no lane can still see what was unlinked then. */
bool lanes_have_left(const struct lanes *lanes, uint64_t epoch);

#endif

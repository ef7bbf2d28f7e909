/*
 * state.h - what a store is made of. For the files of this room only.
 *
 * From a request to a record: namespaces_find_cached (namespace), index_lock (bucket),
 * lookup.h (slot, segment, record). From a new value to a record: append.h puts
 * it into an open segment, then the slot is turned to it. What is no longer
 * wanted is retired (lookup.h), and the housekeeper (housekeep.h) takes back the
 * space.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_STATE_H
#define KVCACHED_DAEMON_STORE_RECORDS_STATE_H

#include <pthread.h>

#include "daemon/store/arena/arena.h"
#include "daemon/store/arena/budget.h"
#include "daemon/store/arena/file.h"
#include "daemon/store/index/index.h"
#include "daemon/store/records/age.h"
#include "daemon/store/records/backlog.h"
#include "daemon/store/records/cursors.h"
#include "daemon/store/records/evict_state.h"
#include "daemon/store/records/expire.h"
#include "daemon/store/records/generation_segments.h"
#include "daemon/store/records/ghost.h"
#include "daemon/store/records/namespace.h"
#include "daemon/store/records/segment.h"
#include "daemon/store/records/share.h"
#include "daemon/store/records/thread.h"
#include "daemon/store/store.h"

/* A policy that is being put in force; see policy.c. */
enum policy_phase {
    POLICY_DONE,
    POLICY_MARK,
    POLICY_MAKE,
    POLICY_SWITCH,
    POLICY_DRAIN,
    POLICY_DROP,
};

struct policy_change {
    enum policy_phase phase;
    bool declared_only; /* from SWITCH on */
    uint32_t next;      /* number of the next namespace, or of the next name in the table */
    uint64_t epoch;     /* of SWITCH */
    bool no_room;       /* nothing may be evicted */
    bool retries;       /* what was owed is tried again */
    int attempts;       /* to make room, without making a namespace; with `retries`, all */
    int tidies;
    struct store_policy_result result;
};

/* How far the store is on its way to less memory; see shrink.h. Under reclaim_lock. */
struct shrink {
    bool active;           /* more is used than shall be */
    bool squeezes;         /* tables are squeezed; else records are evicted */
    uint64_t squeeze_from; /* bytes used above which it would be in vain */
    bool stuck;            /* nothing could be done, */
    uint64_t stuck_at;     /* and when that was, by `now` */
    size_t expire_hand;    /* the next entry of the heap */
    uint32_t number_hand;  /* the segment before this one is next */
    uint32_t name_hand;    /* the next namespace that may have to give */
};

struct store {
    struct file file; /* where the arena lies; not in use without one */
    struct budget budget;
    struct siphash_key secret;
    struct arena arena;
    struct segments segments;
    struct index index;
    struct namespaces namespaces;
    struct threads threads;
    struct expire expire;
    struct ghost ghost;
    struct backlog backlog;
    struct age_clock age; /* of namespaces without a quota */
    uint64_t memory;      /* bytes: what budget.limit is, or is on its way to; atomic,
                             changed under reclamation */
    struct cursors cursors;
    uint64_t max_value;                 /* atomic */
    uint32_t span_size;                 /* a record from this size on has segments of its own */
    struct store_counters before;       /* counted before the last reset; namespaces.lock */
    struct share pool;                  /* of all namespaces without a quota together */
    uint64_t wanted;                    /* when something last had to wait for either; atomic */
    uint64_t quotas;                    /* bytes that the policy keeps for namespaces; atomic */
    uint64_t compactions;               /* atomic */
    uint64_t reclaims;                  /* atomic */
    uint32_t waiting_writers;           /* writers that wait for `reclamation`; atomic */
    struct policy_change policy_change; /* the thread's that changes the policy */

    pthread_mutex_t reclaim_lock; /* guards what follows */
    struct evict evict;
    struct shrink shrink;
    uint64_t spare_effort;               /* records that may be walked though few expired */
    uint64_t last_slice;                 /* `now` of the last slice of housekeeping */
    uint64_t frames_marked;              /* `now` of the last arena_mark */
    struct gone_namespaces gone;         /* unlinked, not freed yet; the first first */
    struct generation *gone_generations; /* taken apart, not freed yet */
};

static inline uint64_t store_hash(const struct store *store, const struct generation *generation,
                                  struct slice key)
{
    (void)store; /* its secret is in `hashing` */
    return siphash13_end(&generation->hashing, key);
}

/* Bytes that bound everything: see store_set_memory. */
static inline uint64_t store_memory_target(const struct store *store)
{
    return __atomic_load_n(&store->memory, __ATOMIC_RELAXED);
}

/* Whether less than one in so many parts of the memory is free. */
static inline bool store_is_short(struct store *store, unsigned parts)
{
    uint64_t bytes = arena_available(&store->arena) * arena_frame_size(&store->arena);
    return bytes < store_memory_target(store) / parts;
}

enum {
    STORE_DENSE = 4 /* parts of memory of which less than one is free where the index is dense */
};

/* Buckets that the index may come to need with so much memory: one slot for each of the smallest
 * records that could ever be, at full load. A bucket goes with so many of them. */
static inline uint64_t store_index_capacity(uint64_t memory)
{
    return memory / (RECORD_SIZE_MIN * INDEX_LOAD + sizeof(struct bucket)) + INDEX_BUCKETS_MIN;
}

#endif

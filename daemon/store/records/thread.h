/*
 * thread.h - what each thread that uses the store has for itself.
 *
 * Its counters, by namespace, which no other thread writes and which are summed when
 * they are read; its memory of the last few namespace names; and its epoch, which
 * says whether it is inside (epoch-based reclamation: Fraser, "Practical
 * lock-freedom", 2004). What was unlinked at epoch e is freed when no thread is
 * inside that entered at e or before.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_THREAD_H
#define KVCACHED_DAEMON_STORE_RECORDS_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/store.h"

struct namespace;

enum {
    STORE_THREADS_MAX = 72,
    THREAD_NAMES = 8,   /* remembered names; a power of two */
    COUNTER_CHUNK = 64, /* namespaces whose counters are allocated together */
    COUNTER_CHUNKS = (STORE_NAMESPACES_MAX + COUNTER_CHUNK) / COUNTER_CHUNK,
};

struct store_thread {
    struct store *store;
    uint64_t epoch; /* 0: outside; atomic */
    unsigned number;
    uint32_t names_removals;                         /* namespaces.removals when they were noted */
    struct namespace *names[THREAD_NAMES];           /* good while that has not changed */
    struct store_counters *counters[COUNTER_CHUNKS]; /* atomic pointers */
    uint64_t ahead;                 /* bytes that were counted ahead; age_segment.c */
    struct store_append *appending; /* the one that proceeds in steps; large_append.c */
    struct store_counters scrap;    /* counts that no memory could be had for */
    uint64_t returns_seen;          /* segments.returns when it last found nothing to free */
    store_creator *creator;         /* or NULL; store_thread_set_creator */
    void *creator_context;
    store_observer *observer; /* or NULL; store_thread_set_observer */
    void *observer_context;
};

struct threads {
    struct store_thread *all[STORE_THREADS_MAX];  /* atomic; changed under namespaces.lock */
    uint64_t epoch;                               /* starts at 1; atomic */
    struct store_counters *gone[COUNTER_CHUNKS];  /* what threads that are no more had
                                                  counted; namespaces.lock */
    struct store_counters *reset[COUNTER_CHUNKS]; /* the sums at the last reset; NULL: there was
                                                  none; namespaces.lock */
};

/* Where the name is remembered, which is not empty: it spreads names over the few places. */
static inline struct namespace **store_thread_name(struct store_thread *thread, struct slice name)
{
    unsigned mix = (unsigned)name.length * 31;
    mix += (unsigned char)name.bytes[0] * 7u + (unsigned char)name.bytes[name.length - 1];
    return &thread->names[mix % THREAD_NAMES];
}

struct store_counters *store_thread_new_counters(struct store_thread *thread, uint32_t id);

/* The thread's own counters for a namespace number (0: for requests to namespaces
 * that do not exist). Never NULL: without memory they count into nowhere. */
static inline struct store_counters *store_thread_counters(struct store_thread *thread, uint32_t id)
{
    struct store_counters *chunk = thread->counters[id / COUNTER_CHUNK];
    return chunk != NULL ? &chunk[id % COUNTER_CHUNK] : store_thread_new_counters(thread, id);
}

/* The creator of a namespace that is made now; 0: none in particular. */
static inline uint64_t store_thread_creator(const struct store_thread *thread)
{
    return thread->creator != NULL ? thread->creator(thread->creator_context) : 0;
}

static inline void store_thread_observe(const struct store_thread *thread,
                                        const struct store_observed *observed)
{
    if (thread->observer != NULL) {
        thread->observer(thread->observer_context, observed);
    }
}

/* Only the owner adds, so a load and a store are enough. */
static inline void store_thread_count(uint64_t *counter, uint64_t by)
{
    __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + by, __ATOMIC_RELAXED);
}

/* Sums over all threads for one number, or for all of them. Under namespaces.lock. */
void store_threads_sum(const struct threads *threads, uint32_t id, struct store_counters *sum);
/* Of the evictions alone. */
uint64_t store_threads_evictions(const struct threads *threads, uint32_t id);
void store_threads_sum_all(const struct threads *threads, uint32_t highest,
                           struct store_counters *sum);

/* Resets the counters of a number: remembers their sums. Without memory it does nothing. The caller
 * holds namespaces.lock. */
void store_threads_reset(struct threads *threads, uint32_t id);
/* Subtracts from `sum` what was counted before the last reset, or `before` where that is later. The
 * caller holds namespaces.lock. */
void store_threads_since_reset(const struct threads *threads, uint32_t id,
                               const struct store_counters *before, struct store_counters *sum);

void counters_add(struct store_counters *to, const struct store_counters *from);
void counters_subtract(struct store_counters *from, const struct store_counters *what);

void store_threads_init(struct threads *threads);
/* Every thread must have been destroyed. */
void store_threads_deinit(struct threads *threads);

/* Call after unlinking something: the epoch to pass to store_threads_have_left. */
uint64_t store_threads_unlinked(struct threads *threads);
/* True when no thread can still see what was unlinked then. */
bool store_threads_have_left(const struct threads *threads, uint64_t epoch);

#endif

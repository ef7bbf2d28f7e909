/*
 * flush.c - forgetting a whole namespace, at once or at a time to come.
 *
 * A namespace is given a new generation, and what the old one holds is not
 * found from then on. Its segments are taken back behind (reclaim.c).
 *
 * A flush that was set for later happens in the first store_tick from that time on, so that a
 * request which read the clock after that time waits for it. Where many are due at once they
 * are flushed in rounds, between which namespaces.lock is free.
 */
#include "daemon/store/records/flush.h"

#include "daemon/store/arena/file_namespace.h"

enum { DUE_ROUND = 64 }; /* namespaces that are flushed without letting go of the lock */

static bool holds_something(struct namespace *ns)
{
    lock_take(&ns->lock);
    bool holds = ns->generation->first != 0;
    lock_give(&ns->lock);
    return holds;
}

/* With the namespace's lock held. */
static void retire(struct store *store, struct namespace *ns, struct generation *fresh)
{
    struct generation *old = ns->generation;
    __atomic_store_n(&old->retired, true, __ATOMIC_RELAXED);
    file_namespace_set_generation(store->namespaces.file, ns->id, fresh->number);
    __atomic_store_n(&ns->generation, fresh, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&ns->references, 1, __ATOMIC_RELAXED);
    backlog_add_retired(&store->backlog, old);
}

bool flush_namespace(struct store *store, struct namespace *ns, bool due, uint64_t *records)
{
    struct generation *fresh = NULL;
    *records = 0;
    if (holds_something(ns)) {
        fresh = generation_create(&store->namespaces, ns);
        if (fresh == NULL) {
            return false;
        }
    }
    lock_take(&ns->lock);
    if (fresh != NULL && ns->generation->first != 0) {
        *records = __atomic_load_n(&ns->generation->items, __ATOMIC_RELAXED);
        retire(store, ns, fresh);
        fresh = NULL;
    }
    if (due) { /* before a write that a second flush would take */
        ns->flush_at = 0;
        file_namespace_set_flush_at(store->namespaces.file, ns->id, 0);
    }
    backlog_add_namespace(&store->backlog, ns);
    lock_give(&ns->lock);
    if (fresh != NULL) {
        generation_destroy(&fresh);
    }
    return true;
}

enum store_status store_flush(struct store_thread *thread, struct slice name, uint64_t now,
                              uint64_t *records)
{
    (void)now;
    struct store *store = thread->store;
    struct namespace *ns = namespaces_find_cached(&store->namespaces, thread, name);
    *records = 0;
    if (ns == NULL) {
        return namespaces_missing(&store->namespaces, name);
    }
    return flush_namespace(store, ns, false, records) ? STORE_OK : STORE_NO_MEMORY;
}

/* --- later ------------------------------------------------------------------------ */

/* The caller holds namespaces.lock. */
static void flush_at(struct namespaces *all, struct namespace *ns, uint64_t when)
{
    ns->flush_at = when;
    file_namespace_set_flush_at(all->file, ns->id, when);
    if (when == 0) {
        return;
    }
    if (when < all->next_flush) {
        __atomic_store_n(&all->next_flush, when, __ATOMIC_RELEASE);
    }
    if (when < all->due_next) {
        all->due_next = when; /* the round of flushes may be past it */
    }
}

enum store_status store_flush_at(struct store_thread *thread, struct slice name, uint64_t when)
{
    struct namespaces *all = &thread->store->namespaces;
    pthread_mutex_lock(&all->lock);
    struct namespace *ns = namespaces_find(all, name);
    if (ns != NULL) {
        flush_at(all, ns, when);
    }
    pthread_mutex_unlock(&all->lock);
    return ns != NULL ? STORE_OK : STORE_NOT_FOUND;
}

void flush_soon(struct store *store, struct namespace *ns)
{
    flush_at(&store->namespaces, ns, 1);
}

/* Looks at some more. True when all have been looked at since the look began. */
static bool flush_some_due(struct store *store, uint64_t now)
{
    struct namespaces *all = &store->namespaces;
    uint64_t records = 0;
    pthread_mutex_lock(&all->lock);
    for (int i = 0; i < DUE_ROUND && all->due_id < all->highest;) {
        struct namespace *ns = all->by_id[++all->due_id];
        if (ns == NULL || ns->flush_at == 0) {
            continue;
        }
        bool flushed = ns->flush_at <= now && flush_namespace(store, ns, true, &records);
        if (!flushed && ns->flush_at < all->due_next) {
            all->due_next = ns->flush_at;
        }
        i++;
    }
    bool over = all->due_id >= all->highest;
    if (over) {
        __atomic_store_n(&all->next_flush, all->due_next, __ATOMIC_RELEASE);
        all->due_next = NAMESPACES_NO_FLUSH;
        all->due_id = 0;
    }
    pthread_mutex_unlock(&all->lock);
    return over;
}

/* All threads for which it is time help, a round at a time. One that finds others at it has seen
 * all namespaces when it has seen two looks end. */
static bool has_due(const struct store *store, uint64_t now)
{
    return now >= __atomic_load_n(&store->namespaces.next_flush, __ATOMIC_ACQUIRE);
}

static void __attribute__((noinline)) flush_due(struct store *store, uint64_t now)
{
    for (int ended = 0; ended < 2 && has_due(store, now);) {
        ended += flush_some_due(store, now);
    }
}

void store_tick(struct store_thread *thread, uint64_t now)
{
    if (has_due(thread->store, now)) {
        flush_due(thread->store, now);
    }
}

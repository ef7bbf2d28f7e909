/*
 * reclaim.c - freeing segments without records, flushed generations and empty
 * namespaces; see reclaim.h.
 */
#include "daemon/store/reclaim/reclaim.h"

#include "daemon/store/reclaim/visit.h"
#include "daemon/store/records/append.h"
#include "daemon/store/records/share_limits.h"

bool reclaim_segment(struct store *store, struct segment *segment)
{
    struct generation *generation = segment->generation;
    lock_take(&generation->ns->lock);
    bool empty = segment_live(segment) == 0;
    bool pinned = false;
    if (empty) {
        generation_unlink(generation, &store->segments, segment);
        append_hand_over(store, generation);
        pinned = segment_is_pinned(segment);
        if (pinned) { /* the last reader frees it, which it cannot while this lock is held */
            expire_reschedule(&store->expire, segment, SEGMENT_NEVER);
            share_orphan(generation->ns, segment);
        }
    }
    lock_give(&generation->ns->lock);
    if (empty && !pinned) {
        expire_reschedule(&store->expire, segment, SEGMENT_NEVER);
        segment_put(&store->segments, segment);
    }
    return empty;
}

/* --- flushed generations ---------------------------------------------------- */

static void drop_record(struct visited *visited)
{
    visited_remove(visited, RETIRED_FLUSHED);
}

static void unlink_retired(struct store *store, struct generation *generation)
{
    backlog_take_retired(&store->backlog);
    generation->epoch = store_threads_unlinked(&store->threads);
    generation->next_retired = store->gone_generations;
    store->gone_generations = generation;
}

size_t reclaim_flushed(struct store_thread *thread)
{
    struct store *store = thread->store;
    struct generation *generation = backlog_first_retired(&store->backlog);
    if (generation == NULL) {
        return 0;
    }
    lock_take(&generation->ns->lock);
    uint32_t number = generation->first;
    lock_give(&generation->ns->lock);
    if (number == 0) {
        unlink_retired(store, generation);
        return 1;
    }
    struct visit visit = {.thread = thread,
                          .segment = segment_at(&store->segments, number),
                          .expired_by = SEGMENT_NEVER,
                          .each = drop_record};
    visit_segment(&visit);
    reclaim_segment(store, visit.segment);
    return visit.seen + 1;
}

/* --- namespaces -------------------------------------------------------------- */

enum { SEGMENTS_A_STEP = 64 };

void reclaim_dead_segments(struct store *store, struct namespace *ns)
{
    for (int i = 0; i < SEGMENTS_A_STEP; i++) {
        lock_take(&ns->lock);
        struct generation *generation = ns->generation;
        uint64_t items = __atomic_load_n(&generation->items, __ATOMIC_RELAXED);
        uint32_t number = generation->first;
        lock_give(&ns->lock);
        if (items != 0 || number == 0 ||
            !reclaim_segment(store, segment_at(&store->segments, number))) {
            return;
        }
    }
    backlog_add_namespace(&store->backlog, ns);
}

/* No records, no listings, no writes. namespaces.lock and the namespace's are held. */
static bool is_unused(const struct namespace *ns)
{
    return !ns->declared && !ns->gone && ns->generation->first == 0 &&
           ns->generation->listings == NULL && !share_is_held(&ns->share) &&
           __atomic_load_n(&ns->references, __ATOMIC_ACQUIRE) == 0;
}

void reclaim_if_unused(struct store *store, struct namespace *ns)
{
    struct namespaces *all = &store->namespaces;
    pthread_mutex_lock(&all->lock);
    lock_take(&ns->lock);
    lock_take(&store->backlog.lock);
    bool unused = !ns->waiting && is_unused(ns);
    ns->gone = ns->gone || unused;
    lock_give(&store->backlog.lock);
    lock_give(&ns->lock);
    if (unused) {
        namespaces_unlink(all, ns);
        ns->epoch = store_threads_unlinked(&store->threads);
        STAILQ_INSERT_TAIL(&store->gone, ns, next_gone);
    }
    pthread_mutex_unlock(&all->lock);
}

/* --- after the grace period --------------------------------------------------- */

/* A listing may still be positioned in a generation that was flushed meanwhile. */
static bool generation_is_free(struct store *store, struct generation *generation)
{
    lock_take(&generation->ns->lock);
    bool listed = generation->listings != NULL;
    lock_give(&generation->ns->lock);
    return !listed && store_threads_have_left(&store->threads, generation->epoch);
}

static void free_generations(struct store *store)
{
    struct generation **link = &store->gone_generations;
    while (*link != NULL) {
        struct generation *generation = *link;
        if (!generation_is_free(store, generation)) {
            link = &generation->next_retired;
            continue;
        }
        *link = generation->next_retired;
        struct namespace *ns = generation->ns;
        generation_destroy(&generation);
        if (__atomic_sub_fetch(&ns->references, 1, __ATOMIC_ACQ_REL) == 0) {
            backlog_add_namespace(&store->backlog, ns);
        }
    }
}

/* Frees RECLAIM_ROUND namespaces at most, since a thread that makes a namespace waits meanwhile.
 * True: there are more. */
static bool free_namespaces(struct store *store)
{
    for (int freed = 0; freed < RECLAIM_ROUND; freed++) {
        struct namespace *ns = STAILQ_FIRST(&store->gone);
        if (ns == NULL || !store_threads_have_left(&store->threads, ns->epoch)) {
            return false;
        }
        STAILQ_REMOVE_HEAD(&store->gone, next_gone);
        namespace_destroy(&store->namespaces, &ns);
    }
    return true;
}

bool reclaim_gone(struct store *store, int rounds)
{
    pthread_mutex_t *lock = &store->namespaces.lock;
    if (store->gone_generations != NULL) {
        pthread_mutex_lock(lock);
        free_generations(store);
        pthread_mutex_unlock(lock);
    }
    bool more = !STAILQ_EMPTY(&store->gone);
    for (int i = 0; i < rounds && more; i++) {
        pthread_mutex_lock(lock);
        more = free_namespaces(store);
        pthread_mutex_unlock(lock);
    }
    return more;
}

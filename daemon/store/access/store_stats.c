/*
 * store_stats.c - what the store says of itself.
 */
#include <string.h>

#include "daemon/store/records/state.h"

/* All but its counters. The caller holds namespaces.lock. */
static void describe_state(struct namespace *ns, struct store_namespace_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    memcpy(stats->name, ns->name, ns->name_length);
    lock_take(&ns->lock);
    const struct generation *generation = ns->generation;
    stats->items = __atomic_load_n(&generation->items, __ATOMIC_RELAXED);
    stats->bytes = __atomic_load_n(&generation->bytes, __ATOMIC_RELAXED);
    stats->memory =
        __atomic_load_n(&generation->memory, __ATOMIC_RELAXED) + share_beside(&ns->share);
    lock_give(&ns->lock);
    stats->quota = namespace_quota(ns);
    stats->ttl = __atomic_load_n(&ns->ttl, __ATOMIC_RELAXED);
    stats->max_ttl = __atomic_load_n(&ns->max_ttl, __ATOMIC_RELAXED);
    stats->declared = __atomic_load_n(&ns->declared, __ATOMIC_RELAXED) != 0;
}

/* The caller holds namespaces.lock. */
static void describe(const struct store *store, struct namespace *ns,
                     struct store_namespace_stats *stats)
{
    describe_state(ns, stats);
    store_threads_sum(&store->threads, ns->id, &stats->counters);
    store_threads_since_reset(&store->threads, ns->id, &ns->before, &stats->counters);
}

bool store_number_next(struct store_thread *thread, uint32_t *next,
                       struct store_number_stats *stats)
{
    struct store *store = thread->store;
    struct namespaces *all = &store->namespaces;
    pthread_mutex_lock(&all->lock);
    bool found = *next <= all->highest;
    struct namespace *ns = found ? all->by_id[*next] : NULL;
    stats->used = ns != NULL;
    if (found) {
        store_threads_sum(&store->threads, *next, &stats->counters);
        (*next)++;
    }
    if (ns != NULL) {
        describe_state(ns, &stats->of);
        stats->of.counters = stats->counters;
        counters_subtract(&stats->of.counters, &ns->before);
    }
    pthread_mutex_unlock(&all->lock);
    return found;
}

bool store_namespace_next(struct store_thread *thread, uint32_t *next,
                          struct store_namespace_stats *stats)
{
    struct store *store = thread->store;
    struct namespaces *all = &store->namespaces;
    struct namespace *ns = NULL;
    pthread_mutex_lock(&all->lock);
    while (ns == NULL && *next <= all->highest) {
        ns = all->by_id[*next];
        (*next)++;
    }
    if (ns != NULL) {
        describe(store, ns, stats);
    }
    pthread_mutex_unlock(&all->lock);
    return ns != NULL;
}

bool store_namespace_walk(struct store_thread *thread, uint32_t *next, struct slice *name,
                          bool *declared)
{
    const struct namespaces *all = &thread->store->namespaces;
    const struct namespace *ns = NULL;
    uint32_t highest = __atomic_load_n(&all->highest, __ATOMIC_ACQUIRE);
    while (ns == NULL && *next <= highest) {
        ns = __atomic_load_n(&all->by_id[(*next)++], __ATOMIC_SEQ_CST);
    }
    if (ns != NULL) {
        *name = (struct slice){ns->name, ns->name_length};
        *declared = __atomic_load_n(&ns->declared, __ATOMIC_RELAXED) != 0;
    }
    return ns != NULL;
}

/* Fills in what was evicted since the last look; the caller holds namespaces.lock. False: nothing.
 */
static bool look_at_evictions(struct namespaces *all, struct namespace *ns, uint64_t now,
                              struct store_evicted *evicted)
{
    uint32_t records = namespaces_take_evictions(all, ns);
    if (records == 0) {
        return false;
    }
    *evicted = (struct store_evicted){.name = {ns->name, ns->name_length},
                                      .namespaces = 1,
                                      .quota = namespace_quota(ns),
                                      .records = records,
                                      .before = UINT64_C(1000) * ns->evicted_at};
    ns->evicted_at = (uint32_t)((now + 999) / 1000);
    return true;
}

/* The same for those that are gone. */
static bool look_at_gone(struct namespaces *all, struct store_evicted *evicted)
{
    struct namespaces_gone_evicted *gone = &all->gone_evicted;
    *evicted = (struct store_evicted){.name = {gone->name, gone->name_length},
                                      .namespaces = gone->namespaces,
                                      .records = gone->records};
    gone->records = gone->namespaces = 0;
    return evicted->records > 0;
}

bool store_evicted_step(struct store_thread *thread, uint32_t *next, size_t limit, uint64_t now,
                        store_visit_evicted *visit, void *context)
{
    struct namespaces *all = &thread->store->namespaces;
    struct store_evicted evicted;
    pthread_mutex_lock(&all->lock);
    for (; limit > 0 && *next <= all->highest; limit--, (*next)++) {
        struct namespace *ns = all->by_id[*next];
        if (ns != NULL && look_at_evictions(all, ns, now, &evicted)) {
            visit(context, &evicted);
        }
    }
    bool done = *next > all->highest;
    if (done && look_at_gone(all, &evicted)) {
        visit(context, &evicted);
    }
    pthread_mutex_unlock(&all->lock);
    *next = done ? 0 : *next;
    return done;
}

enum store_status store_namespace_stats(struct store_thread *thread, struct slice name,
                                        struct store_namespace_stats *stats)
{
    struct store *store = thread->store;
    enum store_status status = STORE_OK;
    pthread_mutex_lock(&store->namespaces.lock);
    struct namespace *ns = namespaces_find(&store->namespaces, name);
    if (ns != NULL) {
        describe(store, ns, stats);
    } else {
        status = namespaces_missing_locked(&store->namespaces, name);
        status = status == STORE_OK ? STORE_NOT_FOUND : status;
    }
    pthread_mutex_unlock(&store->namespaces.lock);
    return status;
}

static void sum_generations(struct namespaces *all, struct store_stats *stats)
{
    for (uint32_t id = 1; id <= all->highest; id++) {
        struct namespace *ns = all->by_id[id];
        if (ns != NULL) {
            lock_take(&ns->lock);
            stats->items += __atomic_load_n(&ns->generation->items, __ATOMIC_RELAXED);
            stats->bytes += __atomic_load_n(&ns->generation->bytes, __ATOMIC_RELAXED);
            lock_give(&ns->lock);
        }
    }
}

static void memory_stats(struct store *store, struct store_stats *stats)
{
    stats->memory_limit = store_memory_target(store);
    stats->memory_used = budget_used(&store->budget);
    stats->index_bytes = index_resident(&store->index);
    stats->segments = __atomic_load_n(&store->segments.in_use, __ATOMIC_RELAXED);
    stats->segment_size = arena_frame_size(&store->arena);
    stats->segments_free = arena_available(&store->arena);
    stats->grain = UINT64_C(1) << store->arena.place_shift;
    stats->compactions = __atomic_load_n(&store->compactions, __ATOMIC_RELAXED);
    stats->reclaims = __atomic_load_n(&store->reclaims, __ATOMIC_RELAXED);
}

void store_stats(struct store_thread *thread, struct store_stats *stats)
{
    struct store *store = thread->store;
    struct namespaces *all = &store->namespaces;
    memset(stats, 0, sizeof *stats);
    pthread_mutex_lock(&all->lock);
    sum_generations(all, stats);
    stats->namespaces = all->count;
    store_threads_sum_all(&store->threads, all->highest, &stats->counters);
    counters_subtract(&stats->counters, &store->before);
    stats->total_items = stats->counters.sets + stats->counters.made;
    pthread_mutex_unlock(&all->lock);
    memory_stats(store, stats);
}

void store_memory_stats(struct store_thread *thread, struct store_stats *stats)
{
    struct store *store = thread->store;
    memset(stats, 0, sizeof *stats);
    stats->namespaces = __atomic_load_n(&store->namespaces.count, __ATOMIC_RELAXED);
    memory_stats(store, stats);
}

void store_reset_counters(struct store_thread *thread)
{
    struct store *store = thread->store;
    struct namespaces *all = &store->namespaces;
    pthread_mutex_lock(&all->lock);
    store_threads_sum_all(&store->threads, all->highest, &store->before);
    for (uint32_t id = 1; id <= all->highest; id++) {
        if (all->by_id[id] != NULL) {
            store_threads_reset(&store->threads, id);
        }
    }
    pthread_mutex_unlock(&all->lock);
}

void store_file_stats(const struct store *store, struct store_file_stats *stats)
{
    const struct file *file = &store->file;
    *stats = (struct store_file_stats){.file = file->map != NULL ? file->path : NULL,
                                       .granted = __atomic_load_n(&file->granted, __ATOMIC_ACQUIRE),
                                       .refused = __atomic_load_n(&file->refused, __ATOMIC_ACQUIRE),
                                       .kept = __atomic_load_n(&file->kept, __ATOMIC_ACQUIRE),
                                       .memory_used = budget_used(&store->budget),
                                       .memory_limit = budget_limit(&store->budget),
                                       .mapped = file->map,
                                       .length = file->mapped};
    stats->why_refused = __atomic_load_n(&file->why_refused, __ATOMIC_RELAXED);
    stats->why_kept = __atomic_load_n(&file->why_kept, __ATOMIC_RELAXED);
}

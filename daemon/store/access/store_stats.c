/*
 * store_stats.c - what the store says of itself.
 */
#include <string.h>

#include "daemon/store/records/state.h"

/* The caller holds namespaces.lock. */
static void describe(const struct store *store, struct namespace *ns,
                     struct store_namespace_figures *figures)
{
    memset(figures, 0, sizeof *figures);
    memcpy(figures->name, ns->name, ns->name_length);
    lock_take(&ns->lock);
    const struct generation *generation = ns->generation;
    figures->items = __atomic_load_n(&generation->items, __ATOMIC_RELAXED);
    figures->bytes = __atomic_load_n(&generation->bytes, __ATOMIC_RELAXED);
    figures->memory =
        __atomic_load_n(&generation->memory, __ATOMIC_RELAXED) + share_beside(&ns->share);
    lock_give(&ns->lock);
    figures->quota = namespace_quota(ns);
    figures->ttl = __atomic_load_n(&ns->ttl, __ATOMIC_RELAXED);
    figures->max_ttl = __atomic_load_n(&ns->max_ttl, __ATOMIC_RELAXED);
    figures->declared = __atomic_load_n(&ns->declared, __ATOMIC_RELAXED) != 0;
    lanes_sum(&store->lanes, ns->id, &figures->counters);
    counters_subtract(&figures->counters, &ns->before);
}

bool store_namespace_next(struct lane *lane, uint32_t *next,
                          struct store_namespace_figures *figures)
{
    struct store *store = lane->store;
    struct namespaces *all = &store->namespaces;
    struct namespace *ns = NULL;
    pthread_mutex_lock(&all->lock);
    while (ns == NULL && *next <= all->highest) {
        ns = all->by_id[*next];
        (*next)++;
    }
    if (ns != NULL) {
        describe(store, ns, figures);
    }
    pthread_mutex_unlock(&all->lock);
    return ns != NULL;
}

bool store_namespace_walk(struct lane *lane, uint32_t *next, struct slice *name, bool *declared)
{
    const struct namespaces *all = &lane->store->namespaces;
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

enum store_status store_namespace_figures(struct lane *lane, struct slice name,
                                          struct store_namespace_figures *figures)
{
    struct store *store = lane->store;
    enum store_status status = STORE_OK;
    pthread_mutex_lock(&store->namespaces.lock);
    struct namespace *ns = namespaces_find(&store->namespaces, name);
    if (ns != NULL) {
        describe(store, ns, figures);
    } else {
        status = namespaces_missing_locked(&store->namespaces, name);
        status = status == STORE_OK ? STORE_NOT_FOUND : status;
    }
    pthread_mutex_unlock(&store->namespaces.lock);
    return status;
}

static void sum_generations(struct namespaces *all, struct store_figures *figures)
{
    for (uint32_t id = 1; id <= all->highest; id++) {
        struct namespace *ns = all->by_id[id];
        if (ns != NULL) {
            lock_take(&ns->lock);
            figures->items += __atomic_load_n(&ns->generation->items, __ATOMIC_RELAXED);
            figures->bytes += __atomic_load_n(&ns->generation->bytes, __ATOMIC_RELAXED);
            lock_give(&ns->lock);
        }
    }
}

void store_figures(struct lane *lane, struct store_figures *figures)
{
    struct store *store = lane->store;
    struct namespaces *all = &store->namespaces;
    memset(figures, 0, sizeof *figures);
    pthread_mutex_lock(&all->lock);
    sum_generations(all, figures);
    figures->namespaces = all->count;
    lanes_sum_all(&store->lanes, all->highest, &figures->counters);
    counters_subtract(&figures->counters, &store->before);
    figures->total_items = figures->counters.sets + figures->counters.made;
    pthread_mutex_unlock(&all->lock);
    figures->memory_limit = store_memory(store);
    figures->memory_used = budget_used(&store->budget);
    figures->index_bytes = index_resident(&store->index);
    figures->segments = __atomic_load_n(&store->segments.in_use, __ATOMIC_RELAXED);
    figures->segment_size = arena_frame_size(&store->arena);
    figures->segments_free = arena_available(&store->arena);
    figures->grain = UINT64_C(1) << store->arena.place_shift;
    figures->compactions = __atomic_load_n(&store->compactions, __ATOMIC_RELAXED);
    figures->reclaims = __atomic_load_n(&store->reclaims, __ATOMIC_RELAXED);
}

void store_reset_counters(struct lane *lane)
{
    struct store *store = lane->store;
    struct namespaces *all = &store->namespaces;
    pthread_mutex_lock(&all->lock);
    lanes_sum_all(&store->lanes, all->highest, &store->before);
    for (uint32_t id = 1; id <= all->highest; id++) {
        if (all->by_id[id] != NULL) {
            lanes_sum(&store->lanes, id, &all->by_id[id]->before);
        }
    }
    pthread_mutex_unlock(&all->lock);
}

void store_file_figures(const struct store *store, struct store_file_figures *figures)
{
    const struct file *file = &store->file;
    *figures =
        (struct store_file_figures){.file = file->map != NULL ? file->path : NULL,
                                    .granted = __atomic_load_n(&file->granted, __ATOMIC_ACQUIRE),
                                    .refused = __atomic_load_n(&file->refused, __ATOMIC_ACQUIRE),
                                    .kept = __atomic_load_n(&file->kept, __ATOMIC_ACQUIRE),
                                    .memory_used = budget_used(&store->budget),
                                    .memory_limit = budget_limit(&store->budget),
                                    .mapped = file->map,
                                    .length = file->mapped};
    figures->why_refused = __atomic_load_n(&file->why_refused, __ATOMIC_RELAXED);
    figures->why_kept = __atomic_load_n(&file->why_kept, __ATOMIC_RELAXED);
}

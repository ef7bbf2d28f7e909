/*
 * resize.c - another memory for a store that is in use; see store_set_memory.
 */
#include <errno.h>

#include "daemon/store/reclaim/shrink.h"
#include "daemon/store/records/cursors_revisit.h"

enum {
    FRAMES_LEAST = 8,
    VALUES_IN_MEMORY = 4, /* of the largest size: the configuration's rule */
};

uint64_t store_memory(const struct store *store)
{
    return store_memory_target(store);
}

/* Of full segments there are eight at least: two are kept for making room, and with
 * fewer there would be no choice of what to evict. */
uint64_t store_memory_least(const struct store *store)
{
    uint64_t least = FRAMES_LEAST * arena_frame_size(&store->arena);
    return least > STORE_MEMORY_MIN ? least : STORE_MEMORY_MIN;
}

uint64_t store_memory_most(const struct store *store)
{
    return arena_most(&store->arena);
}

/* What has been promised: quotas of namespaces, and values of the largest size. */
static uint64_t promised(struct store *store)
{
    struct namespaces *all = &store->namespaces;
    uint64_t quotas = 0;
    pthread_mutex_lock(&all->lock);
    for (uint32_t id = 1; id <= all->highest; id++) {
        quotas += all->by_id[id] != NULL ? namespace_quota(all->by_id[id]) : 0;
    }
    pthread_mutex_unlock(&all->lock);
    uint64_t values = __atomic_load_n(&store->max_value, __ATOMIC_RELAXED) * VALUES_IN_MEMORY;
    return quotas > values ? quotas : values;
}

static enum store_resize judge(struct store *store, uint64_t memory)
{
    if (memory < store_memory_least(store)) {
        return STORE_RESIZE_TOO_SMALL;
    }
    if (memory > arena_most(&store->arena)) {
        return STORE_RESIZE_TOO_LARGE;
    }
    return memory < promised(store) ? STORE_RESIZE_PROMISED : STORE_RESIZED;
}

/* All tables can be used with so much memory. What was opened in vain costs nothing. */
static bool open_all(struct store *store, uint64_t memory)
{
    uint32_t frames = arena_frames_for(&store->arena, memory);
    if (memory > store_memory_target(store) && store->file.map != NULL &&
        !file_has_room(&store->file, memory)) {
        return false;
    }
    return segments_open(&store->segments, frames) && expire_open(&store->expire, frames) &&
           ghost_open(&store->ghost, memory) &&
           index_open(&store->index, store_index_capacity(memory)) &&
           arena_open(&store->arena, frames);
}

enum store_resize store_set_memory(struct store_thread *thread, uint64_t memory)
{
    struct store *store = thread->store;
    __atomic_fetch_add(&store->waiting_writers, 1, __ATOMIC_RELAXED);
    pthread_mutex_lock(&store->reclaim_lock);
    __atomic_fetch_sub(&store->waiting_writers, 1, __ATOMIC_RELAXED);
    enum store_resize result = judge(store, memory);
    int why = 0;
    if (result == STORE_RESIZED && !open_all(store, memory)) {
        why = errno;
        result = STORE_RESIZE_FAILED;
    }
    if (result == STORE_RESIZED) {
        __atomic_store_n(&store->memory, memory, __ATOMIC_RELAXED);
        ghost_resize(&store->ghost, memory);
        cursors_resize(&store->cursors, memory);
        shrink_begin(store);
    }
    pthread_mutex_unlock(&store->reclaim_lock);
    backlog_hurry(&store->backlog);
    errno = why;
    return result;
}

/*
 * create.c - making, closing and destroying a store; see store.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/arena/pages.h"
#include "daemon/store/lifecycle/recover.h"
#include "daemon/store/reclaim/housekeep.h"
#include "daemon/store/records/cursors_revisit.h"

/* A record of more than this part of a frame would leave too much of a segment
 * unused at its end: it gets segments of its own. */
enum { SPAN_SHARE = 8 };

static uint64_t hash_at(const void *context, uint32_t place)
{
    const struct store *store = context;
    const struct segment *segment = place_segment(&store->segments, place);
    struct record record;
    record_read(place_bytes(&store->segments, place), &record);
    return store_hash(store, segment->generation, record.key);
}

static void fetch_at(const void *context, uint32_t place)
{
    const struct store *store = context;
    __builtin_prefetch(place_bytes(&store->segments, place));
}

static bool init_index(struct store *store, uint64_t memory)
{
    struct index_records records = {hash_at, fetch_at, store};
    uint64_t range = arena_units(&store->arena) << ARENA_UNIT_SHIFT;
    uint64_t now = memory > range ? memory : range; /* a file may be of a time with more */
    uint64_t most = arena_most(&store->arena);
    return index_init(&store->index, store_index_capacity(now), store_index_capacity(most),
                      &store->budget, records);
}

/* With address space for `most` bytes at most, to grow into. False with errno. */
static bool init_parts(struct store *store, uint64_t memory, uint64_t most)
{
    struct file *file = store->file.map != NULL ? &store->file : NULL;
    return arena_init(&store->arena, memory, most, &store->budget, file) &&
           segments_init(&store->segments, &store->arena) &&
           ghost_init(&store->ghost, memory, arena_most(&store->arena)) &&
           expire_init(&store->expire, &store->segments, &store->budget) &&
           init_index(store, memory) &&
           namespaces_init(&store->namespaces, &store->secret, &store->budget, &store->threads,
                           file);
}

static void deinit_parts(struct store *store)
{
    if (store->namespaces.secret != NULL) {
        namespaces_deinit(&store->namespaces);
    }
    index_deinit(&store->index);
    expire_deinit(&store->expire);
    ghost_deinit(&store->ghost);
    if (store->segments.arena != NULL) {
        segments_deinit(&store->segments);
    }
    arena_deinit(&store->arena);
}

/* Address space that is left to the rest of the process, where there is a limit to it. */
static bool leaves_space(void)
{
    enum { SPACE = 1 << 30 };
    void *space = pages_reserve(SPACE);
    pages_release(space, SPACE);
    return space != NULL;
}

/* Where address space is short the memory cannot grow, but be had. */
static bool init_all(struct store *store, uint64_t memory)
{
    if (init_parts(store, memory, UINT64_MAX) && leaves_space()) {
        return true;
    }
    deinit_parts(store);
    store->budget.used = 0;
    return init_parts(store, memory, memory);
}

/* All of it; false with errno. */
static bool make(struct store *store, const struct store_options *options,
                 struct store_recovery *found)
{
    enum file_state file = FILE_NEW;
    if (options->file != NULL) {
        file = file_open(&store->file, options, found);
        if (file == FILE_FAILED) {
            return false;
        }
    }
    if (!init_all(store, options->memory)) {
        return false;
    }
    store->span_size = (uint32_t)arena_frame_size(&store->arena) / SPAN_SHARE;
    budget_keep(&store->budget, append_kept(store));
    if (file == FILE_KEPT) {
        uint64_t now = options->clock.uptime + (uint64_t)store->file.clock_offset;
        return recover_store(store, options, now, found);
    }
    return true;
}

struct store *store_create(const struct store_options *options)
{
    struct store_recovery unheard = {.arena = STORE_ARENA_MEMORY};
    struct store_recovery *found = options->recovery != NULL ? options->recovery : &unheard;
    if (options->memory < STORE_MEMORY_MIN) {
        errno = EINVAL;
        return NULL;
    }
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return NULL;
    }
    *found = unheard;
    pthread_mutex_init(&store->reclaim_lock, NULL);
    STAILQ_INIT(&store->gone);
    store->budget.limit = store->memory = options->memory;
    store->max_value = options->max_value;
    age_start(&store->age);
    memcpy(&store->secret, options->secret, sizeof store->secret);
    store_threads_init(&store->threads);
    cursors_init(&store->cursors, options->memory);
    if (!make(store, options, found)) {
        int why = errno;
        if (why == ECANCELED && store->file.map != NULL) {
            file_stop(&store->file, &options->clock);
        }
        file_drop(&store->file);
        store_destroy(&store);
        errno = why;
        return NULL;
    }
    if (found == &unheard) {
        free(unheard.aside);
    }
    return store;
}

bool store_close(struct store **store, const struct store_clock *clock)
{
    bool in_order =
        *store == NULL || (*store)->file.map == NULL || file_stop(&(*store)->file, clock);
    int why = errno;
    store_destroy(store);
    errno = why;
    return in_order;
}

static void destroy_gone(struct store *store)
{
    struct generation *generation = NULL;
    while ((generation = backlog_take_retired(&store->backlog)) != NULL) {
        generation_destroy(&generation);
    }
    while ((generation = store->gone_generations) != NULL) {
        store->gone_generations = generation->next_retired;
        generation_destroy(&generation);
    }
    struct namespace *ns = NULL;
    while ((ns = STAILQ_FIRST(&store->gone)) != NULL) {
        STAILQ_REMOVE_HEAD(&store->gone, next_gone);
        namespace_destroy(&store->namespaces, &ns);
    }
}

void store_destroy(struct store **store)
{
    struct store *gone = *store;
    if (gone == NULL) {
        return;
    }
    *store = NULL;
    destroy_gone(gone);
    deinit_parts(gone);
    file_close(&gone->file);
    store_threads_deinit(&gone->threads);
    pthread_mutex_destroy(&gone->reclaim_lock);
    free(gone);
}

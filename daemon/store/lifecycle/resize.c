/*
 * resize.c - see resize.h.
 */
#include "daemon/store/lifecycle/resize.h"

#include <errno.h>

#include "daemon/store/reclaim/housekeep.h"
#include "daemon/store/records/cursors_revisit.h"

enum {
    /* Below a frame, so that frames that were given back are not taken again; for pages of the
     * index and of tables, which no writer should have to wait for. */
    SLACK = 32 << 10,
    GIVE_EFFORT = 256, /* what giving pages back to the system costs, in records */
    BUCKETS = 256,     /* of the index, at once */
    ENTRIES = 512,     /* of the heap of expiries */
    NAMES = 256,       /* namespaces that are looked at for one that is to give */
    FRAMES_LEAST = 8,
    RETRY_AFTER = 1000,      /* ms, where nothing could be done */
    HELP_STEPS = 8,          /* of a writer */
    NUMBER_CHUNKS_SPARE = 8, /* an eighth more numbers of segments than there are may stay */
    VALUES_IN_MEMORY = 4     /* of the largest size: the configuration's rule */
};

/* --- the limit ---------------------------------------------------------------------- */

static uint64_t open_of(uint64_t memory)
{
    const struct budget budget = {.limit = memory};
    return budget_open(&budget);
}

/* Bytes that are used beyond what may be. */
static uint64_t over(const struct store *store)
{
    uint64_t open = open_of(store_memory_target(store));
    uint64_t used = budget_used(&store->budget);
    return used > open ? used - open : 0;
}

/* The lowest limit with which so many bytes may be used. */
static uint64_t limit_for(uint64_t used)
{
    return used + used / 127 + 1;
}

/* No more may be taken than has been given back, and a little; at the end, no more than the
 * memory. */
static void follow(struct store *store)
{
    uint64_t limit = limit_for(budget_used(&store->budget) + SLACK);
    store->resize.shrinks = over(store) > 0;
    budget_keep(&store->budget, store->resize.shrinks ? 0 : append_kept(store));
    if (!store->resize.shrinks) {
        budget_set_limit(&store->budget, store_memory_target(store));
    } else if (limit < budget_limit(&store->budget)) {
        budget_set_limit(&store->budget, limit);
    }
}

/* What was written when there was more memory is not fresh by the measure of less. */
void resize_begin(struct store *store)
{
    store->resize = (struct resize){.squeeze_from = UINT64_MAX};
    follow(store);
    if (store->resize.shrinks) {
        age_pass(&store->age);
    }
}

/* --- numbers of segments --------------------------------------------------------------- */

/* Shelves that are enough for the segments there are. */
static uint32_t segment_numbers_wanted(const struct store *store)
{
    uint32_t in_use = __atomic_load_n(&store->segments.in_use, __ATOMIC_RELAXED);
    return (in_use + in_use / NUMBER_CHUNKS_SPARE) / NUMBER_CHUNK_NUMBERS + 2;
}

static uint64_t segment_numbers_excess(const struct store *store)
{
    const struct segments *segments = &store->segments;
    uint32_t have = __atomic_load_n(&segments->numbers.count, __ATOMIC_RELAXED);
    uint32_t wanted = segment_numbers_wanted(store);
    return have > wanted ? (have - wanted) * segments_chunk_cost(segments) : 0;
}

static void drop_chunk(struct store *store, uint32_t chunk)
{
    struct segments *segments = &store->segments;
    if (segments_close_chunk(segments, chunk)) {
        bool goes = backlog_forget_segments(&store->backlog, segments, chunk * NUMBER_CHUNK_NUMBERS,
                                            NUMBER_CHUNK_NUMBERS);
        segments_end_chunk(segments, chunk, goes);
    }
}

/* The records of the segment of that number, or of the large record that it is a piece of, go to
 * segments with lower numbers, as long as there are such. */
static size_t relocate_number(struct store_thread *thread, uint32_t number, uint64_t now)
{
    const struct segments *segments = &thread->store->segments;
    struct segment *segment = segment_at(segments, number);
    if (segment_state(segment) == SEGMENT_PIECE) {
        segment = segment_at(segments, __atomic_load_n(&segment->previous, __ATOMIC_RELAXED));
    }
    return victims_is_eligible(segment) ? relocate_segment(thread, segment, now) : 0;
}

/* From the highest number down, each once; 0: all that are not wanted were. */
static size_t squeeze_numbers(struct store_thread *thread, uint64_t now)
{
    struct store *store = thread->store;
    uint32_t *hand = &store->resize.number_hand;
    if (*hand <= segment_numbers_wanted(store) * NUMBER_CHUNK_NUMBERS) {
        return 0;
    }
    uint32_t chunk = number_chunk_of(*hand - 1);
    uint32_t first = chunk * NUMBER_CHUNK_NUMBERS;
    if (!segments_has_chunk(&store->segments, chunk)) {
        *hand = first;
        return 1;
    }
    size_t effort = 1;
    while (*hand > first && effort < NUMBER_CHUNK_NUMBERS) {
        effort += relocate_number(thread, --*hand, now);
    }
    if (*hand == first) {
        drop_chunk(store, chunk);
        effort += NUMBER_CHUNK_NUMBERS;
    }
    return effort;
}

/* --- squeezing ---------------------------------------------------------------------------- */

/* What squeezing would win, about. */
static uint64_t excess(struct store *store)
{
    return index_excess(&store->index) + expire_excess(&store->expire) +
           segment_numbers_excess(store);
}

static void begin_squeeze(struct store *store)
{
    struct resize *resize = &store->resize;
    resize->squeezes = true;
    resize->expire_hand = 0;
    resize->number_hand = segments_end(&store->segments);
}

/* 0: all of them have been. */
static size_t squeeze(struct store_thread *thread, uint64_t now)
{
    struct store *store = thread->store;
    size_t effort = index_squeeze(&store->index, BUCKETS);
    if (effort == 0) {
        effort = expire_tidy(&store->expire, &store->resize.expire_hand, ENTRIES);
    }
    if (effort == 0) {
        effort = squeeze_numbers(thread, now);
    }
    return effort;
}

/* --- evicting ----------------------------------------------------------------------------- */

/* How much of its quota a namespace has, in 1024 parts; 0: it has none. */
static uint64_t fullness(const struct namespace *ns)
{
    uint64_t quota = ns == NULL ? 0 : namespace_quota(ns);
    uint64_t memory =
        quota == 0 ? 0 : __atomic_load_n(&namespace_generation(ns)->memory, __ATOMIC_RELAXED);
    return quota == 0 ? 0 : memory * 1024 / quota;
}

/* Of the next ones the one that is fullest. */
static struct namespace *choose_namespace(struct store *store)
{
    const struct namespaces *all = &store->namespaces;
    uint32_t highest = __atomic_load_n(&all->highest, __ATOMIC_ACQUIRE);
    struct namespace *fullest = NULL;
    for (uint32_t i = 0; i < NAMES && i < highest; i++) {
        uint32_t id = store->resize.name_hand++ % highest + 1;
        struct namespace *ns = __atomic_load_n(&all->by_id[id], __ATOMIC_SEQ_CST);
        if (fullness(ns) > fullness(fullest)) {
            fullest = ns;
        }
    }
    return fullest;
}

/* From the pool; and where quotas claim all memory there is, from these. */
static size_t evict(struct store_thread *thread, uint64_t now)
{
    struct store *store = thread->store;
    size_t effort = evict_from_pool(thread, now);
    if (effort == 0) {
        struct namespace *ns = choose_namespace(store);
        effort = ns == NULL ? 0 : evict_frame_of_namespace(thread, ns, now);
    }
    return effort;
}

/* --- a step --------------------------------------------------------------------------------- */

/* Memory that nothing has to be moved or dropped for. */
static size_t give_back(struct store *store)
{
    if (arena_trim(&store->arena, APPEND_RESERVE, 1) > 0) {
        return GIVE_EFFORT;
    }
    return index_tighten(&store->index, BUCKETS);
}

/* 0: nothing could be evicted, nor squeezed. */
static size_t shrink(struct store_thread *thread, uint64_t now)
{
    struct store *store = thread->store;
    struct resize *resize = &store->resize;
    size_t effort = give_back(store);
    if (effort > 0) {
        return effort;
    }
    if (!resize->squeezes) {
        bool in_vain = budget_used(&store->budget) > resize->squeeze_from;
        if (in_vain || excess(store) < over(store)) {
            effort = evict(thread, now);
        }
        if (effort > 0 || in_vain) {
            return effort;
        }
        begin_squeeze(store);
    }
    effort = squeeze(thread, now);
    if (effort == 0) { /* more has to be evicted than it seemed */
        resize->squeezes = false;
        resize->squeeze_from = budget_used(&store->budget) - over(store) / 2 - 1;
        effort = 1;
    }
    return effort;
}

size_t resize_step(struct store_thread *thread, uint64_t now)
{
    struct store *store = thread->store;
    struct resize *resize = &store->resize;
    if (ghost_settle(&store->ghost, &store->budget)) {
        return GIVE_EFFORT;
    }
    if (!resize->shrinks) {
        return index_is_squeezed(&store->index) ? index_squeeze(&store->index, BUCKETS) : 0;
    }
    if (resize->stuck && now - resize->stuck_at < RETRY_AFTER) {
        return 0;
    }
    if (resize->stuck) {
        resize->squeeze_from = UINT64_MAX;
    }
    size_t effort = shrink(thread, now);
    resize->stuck = effort == 0;
    resize->stuck_at = now;
    follow(store);
    return effort;
}

void resize_help(struct store_thread *thread, uint64_t now)
{
    const struct store *store = thread->store;
    uint64_t before = budget_used(&store->budget);
    size_t effort = store->resize.shrinks;
    for (int i = 0; i < HELP_STEPS && effort > 0 && budget_used(&store->budget) >= before; i++) {
        effort = resize_step(thread, now);
    }
}

/* --- another memory --------------------------------------------------------------------------- */

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
        resize_begin(store);
    }
    pthread_mutex_unlock(&store->reclaim_lock);
    backlog_hurry(&store->backlog);
    errno = why;
    return result;
}

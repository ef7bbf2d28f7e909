/*
 * shrink.c - giving memory back until the store keeps to less; see shrink.h.
 */
#include "daemon/store/reclaim/shrink.h"

#include "daemon/store/reclaim/evict.h"
#include "daemon/store/reclaim/evict_namespace.h"
#include "daemon/store/reclaim/relocate.h"
#include "daemon/store/reclaim/victims.h"
#include "daemon/store/records/append.h"

enum {
    /* Below a frame, so that frames that were given back are not taken again; for pages of the
     * index and of tables, which no writer should have to wait for. */
    SLACK = 32 << 10,
    GIVE_EFFORT = 256,       /* what giving pages back to the system costs, in records */
    BUCKETS = 256,           /* of the index, at once */
    ENTRIES = 512,           /* of the heap of expiries */
    NAMES = 256,             /* namespaces that are looked at for one that is to give */
    RETRY_AFTER = 1000,      /* ms, where nothing could be done */
    HELP_STEPS = 8,          /* of a writer */
    NUMBER_CHUNKS_SPARE = 8, /* an eighth more numbers of segments than there are may stay */
};

/* --- the limit ---------------------------------------------------------------------- */

/* Bytes that are used beyond what may be. */
static uint64_t over(const struct store *store)
{
    uint64_t open = budget_open_of(store_memory_target(store));
    uint64_t used = budget_used(&store->budget);
    return used > open ? used - open : 0;
}

/* No more may be taken than has been given back, and a little; at the end, no more than the
 * memory. */
static void follow(struct store *store)
{
    uint64_t limit = budget_limit_for(budget_used(&store->budget) + SLACK);
    store->shrink.active = over(store) > 0;
    budget_keep(&store->budget, store->shrink.active ? 0 : append_kept(store));
    if (!store->shrink.active) {
        budget_set_limit(&store->budget, store_memory_target(store));
    } else if (limit < budget_limit(&store->budget)) {
        budget_set_limit(&store->budget, limit);
    }
}

/* What was written when there was more memory is not fresh by the measure of less. */
void shrink_begin(struct store *store)
{
    store->shrink = (struct shrink){.squeeze_from = UINT64_MAX};
    follow(store);
    if (store->shrink.active) {
        age_pass(&store->age);
    }
}

/* --- numbers of segments --------------------------------------------------------------- */

/* Chunks that are enough for the segments there are. */
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
    uint32_t *hand = &store->shrink.number_hand;
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
    struct shrink *shrink = &store->shrink;
    shrink->squeezes = true;
    shrink->expire_hand = 0;
    shrink->number_hand = segments_end(&store->segments);
}

/* 0: all of them have been. */
static size_t squeeze(struct store_thread *thread, uint64_t now)
{
    struct store *store = thread->store;
    size_t effort = index_squeeze(&store->index, BUCKETS);
    if (effort == 0) {
        effort = expire_tidy(&store->expire, &store->shrink.expire_hand, ENTRIES);
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
        uint32_t id = store->shrink.name_hand++ % highest + 1;
        struct namespace *ns = __atomic_load_n(&all->by_id[id], __ATOMIC_SEQ_CST);
        if (fullness(ns) > fullness(fullest)) {
            fullest = ns;
        }
    }
    return fullest;
}

/* From the pool; and where quotas claim all memory there is, from these. */
static size_t evict_some(struct store_thread *thread, uint64_t now)
{
    struct store *store = thread->store;
    size_t effort = evict_from_pool(thread, now);
    if (effort == 0) {
        struct namespace *ns = choose_namespace(store);
        effort = ns == NULL ? 0 : evict_namespace_frame(thread, ns, now);
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
static size_t give_some_back(struct store_thread *thread, uint64_t now)
{
    struct store *store = thread->store;
    struct shrink *shrink = &store->shrink;
    size_t effort = give_back(store);
    if (effort > 0) {
        return effort;
    }
    if (!shrink->squeezes) {
        bool in_vain = budget_used(&store->budget) > shrink->squeeze_from;
        if (in_vain || excess(store) < over(store)) {
            effort = evict_some(thread, now);
        }
        if (effort > 0 || in_vain) {
            return effort;
        }
        begin_squeeze(store);
    }
    effort = squeeze(thread, now);
    if (effort == 0) { /* more has to be evicted than it seemed */
        shrink->squeezes = false;
        shrink->squeeze_from = budget_used(&store->budget) - over(store) / 2 - 1;
        effort = 1;
    }
    return effort;
}

size_t shrink_step(struct store_thread *thread, uint64_t now)
{
    struct store *store = thread->store;
    struct shrink *shrink = &store->shrink;
    if (ghost_settle(&store->ghost, &store->budget)) {
        return GIVE_EFFORT;
    }
    if (!shrink->active) {
        return index_is_squeezed(&store->index) ? index_squeeze(&store->index, BUCKETS) : 0;
    }
    if (shrink->stuck && now - shrink->stuck_at < RETRY_AFTER) {
        return 0;
    }
    if (shrink->stuck) {
        shrink->squeeze_from = UINT64_MAX;
    }
    size_t effort = give_some_back(thread, now);
    shrink->stuck = effort == 0;
    shrink->stuck_at = now;
    follow(store);
    return effort;
}

void shrink_help(struct store_thread *thread, uint64_t now)
{
    const struct store *store = thread->store;
    uint64_t before = budget_used(&store->budget);
    size_t effort = store->shrink.active;
    for (int i = 0; i < HELP_STEPS && effort > 0 && budget_used(&store->budget) >= before; i++) {
        effort = shrink_step(thread, now);
    }
}

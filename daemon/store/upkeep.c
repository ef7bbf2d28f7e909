/*
 * upkeep.c - the order in which space is given back; see upkeep.h.
 */
#include "daemon/store/upkeep.h"

#include <sched.h>

#include "daemon/store/evict.h"

enum {
    TRIM_EFFORT = 256,   /* what giving a frame back to the system costs, in records */
    SHRINK_AT_ONCE = 64, /* buckets of the index */
    YIELD_EFFORT = 64,   /* as much is done in one go: less than ten microseconds */
    LULL_MS = 1000,      /* a frame that was free for one or two of these is let go */
    GONE_ROUNDS = 4,     /* of namespaces that are freed in a slice */
    STEPS_MAX = 1024,    /* that a writer does in one go, when they free nothing */
};

/* Frames that should be free, so that a writer finds one without evicting. */
static uint32_t wanted_frames(const struct store *store)
{
    uint64_t share = store_memory(store) / arena_frame_size(&store->arena) / 128;
    return APPEND_RESERVE + (share < 1 ? 1 : share > 64 ? 64 : (uint32_t)share);
}

/* The next namespace that asked for attention: it is empty, or near its quota. */
static size_t tend_namespace(struct lane *lane, uint64_t now)
{
    struct store *store = lane->store;
    struct namespace *ns = work_take_namespace(&store->work);
    size_t effort = 0;
    if (ns != NULL) {
        reclaim_dead_segments(store, ns);
        effort = evict_ahead(lane, ns, now) + 1;
        reclaim_if_unused(store, ns);
    }
    return effort;
}

/* What costs no living record, the cheapest first; 0: there is nothing. */
static size_t free_the_dead(struct lane *lane, uint64_t now, bool pressing)
{
    size_t effort = reclaim_flushed(lane);
    if (effort == 0) {
        effort = purge_next(lane, now);
    }
    if (effort == 0) {
        effort = tend_namespace(lane, now);
    }
    if (effort == 0) {
        effort = compact_next(lane, now, pressing);
    }
    return effort;
}

static size_t free_step(struct lane *lane, enum lack lack, struct namespace *ns, uint64_t now)
{
    size_t effort = free_the_dead(lane, now, true);
    if (effort == 0) {
        effort =
            lack == LACK_QUOTA ? evict_from_namespace(lane, ns, now) : evict_from_pool(lane, now);
    }
    if (effort == 0 && lack != LACK_QUOTA && ns != NULL && namespace_quota(ns) != 0) {
        /* Nothing is left in the pool: a namespace may still replace its own. */
        effort = evict_from_namespace(lane, ns, now);
    }
    return effort;
}

/* Bytes that tables need beside what is kept; 0: what is lacking is something else. */
static uint64_t wanted_budget(const struct store *store, enum lack lack)
{
    return lack == LACK_BUDGET ? ARENA_UNIT << 4 : segments_lack(&store->segments);
}

static bool has_budget(const struct store *store, enum lack lack)
{
    uint64_t wanted = wanted_budget(store, lack);
    return wanted == 0 || budget_left(&store->budget) >= budget_kept(&store->budget) + wanted;
}

/* Tables and the index need memory that free frames may still sit on. */
static bool free_budget(struct store *store, enum lack lack)
{
    return !has_budget(store, lack) && arena_trim(&store->arena, 0, 1) > 0;
}

/* What is to be looked at may be gone already, and by the thousand where small namespaces
 * were evicted: a writer goes on until space has come back. For tables that takes a frame, which
 * is let go before a writer has it. */
static bool free_something(struct lane *lane, enum lack lack, struct namespace *ns, uint64_t now)
{
    struct store *store = lane->store;
    const uint64_t *returns = &store->segments.returns;
    uint64_t before = __atomic_load_n(returns, __ATOMIC_RELAXED);
    size_t effort = 1;
    for (int i = 0; i < STEPS_MAX && effort > 0; i++) {
        effort = free_step(lane, lack, ns, now);
        bool more = __atomic_load_n(returns, __ATOMIC_RELAXED) != before;
        free_budget(store, lack);
        if (lack == LACK_BUDGET ? has_budget(store, lack) : more) {
            return true;
        }
    }
    return effort > 0;
}

bool upkeep_make_room(struct lane *lane, enum lack lack, struct namespace *ns, uint64_t now)
{
    struct store *store = lane->store;
    __atomic_fetch_add(&store->hurried, 1, __ATOMIC_RELAXED);
    pthread_mutex_lock(&store->upkeep);
    __atomic_fetch_sub(&store->hurried, 1, __ATOMIC_RELAXED);
    resize_help(lane, now);
    bool freed = free_budget(store, lack);
    if (!freed) {
        /* Others may have made room while this one waited for its turn. */
        freed = (lack == LACK_ARENA && arena_available(&store->arena) > APPEND_RESERVE &&
                 has_budget(store, lack)) ||
                free_something(lane, lack, ns, now) ||
                (lack == LACK_ARENA && arena_lend(&store->arena));
        reclaim_gone(store, 1); /* who is in need makes more of them than the housekeeper frees */
    }
    pthread_mutex_unlock(&store->upkeep);
    if (!freed) {
        share_note_want(store, ns, now);
        if (ns != NULL && !share_is_lent(store, ns)) { /* else what is fresh would stay so */
            age_count(store, namespace_generation(ns), store->span_size);
        }
    }
    __atomic_fetch_add(&store->reclaims, 1, __ATOMIC_RELAXED);
    work_hurry(&store->work);
    return freed;
}

static size_t evict_for_reserve(struct lane *lane, uint64_t now)
{
    struct store *store = lane->store;
    return arena_available(&store->arena) >= wanted_frames(store) ? 0 : evict_from_pool(lane, now);
}

/* Free frames that nobody has wanted for a while go back to the system, but for what will
 * be needed soon. */
static size_t trim(struct store *store)
{
    if (arena_idle(&store->arena) == 0) {
        return 0;
    }
    uint32_t keep = APPEND_RESERVE + arena_in_use(&store->arena) / 32;
    return arena_trim(&store->arena, keep, 1) * TRIM_EFFORT;
}

static void watch_frames(struct store *store, uint64_t now)
{
    if (now - store->frames_marked >= LULL_MS) {
        store->frames_marked = now;
        arena_mark(&store->arena);
    }
}

/* One step of whatever is most worth doing. */
static size_t one_step(struct lane *lane, uint64_t now)
{
    struct store *store = lane->store;
    size_t effort = free_the_dead(lane, now, false);
    if (effort == 0) {
        effort = resize_step(lane, now);
    }
    if (effort == 0) {
        effort = evict_for_reserve(lane, now);
    }
    if (effort == 0) {
        effort = trim(store);
    }
    if (effort == 0 && index_shrink(&store->index, SHRINK_AT_ONCE)) {
        effort = SHRINK_AT_ONCE * INDEX_LOAD_LOW;
    }
    return effort;
}

bool store_housekeep(struct lane *lane, uint64_t now, size_t effort)
{
    struct store *store = lane->store;
    size_t spent = 0;
    size_t yield_at = YIELD_EFFORT;
    size_t step = 1;
    bool hurried = false;
    pthread_mutex_lock(&store->upkeep);
    __atomic_store_n(&store->work.urgent, 0, __ATOMIC_RELAXED);
    store_tick(lane, now);
    purge_grant(store, now);
    arena_retry(&store->arena, now);
    watch_frames(store, now);
    cursors_end_stalled(store, now);
    while (step > 0 && spent < effort && !hurried) {
        step = one_step(lane, now);
        spent += step;
        hurried = upkeep_is_hurried(store);
        if (spent >= yield_at) {
            sched_yield(); /* requests that wait for this processor go first */
            yield_at = spent + YIELD_EFFORT;
        }
    }
    bool more = reclaim_gone(store, GONE_ROUNDS);
    pthread_mutex_unlock(&store->upkeep);
    return step > 0 || more;
}

bool store_wants_housekeeping(const struct store *store)
{
    return __atomic_load_n(&store->work.urgent, __ATOMIC_ACQUIRE) != 0;
}

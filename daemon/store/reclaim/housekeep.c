/*
 * housekeep.c - the order in which space is given back; see housekeep.h.
 */
#include "daemon/store/reclaim/housekeep.h"

#include <sched.h>

#include "daemon/store/arena/race_window.h"
#include "daemon/store/reclaim/compact.h"
#include "daemon/store/reclaim/evict.h"
#include "daemon/store/reclaim/evict_namespace.h"
#include "daemon/store/reclaim/purge.h"
#include "daemon/store/reclaim/reclaim.h"
#include "daemon/store/reclaim/shrink.h"
#include "daemon/store/records/cursors_revisit.h"
#include "daemon/store/records/share_limits.h"

enum {
    TRIM_EFFORT = 256,   /* what giving a frame back to the system costs, in records */
    SHRINK_AT_ONCE = 64, /* buckets of the index */
    YIELD_EFFORT = 64,   /* is done at once: less than 10 microseconds */
    LULL_MS = 1000,      /* a frame that was free for one or two of these goes back */
    GONE_ROUNDS = 4,     /* of RECLAIM_ROUND namespaces that are freed in a slice */
    STEPS_MAX = 1024,    /* that a writer does at once, while they free nothing */
};

/* Frames that should be free, so that a writer finds one without evicting. */
static uint32_t wanted_frames(const struct store *store)
{
    uint64_t share = store_memory_target(store) / arena_frame_size(&store->arena) / 256;
    return APPEND_RESERVE + (share < 1 ? 1 : share > 64 ? 64 : (uint32_t)share);
}

/* Looks at the next namespace of the backlog: it is empty, or near its quota. */
static size_t check_namespace(struct store_thread *thread, uint64_t now)
{
    struct store *store = thread->store;
    struct namespace *ns = backlog_take_namespace(&store->backlog);
    size_t effort = 0;
    if (ns != NULL) {
        reclaim_dead_segments(store, ns);
        effort = evict_namespace_ahead(thread, ns, now) + 1;
        reclaim_if_unused(store, ns);
    }
    return effort;
}

/* Frees what costs no living record, the cheapest first; 0: there is nothing. */
static size_t free_dead(struct store_thread *thread, uint64_t now, bool pressing)
{
    size_t effort = reclaim_flushed(thread);
    if (effort == 0) {
        effort = purge_next(thread, now);
    }
    if (effort == 0) {
        effort = check_namespace(thread, now);
    }
    if (effort == 0) {
        effort = compact_next(thread, now, pressing);
    }
    return effort;
}

static size_t free_step(struct store_thread *thread, enum lack lack, struct namespace *ns,
                        uint64_t now)
{
    bool pressing = lack != LACK_QUOTA; /* the dead space of others is no room in a quota */
    size_t effort = free_dead(thread, now, pressing);
    if (effort == 0) {
        effort =
            lack == LACK_QUOTA ? evict_namespace(thread, ns, now) : evict_from_pool(thread, now);
    }
    if (effort == 0 && lack != LACK_QUOTA && ns != NULL && namespace_quota(ns) != 0) {
        /* Nothing is left in the pool: a namespace may still replace its own records. */
        effort = evict_namespace(thread, ns, now);
    }
    return effort;
}

/* Bytes that tables need beside what the budget keeps; 0: they lack none. */
static uint64_t wanted_budget(const struct store *store, enum lack lack)
{
    return lack == LACK_BUDGET ? ARENA_UNIT << 4 : segments_lack(&store->segments);
}

static bool has_budget(const struct store *store, enum lack lack)
{
    uint64_t wanted = wanted_budget(store, lack);
    return wanted == 0 || budget_left(&store->budget) >= budget_kept(&store->budget) + wanted;
}

/* Tables and the index need budget that free frames may still take. */
static bool free_budget(struct store *store, enum lack lack)
{
    return !has_budget(store, lack) && arena_trim(&store->arena, 0, 1) > 0;
}

/* A step may free nothing, and 1,000 of them may where small namespaces were evicted: a writer
 * goes on until space has come back. For tables that takes a frame, which is given back before
 * another writer takes it. */
static bool free_something(struct store_thread *thread, enum lack lack, struct namespace *ns,
                           uint64_t now)
{
    struct store *store = thread->store;
    const uint64_t *returns = &store->segments.returns;
    uint64_t before = __atomic_load_n(returns, __ATOMIC_RELAXED);
    size_t effort = 1;
    for (int i = 0; i < STEPS_MAX && effort > 0; i++) {
        effort = free_step(thread, lack, ns, now);
        bool more = __atomic_load_n(returns, __ATOMIC_RELAXED) != before;
        free_budget(store, lack);
        if (lack == LACK_BUDGET ? has_budget(store, lack) : more) {
            return true;
        }
    }
    return effort > 0;
}

/* Whether space came back since the thread last found nothing to free. It may have come after
 * the writer looked for room, by a thread that had the lock before: then nothing is left to free,
 * and yet there is room. */
static bool has_returned(struct store_thread *thread)
{
    uint64_t returns = __atomic_load_n(&thread->store->segments.returns, __ATOMIC_ACQUIRE);
    bool more = returns != thread->returns_seen;
    thread->returns_seen = returns;
    return more;
}

bool housekeep_make_room(struct store_thread *thread, enum lack lack, struct namespace *ns,
                         uint64_t now)
{
    struct store *store = thread->store;
    race_window_pass(WINDOW_ROOM);
    store_thread_observe(thread, &(struct store_observed){.deed = STORE_DEED_RECLAIMS});
    __atomic_fetch_add(&store->waiting_writers, 1, __ATOMIC_RELAXED);
    pthread_mutex_lock(&store->reclaim_lock);
    __atomic_fetch_sub(&store->waiting_writers, 1, __ATOMIC_RELAXED);
    shrink_help(thread, now);
    bool freed = free_budget(store, lack);
    if (!freed) {
        /* Other threads may have made room while this one waited for the lock. */
        freed = (lack == LACK_ARENA && arena_available(&store->arena) > APPEND_RESERVE &&
                 has_budget(store, lack)) ||
                free_something(thread, lack, ns, now) ||
                (lack == LACK_ARENA && arena_lend(&store->arena)) || has_returned(thread);
        reclaim_gone(store, 1); /* writers make more of them than the housekeeper frees */
    }
    pthread_mutex_unlock(&store->reclaim_lock);
    if (!freed) {
        share_note_want(store, ns, now);
        if (ns != NULL && !share_is_lent(store, ns)) { /* else what is fresh would stay so */
            age_count(store, namespace_generation(ns), store->span_size);
        }
    }
    __atomic_fetch_add(&store->reclaims, 1, __ATOMIC_RELAXED);
    backlog_hurry(&store->backlog);
    return freed;
}

static size_t evict_for_reserve(struct store_thread *thread, uint64_t now)
{
    struct store *store = thread->store;
    return arena_available(&store->arena) >= wanted_frames(store) ? 0
                                                                  : evict_from_pool(thread, now);
}

/* Gives a free frame that was not needed for a while back to the system, but keeps what will be
 * needed soon. */
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
static size_t one_step(struct store_thread *thread, uint64_t now)
{
    struct store *store = thread->store;
    size_t effort = free_dead(thread, now, false);
    if (effort == 0) {
        effort = shrink_step(thread, now);
    }
    if (effort == 0) {
        effort = evict_for_reserve(thread, now);
    }
    if (effort == 0) {
        effort = trim(store);
    }
    if (effort == 0 && index_shrink(&store->index, SHRINK_AT_ONCE)) {
        effort = SHRINK_AT_ONCE * INDEX_LOAD_LOW;
    }
    return effort;
}

bool store_housekeep(struct store_thread *thread, uint64_t now, size_t effort)
{
    struct store *store = thread->store;
    size_t spent = 0;
    size_t yield_at = YIELD_EFFORT;
    size_t step = 1;
    bool waiting_writers = false;
    pthread_mutex_lock(&store->reclaim_lock);
    __atomic_store_n(&store->backlog.urgent, 0, __ATOMIC_RELAXED);
    store_tick(thread, now);
    backlog_set_time(&store->backlog, now);
    purge_grant(store, now);
    arena_retry(&store->arena, now);
    watch_frames(store, now);
    cursors_end_stalled(store, now);
    while (step > 0 && spent < effort && !waiting_writers) {
        step = one_step(thread, now);
        spent += step;
        waiting_writers = housekeep_writers_wait(store);
        if (spent >= yield_at) {
            sched_yield(); /* requests that wait for this processor go first */
            yield_at = spent + YIELD_EFFORT;
        }
    }
    bool more = reclaim_gone(store, GONE_ROUNDS);
    pthread_mutex_unlock(&store->reclaim_lock);
    return step > 0 || more;
}

bool store_wants_housekeeping(const struct store *store)
{
    return __atomic_load_n(&store->backlog.urgent, __ATOMIC_ACQUIRE) != 0;
}

/*
 * age_segment.c - counting what is written, and judging segments by it; see age_segment.h.
 */
#include "daemon/store/records/age_segment.h"

static uint64_t pool_memory(const struct store *store)
{
    uint64_t quotas = __atomic_load_n(&store->quotas, __ATOMIC_RELAXED);
    uint64_t memory = store_memory_target(store);
    return memory > quotas ? memory - quotas : 0;
}

static void count_own(struct generation *generation, uint64_t bytes)
{
    uint64_t quota = namespace_quota(generation->ns);
    if (quota != 0) {
        age_advance(&generation->age, bytes, quota);
    }
}

void age_count(struct store *store, struct generation *generation, uint64_t bytes)
{
    age_advance(&store->age, bytes, pool_memory(store));
    count_own(generation, bytes);
}

/* The store's clock is shared by all threads: each counts some bytes ahead, so that the clock is
 * not changed by each record. */
static void count_ahead(struct store_thread *thread, uint64_t bytes)
{
    enum { AHEAD_SHARE = 1024 }; /* of a period; threads are fewer than an eighth of these */
    struct store *store = thread->store;
    if (thread->ahead < bytes) {
        uint64_t memory = pool_memory(store);
        uint64_t more = bytes - thread->ahead + memory / AGE_PERIODS / AHEAD_SHARE;
        age_advance(&store->age, more, memory);
        thread->ahead += more;
    }
    thread->ahead -= bytes;
}

void age_count_record(struct store_thread *thread, struct generation *generation, uint32_t bytes)
{
    if (generation->begun > 0) { /* its block was counted */
        uint32_t rest = generation->begun < bytes ? generation->begun : bytes;
        generation->begun -= rest;
        bytes -= rest;
    }
    count_ahead(thread, bytes);
    count_own(generation, bytes);
}

void age_count_first(struct store *store, struct generation *generation)
{
    age_count(store, generation, ARENA_UNIT);
    generation->begun = ARENA_UNIT;
}

void age_begin(const struct store *store, struct segment *segment,
               const struct generation *generation, bool fresh)
{
    bool own = namespace_quota(generation->ns) != 0;
    uint32_t period = age_period(own ? &generation->age : &store->age);
    uint32_t since = fresh ? period : period - AGE_OPEN;
    __atomic_store_n(&segment->own_clock, own, __ATOMIC_RELAXED);
    age_mark(&segment->age, 0, since); /* both marks: the former ones are of another segment */
    age_mark(&segment->age, 0, since);
}

void age_seal(const struct store *store, struct segment *segment)
{
    age_mark(&segment->age, AGE_ALL, age_period(age_clock_of(store, segment)));
}

/* A clock of a namespace that has lost its quota stands still from then on: others' writes
 * would never make its segments old. They are taken for as old as they can be. */
uint32_t age_fresh_in(const struct store *store, const struct segment *segment)
{
    bool own = __atomic_load_n(&segment->own_clock, __ATOMIC_RELAXED);
    bool stands = own && namespace_quota(segment->generation->ns) == 0;
    return stands ? UINT32_MAX
                  : age_fresh_from(&segment->age, age_period(age_clock_of(store, segment)));
}

bool age_is_idle(const struct store *store, const struct segment *segment)
{
    return age_periods_since(&segment->age, 1, age_period(age_clock_of(store, segment))) >=
           AGE_IDLE;
}

bool age_is_fresh(const struct store *store, const struct segment *segment)
{
    return age_fresh_in(store, segment) <= store->segments.lead;
}

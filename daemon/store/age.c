/*
 * age.c - clocks that count what is written, and the marks of segments; see age.h.
 */
#include "daemon/store/age.h"

#include "daemon/store/append.h"

static uint32_t offset_of(const struct age_marks *marks, int which)
{
    uint16_t units = __atomic_load_n(&marks->offset[which], __ATOMIC_RELAXED);
    return units == AGE_ALL ? UINT32_MAX : (uint32_t)units << AGE_UNIT_SHIFT;
}

static uint16_t periods_since(const struct age_marks *marks, int which, uint32_t period)
{
    return (uint16_t)(period - __atomic_load_n(&marks->period[which], __ATOMIC_RELAXED));
}

uint32_t age_fresh_from(const struct age_marks *marks, uint32_t period)
{
    uint16_t older = periods_since(marks, 0, period);
    uint16_t newer = periods_since(marks, 1, period);
    if (newer >= AGE_OPEN) {
        return UINT32_MAX;
    }
    if (newer >= AGE_FRESH || older >= AGE_OPEN) {
        return offset_of(marks, 1);
    }
    return older >= AGE_FRESH ? offset_of(marks, 0) : 0;
}

void age_start(struct age_clock *clock)
{
    *clock = (struct age_clock){.period = AGE_START};
}

void age_pass(struct age_clock *clock)
{
    __atomic_fetch_add(&clock->period, AGE_OPEN, __ATOMIC_RELAXED);
}

/* How many periods end at `written`, and when the next one does. A large block may end several.
 * Where there is less memory than when the period began it ends earlier. */
static uint32_t periods_ended(uint64_t written, uint64_t share, uint64_t *end)
{
    if (written < *end) {
        *end = *end - written > share ? written + share : *end;
        return 0;
    }
    uint64_t periods = (written - *end) / share + 1;
    *end += periods * share;
    return (uint32_t)periods;
}

/* Of a clock, in bytes. An eighth more than it has to be, for what lanes count ahead. */
static uint64_t period_of(uint64_t memory)
{
    return memory / AGE_PERIODS / 8 * 9 + 1;
}

/* Threads that count at once end a period once. An end that is read before the bytes are added
 * is of no more bytes than these are. */
static void count(struct age_clock *clock, uint64_t bytes, uint64_t memory)
{
    uint64_t end = __atomic_load_n(&clock->end, __ATOMIC_ACQUIRE);
    uint64_t written = __atomic_add_fetch(&clock->written, bytes, __ATOMIC_RELAXED);
    uint64_t next = end;
    uint32_t periods = periods_ended(written, period_of(memory), &next);
    if (next != end && __atomic_compare_exchange_n(&clock->end, &end, next, false, __ATOMIC_RELEASE,
                                                   __ATOMIC_RELAXED)) {
        __atomic_fetch_add(&clock->period, periods, __ATOMIC_RELAXED);
    }
}

static uint64_t pool_memory(const struct store *store)
{
    uint64_t quotas = __atomic_load_n(&store->quotas, __ATOMIC_RELAXED);
    uint64_t memory = store_memory(store);
    return memory > quotas ? memory - quotas : 0;
}

static void count_own(struct generation *generation, uint64_t bytes)
{
    uint64_t quota = namespace_quota(generation->ns);
    if (quota != 0) {
        count(&generation->age, bytes, quota);
    }
}

void age_count(struct store *store, struct generation *generation, uint64_t bytes)
{
    count(&store->age, bytes, pool_memory(store));
    count_own(generation, bytes);
}

/* The store's clock is every thread's: a lane counts some bytes ahead, so that it is not
 * changed by each record. */
static void count_ahead(struct lane *lane, uint64_t bytes)
{
    enum { LANE_SHARE = 1024 }; /* of a period; lanes are fewer than an eighth of these */
    struct store *store = lane->store;
    if (lane->ahead < bytes) {
        uint64_t memory = pool_memory(store);
        uint64_t more = bytes - lane->ahead + memory / AGE_PERIODS / LANE_SHARE;
        count(&store->age, more, memory);
        lane->ahead += more;
    }
    lane->ahead -= bytes;
}

void age_count_record(struct lane *lane, struct generation *generation, uint32_t bytes)
{
    if (generation->begun > 0) { /* its block was counted */
        uint32_t rest = generation->begun < bytes ? generation->begun : bytes;
        generation->begun -= rest;
        bytes -= rest;
    }
    count_ahead(lane, bytes);
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
    age_mark(&segment->age, 0, since); /* both of them: what they said before is another's */
    age_mark(&segment->age, 0, since);
}

void age_seal(const struct store *store, struct segment *segment)
{
    age_mark(&segment->age, AGE_ALL, age_period(append_clock(store, segment)));
}

/* A clock of a namespace that has lost its quota stands still from then on: others' writes
 * would never make its segments old. They are taken for as old as they can be. */
uint32_t age_fresh_in(const struct store *store, const struct segment *segment)
{
    bool own = __atomic_load_n(&segment->own_clock, __ATOMIC_RELAXED);
    bool stands = own && namespace_quota(segment->generation->ns) == 0;
    return stands ? UINT32_MAX
                  : age_fresh_from(&segment->age, age_period(append_clock(store, segment)));
}

bool age_is_idle(const struct store *store, const struct segment *segment)
{
    return periods_since(&segment->age, 1, age_period(append_clock(store, segment))) >= AGE_IDLE;
}

bool age_is_fresh(const struct store *store, const struct segment *segment)
{
    return age_fresh_in(store, segment) <= store->segments.lead;
}

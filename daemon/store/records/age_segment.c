/*
 * age_segment.c - counting what is written, and judging segments by it; see age_segment.h.
 */
#include "daemon/store/records/age_segment.h"

void age_count(struct store *store, struct generation *generation, uint64_t bytes)
{
    uint64_t quota = namespace_quota(generation->ns);
    uint64_t quotas = __atomic_load_n(&store->quotas, __ATOMIC_RELAXED);
    uint64_t memory = store_memory_target(store);
    age_advance(&store->age, bytes, memory > quotas ? memory - quotas : 0);
    if (quota != 0) {
        age_advance(&generation->age, bytes, quota);
    }
}

void age_begin(const struct store *store, struct segment *segment,
               const struct generation *generation, bool fresh)
{
    segment->own_clock = namespace_quota(generation->ns) != 0;
    uint32_t period = age_period(segment->own_clock ? &generation->age : &store->age);
    uint16_t since = (uint16_t)(fresh ? period : period - AGE_OPEN);
    segment->age = (struct age_marks){.period = {since, since}};
}

void age_seal(const struct store *store, struct segment *segment)
{
    age_mark(&segment->age, AGE_ALL, age_period(age_clock_of(store, segment)));
}

/* A clock of a namespace that has lost its quota stands still from then on: others' writes
 * would never make its segments old. They are taken for as old as they can be. */
uint32_t age_fresh_in(const struct store *store, const struct segment *segment)
{
    bool stands = segment->own_clock && namespace_quota(segment->generation->ns) == 0;
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

/*
 * age.c - clocks that count what is written, and the marks of segments; see age.h.
 */
#include "daemon/store/records/age.h"

static uint32_t offset_of(const struct age_marks *marks, int which)
{
    uint16_t units = __atomic_load_n(&marks->offset[which], __ATOMIC_RELAXED);
    return units == AGE_ALL ? UINT32_MAX : (uint32_t)units << AGE_UNIT_SHIFT;
}

uint32_t age_fresh_from(const struct age_marks *marks, uint32_t period)
{
    uint16_t older = age_periods_since(marks, 0, period);
    uint16_t newer = age_periods_since(marks, 1, period);
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

/* Of a clock, in bytes. An eighth more than it has to be, for what threads count ahead. */
static uint64_t period_of(uint64_t memory)
{
    return memory / AGE_PERIODS / 8 * 9 + 1;
}

/* Threads that count at once end a period once. An end that is read before the bytes are added
 * is of no more bytes than these are. */
void age_advance(struct age_clock *clock, uint64_t bytes, uint64_t memory)
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

/*
 * clock.c - the clocks of the system, and the offset of clock_now; see clock.h.
 */
#include "daemon/base/clock.h"

#include <time.h>

static int64_t ahead; /* of the uptime, in milliseconds; set once */

enum { NANOSECONDS = 1000000 /* in a millisecond */ };

static uint64_t nanoseconds(clockid_t which)
{
    struct timespec time;
    clock_gettime(which, &time);
    return (uint64_t)time.tv_sec * 1000 * NANOSECONDS + (uint64_t)time.tv_nsec;
}

static uint64_t milliseconds(clockid_t which)
{
    struct timespec time;
    clock_gettime(which, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / NANOSECONDS;
}

uint64_t clock_now(void)
{
    int64_t now = (int64_t)milliseconds(CLOCK_BOOTTIME) + ahead;
    return now < 1 ? 1 : (uint64_t)now;
}

uint64_t clock_wall(void)
{
    return milliseconds(CLOCK_REALTIME);
}

uint64_t clock_wall_us(void)
{
    return nanoseconds(CLOCK_REALTIME) / 1000;
}

uint64_t clock_precise(void)
{
    return nanoseconds(CLOCK_MONOTONIC);
}

/* The wall clock is read first: an interruption between the readings makes the result late, not
 * early. */
uint64_t clock_when(uint64_t wall)
{
    uint64_t now = nanoseconds(CLOCK_REALTIME);
    uint64_t then = wall * NANOSECONDS; /* up to the year 2554 */
    if (then <= now) {
        return 0;
    }
    uint64_t uptime = nanoseconds(CLOCK_BOOTTIME) + (then - now);
    return (uint64_t)((int64_t)((uptime + NANOSECONDS - 1) / NANOSECONDS) + ahead);
}

void clock_continue(int64_t offset)
{
    ahead = offset;
}

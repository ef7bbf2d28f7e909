/*
 * clock.c - the two clocks of the system that kvcached looks at.
 */
#include "daemon/clock.h"

#include <time.h>

uint64_t clock_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_BOOTTIME, &time);
    uint64_t now = (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
    return now == 0 ? 1 : now;
}

uint64_t clock_wall(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

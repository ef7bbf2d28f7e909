/*
 * clock.h - milliseconds of a clock that only advances.
 */
#ifndef KVCACHED_SCRIPTS_CLIENTS_C_CLOCK_H
#define KVCACHED_SCRIPTS_CLIENTS_C_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Milliseconds until then, at least 0. */
static inline int clock_left(int64_t until)
{
    int64_t left = until - clock_now();
    return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

#endif

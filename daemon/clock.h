/*
 * clock.h - what time it is, for those who are allowed to ask.
 *
 * The clock counts from the boot of the machine, sleep included, and does not
 * jump when somebody sets the wall clock. A record's time to live is measured
 * on it. The store never asks: whoever calls it says what time it is.
 */
#ifndef KVCACHED_CLOCK_H
#define KVCACHED_CLOCK_H

#include <stdint.h>

/* Milliseconds since the machine started; at least 1. Any thread. */
uint64_t clock_now(void);

/* Seconds since 1970, for logs and STATS only. */
uint64_t clock_wall_seconds(void);

#endif

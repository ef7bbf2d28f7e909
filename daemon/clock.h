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

/* Milliseconds since the beginning of 1970, for logs, STATS and clients that give dates. */
uint64_t clock_wall(void);

#endif

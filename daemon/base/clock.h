/*
 * clock.h - the time, for all rooms but the store, which is given it as an argument.
 *
 * clock_now counts from the boot of the machine, sleep included, and does not jump when the wall
 * clock is set. A record's time to live is measured on it.
 *
 * Where records outlive a restart of the machine the uptime begins at 0 again. Then the clock gets
 * an offset, so that it never goes back for those records.
 */
#ifndef KVCACHED_DAEMON_BASE_CLOCK_H
#define KVCACHED_DAEMON_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since the machine started, plus the offset; at least 1. Any thread. */
uint64_t clock_now(void);

/* Milliseconds since the beginning of 1970, for logs, STATS and clients that give dates. Any
 * thread. */
uint64_t clock_wall(void);

/* The same in microseconds. Any thread. */
uint64_t clock_wall_us(void);

/* The first millisecond on clock_now in which clock_wall will have reached `wall`, if the wall
 * clock is not set meanwhile; 0: it has reached it. `wall` is before the year 2554. Any thread. */
uint64_t clock_when(uint64_t wall);

/* Nanoseconds from a fixed but unknown origin, to measure durations. Any thread. */
uint64_t clock_precise(void);

/* Sets the offset of clock_now to the uptime, in milliseconds; it may be negative. To be called
 * once, before any other thread runs and before any time was read that is kept. */
void clock_continue(int64_t offset);

#endif

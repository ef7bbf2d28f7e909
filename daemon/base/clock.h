/*
 * clock.h - what time it is, for those who are allowed to ask.
 *
 * The clock counts from the boot of the machine, sleep included, and does not
 * jump when somebody sets the wall clock. A record's time to live is measured
 * on it. The store never asks: whoever calls it says what time it is.
 *
 * Where records outlive the process and the machine's uptime begins at 0 again, the
 * clock is told by how much to go on ahead of that: it never goes back for them.
 */
#ifndef KVCACHED_DAEMON_BASE_CLOCK_H
#define KVCACHED_DAEMON_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since the machine started, or more; at least 1. Any thread. */
uint64_t clock_now(void);

/* Milliseconds since the beginning of 1970, for logs, STATS and clients that give dates. */
uint64_t clock_wall(void);

/* The first millisecond on clock_now in which clock_wall will have come to that time, if nothing
 * sets it; 0: it has. Rounded up. `wall` is before the year 2554. Any thread. */
uint64_t clock_when(uint64_t wall);

/* Nanoseconds since some time or other: for how long something takes. Any thread. */
uint64_t clock_precise(void);

/* From now on clock_now is so many milliseconds ahead of the uptime, or behind it. Once,
 * before there are threads and before anybody asked for a time that is kept. */
void clock_continue(int64_t offset);

#endif

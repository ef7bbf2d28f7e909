/*
 * histogram.h - how long something took, counted in classes.
 *
 * The classes are those of a Prometheus histogram: each has an upper bound, the last has none. One
 * thread adds, any thread reads; what is read may be a little late.
 */
#ifndef KVCACHED_DAEMON_BASE_HISTOGRAM_H
#define KVCACHED_DAEMON_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* From 5 microseconds to 1 second in steps of 1, 2 and 5, and what took longer. */
enum { HISTOGRAM_CLASSES = 18 };

/* All zero at the start. */
struct histogram {
    _Atomic uint64_t count[HISTOGRAM_CLASSES];
    _Atomic uint64_t nanoseconds; /* of all together */
};

/* What was read. */
struct histogram_sum {
    uint64_t count[HISTOGRAM_CLASSES];
    uint64_t nanoseconds;
};

/* Counts `times` that each took so many nanoseconds. The owner's thread only. */
void histogram_add(struct histogram *histogram, uint64_t nanoseconds, uint64_t times);

/* Adds what is in the histogram to the sum. Any thread. */
void histogram_sum(struct histogram_sum *sum, const struct histogram *histogram);

/* The upper bound of a class in seconds, as text; "+Inf" of the last one. */
const char *histogram_bound(size_t number);

#endif

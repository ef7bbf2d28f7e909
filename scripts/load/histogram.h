/*
 * histogram.h - how long things took, counted in buckets of about one per cent.
 *
 * Log-linear, after the idea of HdrHistogram: every power of two is cut into
 * 128 equal parts, so that a nanosecond and a minute fit the same fixed table
 * and recording costs a shift and an increment. It keeps no samples; a
 * percentile is the upper edge of the bucket it falls into, never too low.
 */
#ifndef KVCACHED_SCRIPTS_LOAD_HISTOGRAM_H
#define KVCACHED_SCRIPTS_LOAD_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_PART_BITS 7
#define HISTOGRAM_TOP_BITS  40 /* 2^40 ns, 18 minutes: what is longer counts as that */
#define HISTOGRAM_BUCKETS   ((HISTOGRAM_TOP_BITS - HISTOGRAM_PART_BITS + 1) << HISTOGRAM_PART_BITS)

struct histogram {
    uint64_t total;
    uint64_t longest; /* nanoseconds, exact */
    uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_clear(struct histogram *h);
void histogram_add(struct histogram *h, uint64_t nanoseconds);

/* The time that `share` (0.0 to 1.0) of all samples did not exceed; 0 when empty. */
uint64_t histogram_at(const struct histogram *h, double share);

#endif

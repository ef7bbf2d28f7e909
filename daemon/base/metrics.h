/*
 * metrics.h - counters that cost nothing to count.
 *
 * Every thread has a set of its own and is the only one to write it; whoever
 * wants a figure adds the sets up. So counting is a plain addition to a cache
 * line that nobody else writes, and reading is allowed to be a little late.
 */
#ifndef KVCACHED_DAEMON_BASE_METRICS_H
#define KVCACHED_DAEMON_BASE_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum metric {
#define METRIC(id, name, family, labels, help) METRIC_##id,
#include "daemon/base/metrics.def"
#undef METRIC
    METRIC_COUNT
};

/* One thread's. Zero is its starting state. */
struct metrics {
    _Alignas(64) _Atomic uint64_t count[METRIC_COUNT];
};

/* For the thread that owns the set, and for no other. */
static inline void metrics_add(struct metrics *metrics, enum metric metric, uint64_t by)
{
    uint64_t count = atomic_load_explicit(&metrics->count[metric], memory_order_relaxed);
    atomic_store_explicit(&metrics->count[metric], count + by, memory_order_relaxed);
}

/* The sum over `sets` sets; any thread. */
uint64_t metrics_sum(const struct metrics *metrics, size_t sets, enum metric metric);

/* For a figure that is less another, which may have been read a moment later. */
static inline uint64_t metrics_difference(uint64_t more, uint64_t less)
{
    return more > less ? more - less : 0;
}

/* As STATS calls it. */
const char *metrics_name(enum metric metric);

#endif

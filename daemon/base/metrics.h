/*
 * metrics.h - counters of the daemon, one set for each thread.
 *
 * A thread writes its own set only; a reader adds all sets up. So counting is a plain addition to a
 * cache line that no other thread writes, and what is read may be a little late.
 */
#ifndef KVCACHED_DAEMON_BASE_METRICS_H
#define KVCACHED_DAEMON_BASE_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/histogram.h"

enum metric {
#define METRIC(id, name, family, labels, help) METRIC_##id,
#include "daemon/base/metrics.def"
#undef METRIC
    METRIC_COUNT
};

/* Counters that are shown only where there is a cluster. */
static inline bool metrics_is_of_cluster(enum metric metric)
{
    return metric >= METRIC_CLUSTER_QUESTIONS && metric <= METRIC_CLUSTER_UNKNOWN;
}

/* The set of one thread. All zero at the start. */
struct metrics {
    _Alignas(64) _Atomic uint64_t count[METRIC_COUNT];
    struct histogram turns; /* of a worker, while conn_settings.latency */
};

/* For the thread that owns the set only. */
static inline void metrics_add(struct metrics *metrics, enum metric metric, uint64_t by)
{
    uint64_t count = atomic_load_explicit(&metrics->count[metric], memory_order_relaxed);
    atomic_store_explicit(&metrics->count[metric], count + by, memory_order_relaxed);
}

/* The sum over `sets` sets; any thread. */
uint64_t metrics_sum(const struct metrics *metrics, size_t sets, enum metric metric);

/* 0 where `less` is the larger one, since it may have been read a moment later. */
static inline uint64_t metrics_difference(uint64_t more, uint64_t less)
{
    return more > less ? more - less : 0;
}

/* The name in STATS. */
const char *metrics_name(enum metric metric);

#endif

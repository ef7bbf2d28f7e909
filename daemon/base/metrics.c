/*
 * metrics.c - names and sums of the counters.
 */
#include "daemon/base/metrics.h"

static const char *const names[METRIC_COUNT] = {
#define METRIC(id, name, family, labels, help) [METRIC_##id] = name,
#include "daemon/base/metrics.def"
#undef METRIC
};

uint64_t metrics_sum(const struct metrics *metrics, size_t sets, enum metric metric)
{
    uint64_t sum = 0;
    for (size_t set = 0; set < sets; set++) {
        sum += atomic_load_explicit(&metrics[set].count[metric], memory_order_relaxed);
    }
    return sum;
}

const char *metrics_name(enum metric metric)
{
    return names[metric];
}

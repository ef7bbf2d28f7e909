/*
 * histogram.c - see histogram.h.
 */
#include "daemon/base/histogram.h"

static const struct {
    uint64_t nanoseconds;
    const char *seconds;
} bounds[HISTOGRAM_CLASSES] = {
    {5000, "0.000005"}, {10000, "0.00001"},   {20000, "0.00002"}, {50000, "0.00005"},
    {100000, "0.0001"}, {200000, "0.0002"},   {500000, "0.0005"}, {1000000, "0.001"},
    {2000000, "0.002"}, {5000000, "0.005"},   {10000000, "0.01"}, {20000000, "0.02"},
    {50000000, "0.05"}, {100000000, "0.1"},   {200000000, "0.2"}, {500000000, "0.5"},
    {1000000000, "1"},  {UINT64_MAX, "+Inf"},
};

/* Only the owner adds, so a load and a store are enough. */
static void add(_Atomic uint64_t *counter, uint64_t by)
{
    uint64_t count = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, count + by, memory_order_relaxed);
}

void histogram_add(struct histogram *histogram, uint64_t nanoseconds, uint64_t times)
{
    size_t number = 0;
    while (nanoseconds > bounds[number].nanoseconds) { /* most are in one of the first */
        number++;
    }
    add(&histogram->count[number], times);
    add(&histogram->nanoseconds, nanoseconds * times);
}

void histogram_sum(struct histogram_sum *sum, const struct histogram *histogram)
{
    for (size_t number = 0; number < HISTOGRAM_CLASSES; number++) {
        sum->count[number] += atomic_load_explicit(&histogram->count[number], memory_order_relaxed);
    }
    sum->nanoseconds += atomic_load_explicit(&histogram->nanoseconds, memory_order_relaxed);
}

const char *histogram_bound(size_t number)
{
    return bounds[number].seconds;
}

/*
 * histogram.c - the bucket arithmetic of histogram.h.
 *
 * Times below 2^7 have a bucket each. Above, the position of the highest bit
 * picks the row and the seven bits after it pick the bucket in that row.
 */
#include "scripts/load/histogram.h"

#include <math.h>
#include <string.h>

#define PARTS ((uint64_t)1 << HISTOGRAM_PART_BITS)

static unsigned bucket_of(uint64_t time)
{
    if (time < PARTS) {
        return (unsigned)time;
    }
    if (time >> HISTOGRAM_TOP_BITS) {
        return HISTOGRAM_BUCKETS - 1;
    }
    unsigned row = (unsigned)(63 - __builtin_clzll(time)) - HISTOGRAM_PART_BITS;
    return (row << HISTOGRAM_PART_BITS) + (unsigned)(time >> row);
}

static uint64_t upper_edge(unsigned bucket)
{
    if (bucket < 2 * PARTS) {
        return bucket;
    }
    unsigned row = (bucket >> HISTOGRAM_PART_BITS) - 1;
    uint64_t part = bucket - ((uint64_t)row << HISTOGRAM_PART_BITS);
    return ((part + 1) << row) - 1;
}

void histogram_clear(struct histogram *h)
{
    memset(h, 0, sizeof *h);
}

void histogram_add(struct histogram *h, uint64_t nanoseconds)
{
    h->total++;
    h->bucket[bucket_of(nanoseconds)]++;
    if (nanoseconds > h->longest) {
        h->longest = nanoseconds;
    }
}

uint64_t histogram_at(const struct histogram *h, double share)
{
    uint64_t wanted = (uint64_t)ceil(share * (double)h->total);
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS && h->total; i++) {
        seen += h->bucket[i];
        if (seen >= wanted && seen) {
            return upper_edge(i) < h->longest ? upper_edge(i) : h->longest;
        }
    }
    return 0;
}

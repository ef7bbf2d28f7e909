/*
 * sketch.h - the most frequent of many keys, in a fixed space: Space-Saving, by A. Metwally,
 * D. Agrawal and A. El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data
 * Streams", ICDT 2005.
 *
 * A key that is counted here was seen at least count - over times, and at most count times. Every
 * key that was seen more often than total / SKETCH_KEYS times is there.
 */
#ifndef KVCACHED_SCRIPTS_CLI_SKETCH_H
#define KVCACHED_SCRIPTS_CLI_SKETCH_H

#include <stdint.h>

#include "scripts/cli/bytes.h"

enum { SKETCH_KEYS = 1000 };

struct sketch_key {
    struct bytes key;
    uint64_t hash;
    uint64_t count;
    uint64_t over; /* how many of them may have been other keys */
};

struct sketch {
    struct sketch_key *keys;
    size_t used;
    uint64_t total;
};

void sketch_init(struct sketch *sketch);
void sketch_deinit(struct sketch *sketch);
void sketch_add(struct sketch *sketch, struct slice key);
/* The most frequent first; nothing is added after it. */
void sketch_sort(struct sketch *sketch);

#endif

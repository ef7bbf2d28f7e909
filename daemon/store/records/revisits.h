/*
 * revisits.h - the keys that a listing has to come back to.
 *
 * A key is kept by its hash only, since the index leads from a hash to wherever the record
 * lies by then. Hashes are kept with their bits reversed: the bucket of a hash is told by
 * its low bits, so in reversed order each bucket holds one unbroken range, and a split or a
 * merge of buckets moves no record across a position in that order. (Reversed binary
 * order: Noordhuis, SCAN of Redis, 2013; here on linear hashing, whose buckets differ in
 * size by one bit.)
 *
 * A few hashes are a list, which is exact. When it has grown to what a map of all hashes
 * takes, it becomes that map: one bit for each cell, an equal part of the order. The cells
 * are smaller than buckets in all but the largest indexes, and REVISITS_BITS_MAX bounds the map.
 * All records of a marked cell are revisited, and so a little more than was asked for.
 *
 * All of it is under the lock of the namespace that is listed.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_REVISITS_H
#define KVCACHED_DAEMON_STORE_RECORDS_REVISITS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    REVISITS_BITS_MIN = 17, /* a map has 2^17 cells at least: 16 KiB */
    REVISITS_BITS_MAX = 20, /* and 2^20 at most: 128 KiB */
};

/* Memory that the keys of all listings take together. */
struct revisits_total {
    uint64_t bytes; /* atomic */
    uint64_t most;
};

struct revisits {
    uint64_t *list; /* reversed hashes, in no order; NULL when there is a map */
    uint32_t count, room;
    uint64_t *map;
    unsigned bits;  /* the map has 2^bits cells */
    uint64_t bytes; /* of list or map; atomic */
};

uint64_t revisits_reverse(uint64_t hash);

/* False when there is no memory for it. `buckets`: how many the index has. */
bool revisits_add(struct revisits *set, struct revisits_total *total, uint64_t hash,
                  uint64_t buckets);
void revisits_clear(struct revisits *set, struct revisits_total *total);

/* Of a map: whether that place in the order is marked. */
static inline bool revisits_has(const struct revisits *set, uint64_t at)
{
    uint64_t cell = at >> (64 - set->bits);
    return (set->map[cell / 64] >> (cell % 64) & 1) != 0;
}

/* Of a map: moves *at up to the next place that is marked. False: there is none. */
bool revisits_next(const struct revisits *set, uint64_t *at);

#endif

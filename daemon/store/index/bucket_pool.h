/*
 * bucket_pool.h - the overflow buckets that the index's buckets have in common.
 *
 * They are linked by number within the pool; number 0 is not used, so that a link of 0 means
 * "none". They come a page at a time from the budget.
 *
 * Any thread; pool.lock is a leaf. bucket_pool_compact is the housekeeper's.
 */
#ifndef KVCACHED_DAEMON_STORE_INDEX_BUCKET_POOL_H
#define KVCACHED_DAEMON_STORE_INDEX_BUCKET_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/arena/budget.h"
#include "daemon/store/arena/lock.h"
#include "daemon/store/index/bucket.h"

/* Whether overflow buckets are being moved to the front. */
enum bucket_pool_phase { POOL_RESTS, POOL_SORTS, POOL_MOVES, POOL_GIVES };

struct bucket_pool {
    struct overflow *buckets; /* reserved for `most`; 0 is not used */
    uint64_t most;
    uint64_t capacity;     /* what can be used of it; atomic */
    struct budget *budget; /* not owned */
    struct lock lock;      /* guards what follows */
    uint8_t phase;         /* enum bucket_pool_phase; atomic */
    uint64_t made;         /* buckets that have pages */
    uint64_t used;
    uint32_t free; /* the first free one, chained by `next` */
    /* While overflow buckets move to the front. Free ones may be in any of the lists, also
     * when that is over. */
    uint32_t low;  /* free ones below `keep` */
    uint32_t high; /* free ones from it on */
    uint64_t high_count;
    uint64_t keep; /* buckets from this one on are to go */
    /* the housekeeper's */
    uint64_t next_home; /* the bucket whose chain is next */
    unsigned rounds;    /* over all chains */
};

/* Reserves address space for `most` buckets; none can be used before bucket_pool_open. False
 * with errno. Safe to deinit after a failure, and when zeroed. */
bool bucket_pool_init(struct bucket_pool *pool, uint64_t most, struct budget *budget);
void bucket_pool_deinit(struct bucket_pool *pool);

/* The pool may have so many buckets, `most` at most; a smaller number takes none back. False
 * with errno. */
bool bucket_pool_open(struct bucket_pool *pool, uint64_t capacity);

/* An empty overflow bucket, or 0 without memory. */
uint32_t bucket_pool_take(struct bucket_pool *pool);
/* Takes back an empty one. */
void bucket_pool_give(struct bucket_pool *pool, uint32_t link);

/*
 * Moves overflow buckets that are in use to the front, so that the memory behind them can be
 * given back. `homes` are the `size` buckets of the table, whose chains are walked. Looks at
 * `most` buckets at most, and returns how many; 0: nothing is to be won. One thread at a time;
 * home buckets must not be merged while bucket_pool_is_moving.
 */
size_t bucket_pool_compact(struct bucket_pool *pool, struct bucket *homes, uint64_t size,
                           unsigned most);
bool bucket_pool_is_moving(const struct bucket_pool *pool);
/* Bytes that it could give back, about. */
uint64_t bucket_pool_excess(struct bucket_pool *pool);

/* Bytes of pages that it has. */
uint64_t bucket_pool_resident(struct bucket_pool *pool);

#endif

/*
 * bucket_pool.h - the index's buckets: the lock and the link in a bucket's word, and the pool
 * of overflow buckets.
 *
 * A bucket is one line of the processor's cache. What hangs on a bucket is linked by number
 * within the pool; number 0 is not used, so that a link of 0 means "none". Buckets come a page
 * at a time from the budget.
 *
 * Any thread; pool.lock is a leaf. bucket_pool_compact is the housekeeper's.
 */
#ifndef KVCACHED_DAEMON_STORE_INDEX_BUCKET_POOL_H
#define KVCACHED_DAEMON_STORE_INDEX_BUCKET_POOL_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/arena/budget.h"
#include "daemon/store/arena/lock.h"

enum { INDEX_SLOTS = 10 /* in a bucket */ };

struct bucket {
    union {
        struct {
            uint16_t tag[INDEX_SLOTS]; /* high twelve bits: tag; low four: reads */
            uint32_t word;             /* bit 0: locked; above: the overflow bucket or 0 */
        };
        uint64_t tags[3]; /* the same, four tags at a time: see bucket_find */
    };
    uint32_t place[INDEX_SLOTS]; /* 0: free. Slots are filled from the front */
};

_Static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");

#define BUCKET_TAG_MASK 0xfff0u /* of a slot's tag: what is of the hash */

enum {
    BUCKETS_PER_PAGE = 4096 / (int)sizeof(struct bucket),
    BUCKETS_PAGE = BUCKETS_PER_PAGE * (int)sizeof(struct bucket), /* bytes */
    /* Pages are given back in steps of this many buckets (256 KiB), and only two
     * steps behind, so that a size that goes up and down costs no page faults. */
    BUCKETS_GIVE_BACK = 4096,
};

/* Whether overflow buckets are being moved to the front. */
enum bucket_pool_phase { POOL_RESTS, POOL_SORTS, POOL_MOVES, POOL_GIVES };

struct bucket_pool {
    struct bucket *buckets; /* reserved for `most`; 0 is not used */
    uint64_t most;
    uint64_t capacity;     /* what can be used of it; atomic */
    struct budget *budget; /* not owned */
    struct lock lock;      /* guards what follows */
    uint8_t phase;         /* enum bucket_pool_phase; atomic */
    uint64_t made;         /* buckets that have pages */
    uint64_t used;
    uint32_t free; /* the first free one, chained by `word` */
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

/* The tags that follow, where those that differ from `tag` are not 0: four at a time, the first one
 * lowest. */
static inline uint64_t bucket_differing(const struct bucket *bucket, unsigned four, uint16_t tag)
{
    const uint64_t each = UINT64_C(0x0001000100010001);
    uint64_t tags = le64toh(__atomic_load_n(&bucket->tags[four], __ATOMIC_RELAXED));
    return (tags ^ (each * htole16(tag))) & (each * htole16(BUCKET_TAG_MASK));
}

/* The first slot from `from` on that has this tag; INDEX_SLOTS: none. Without the lock it is a
 * hint. */
static inline unsigned bucket_find(const struct bucket *bucket, unsigned from, uint16_t tag)
{
    const uint64_t low = UINT64_C(0x7fff7fff7fff7fff); /* all but the top bit of each of the four */
    uint64_t wanted = ~low << 16 * (from % 4);
    for (unsigned four = from / 4; four < 3; four++, wanted = ~low) {
        uint64_t differing = bucket_differing(bucket, four, tag);
        uint64_t same = ~(((differing & low) + low) | differing) & wanted;
        if (same != 0) {
            unsigned at = 4 * four + (unsigned)__builtin_ctzll(same) / 16;
            return at < INDEX_SLOTS ? at : INDEX_SLOTS; /* behind the tags is `word` */
        }
    }
    return INDEX_SLOTS;
}

static inline void bucket_lock(struct bucket *bucket)
{
    unsigned turns = 0;
    while ((__atomic_fetch_or(&bucket->word, 1, __ATOMIC_ACQUIRE) & 1) != 0) {
        while ((__atomic_load_n(&bucket->word, __ATOMIC_RELAXED) & 1) != 0) {
            lock_wait(&turns);
        }
    }
}

/* Only the holder changes the link, so a plain store is enough: a thread that waits sets only
 * the bit that is set already. */
static inline void bucket_unlock(struct bucket *bucket)
{
    uint32_t word = __atomic_load_n(&bucket->word, __ATOMIC_RELAXED);
    __atomic_store_n(&bucket->word, word & ~UINT32_C(1), __ATOMIC_RELEASE);
}

static inline uint32_t bucket_link(const struct bucket *bucket)
{
    return __atomic_load_n(&bucket->word, __ATOMIC_RELAXED) >> 1;
}

/* Keeps the lock bit. For a bucket of a chain whose home is locked. */
static inline void bucket_set_link(struct bucket *bucket, uint32_t link)
{
    uint32_t word = __atomic_load_n(&bucket->word, __ATOMIC_RELAXED);
    __atomic_store_n(&bucket->word, link << 1 | (word & 1), __ATOMIC_RELAXED);
}

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
/* Buckets that it could give back, about. */
uint64_t bucket_pool_excess(struct bucket_pool *pool);

/* Buckets that have pages. */
uint64_t bucket_pool_resident(struct bucket_pool *pool);

#endif

/*
 * index_pool.h - what the index's own files share: the lock in a bucket's word,
 * its link, and the pool of overflow buckets. Nobody else includes it.
 */
#ifndef KVCACHED_DAEMON_STORE_INDEX_INDEX_POOL_H
#define KVCACHED_DAEMON_STORE_INDEX_INDEX_POOL_H

#include "daemon/store/index/index.h"

enum {
    INDEX_PAGE = 4096,
    INDEX_BUCKETS_PER_PAGE = INDEX_PAGE / (int)sizeof(struct bucket),
    /* Pages are given back in steps of this many buckets (256 KiB), and only two
     * steps behind, so that a size that goes up and down costs no page faults. */
    INDEX_GIVE_BACK = 4096,
};

static inline void bucket_lock(struct bucket *bucket)
{
    unsigned turns = 0;
    while ((__atomic_fetch_or(&bucket->word, 1, __ATOMIC_ACQUIRE) & 1) != 0) {
        while ((__atomic_load_n(&bucket->word, __ATOMIC_RELAXED) & 1) != 0) {
            lock_wait(&turns);
        }
    }
}

/* Nobody but the holder changes the link, so a plain store is enough: a waiter
 * only sets the bit that is set already. */
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

/* An empty overflow bucket, or 0 without memory. */
uint32_t pool_take(struct index *index);
/* Takes back an empty one. */
void pool_give(struct index *index, uint32_t link);

/*
 * Moves overflow buckets that are in use to the front, so that the memory behind them can be
 * given back. So many buckets are looked at, at most; 0: nothing is to be won. One thread at a
 * time, and buckets are not merged while it is under way.
 */
size_t pool_squeeze(struct index *index, unsigned most);
bool pool_is_moving(const struct index *index);
/* Buckets that it could give back, about. */
uint64_t pool_excess(struct index *index);

#endif

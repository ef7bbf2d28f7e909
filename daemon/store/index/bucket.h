/*
 * bucket.h - the index's buckets: their slots, and the lock and the link in a bucket's word.
 *
 * A bucket is one line of the processor's cache. What does not fit goes on in a chain of overflow
 * buckets, of half a line each: most chains need a few slots more, and half a line that is half
 * full loses less than a whole one. They are linked by their number in the pool (bucket_pool.h).
 *
 * A bucket's lock guards its slots and its chain. Only bucket_find and bucket_link may be used
 * without it, of the bucket itself, for a hint.
 */
#ifndef KVCACHED_DAEMON_STORE_INDEX_BUCKET_H
#define KVCACHED_DAEMON_STORE_INDEX_BUCKET_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/arena/lock.h"

enum { INDEX_SLOTS = 10 /* in a bucket */, OVERFLOW_SLOTS = 4 /* in an overflow bucket */ };

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

struct overflow {
    union {
        uint16_t tag[OVERFLOW_SLOTS]; /* as in a bucket */
        uint64_t tags;
    };
    uint32_t place[OVERFLOW_SLOTS]; /* as in a bucket */
    uint32_t next;                  /* overflow bucket of the chain, or free one; 0: none */
    uint32_t unused;
};

_Static_assert(sizeof(struct overflow) == 32, "two overflow buckets are a cache line");

#define BUCKET_TAG_MASK 0xfff0u /* of a slot's tag: what is of the hash */

/* Of four tags, the first one lowest: the top bit of each from number `from` on that is this tag,
 * and no other bit. */
static inline uint64_t bucket_same(uint64_t tags, unsigned from, uint16_t tag)
{
    const uint64_t each = UINT64_C(0x0001000100010001);
    const uint64_t low = UINT64_C(0x7fff7fff7fff7fff); /* all but the top bit of each of the four */
    uint64_t mask = each * htole16(BUCKET_TAG_MASK);
    uint64_t differing = (le64toh(tags) ^ (each * htole16(tag))) & mask;
    return ~(((differing & low) + low) | differing) & (~low << 16 * from);
}

/* The first slot from `from` on that has this tag; INDEX_SLOTS: none. Without the lock it is a
 * hint. */
static inline unsigned bucket_find(const struct bucket *bucket, unsigned from, uint16_t tag)
{
    unsigned first = from % 4;
    for (unsigned four = from / 4; four < 3; four++, first = 0) {
        uint64_t tags = __atomic_load_n(&bucket->tags[four], __ATOMIC_RELAXED);
        uint64_t same = bucket_same(tags, first, tag);
        if (same != 0) {
            unsigned at = 4 * four + (unsigned)__builtin_ctzll(same) / 16;
            return at < INDEX_SLOTS ? at : INDEX_SLOTS; /* behind the tags is `word` */
        }
    }
    return INDEX_SLOTS;
}

/* The same of an overflow bucket; OVERFLOW_SLOTS: none. */
static inline unsigned overflow_find(const struct overflow *overflow, unsigned from, uint16_t tag)
{
    uint64_t same = from < OVERFLOW_SLOTS ? bucket_same(overflow->tags, from, tag) : 0;
    return same != 0 ? (unsigned)__builtin_ctzll(same) / 16 : OVERFLOW_SLOTS;
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

/* Keeps the lock bit. Of a locked bucket. */
static inline void bucket_set_link(struct bucket *bucket, uint32_t link)
{
    uint32_t word = __atomic_load_n(&bucket->word, __ATOMIC_RELAXED);
    __atomic_store_n(&bucket->word, link << 1 | (word & 1), __ATOMIC_RELAXED);
}

#endif

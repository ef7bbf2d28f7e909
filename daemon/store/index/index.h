/*
 * index.h - from a hash to a place in the arena.
 *
 * Linear hashing (Litwin, "Linear hashing: a new tool for file and table
 * addressing", 1980): the table grows and shrinks by one bucket at a time, so no
 * request ever pays for more than its share. A bucket is one cache line of 10
 * slots, each a tag and a place in 6 bytes; what does not fit goes on in
 * overflow buckets of 4 slots (bucket.h). At 8 records a bucket a record costs
 * between 8.8 and 9.4 bytes, and 9 hits in 10 touch one line. A dense index has 10, at
 * 8 bytes and a little: that is for a store whose memory is nearly full, where a record
 * more is worth more than the 4 % of CPU that a pipeline of sets takes more at 9
 * already. Overflow buckets of a whole line took 0.7 bytes more, and as much time.
 *
 * A slot's tag has 12 bits of the hash, and 4 bits that count how often the
 * record was read, for eviction.
 *
 * A bucket is its own lock, held from index_lock to index_unlock. The lock guards the
 * bucket's slots and its chain of overflow buckets. index_peek reads slots without it, as a
 * hint. Any thread, except where a function is marked as the housekeeper's.
 */
#ifndef KVCACHED_DAEMON_STORE_INDEX_INDEX_H
#define KVCACHED_DAEMON_STORE_INDEX_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/arena/budget.h"
#include "daemon/store/index/bucket_pool.h"

enum {
    INDEX_LOAD = 8,        /* records a bucket at which the index grows, */
    INDEX_LOAD_DENSE = 10, /* where it is dense, */
    INDEX_LOAD_LOW = 3,    /* and at which it shrinks */
    INDEX_BUCKETS_MIN = 64,
    INDEX_READS_MAX = 15, /* the read counter stays there */
};

#define INDEX_READS_MASK 0x000fu /* of a slot's tag */
#define INDEX_TAG_MASK   BUCKET_TAG_MASK

/* How the index gets at the records that it points to: the hash of a record's key, and a
 * prefetch of the record into the processor's cache before that is asked for. */
struct index_records {
    uint64_t (*hash_at)(const void *context, uint32_t place);
    void (*fetch_at)(const void *context, uint32_t place);
    const void *context;
};

struct index {
    struct bucket *buckets; /* reserved for `most` */
    uint64_t size;          /* buckets in use; atomic, changed by the holder of `resizing` */
    uint64_t entries;       /* records; atomic */
    uint64_t most;
    uint64_t capacity; /* of `most`, what can be used; atomic */
    uint64_t resident; /* buckets whose pages are paid for; `resizing` */
    uint32_t resizing; /* atomic flag: one thread at a time */
    uint32_t load;     /* records a bucket at which it grows; atomic */
    struct bucket_pool overflow;
    struct budget *budget; /* not owned */
    struct index_records records;
};

/* Up to `capacity` buckets can be used at once, and up to `most` after index_open.
 * False with errno: no address space, or the budget has no room for the first buckets. */
bool index_init(struct index *index, uint64_t capacity, uint64_t most, struct budget *budget,
                struct index_records records);
void index_deinit(struct index *index);

/* The index may have so many buckets from here on, `most` at most; a smaller number changes
 * nothing. False with errno. */
bool index_open(struct index *index, uint64_t capacity);

/* The number of a hash's bucket when there are `size` of them. */
static inline uint64_t index_address(uint64_t hash, uint64_t size)
{
    uint64_t mask = UINT64_MAX >> __builtin_clzll(size);
    uint64_t number = hash & mask;
    return number < size ? number : number & (mask >> 1);
}

/* How many low bits the hashes of a locked bucket have in common: those of its own number. To
 * split or merge the bucket takes its lock, so the size may be read at any time. */
static inline unsigned index_shared_bits(const struct index *index, const struct bucket *home)
{
    uint64_t size = __atomic_load_n(&index->size, __ATOMIC_RELAXED);
    uint64_t number = (uint64_t)(home - index->buckets);
    unsigned bits = (unsigned)(63 - __builtin_clzll(size));
    uint64_t half = UINT64_C(1) << bits;
    return number >= half || number + half < size ? bits + 1 : bits;
}

static inline uint16_t index_tag(uint64_t hash)
{
    return (uint16_t)((hash >> 48) & 0xfff0);
}

/* The bucket of the hash, as long as the table does not change its size. */
static inline struct bucket *index_bucket(const struct index *index, uint64_t hash)
{
    uint64_t size = __atomic_load_n(&index->size, __ATOMIC_ACQUIRE);
    return &index->buckets[index_address(hash, size)];
}

static inline void index_prefetch(const struct index *index, uint64_t hash)
{
    __builtin_prefetch(index_bucket(index, hash), 1);
}

/* The first place in the hash's own bucket whose tag fits, or 0: a hint. *number: the number of its
 * slot, counted from 1, for index_guess. If none fits, its overflow bucket is prefetched. */
static inline uint32_t index_peek(const struct index *index, uint64_t hash, unsigned *number)
{
    const struct bucket *bucket = index_bucket(index, hash);
    unsigned at = bucket_find(bucket, 0, index_tag(hash));
    if (at == INDEX_SLOTS) {
        __builtin_prefetch(&index->overflow.buckets[bucket_link(bucket)], 1);
        return 0;
    }
    *number = at + 1;
    return __atomic_load_n(&bucket->place[at], __ATOMIC_RELAXED);
}

static inline void index_unlock(struct bucket *bucket)
{
    bucket_unlock(bucket);
}

/* Locks the bucket of the hash, which is its home until index_unlock. */
static inline struct bucket *index_lock(const struct index *index, uint64_t hash)
{
    for (;;) {
        uint64_t size = __atomic_load_n(&index->size, __ATOMIC_ACQUIRE);
        struct bucket *bucket = &index->buckets[index_address(hash, size)];
        bucket_lock(bucket);
        /* The table may have changed its size while this thread waited. */
        if (__atomic_load_n(&index->size, __ATOMIC_ACQUIRE) == size ||
            bucket == index_bucket(index, hash)) {
            return bucket;
        }
        index_unlock(bucket);
    }
}

/* A slot of a locked bucket, or of an overflow bucket of its chain. */
struct slot {
    struct bucket *home;
    struct overflow *overflow; /* NULL: it is in the home itself */
    unsigned at;
};

/* NULL: there is none. */
static inline struct overflow *index_overflow(const struct index *index, uint32_t link)
{
    return link == 0 ? NULL : &index->overflow.buckets[link];
}

/* How many slots an overflow bucket has; NULL: a bucket. */
static inline unsigned index_slots_in(const struct overflow *overflow)
{
    return overflow != NULL ? OVERFLOW_SLOTS : INDEX_SLOTS;
}

/* Before the first slot. */
static inline struct slot index_slots(struct bucket *home)
{
    return (struct slot){home, NULL, UINT32_MAX};
}

/* Begins with the slot of that number in the locked bucket, which may by now be another record's.
 * False: with none, before the first one. */
static inline bool index_guess(struct bucket *home, unsigned number, struct slot *slot)
{
    *slot = (struct slot){home, NULL, number - 1};
    if (number != 0 && home->place[slot->at] != 0) {
        return true;
    }
    slot->at = UINT32_MAX;
    return false;
}

/* The next slot of the chain's overflow buckets whose tag fits, behind a slot in one of them or
 * behind the home's last. False at the end. */
bool index_next_overflow(const struct index *index, struct slot *slot, uint16_t tag);

/* The next slot whose tag fits. False at the end. */
static inline bool index_next(const struct index *index, struct slot *slot, uint16_t tag)
{
    while (slot->overflow == NULL) {
        slot->at = bucket_find(slot->home, slot->at + 1, tag);
        if (slot->at == INDEX_SLOTS) {
            break;
        }
        if (slot->home->place[slot->at] != 0) {
            return true;
        }
    }
    return bucket_link(slot->home) != 0 && index_next_overflow(index, slot, tag);
}

/* The next slot that is filled, whatever its tag. False at the end. */
bool index_next_filled(const struct index *index, struct slot *slot);

static inline uint16_t *slot_tag(const struct slot *slot)
{
    return slot->overflow != NULL ? &slot->overflow->tag[slot->at] : &slot->home->tag[slot->at];
}

static inline uint32_t *slot_place_at(const struct slot *slot)
{
    return slot->overflow != NULL ? &slot->overflow->place[slot->at] : &slot->home->place[slot->at];
}

static inline uint32_t slot_place(const struct slot *slot)
{
    return *slot_place_at(slot);
}

static inline unsigned slot_reads(const struct slot *slot)
{
    return *slot_tag(slot) & INDEX_READS_MASK;
}

static inline void slot_set_reads(struct slot *slot, unsigned reads)
{
    uint16_t *tag = slot_tag(slot);
    __atomic_store_n(tag, (uint16_t)((*tag & INDEX_TAG_MASK) | reads), __ATOMIC_RELAXED);
}

/* One read more; the count stays at the most. */
static inline void slot_count_read(struct slot *slot)
{
    uint16_t *tag = slot_tag(slot);
    uint16_t before = *tag;
    if ((before & INDEX_READS_MASK) < INDEX_READS_MAX) {
        __atomic_store_n(tag, (uint16_t)(before + 1), __ATOMIC_RELAXED);
    }
}

static inline void slot_set_place(struct slot *slot, uint32_t place)
{
    __atomic_store_n(slot_place_at(slot), place, __ATOMIC_RELAXED);
}

static inline void slot_set(struct slot *slot, uint16_t tag, uint32_t place)
{
    __atomic_store_n(slot_tag(slot), tag, __ATOMIC_RELAXED);
    slot_set_place(slot, place);
}

/* Links an overflow bucket, or none, behind that one of the locked bucket's chain; NULL: behind the
 * bucket itself. */
static inline void index_link(struct bucket *home, struct overflow *before, uint32_t link)
{
    if (before != NULL) {
        before->next = link;
    } else {
        bucket_set_link(home, link);
    }
}

/* Finds the slot with exactly that place. False: there is none. */
bool index_find_place(const struct index *index, struct bucket *home, uint64_t hash, uint32_t place,
                      struct slot *slot);

/* Finds a free slot, and takes an overflow bucket if there is none. False without memory. */
bool index_free_slot(struct index *index, struct bucket *home, struct slot *slot);
/* Fills a free slot. */
void index_fill(struct index *index, struct slot *slot, uint64_t hash, uint32_t place);
/* Empties a slot; the chain's last one takes its place. */
void index_remove(struct index *index, struct slot *slot);

/* Whether it is to be dense. It becomes so by not growing, and ceases to be by growing: neither
 * happens at once. Any thread. */
static inline void index_set_dense(struct index *index, bool dense)
{
    uint32_t load = dense ? INDEX_LOAD_DENSE : INDEX_LOAD;
    __atomic_store_n(&index->load, load, __ATOMIC_RELAXED);
}

/* Makes an empty index as large as so many records need, so that none of them pays for a split.
 * Before other threads use it. False without memory: then it grows as it is filled. */
bool index_reserve(struct index *index, uint64_t entries);
/* With no bucket locked. Grows by one bucket if the load asks for it. */
void index_grow(struct index *index);
/* Shrinks by up to `most` buckets if the load is low. True: it can shrink further. The
 * housekeeper's. */
bool index_shrink(struct index *index, unsigned most);

/*
 * For an index that is to take as little memory as possible. Each call does a part, about `most`
 * buckets, and returns how many it looked at; 0: nothing more is to be won. The housekeeper's.
 *
 * index_tighten shrinks it as long as its buckets are less full than when it grows.
 * index_squeeze moves overflow buckets to where their memory can be given back, which takes a
 * walk over all buckets. A walk that was begun (index_is_squeezed) must be continued.
 */
size_t index_tighten(struct index *index, unsigned most);
size_t index_squeeze(struct index *index, unsigned most);
bool index_is_squeezed(const struct index *index);
/* Bytes that both can give back, about. */
uint64_t index_excess(struct index *index);

/* Bytes of pages that the index holds. */
uint64_t index_resident(struct index *index);

#endif

/*
 * index_resize.c - the index grows by splitting one bucket and shrinks by merging
 * two.
 *
 * A split reads the keys of the dozen records in one bucket, since a slot does
 * not have enough of the hash to tell which half it belongs to. Their lines are
 * all asked for before the first is needed, which makes it cost about what one
 * miss costs. Whoever inserts pays for a split now and then; shrinking is left to
 * the housekeeper.
 */
#include <string.h>

#include "daemon/store/index.h"
#include "daemon/store/index_pool.h"
#include "daemon/store/reserve.h"

enum {
    CHAIN_MAX = 16, /* buckets; a longer one (never seen) is not split */
};

/* --- a chain, taken out and put back -------------------------------------- */

struct chain {
    unsigned count;
    uint16_t tag[CHAIN_MAX * INDEX_SLOTS];
    uint32_t place[CHAIN_MAX * INDEX_SLOTS];
};

static unsigned chain_length(const struct index *index, const struct bucket *bucket)
{
    unsigned length = 0;
    for (; bucket != NULL; bucket = index_overflow(index, bucket)) {
        length++;
    }
    return length;
}

/* Copies all slots out and leaves the chain's buckets linked but empty. */
static void take_slots(struct index *index, struct bucket *bucket, struct chain *chain)
{
    for (; bucket != NULL; bucket = index_overflow(index, bucket)) {
        for (unsigned i = 0; i < INDEX_SLOTS && bucket->place[i] != 0; i++) {
            chain->tag[chain->count] = bucket->tag[i];
            chain->place[chain->count++] = bucket->place[i];
            __atomic_store_n(&bucket->tag[i], 0, __ATOMIC_RELAXED);
            __atomic_store_n(&bucket->place[i], 0, __ATOMIC_RELAXED);
        }
    }
}

/* Unlinks the overflow buckets of a chain and lists them in `spare`. */
static unsigned take_links(struct index *index, struct bucket *home, uint32_t *spare)
{
    unsigned count = 0;
    for (struct bucket *bucket = home; bucket_link(bucket) != 0;) {
        uint32_t link = bucket_link(bucket);
        bucket_set_link(bucket, 0);
        spare[count++] = link;
        bucket = &index->overflow[link];
    }
    return count;
}

/* Where a chain is being filled again. */
struct filling {
    struct bucket *bucket;
    unsigned used;
};

/* Appends a slot, taking spare buckets as links; they were enough before. */
static void put_slot(struct index *index, struct filling *to, uint16_t tag, uint32_t place,
                     uint32_t *spare, unsigned *spares)
{
    if (to->used == INDEX_SLOTS) {
        uint32_t link = spare[--*spares];
        bucket_set_link(to->bucket, link);
        *to = (struct filling){&index->overflow[link], 0};
    }
    __atomic_store_n(&to->bucket->tag[to->used], tag, __ATOMIC_RELAXED);
    __atomic_store_n(&to->bucket->place[to->used], place, __ATOMIC_RELAXED);
    to->used++;
}

/* --- growing --------------------------------------------------------------- */

/* Makes sure that bucket number `size` has a page that is paid for. */
static bool have_page(struct index *index, uint64_t size)
{
    if (size < index->resident) {
        return true;
    }
    if (size + INDEX_BUCKETS_PER_PAGE > index->capacity ||
        !budget_take(index->budget, INDEX_PAGE)) {
        return false;
    }
    __atomic_store_n(&index->resident, index->resident + INDEX_BUCKETS_PER_PAGE, __ATOMIC_RELAXED);
    return true;
}

static void split(struct index *index, struct bucket *low, struct bucket *high, uint64_t size)
{
    struct chain chain = {.count = 0};
    uint32_t spare[CHAIN_MAX];
    take_slots(index, low, &chain);
    unsigned spares = take_links(index, low, spare);
    struct filling stay = {low, 0};
    struct filling move = {high, 0};
    for (unsigned i = 0; i < chain.count; i++) {
        index->records.fetch_at(index->records.context, chain.place[i]);
    }
    for (unsigned i = 0; i < chain.count; i++) {
        uint64_t hash = index->records.hash_at(index->records.context, chain.place[i]);
        bool moves = index_address(hash, size + 1) == size;
        put_slot(index, moves ? &move : &stay, chain.tag[i], chain.place[i], spare, &spares);
    }
    while (spares > 0) {
        pool_give(index, spare[--spares]);
    }
}

static bool start_resizing(struct index *index)
{
    return __atomic_exchange_n(&index->resizing, 1, __ATOMIC_ACQUIRE) == 0;
}

static void end_resizing(struct index *index)
{
    __atomic_store_n(&index->resizing, 0, __ATOMIC_RELEASE);
}

static bool too_full(const struct index *index)
{
    return __atomic_load_n(&index->entries, __ATOMIC_RELAXED) >
           INDEX_LOAD * __atomic_load_n(&index->size, __ATOMIC_RELAXED);
}

void index_grow(struct index *index)
{
    if (!too_full(index) || !start_resizing(index)) {
        return;
    }
    uint64_t size = index->size;
    if (too_full(index) && have_page(index, size)) {
        /* The bucket that shares all but the top bit with the new one. */
        struct bucket *low = &index->buckets[index_address(size, size)];
        struct bucket *high = &index->buckets[size];
        bucket_lock(low);
        bucket_lock(high);
        if (chain_length(index, low) <= CHAIN_MAX) {
            split(index, low, high, size);
            __atomic_store_n(&index->size, size + 1, __ATOMIC_RELEASE);
        }
        bucket_unlock(high);
        bucket_unlock(low);
    }
    end_resizing(index);
}

bool index_reserve(struct index *index, uint64_t entries)
{
    uint64_t size = entries / INDEX_LOAD + 1;
    uint64_t last = index->capacity - INDEX_BUCKETS_PER_PAGE;
    size = size > last ? last : size;
    while (index->resident < size) {
        if (!have_page(index, index->resident)) {
            return false;
        }
    }
    if (size > index->size) {
        __atomic_store_n(&index->size, size, __ATOMIC_RELEASE);
    }
    return true;
}

/* --- shrinking ------------------------------------------------------------- */

/* Gets the overflow buckets that two chains together will need. */
static bool gather_spares(struct index *index, unsigned wanted, uint32_t *spare, unsigned *spares)
{
    while (*spares < wanted) {
        uint32_t link = pool_take(index);
        if (link == 0) {
            return false;
        }
        spare[(*spares)++] = link;
    }
    return true;
}

static unsigned slots_in(const struct index *index, const struct bucket *bucket)
{
    unsigned used = 0;
    for (; bucket != NULL; bucket = index_overflow(index, bucket)) {
        for (unsigned i = 0; i < INDEX_SLOTS && bucket->place[i] != 0; i++) {
            used++;
        }
    }
    return used;
}

/* Moves all of `high` to `low`, both locked. False without memory for it. */
static bool merge(struct index *index, struct bucket *low, struct bucket *high)
{
    uint32_t spare[2 * CHAIN_MAX];
    unsigned spares = 0;
    unsigned total = slots_in(index, low) + slots_in(index, high);
    unsigned wanted = total == 0 ? 0 : (total - 1) / INDEX_SLOTS;
    unsigned have = chain_length(index, low) + chain_length(index, high) - 2;
    bool enough = wanted < CHAIN_MAX && have <= CHAIN_MAX &&
                  gather_spares(index, wanted > have ? wanted - have : 0, spare, &spares);
    if (enough) {
        struct chain chain = {.count = 0};
        take_slots(index, low, &chain);
        take_slots(index, high, &chain);
        spares += take_links(index, low, spare + spares);
        spares += take_links(index, high, spare + spares);
        struct filling to = {low, 0};
        for (unsigned i = 0; i < chain.count; i++) {
            put_slot(index, &to, chain.tag[i], chain.place[i], spare, &spares);
        }
    }
    while (spares > 0) {
        pool_give(index, spare[--spares]);
    }
    return enough;
}

static bool shrink_once(struct index *index)
{
    uint64_t size = index->size - 1;
    struct bucket *low = &index->buckets[index_address(size, size)];
    struct bucket *high = &index->buckets[size];
    bucket_lock(low);
    bucket_lock(high);
    bool merged = merge(index, low, high);
    if (merged) {
        __atomic_store_n(&index->size, size, __ATOMIC_RELEASE);
    }
    bucket_unlock(high);
    bucket_unlock(low);
    return merged;
}

/* Late comers may still lock and unlock a bucket whose page has gone: it reads
 * as zeros, which is an empty, unlocked bucket, and they look again. */
static void give_pages_back(struct index *index)
{
    uint64_t keep = (index->size / INDEX_GIVE_BACK + 2) * INDEX_GIVE_BACK;
    if (index->resident < keep + INDEX_GIVE_BACK) {
        return;
    }
    uint64_t bytes = (index->resident - keep) * sizeof(struct bucket);
    reserve_forget(&index->buckets[keep], bytes);
    budget_give(index->budget, bytes);
    __atomic_store_n(&index->resident, keep, __ATOMIC_RELAXED);
}

static bool too_empty(const struct index *index)
{
    uint64_t size = __atomic_load_n(&index->size, __ATOMIC_RELAXED);
    return size > INDEX_BUCKETS_MIN &&
           __atomic_load_n(&index->entries, __ATOMIC_RELAXED) < INDEX_LOAD_LOW * size;
}

bool index_shrink(struct index *index, unsigned most)
{
    if (!too_empty(index) || !start_resizing(index)) {
        return false;
    }
    for (; most > 0 && too_empty(index); most--) {
        if (!shrink_once(index)) {
            break;
        }
    }
    give_pages_back(index);
    end_resizing(index);
    return most == 0;
}

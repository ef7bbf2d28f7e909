/*
 * index_resize.c - the index grows by splitting one bucket and shrinks by merging
 * two.
 *
 * A split reads the keys of the 12 or so records in one bucket, since a slot does
 * not have enough of the hash to tell which half it belongs to. Their cache lines are
 * all prefetched before the first is needed, so a split costs about one cache miss.
 * Inserts pay for a split now and then; shrinking is left to the housekeeper.
 */
#include <string.h>

#include "daemon/store/arena/pages.h"
#include "daemon/store/index/index.h"

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
        bucket = &index->overflow.buckets[link];
    }
    return count;
}

/* Where a chain is being filled again. */
struct filling {
    struct bucket *bucket;
    unsigned used;
};

/* Appends a slot, and takes a spare bucket as link if the last one is full; there are enough. */
static void put_slot(struct index *index, struct filling *to, uint16_t tag, uint32_t place,
                     uint32_t *spare, unsigned *spares)
{
    if (to->used == INDEX_SLOTS) {
        uint32_t link = spare[--*spares];
        bucket_set_link(to->bucket, link);
        *to = (struct filling){&index->overflow.buckets[link], 0};
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
    if (size + BUCKETS_PER_PAGE > __atomic_load_n(&index->capacity, __ATOMIC_ACQUIRE) ||
        !budget_take(index->budget, BUCKETS_PAGE)) {
        return false;
    }
    __atomic_store_n(&index->resident, index->resident + BUCKETS_PER_PAGE, __ATOMIC_RELAXED);
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
        bucket_pool_give(&index->overflow, spare[--spares]);
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
    uint64_t last = index->capacity - BUCKETS_PER_PAGE;
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

/* Takes the overflow buckets that two chains need together. False without memory. */
static bool gather_spares(struct index *index, unsigned wanted, uint32_t *spare, unsigned *spares)
{
    while (*spares < wanted) {
        uint32_t link = bucket_pool_take(&index->overflow);
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

/* Moves all of `high` to `low`, both locked. False without memory. */
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
        bucket_pool_give(&index->overflow, spare[--spares]);
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

/* How far it shrinks. */
struct shrinking {
    unsigned load; /* records a bucket below which it does */
    uint64_t step; /* buckets whose pages are given back at once at least, */
    uint64_t kept; /* steps behind the last bucket that are not given back */
};

static const struct shrinking at_leisure = {INDEX_LOAD_LOW, BUCKETS_GIVE_BACK, 2};
static const struct shrinking in_need = {INDEX_LOAD - 1, 16 * BUCKETS_PER_PAGE, 1};

static uint64_t kept_behind(const struct index *index, const struct shrinking *how)
{
    return (index->size / how->step + how->kept) * how->step;
}

/* A thread that read the old size may still lock a bucket whose page has gone. The bucket reads
 * as zeros, which is an empty, unlocked one, and index_lock looks again. */
static bool give_pages_back(struct index *index, const struct shrinking *how)
{
    uint64_t keep = kept_behind(index, how);
    if (index->resident < keep + how->step) {
        return false;
    }
    /* No more at once than index_shrink leaves behind if it goes on all the time. */
    uint64_t first = index->resident - keep > 2 * BUCKETS_GIVE_BACK
                         ? index->resident - 2 * BUCKETS_GIVE_BACK
                         : keep;
    uint64_t bytes = (index->resident - first) * sizeof(struct bucket);
    pages_forget(&index->buckets[first], bytes);
    budget_give(index->budget, bytes);
    __atomic_store_n(&index->resident, first, __ATOMIC_RELAXED);
    return true;
}

static bool too_empty(const struct index *index, const struct shrinking *how)
{
    uint64_t size = __atomic_load_n(&index->size, __ATOMIC_RELAXED);
    return size > INDEX_BUCKETS_MIN &&
           __atomic_load_n(&index->entries, __ATOMIC_RELAXED) < how->load * size;
}

static unsigned shrink(struct index *index, unsigned most, const struct shrinking *how)
{
    unsigned done = 0;
    while (done < most && too_empty(index, how) && shrink_once(index)) {
        done++;
    }
    return done;
}

bool index_shrink(struct index *index, unsigned most)
{
    if (!too_empty(index, &at_leisure) || bucket_pool_is_moving(&index->overflow) ||
        !start_resizing(index)) {
        return false;
    }
    bool all = shrink(index, most, &at_leisure) == most;
    give_pages_back(index, &at_leisure);
    end_resizing(index);
    return all;
}

size_t index_tighten(struct index *index, unsigned most)
{
    if (!start_resizing(index)) {
        return 1; /* an insert is just growing it */
    }
    /* A merge may use overflow buckets where they have been moved away: not while they move. */
    size_t effort = bucket_pool_is_moving(&index->overflow) ? 0 : shrink(index, most, &in_need);
    if (effort == 0 && give_pages_back(index, &in_need)) {
        effort = most;
    }
    end_resizing(index);
    return effort;
}

size_t index_squeeze(struct index *index, unsigned most)
{
    return bucket_pool_compact(&index->overflow, index->buckets,
                               __atomic_load_n(&index->size, __ATOMIC_ACQUIRE), most);
}

bool index_is_squeezed(const struct index *index)
{
    return bucket_pool_is_moving(&index->overflow);
}

uint64_t index_excess(struct index *index)
{
    uint64_t entries = __atomic_load_n(&index->entries, __ATOMIC_RELAXED);
    uint64_t wanted = entries / in_need.load + 2 * in_need.step;
    uint64_t resident = __atomic_load_n(&index->resident, __ATOMIC_RELAXED);
    uint64_t excess = resident > wanted ? resident - wanted : 0;
    return (excess + bucket_pool_excess(&index->overflow)) * sizeof(struct bucket);
}

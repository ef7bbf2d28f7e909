/*
 * index_resize.c - the index grows by splitting one bucket and shrinks by merging
 * two.
 *
 * A split reads the keys of the 12 or so records in one bucket, since a slot does
 * not have enough of the hash to tell which half it belongs to. Their cache lines are
 * all prefetched before the first is needed, so a split costs about one cache miss.
 * Inserts pay for a split now and then; shrinking is left to the housekeeper.
 */
#include "daemon/store/arena/pages.h"
#include "daemon/store/index/index.h"

enum {
    BUCKETS_PER_PAGE = 4096 / (int)sizeof(struct bucket),
    BUCKETS_PAGE = BUCKETS_PER_PAGE * (int)sizeof(struct bucket), /* bytes */
    /* Pages are given back in steps of this many buckets (256 KiB), and only two
     * steps behind, so that a size that goes up and down costs no page faults. */
    BUCKETS_GIVE_BACK = 4096,
    LINKS_MAX = 40, /* overflow buckets; a longer chain (never seen) is not split */
    SLOTS_MAX = 2 * INDEX_SLOTS + LINKS_MAX * OVERFLOW_SLOTS, /* of two chains that are merged */
};

/* --- a chain, taken out and put back -------------------------------------- */

struct chain {
    unsigned count;
    uint16_t tag[SLOTS_MAX];
    uint32_t place[SLOTS_MAX];
};

/* Overflow buckets that are in no chain. */
struct spares {
    unsigned count;
    uint32_t link[2 * LINKS_MAX];
};

static unsigned links_in(const struct index *index, const struct bucket *home)
{
    unsigned links = 0;
    for (uint32_t link = bucket_link(home); link != 0; links++) {
        link = index_overflow(index, link)->next;
    }
    return links;
}

static unsigned slots_in(const struct index *index, struct bucket *home)
{
    unsigned used = 0;
    for (struct slot slot = index_slots(home); index_next_filled(index, &slot);) {
        used++;
    }
    return used;
}

/* Copies all slots out, and unlinks the overflow buckets, which are empty then. */
static void take_out(const struct index *index, struct bucket *home, struct chain *chain,
                     struct spares *spares)
{
    for (struct slot slot = index_slots(home); index_next_filled(index, &slot);) {
        chain->tag[chain->count] = *slot_tag(&slot);
        chain->place[chain->count++] = slot_place(&slot);
        slot_set(&slot, 0, 0);
    }
    uint32_t link = bucket_link(home);
    bucket_set_link(home, 0);
    while (link != 0) {
        struct overflow *overflow = index_overflow(index, link);
        spares->link[spares->count++] = link;
        link = overflow->next;
        overflow->next = 0;
    }
}

/* Fills the slot, and moves it to the next one. A spare bucket is linked if the last one is full;
 * there are enough. */
static void put_back(const struct index *index, struct slot *slot, uint16_t tag, uint32_t place,
                     struct spares *spares)
{
    if (slot->at == index_slots_in(slot->overflow)) {
        uint32_t link = spares->link[--spares->count];
        index_link(slot->home, slot->overflow, link);
        *slot = (struct slot){slot->home, index_overflow(index, link), 0};
    }
    slot_set(slot, tag, place);
    slot->at++;
}

static void give_spares(struct index *index, struct spares *spares)
{
    while (spares->count > 0) {
        bucket_pool_give(&index->overflow, spares->link[--spares->count]);
    }
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
    struct spares spares = {.count = 0};
    take_out(index, low, &chain, &spares);
    struct slot stay = {low, NULL, 0};
    struct slot move = {high, NULL, 0};
    for (unsigned i = 0; i < chain.count; i++) {
        index->records.fetch_at(index->records.context, chain.place[i]);
    }
    for (unsigned i = 0; i < chain.count; i++) {
        uint64_t hash = index->records.hash_at(index->records.context, chain.place[i]);
        bool moves = index_address(hash, size + 1) == size;
        put_back(index, moves ? &move : &stay, chain.tag[i], chain.place[i], &spares);
    }
    give_spares(index, &spares);
}

static bool start_resizing(struct index *index)
{
    return __atomic_exchange_n(&index->resizing, 1, __ATOMIC_ACQUIRE) == 0;
}

static void end_resizing(struct index *index)
{
    __atomic_store_n(&index->resizing, 0, __ATOMIC_RELEASE);
}

static uint32_t load_of(const struct index *index)
{
    return __atomic_load_n(&index->load, __ATOMIC_RELAXED);
}

static bool too_full(const struct index *index)
{
    return __atomic_load_n(&index->entries, __ATOMIC_RELAXED) >
           load_of(index) * __atomic_load_n(&index->size, __ATOMIC_RELAXED);
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
        if (links_in(index, low) <= LINKS_MAX) {
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
    uint64_t size = entries / load_of(index) + 1;
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

/* Overflow buckets that so many slots of one chain take. */
static unsigned links_for(unsigned slots)
{
    return slots > INDEX_SLOTS ? (slots - INDEX_SLOTS + OVERFLOW_SLOTS - 1) / OVERFLOW_SLOTS : 0;
}

/* Takes so many overflow buckets. False without memory. */
static bool take_spares(struct index *index, unsigned wanted, struct spares *spares)
{
    while (spares->count < wanted) {
        uint32_t link = bucket_pool_take(&index->overflow);
        if (link == 0) {
            return false;
        }
        spares->link[spares->count++] = link;
    }
    return true;
}

/* Moves all of `high` to `low`, both locked. False without memory. */
static bool merge(struct index *index, struct bucket *low, struct bucket *high)
{
    struct spares spares = {.count = 0};
    unsigned wanted = links_for(slots_in(index, low) + slots_in(index, high));
    unsigned have = links_in(index, low) + links_in(index, high);
    bool enough = wanted <= LINKS_MAX && have <= LINKS_MAX &&
                  take_spares(index, wanted > have ? wanted - have : 0, &spares);
    if (enough) {
        struct chain chain = {.count = 0};
        take_out(index, low, &chain, &spares);
        take_out(index, high, &chain, &spares);
        struct slot to = {low, NULL, 0};
        for (unsigned i = 0; i < chain.count; i++) {
            put_back(index, &to, chain.tag[i], chain.place[i], &spares);
        }
    }
    give_spares(index, &spares);
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
    unsigned load; /* records a bucket below which it does; 0: one below that at which it grows */
    uint64_t step; /* buckets whose pages are given back at once at least, */
    uint64_t kept; /* steps behind the last bucket that are not given back */
};

static const struct shrinking at_leisure = {INDEX_LOAD_LOW, BUCKETS_GIVE_BACK, 2};
static const struct shrinking in_need = {0, 16 * BUCKETS_PER_PAGE, 1};

static unsigned shrinks_below(const struct index *index, const struct shrinking *how)
{
    return how->load != 0 ? how->load : load_of(index) - 1;
}

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
           __atomic_load_n(&index->entries, __ATOMIC_RELAXED) < shrinks_below(index, how) * size;
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
    uint64_t wanted = entries / shrinks_below(index, &in_need) + 2 * in_need.step;
    uint64_t resident = __atomic_load_n(&index->resident, __ATOMIC_RELAXED);
    uint64_t excess = resident > wanted ? resident - wanted : 0;
    return excess * sizeof(struct bucket) + bucket_pool_excess(&index->overflow);
}

/*
 * index.c - lookups, slots, and overflow buckets; see index.h. How the table
 * changes its size is in index_resize.c.
 *
 * Slots are written with relaxed atomic stores only because index_peek reads
 * them without the lock. With the bucket's lock held they are read plainly.
 */
#include "daemon/store/index/index.h"

#include <string.h>

#include "daemon/store/arena/pages.h"

enum { OVERFLOW_SHARE = 2 /* overflow buckets that there may be for each bucket */ };

bool index_init(struct index *index, uint64_t capacity, uint64_t most, struct budget *budget,
                struct index_records records)
{
    memset(index, 0, sizeof *index);
    capacity = capacity < 2 * INDEX_BUCKETS_MIN ? 2 * INDEX_BUCKETS_MIN : capacity;
    index->most = most < capacity ? capacity : most;
    index->size = INDEX_BUCKETS_MIN;
    index->resident = INDEX_BUCKETS_MIN;
    index->load = INDEX_LOAD;
    index->budget = budget;
    index->records = records;
    index->buckets = pages_reserve(index->most * sizeof(struct bucket));
    if (index->buckets == NULL ||
        !bucket_pool_init(&index->overflow, OVERFLOW_SHARE * index->most, budget) ||
        !index_open(index, capacity) ||
        !budget_take(budget, index->resident * sizeof(struct bucket))) {
        index_deinit(index);
        return false;
    }
    return true;
}

void index_deinit(struct index *index)
{
    pages_release(index->buckets, index->most * sizeof(struct bucket));
    index->buckets = NULL;
    bucket_pool_deinit(&index->overflow);
}

bool index_open(struct index *index, uint64_t capacity)
{
    capacity = capacity < index->most ? capacity : index->most;
    bool open = pages_open(index->buckets, capacity * sizeof(struct bucket)) &&
                bucket_pool_open(&index->overflow, OVERFLOW_SHARE * capacity);
    if (open && capacity > __atomic_load_n(&index->capacity, __ATOMIC_RELAXED)) {
        __atomic_store_n(&index->capacity, capacity, __ATOMIC_RELEASE);
    }
    return open;
}

bool index_find_place(const struct index *index, struct bucket *home, uint64_t hash, uint32_t place,
                      struct slot *slot)
{
    *slot = index_slots(home);
    while (index_next(index, slot, index_tag(hash))) {
        if (slot_place(slot) == place) {
            return true;
        }
    }
    return false;
}

bool index_next_overflow(const struct index *index, struct slot *slot, uint16_t tag)
{
    unsigned from = slot->at + 1;
    if (slot->overflow == NULL) {
        slot->overflow = index_overflow(index, bucket_link(slot->home));
        from = 0;
    }
    for (;;) {
        struct overflow *overflow = slot->overflow;
        slot->at = overflow_find(overflow, from, tag);
        if (slot->at < OVERFLOW_SLOTS && overflow->place[slot->at] != 0) {
            return true;
        }
        if (overflow->next == 0) {
            slot->at = OVERFLOW_SLOTS;
            return false;
        }
        slot->overflow = index_overflow(index, overflow->next);
        from = 0;
    }
}

bool index_next_filled(const struct index *index, struct slot *slot)
{
    if (++slot->at == index_slots_in(slot->overflow)) {
        uint32_t next = slot->overflow != NULL ? slot->overflow->next : bucket_link(slot->home);
        if (next == 0) {
            slot->at--;
            return false;
        }
        slot->overflow = index_overflow(index, next);
        slot->at = 0;
    }
    return slot_place(slot) != 0;
}

/* The last overflow bucket of a chain, and the one before it; NULL: the home is in its place. */
static struct overflow *find_last(const struct index *index, const struct bucket *home,
                                  struct overflow **before)
{
    struct overflow *last = NULL;
    uint32_t next = bucket_link(home);
    *before = NULL;
    while (next != 0) {
        *before = last;
        last = index_overflow(index, next);
        next = last->next;
    }
    return last;
}

/* How many slots of the chain's last bucket are filled: of `last`, or of the home. */
static unsigned slots_used(const struct bucket *home, const struct overflow *last)
{
    const uint32_t *place = last != NULL ? last->place : home->place;
    unsigned slots = index_slots_in(last);
    unsigned used = 0;
    while (used < slots && place[used] != 0) {
        used++;
    }
    return used;
}

bool index_free_slot(struct index *index, struct bucket *home, struct slot *slot)
{
    struct overflow *before;
    struct overflow *last = find_last(index, home, &before);
    *slot = (struct slot){home, last, slots_used(home, last)};
    if (slot->at < index_slots_in(last)) {
        return true;
    }
    uint32_t link = bucket_pool_take(&index->overflow);
    if (link == 0) {
        return false;
    }
    index_link(home, last, link);
    *slot = (struct slot){home, index_overflow(index, link), 0};
    return true;
}

void index_fill(struct index *index, struct slot *slot, uint64_t hash, uint32_t place)
{
    slot_set(slot, index_tag(hash), place);
    __atomic_fetch_add(&index->entries, 1, __ATOMIC_RELAXED);
}

void index_remove(struct index *index, struct slot *slot)
{
    struct overflow *before;
    struct overflow *last = find_last(index, slot->home, &before);
    struct slot end = {slot->home, last, slots_used(slot->home, last) - 1};
    slot_set(slot, *slot_tag(&end), slot_place(&end));
    slot_set(&end, 0, 0);
    if (last != NULL && end.at == 0) {
        index_link(slot->home, before, 0);
        bucket_pool_give(&index->overflow, (uint32_t)(last - index->overflow.buckets));
    }
    __atomic_fetch_sub(&index->entries, 1, __ATOMIC_RELAXED);
}

uint64_t index_resident(struct index *index)
{
    uint64_t buckets = __atomic_load_n(&index->resident, __ATOMIC_RELAXED);
    return buckets * sizeof(struct bucket) + bucket_pool_resident(&index->overflow);
}

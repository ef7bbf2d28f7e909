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

bool index_init(struct index *index, uint64_t capacity, uint64_t most, struct budget *budget,
                struct index_records records)
{
    memset(index, 0, sizeof *index);
    capacity = capacity < 2 * INDEX_BUCKETS_MIN ? 2 * INDEX_BUCKETS_MIN : capacity;
    index->most = most < capacity ? capacity : most;
    index->size = INDEX_BUCKETS_MIN;
    index->resident = INDEX_BUCKETS_MIN;
    index->budget = budget;
    index->records = records;
    index->buckets = pages_reserve(index->most * sizeof(struct bucket));
    if (index->buckets == NULL || !bucket_pool_init(&index->overflow, index->most, budget) ||
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
                bucket_pool_open(&index->overflow, capacity);
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

bool index_free_slot(struct index *index, struct bucket *home, struct slot *slot)
{
    struct bucket *bucket = home;
    for (;;) {
        for (unsigned i = 0; i < INDEX_SLOTS; i++) {
            if (bucket->place[i] == 0) {
                *slot = (struct slot){home, bucket, i};
                return true;
            }
        }
        struct bucket *next = index_overflow(index, bucket);
        if (next == NULL) {
            break;
        }
        bucket = next;
    }
    uint32_t link = bucket_pool_take(&index->overflow);
    if (link == 0) {
        return false;
    }
    bucket_set_link(bucket, link);
    *slot = (struct slot){home, &index->overflow.buckets[link], 0};
    return true;
}

void index_fill(struct index *index, struct slot *slot, uint64_t hash, uint32_t place)
{
    __atomic_store_n(&slot->bucket->tag[slot->at], index_tag(hash), __ATOMIC_RELAXED);
    slot_set_place(slot, place);
    __atomic_fetch_add(&index->entries, 1, __ATOMIC_RELAXED);
}

static unsigned slots_used(const struct bucket *bucket)
{
    unsigned used = 0;
    while (used < INDEX_SLOTS && bucket->place[used] != 0) {
        used++;
    }
    return used;
}

void index_remove(struct index *index, struct slot *slot)
{
    struct bucket *before = NULL;
    struct bucket *last = slot->home;
    for (struct bucket *next; (next = index_overflow(index, last)) != NULL; last = next) {
        before = last;
    }
    unsigned at = slots_used(last) - 1;
    __atomic_store_n(&slot->bucket->tag[slot->at], last->tag[at], __ATOMIC_RELAXED);
    slot_set_place(slot, last->place[at]);
    __atomic_store_n(&last->tag[at], 0, __ATOMIC_RELAXED);
    __atomic_store_n(&last->place[at], 0, __ATOMIC_RELAXED);
    if (at == 0 && before != NULL) {
        uint32_t link = bucket_link(before);
        bucket_set_link(before, 0);
        bucket_pool_give(&index->overflow, link);
    }
    __atomic_fetch_sub(&index->entries, 1, __ATOMIC_RELAXED);
}

uint64_t index_resident(struct index *index)
{
    uint64_t made = bucket_pool_resident(&index->overflow);
    return (__atomic_load_n(&index->resident, __ATOMIC_RELAXED) + made) * sizeof(struct bucket);
}

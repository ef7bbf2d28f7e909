/*
 * index_pool.c - overflow buckets, handed out and taken back; see index_pool.h.
 *
 * They come a page at a time and are kept until none is in use: then all of them go
 * back to the operating system at once.
 */
#include "daemon/store/index_pool.h"

#include "daemon/store/reserve.h"

uint32_t pool_take(struct index *index)
{
    uint32_t link = 0;
    lock_take(&index->pool_lock);
    if (index->pool_free == 0 && index->pool_made + INDEX_BUCKETS_PER_PAGE < index->capacity &&
        budget_take(index->budget, INDEX_PAGE)) {
        for (int i = 0; i < INDEX_BUCKETS_PER_PAGE; i++) {
            uint32_t fresh = (uint32_t)index->pool_made++;
            if (fresh != 0) {
                index->overflow[fresh].word = index->pool_free << 1;
                index->pool_free = fresh;
            }
        }
    }
    link = index->pool_free;
    if (link != 0) {
        index->pool_free = bucket_link(&index->overflow[link]);
        __atomic_store_n(&index->overflow[link].word, 0, __ATOMIC_RELAXED);
        index->pool_used++;
    }
    lock_give(&index->pool_lock);
    return link;
}

void pool_give(struct index *index, uint32_t link)
{
    lock_take(&index->pool_lock);
    __atomic_store_n(&index->overflow[link].word, index->pool_free << 1, __ATOMIC_RELAXED);
    index->pool_free = link;
    index->pool_used--;
    if (index->pool_used == 0 && index->pool_made > INDEX_GIVE_BACK) {
        reserve_forget(index->overflow, index->pool_made * sizeof(struct bucket));
        budget_give(index->budget, index->pool_made * sizeof(struct bucket));
        index->pool_made = 0;
        index->pool_free = 0;
    }
    lock_give(&index->pool_lock);
}

/*
 * index_pool.c - overflow buckets, handed out and taken back; see index_pool.h.
 *
 * They come a page at a time and are kept until none is in use: then all of them go
 * back to the operating system at once.
 *
 * Where memory is to be won and some are in use, these are moved to the front first. A number
 * pool_keep is chosen such that all of them fit below it; the free ones are sorted, and those
 * behind it are handed out no more; every chain is walked, and its buckets that lie behind are
 * copied to free ones in front; and when all behind are free their pages go. Each of these goes
 * on in steps with requests in between: a chain is changed with its home bucket locked only.
 */
#include "daemon/store/index/index_pool.h"

#include <string.h>

#include "daemon/store/arena/pages.h"

enum {
    SPARE_SHARE = 8,    /* so much more than what is in use is kept, */
    SPARE_LEAST = 1024, /* and this many buckets; */
    PAYS = 2048,        /* to win less than this many is not worth it */
    ROUNDS = 3,         /* over all chains, until it is given up */
};

/* --- handing out, under pool_lock --------------------------------------------------- */

static void push(struct index *index, uint32_t *list, uint32_t link)
{
    __atomic_store_n(&index->overflow[link].word, *list << 1, __ATOMIC_RELAXED);
    *list = link;
}

static uint32_t pop(struct index *index, uint32_t *list)
{
    uint32_t link = *list;
    if (link != 0) {
        *list = bucket_link(&index->overflow[link]);
    }
    return link;
}

static uint32_t pop_high(struct index *index)
{
    uint32_t link = pop(index, &index->pool_high);
    index->pool_high_count -= link != 0;
    return link;
}

static void push_free(struct index *index, uint32_t link)
{
    if (index->pool_phase == POOL_RESTS) {
        push(index, &index->pool_free, link);
    } else if (link < index->pool_keep) {
        push(index, &index->pool_low, link);
    } else {
        push(index, &index->pool_high, link);
        index->pool_high_count++;
    }
}

/* False without memory. */
static bool make_page(struct index *index)
{
    if (index->pool_phase == POOL_GIVES ||
        index->pool_made + INDEX_BUCKETS_PER_PAGE >=
            __atomic_load_n(&index->capacity, __ATOMIC_ACQUIRE) ||
        !budget_take(index->budget, INDEX_PAGE)) {
        return false;
    }
    for (int i = 0; i < INDEX_BUCKETS_PER_PAGE; i++) {
        uint32_t fresh = (uint32_t)index->pool_made++;
        if (fresh != 0) {
            push_free(index, fresh);
        }
    }
    return true;
}

static uint32_t take(struct index *index)
{
    uint32_t link = pop(index, &index->pool_low);
    if (link == 0) {
        link = pop(index, &index->pool_free);
    }
    return link != 0 ? link : pop_high(index);
}

uint32_t pool_take(struct index *index)
{
    lock_take(&index->pool_lock);
    uint32_t link = take(index);
    if (link == 0 && make_page(index)) {
        link = take(index);
    }
    if (link != 0) {
        __atomic_store_n(&index->overflow[link].word, 0, __ATOMIC_RELAXED);
        index->pool_used++;
    }
    lock_give(&index->pool_lock);
    return link;
}

void pool_give(struct index *index, uint32_t link)
{
    lock_take(&index->pool_lock);
    push_free(index, link);
    index->pool_used--;
    if (index->pool_used == 0 && index->pool_made > INDEX_GIVE_BACK &&
        index->pool_phase == POOL_RESTS) {
        pages_forget(index->overflow, index->pool_made * sizeof(struct bucket));
        budget_give(index->budget, index->pool_made * sizeof(struct bucket));
        index->pool_made = 0;
        index->pool_free = index->pool_low = index->pool_high = 0;
        index->pool_high_count = 0;
    }
    lock_give(&index->pool_lock);
}

/* --- sorting the free ones ------------------------------------------------------------ */

/* How many there shall be, a whole number of pages. Under pool_lock. */
static uint64_t enough(const struct index *index)
{
    uint64_t wanted = index->pool_used + index->pool_used / SPARE_SHARE + SPARE_LEAST;
    return (wanted / INDEX_BUCKETS_PER_PAGE + 1) * INDEX_BUCKETS_PER_PAGE;
}

static uint64_t excess(const struct index *index)
{
    uint64_t wanted = enough(index) + PAYS;
    return index->pool_made > wanted ? index->pool_made - wanted : 0;
}

/* What was sorted before and not given back is sorted again: one list of all free ones. */
static bool unsort(struct index *index)
{
    uint32_t link = pop(index, &index->pool_low);
    if (link == 0) {
        link = pop_high(index);
    }
    if (link != 0) {
        push(index, &index->pool_free, link);
    }
    return link != 0;
}

static bool sort_one(struct index *index)
{
    uint32_t link = pop(index, &index->pool_free);
    if (link != 0) {
        push_free(index, link);
    }
    return link != 0;
}

/* True when there is more of the list. */
static bool step(struct index *index, unsigned most, bool (*one)(struct index *))
{
    bool more = true;
    lock_take(&index->pool_lock);
    for (unsigned i = 0; i < most && more; i++) {
        more = one(index);
    }
    lock_give(&index->pool_lock);
    return more;
}

static void set_phase(struct index *index, enum pool_phase phase)
{
    lock_take(&index->pool_lock);
    __atomic_store_n(&index->pool_phase, (uint8_t)phase, __ATOMIC_RELAXED);
    lock_give(&index->pool_lock);
}

/* False: it would not pay. */
static bool begin(struct index *index, unsigned most)
{
    lock_take(&index->pool_lock);
    bool pays = excess(index) > 0;
    bool sorted = index->pool_low == 0 && index->pool_high == 0;
    if (pays && sorted) {
        index->pool_keep = enough(index);
        __atomic_store_n(&index->pool_phase, POOL_SORTS, __ATOMIC_RELAXED);
    }
    lock_give(&index->pool_lock);
    if (pays && !sorted) {
        step(index, most, unsort);
    }
    return pays;
}

/* --- moving those in use -------------------------------------------------------------- */

/* A free one in front takes the place of `link`, which `before` is followed by. False: there
 * is none. The chain's home is locked. */
static bool move(struct index *index, struct bucket *before, uint32_t link)
{
    lock_take(&index->pool_lock);
    uint32_t to = pop(index, &index->pool_low);
    if (to != 0) {
        const struct bucket *from = &index->overflow[link];
        struct bucket *fresh = &index->overflow[to];
        memcpy(fresh->tag, from->tag, sizeof fresh->tag);
        memcpy(fresh->place, from->place, sizeof fresh->place);
        __atomic_store_n(&fresh->word, bucket_link(from) << 1, __ATOMIC_RELAXED);
        bucket_set_link(before, to);
        memset(index->overflow[link].tag, 0, sizeof fresh->tag);
        memset(index->overflow[link].place, 0, sizeof fresh->place);
        push_free(index, link);
    }
    lock_give(&index->pool_lock);
    return to != 0;
}

static bool move_chain(struct index *index, struct bucket *home)
{
    bool moved = true;
    bucket_lock(home);
    struct bucket *before = home;
    while (bucket_link(before) != 0 && moved) {
        uint32_t link = bucket_link(before);
        moved = link < index->pool_keep || move(index, before, link);
        before = &index->overflow[bucket_link(before)];
    }
    bucket_unlock(home);
    return moved;
}

/* Whether none of those behind is in use. */
static bool is_clear(struct index *index)
{
    lock_take(&index->pool_lock);
    bool clear = index->pool_high_count == index->pool_made - index->pool_keep;
    if (clear) {
        index->pool_high = 0;
        index->pool_high_count = 0;
        __atomic_store_n(&index->pool_phase, POOL_GIVES, __ATOMIC_RELAXED);
    }
    lock_give(&index->pool_lock);
    return clear;
}

/* The chains from pool_hand on; where they end it begins again, for buckets are split and merged
 * meanwhile. */
static void move_chains(struct index *index, unsigned most)
{
    uint64_t size = __atomic_load_n(&index->size, __ATOMIC_ACQUIRE);
    bool moved = true;
    for (; most > 0 && moved && index->pool_hand < size; most--) {
        moved = move_chain(index, &index->buckets[index->pool_hand++]);
    }
    bool end = index->pool_hand >= size;
    if (end) {
        index->pool_hand = 0;
        index->pool_rounds++;
    }
    bool given_up = !moved || index->pool_rounds >= ROUNDS;
    if (end && is_clear(index)) {
        return;
    }
    if (given_up) {
        set_phase(index, POOL_RESTS);
    }
}

/* --- giving back ------------------------------------------------------------------------ */

/* Of those behind, which are in no list. */
static void give_back(struct index *index)
{
    uint64_t keep = index->pool_keep;
    uint64_t end = index->pool_made; /* it changes nowhere else in this phase */
    uint64_t from = end - keep > INDEX_GIVE_BACK ? end - INDEX_GIVE_BACK : keep;
    pages_forget(&index->overflow[from], (end - from) * sizeof(struct bucket));
    budget_give(index->budget, (end - from) * sizeof(struct bucket));
    lock_take(&index->pool_lock);
    index->pool_made = from;
    if (from == keep) {
        __atomic_store_n(&index->pool_phase, POOL_RESTS, __ATOMIC_RELAXED);
    }
    lock_give(&index->pool_lock);
}

bool pool_is_moving(const struct index *index)
{
    return __atomic_load_n(&index->pool_phase, __ATOMIC_RELAXED) != POOL_RESTS;
}

uint64_t pool_excess(struct index *index)
{
    lock_take(&index->pool_lock);
    uint64_t buckets = excess(index);
    lock_give(&index->pool_lock);
    return buckets;
}

size_t pool_squeeze(struct index *index, unsigned most)
{
    switch ((enum pool_phase)__atomic_load_n(&index->pool_phase, __ATOMIC_RELAXED)) {
    case POOL_RESTS:
        index->pool_hand = 0;
        index->pool_rounds = 0;
        return begin(index, most) ? most : 0;
    case POOL_SORTS:
        if (!step(index, most, sort_one)) {
            set_phase(index, POOL_MOVES);
        }
        break;
    case POOL_MOVES:
        move_chains(index, most);
        break;
    case POOL_GIVES:
        give_back(index);
        break;
    }
    return most;
}

/*
 * bucket_pool.c - overflow buckets, handed out and taken back; see bucket_pool.h.
 *
 * They are made a page at a time and kept until none is in use: then the pages of all of them go
 * back to the operating system at once.
 *
 * Where memory is needed while some are in use, these are moved to the front first, in four
 * phases. `keep` is chosen so that all in use fit below it. POOL_SORTS: the free ones are sorted,
 * and those from `keep` on are not handed out any more. POOL_MOVES: every chain is walked, and its
 * buckets from `keep` on are copied to free ones below. POOL_GIVES: when all from `keep` on are
 * free, their pages go back. Each phase is done in steps with requests in between: a chain is
 * changed only with its home bucket locked.
 */
#include "daemon/store/index/bucket_pool.h"

#include "daemon/store/arena/pages.h"

enum {
    PER_PAGE = 4096 / (int)sizeof(struct overflow), /* buckets */
    PAGE = PER_PAGE * (int)sizeof(struct overflow), /* bytes */
    GIVE_BACK = 64 * PER_PAGE,    /* at once at most, and kept where all are free */
    SPARE_SHARE = 8,              /* an eighth more than what is in use is kept, */
    SPARE_LEAST = 16 * PER_PAGE,  /* and this many buckets */
    WORTH_MOVING = 32 * PER_PAGE, /* buckets to be won at least */
    ROUNDS = 3,                   /* over all chains, until it is given up */
};

bool bucket_pool_init(struct bucket_pool *pool, uint64_t most, struct budget *budget)
{
    *pool = (struct bucket_pool){.most = most, .budget = budget};
    pool->buckets = pages_reserve(most * sizeof(struct overflow));
    return pool->buckets != NULL;
}

void bucket_pool_deinit(struct bucket_pool *pool)
{
    pages_release(pool->buckets, pool->most * sizeof(struct overflow));
    pool->buckets = NULL;
}

bool bucket_pool_open(struct bucket_pool *pool, uint64_t capacity)
{
    bool open = pages_open(pool->buckets, capacity * sizeof(struct overflow));
    if (open && capacity > __atomic_load_n(&pool->capacity, __ATOMIC_RELAXED)) {
        __atomic_store_n(&pool->capacity, capacity, __ATOMIC_RELEASE);
    }
    return open;
}

/* --- handing out, under pool.lock --------------------------------------------------- */

static void push(struct bucket_pool *pool, uint32_t *list, uint32_t link)
{
    pool->buckets[link].next = *list;
    *list = link;
}

static uint32_t pop(struct bucket_pool *pool, uint32_t *list)
{
    uint32_t link = *list;
    if (link != 0) {
        *list = pool->buckets[link].next;
    }
    return link;
}

static uint32_t pop_high(struct bucket_pool *pool)
{
    uint32_t link = pop(pool, &pool->high);
    pool->high_count -= link != 0;
    return link;
}

static void push_free(struct bucket_pool *pool, uint32_t link)
{
    if (pool->phase == POOL_RESTS) {
        push(pool, &pool->free, link);
    } else if (link < pool->keep) {
        push(pool, &pool->low, link);
    } else {
        push(pool, &pool->high, link);
        pool->high_count++;
    }
}

/* False without memory. */
static bool make_page(struct bucket_pool *pool)
{
    if (pool->phase == POOL_GIVES ||
        pool->made + PER_PAGE >= __atomic_load_n(&pool->capacity, __ATOMIC_ACQUIRE) ||
        !budget_take(pool->budget, PAGE)) {
        return false;
    }
    for (int i = 0; i < PER_PAGE; i++) {
        uint32_t fresh = (uint32_t)pool->made++;
        if (fresh != 0) {
            push_free(pool, fresh);
        }
    }
    return true;
}

static uint32_t take(struct bucket_pool *pool)
{
    uint32_t link = pop(pool, &pool->low);
    if (link == 0) {
        link = pop(pool, &pool->free);
    }
    return link != 0 ? link : pop_high(pool);
}

uint32_t bucket_pool_take(struct bucket_pool *pool)
{
    lock_take(&pool->lock);
    uint32_t link = take(pool);
    if (link == 0 && make_page(pool)) {
        link = take(pool);
    }
    if (link != 0) {
        pool->buckets[link].next = 0;
        pool->used++;
    }
    lock_give(&pool->lock);
    return link;
}

void bucket_pool_give(struct bucket_pool *pool, uint32_t link)
{
    lock_take(&pool->lock);
    push_free(pool, link);
    pool->used--;
    if (pool->used == 0 && pool->made > GIVE_BACK && pool->phase == POOL_RESTS) {
        pages_forget(pool->buckets, pool->made * sizeof(struct overflow));
        budget_give(pool->budget, pool->made * sizeof(struct overflow));
        pool->made = 0;
        pool->free = pool->low = pool->high = 0;
        pool->high_count = 0;
    }
    lock_give(&pool->lock);
}

/* --- sorting the free ones ------------------------------------------------------------ */

/* How many buckets are kept, a whole number of pages. Under pool.lock. */
static uint64_t enough(const struct bucket_pool *pool)
{
    uint64_t wanted = pool->used + pool->used / SPARE_SHARE + SPARE_LEAST;
    return (wanted / PER_PAGE + 1) * PER_PAGE;
}

static uint64_t excess(const struct bucket_pool *pool)
{
    uint64_t wanted = enough(pool) + WORTH_MOVING;
    return pool->made > wanted ? pool->made - wanted : 0;
}

/* Moves one free bucket that an earlier walk has sorted back to the one list of all free ones.
 * False: there is none left. */
static bool unsort(struct bucket_pool *pool)
{
    uint32_t link = pop(pool, &pool->low);
    if (link == 0) {
        link = pop_high(pool);
    }
    if (link != 0) {
        push(pool, &pool->free, link);
    }
    return link != 0;
}

static bool sort_one(struct bucket_pool *pool)
{
    uint32_t link = pop(pool, &pool->free);
    if (link != 0) {
        push_free(pool, link);
    }
    return link != 0;
}

/* True: the list has more. */
static bool step(struct bucket_pool *pool, unsigned most, bool (*one)(struct bucket_pool *))
{
    bool more = true;
    lock_take(&pool->lock);
    for (unsigned i = 0; i < most && more; i++) {
        more = one(pool);
    }
    lock_give(&pool->lock);
    return more;
}

static void set_phase(struct bucket_pool *pool, enum bucket_pool_phase phase)
{
    lock_take(&pool->lock);
    __atomic_store_n(&pool->phase, (uint8_t)phase, __ATOMIC_RELAXED);
    lock_give(&pool->lock);
}

/* Begins to move buckets. False: it is not worth it. */
static bool begin(struct bucket_pool *pool, unsigned most)
{
    lock_take(&pool->lock);
    bool worth = excess(pool) > 0;
    bool sorted = pool->low == 0 && pool->high == 0;
    if (worth && sorted) {
        pool->keep = enough(pool);
        __atomic_store_n(&pool->phase, POOL_SORTS, __ATOMIC_RELAXED);
    }
    lock_give(&pool->lock);
    if (worth && !sorted) {
        step(pool, most, unsort);
    }
    return worth;
}

/* --- moving those in use -------------------------------------------------------------- */

/* Puts a free bucket from below `keep` in the place of the one that *link is. False: there is none.
 * The chain's home is locked. */
static bool move(struct bucket_pool *pool, uint32_t *link)
{
    lock_take(&pool->lock);
    uint32_t to = pop(pool, &pool->low);
    if (to != 0) {
        struct overflow *from = &pool->buckets[*link];
        pool->buckets[to] = *from;
        *from = (struct overflow){.next = 0};
        push_free(pool, *link);
        *link = to;
    }
    lock_give(&pool->lock);
    return to != 0;
}

static bool move_chain(struct bucket_pool *pool, struct bucket *home)
{
    bool moved = true;
    bucket_lock(home);
    uint32_t first = bucket_link(home);
    for (uint32_t *link = &first; *link != 0 && moved; link = &pool->buckets[*link].next) {
        moved = *link < pool->keep || move(pool, link);
    }
    bucket_set_link(home, first);
    bucket_unlock(home);
    return moved;
}

/* Whether no bucket from `keep` on is in use. Then the next phase begins. */
static bool is_clear(struct bucket_pool *pool)
{
    lock_take(&pool->lock);
    bool clear = pool->high_count == pool->made - pool->keep;
    if (clear) {
        pool->high = 0;
        pool->high_count = 0;
        __atomic_store_n(&pool->phase, POOL_GIVES, __ATOMIC_RELAXED);
    }
    lock_give(&pool->lock);
    return clear;
}

/* Walks the chains from next_home on. At the end of the table it begins again, since buckets are
 * split and merged meanwhile. */
static void move_chains(struct bucket_pool *pool, struct bucket *homes, uint64_t size,
                        unsigned most)
{
    bool moved = true;
    for (; most > 0 && moved && pool->next_home < size; most--) {
        moved = move_chain(pool, &homes[pool->next_home++]);
    }
    bool end = pool->next_home >= size;
    if (end) {
        pool->next_home = 0;
        pool->rounds++;
    }
    bool given_up = !moved || pool->rounds >= ROUNDS;
    if (end && is_clear(pool)) {
        return;
    }
    if (given_up) {
        set_phase(pool, POOL_RESTS);
    }
}

/* --- giving back ------------------------------------------------------------------------ */

/* Gives back the last pages of the buckets from `keep` on, which are in no list. */
static void give_back(struct bucket_pool *pool)
{
    uint64_t keep = pool->keep;
    uint64_t end = pool->made; /* it changes nowhere else in this phase */
    uint64_t from = end - keep > GIVE_BACK ? end - GIVE_BACK : keep;
    pages_forget(&pool->buckets[from], (end - from) * sizeof(struct overflow));
    budget_give(pool->budget, (end - from) * sizeof(struct overflow));
    lock_take(&pool->lock);
    pool->made = from;
    if (from == keep) {
        __atomic_store_n(&pool->phase, POOL_RESTS, __ATOMIC_RELAXED);
    }
    lock_give(&pool->lock);
}

bool bucket_pool_is_moving(const struct bucket_pool *pool)
{
    return __atomic_load_n(&pool->phase, __ATOMIC_RELAXED) != POOL_RESTS;
}

uint64_t bucket_pool_excess(struct bucket_pool *pool)
{
    lock_take(&pool->lock);
    uint64_t buckets = excess(pool);
    lock_give(&pool->lock);
    return buckets * sizeof(struct overflow);
}

size_t bucket_pool_compact(struct bucket_pool *pool, struct bucket *homes, uint64_t size,
                           unsigned most)
{
    switch ((enum bucket_pool_phase)__atomic_load_n(&pool->phase, __ATOMIC_RELAXED)) {
    case POOL_RESTS:
        pool->next_home = 0;
        pool->rounds = 0;
        return begin(pool, most) ? most : 0;
    case POOL_SORTS:
        if (!step(pool, most, sort_one)) {
            set_phase(pool, POOL_MOVES);
        }
        break;
    case POOL_MOVES:
        move_chains(pool, homes, size, most);
        break;
    case POOL_GIVES:
        give_back(pool);
        break;
    }
    return most;
}

uint64_t bucket_pool_resident(struct bucket_pool *pool)
{
    lock_take(&pool->lock);
    uint64_t made = pool->made;
    lock_give(&pool->lock);
    return made * sizeof(struct overflow);
}

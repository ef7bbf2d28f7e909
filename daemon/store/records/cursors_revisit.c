/*
 * cursors_revisit.c - keys to be revisited, and the bound on them; see cursors_revisit.h.
 *
 * When half of the memory for these keys is taken, a listing that was not stepped for STALL_MS
 * is ended; when all of it is, the one that needs more.
 */
#include "daemon/store/records/cursors_revisit.h"

enum {
    REVISITS_SHARE = 32,      /* of the memory: keys to be revisited may take so much besides, */
    REVISITS_LEAST = 1 << 19, /* and at least this */
    STALL_MS = 10000,         /* without a step */
    LOOK_EVERY_MS = 1000,     /* for listings that were not stepped */
};

void cursors_resize(struct cursors *cursors, uint64_t memory)
{
    uint64_t share = memory / REVISITS_SHARE;
    __atomic_store_n(&cursors->total.most, share > REVISITS_LEAST ? share : REVISITS_LEAST,
                     __ATOMIC_RELAXED);
}

void cursors_init(struct cursors *cursors, uint64_t memory)
{
    LIST_INIT(&cursors->all);
    cursors_resize(cursors, memory);
}

static void break_off(struct store_cursor *cursor)
{
    revisits_clear(&cursor->revisits, &cursor->store->cursors.total);
    cursor->at.segment = 0;
    cursor->broken = true;
}

/* Whether the first round has not come to that record yet. */
static bool is_to_come(const struct store_cursor *cursor, const struct segment *segment,
                       uint32_t offset)
{
    const struct cursor_position *at = &cursor->at;
    if (at->segment == 0 || segment->link > cursor->bound) {
        return false;
    }
    const struct segment *here = segment_at(&cursor->store->segments, at->segment);
    return segment->link > here->link || (segment == here && offset >= at->offset);
}

void cursors_revisit(struct store *store, const struct segment *segment, const char *bytes,
                     struct slice key)
{
    struct generation *generation = segment->generation;
    uint32_t offset = (uint32_t)(bytes - segment_bytes(&store->segments, segment));
    uint64_t buckets = __atomic_load_n(&store->index.size, __ATOMIC_RELAXED);
    uint64_t hash = store_hash(store, generation, key);
    for (struct cursor_position *at = generation->listings; at != NULL; at = at->next) {
        struct store_cursor *cursor = (struct store_cursor *)at;
        if (is_to_come(cursor, segment, offset) &&
            !revisits_add(&cursor->revisits, &store->cursors.total, hash, buckets)) {
            break_off(cursor);
        }
    }
}

/* --- stalled listings ------------------------------------------------------------ */

static bool is_stalled(struct store_cursor *cursor, uint64_t now)
{
    uint64_t progress = __atomic_load_n(&cursor->progress, __ATOMIC_RELAXED);
    return progress != 0 && progress + STALL_MS <= now &&
           __atomic_load_n(&cursor->revisits.bytes, __ATOMIC_RELAXED) > 0;
}

/* The one that was not stepped for longest, and its generation. Neither namespace nor generation is
 * freed while store.reclaim_lock is held, but the cursor may be freed as soon as the lock is
 * given: it is only compared. */
static const struct store_cursor *find_stalled(struct cursors *cursors, uint64_t now,
                                               struct generation **generation)
{
    struct store_cursor *stalest = NULL;
    struct store_cursor *cursor = NULL;
    uint64_t since = UINT64_MAX;
    lock_take(&cursors->lock);
    LIST_FOREACH(cursor, &cursors->all, all)
    {
        uint64_t progress = __atomic_load_n(&cursor->progress, __ATOMIC_RELAXED);
        if (is_stalled(cursor, now) && progress < since) {
            since = progress;
            stalest = cursor;
            *generation = cursor->generation;
        }
    }
    lock_give(&cursors->lock);
    return stalest;
}

static void end_stalled(const struct store_cursor *stalled, struct generation *generation,
                        uint64_t now)
{
    struct lock *lock = &generation->ns->lock;
    lock_take(lock);
    for (struct cursor_position *at = generation->listings; at != NULL; at = at->next) {
        struct store_cursor *cursor = (struct store_cursor *)at;
        if (cursor == stalled && is_stalled(cursor, now)) {
            break_off(cursor);
        }
    }
    lock_give(lock);
}

void cursors_end_stalled(struct store *store, uint64_t now)
{
    struct revisits_total *total = &store->cursors.total;
    if (now < store->cursors.look_at) {
        return;
    }
    store->cursors.look_at = now + LOOK_EVERY_MS;
    while (__atomic_load_n(&total->bytes, __ATOMIC_RELAXED) >
           __atomic_load_n(&total->most, __ATOMIC_RELAXED) / 2) {
        struct generation *generation = NULL;
        const struct store_cursor *stalled = find_stalled(&store->cursors, now, &generation);
        if (stalled == NULL) {
            break;
        }
        end_stalled(stalled, generation, now);
    }
}

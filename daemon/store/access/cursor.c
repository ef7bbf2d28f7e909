/*
 * cursor.c - listings.
 *
 * A listing goes through the log of its namespace twice. What was there when it was opened is
 * its first round: the segments up to the last one of that moment, all of them sealed then,
 * from the oldest to the youngest. The listing remembers where it stands and no more.
 *
 * Meanwhile records are written again, and are moved by compaction and eviction. The new copy
 * goes to the log's end, which the first round does not follow. If the old copy was still to
 * come, the key is owed (revisits.h): retire tells of each copy that ends because there is another
 * one. In the second round what is owed is looked up in the index and given from where it
 * lies by then. No key becomes owed in the second round, so that it ends.
 *
 * Hence a record that lives from open to end is met in the first round where it lay, or is
 * owed and met in the second. It may be met in both if it was moved or written after the
 * first had passed it and another key of its cell is owed. All work is bounded by what there
 * was and by what is owed, whatever is written meanwhile.
 *
 * The first round is the scan of a snapshot, as of log-structured file systems and their
 * checkpoints (Rosenblum and Ousterhout, 1992); the second one is the order of SCAN in Redis,
 * restricted to marked cells so that its cost follows what is owed and not the cache.
 *
 * What is owed takes memory apart from the store's, which a listing that is not read may hold
 * for long. All of it together is bounded. When half of that is taken, a listing that has stood
 * still for STALL_MS is ended; when all of it is, the one that needs more.
 */
#include <stdlib.h>

#include "daemon/store/access/cursor_state.h"
#include "daemon/store/records/append.h"

enum {
    OWED_SHARE = 32,      /* of the memory: what is owed may take so much besides, */
    OWED_LEAST = 1 << 19, /* and at least this */
    STALL_MS = 10000,     /* without a step */
    LOOK_EVERY_MS = 1000, /* for those that have stood still */
};

void cursors_resize(struct cursors *cursors, uint64_t memory)
{
    uint64_t share = memory / OWED_SHARE;
    __atomic_store_n(&cursors->total.most, share > OWED_LEAST ? share : OWED_LEAST,
                     __ATOMIC_RELAXED);
}

void cursors_init(struct cursors *cursors, uint64_t memory)
{
    LIST_INIT(&cursors->all);
    cursors_resize(cursors, memory);
}

/* --- opening ------------------------------------------------------------------- */

/* Nothing is to be appended to what the first round goes through. */
static void seal_open_segments(struct store *store, struct generation *generation)
{
    while (generation->open != 0) {
        append_seal(store, generation, segment_at(&store->segments, generation->open));
    }
}

static void enroll(struct store_cursor *cursor, struct namespace *ns)
{
    struct cursors *cursors = &cursor->store->cursors;
    lock_take(&ns->lock);
    if (!ns->gone) {
        struct generation *generation = ns->generation;
        seal_open_segments(cursor->store, generation);
        cursor->ns = ns;
        cursor->generation = generation;
        cursor->bound = generation->links;
        cursor->at.segment = generation->first;
        cursor->at.next = generation->listings;
        __atomic_store_n(&generation->listings, &cursor->at, __ATOMIC_RELAXED);
        __atomic_fetch_add(&ns->holds, 1, __ATOMIC_RELAXED);
        lock_take(&cursors->lock);
        LIST_INSERT_HEAD(&cursors->all, cursor, all);
        lock_give(&cursors->lock);
    }
    lock_give(&ns->lock);
}

enum store_status store_cursor_open(struct store_thread *thread, struct slice name,
                                    struct store_cursor **result)
{
    struct store *store = thread->store;
    struct namespace *ns = namespaces_find_cached(&store->namespaces, thread, name);
    if (ns == NULL && namespaces_missing(&store->namespaces, name) != STORE_OK) {
        return STORE_UNDECLARED;
    }
    struct store_cursor *cursor = calloc(1, sizeof *cursor);
    if (cursor == NULL) {
        return STORE_NO_MEMORY;
    }
    cursor->store = store;
    cursor->status = STORE_OK;
    if (ns != NULL) {
        enroll(cursor, ns);
    }
    *result = cursor;
    return STORE_OK;
}

void store_cursor_want_notes(struct store_cursor *cursor)
{
    cursor->wants_notes = true;
}

void store_cursor_skip_values(struct store_cursor *cursor)
{
    cursor->skips_values = true;
}

/* --- what is owed -------------------------------------------------------------- */

static void break_off(struct store_cursor *cursor)
{
    revisits_clear(&cursor->owed, &cursor->store->cursors.total);
    cursor->at.segment = 0;
    cursor->broken = true;
}

/* Whether the first round has not come to that record yet. */
static bool is_to_come(const struct store_cursor *cursor, const struct segment *segment,
                       uint32_t offset)
{
    const struct standpoint *at = &cursor->at;
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
    for (struct standpoint *at = generation->listings; at != NULL; at = at->next) {
        struct store_cursor *cursor = (struct store_cursor *)at;
        if (is_to_come(cursor, segment, offset) &&
            !revisits_add(&cursor->owed, &store->cursors.total, hash, buckets)) {
            break_off(cursor);
        }
    }
}

/* --- giving -------------------------------------------------------------------- */

/* Reads the notes, and what the index has counted where there are none. False: the record has
 * just gone. */
static bool read_notes(const struct cursor_step *step, const struct cursor_record *at,
                       struct bucket *home, struct store_entry *entry)
{
    struct store *store = step->cursor->store;
    const struct record *record = &at->record;
    uint64_t hash = store_hash(store, step->cursor->generation, record->key);
    uint32_t place = place_of(&store->segments, at->segment, at->offset);
    struct bucket *locked = home != NULL ? home : index_lock(&store->index, hash);
    struct slot slot;
    bool there = index_find_place(&store->index, locked, hash, place, &slot);
    if (there && record->noted) {
        entry->idle = record_idle(at->bytes, step->now);
        entry->read_before = (record->notes & NOTE_READ) != 0;
    } else if (there) {
        entry->read_before = slot_reads(&slot) > 0;
    }
    if (home == NULL) {
        index_unlock(locked);
    }
    return there;
}

bool cursor_offer(const struct cursor_step *step, const struct cursor_record *at,
                  struct bucket *home)
{
    struct store *store = step->cursor->store;
    const struct record *record = &at->record;
    struct store_entry entry = {.key = record->key,
                                .value_length = record->value_length,
                                .size = record_footprint(store, record),
                                .expires = at->expires == SEGMENT_NEVER ? STORE_NEVER : at->expires,
                                .version = record_version(store, at->segment, at->bytes, record),
                                .client_flags = record->client_flags};
    struct store_view view;
    if (step->now >= at->expires) {
        return true;
    }
    if (step->cursor->wants_notes && !read_notes(step, at, home, &entry)) {
        return true;
    }
    if (step->cursor->skips_values) {
        return step->visit(step->context, &entry);
    }
    if (lookup_pins(record)) {
        step->cursor->crowded = !lookup_may_pin(store, at->segment, record, step->now);
        if (step->cursor->crowded) {
            return false;
        }
        lookup_pin(store, at->segment, record, &view);
        entry.large = &view;
    } else {
        entry.value = (struct slice){record->value, record->value_length};
    }
    bool goes_on = step->visit(step->context, &entry);
    if (entry.large != NULL) {
        share_unpin_locked(store, step->cursor->ns, at->segment);
    }
    return goes_on;
}

/* --- the first round ------------------------------------------------------------- */

static bool walks(const struct store_cursor *cursor)
{
    uint32_t number = cursor->at.segment;
    return number != 0 && segment_at(&cursor->store->segments, number)->link <= cursor->bound;
}

/* One record further. False when the visitor wants to stop before it. */
static bool walk(struct cursor_step *step)
{
    struct store_cursor *cursor = step->cursor;
    struct store *store = cursor->store;
    struct segment *segment = segment_at(&store->segments, cursor->at.segment);
    uint32_t offset = cursor->at.offset != 0 ? cursor->at.offset : store->segments.lead;
    step->left--;
    if (offset >= segment->used) {
        cursor->at.segment = segment->next;
        cursor->at.offset = 0;
        return true;
    }
    struct cursor_record at = {.segment = segment,
                               .bytes = segment_bytes(&store->segments, segment) + offset,
                               .offset = offset};
    segment_record(segment, at.bytes, &at.record, &at.expires);
    if (!record_is_dead(at.bytes) && !cursor_offer(step, &at, NULL)) {
        return false;
    }
    cursor->at.offset = offset + record_footprint(store, &at.record);
    return true;
}

/* --- a step ------------------------------------------------------------------------ */

/* True at the end. */
static bool go_on(struct cursor_step *step)
{
    const struct store_cursor *cursor = step->cursor;
    bool goes_on = true;
    bool ended = false;
    while (goes_on && !ended && step->left > 0) {
        /* Flushed: what is left of it does not live any more. */
        if (cursor->generation->retired || cursor->broken) {
            ended = true;
        } else if (walks(cursor)) {
            goes_on = walk(step);
        } else {
            goes_on = cursor_revisit_give(step, &ended);
        }
    }
    return ended;
}

bool store_cursor_step(struct store_thread *thread, struct store_cursor *cursor, uint64_t now,
                       size_t limit, store_visit *visit, void *context)
{
    (void)thread;
    struct cursor_step step = {cursor, now, limit, visit, context};
    if (cursor->ns == NULL) {
        return true;
    }
    cursor->crowded = false;
    __atomic_store_n(&cursor->progress, now, __ATOMIC_RELAXED);
    lock_take(&cursor->ns->lock);
    bool ended = go_on(&step);
    bool flushed = cursor->generation->retired;
    cursor->status = cursor->broken && !flushed ? STORE_FELL_BEHIND : STORE_OK;
    lock_let_in(&cursor->ns->lock);
    return ended;
}

bool store_cursor_is_crowded(const struct store_cursor *cursor)
{
    return cursor->crowded;
}

struct slice store_cursor_namespace(const struct store_cursor *cursor)
{
    const struct namespace *ns = cursor->ns;
    return ns != NULL ? (struct slice){ns->name, ns->name_length} : (struct slice){NULL, 0};
}

enum store_status store_cursor_status(const struct store_cursor *cursor)
{
    return cursor->status;
}

/* --- the end ------------------------------------------------------------------------- */

static void leave(struct store_cursor *cursor)
{
    struct namespace *ns = cursor->ns;
    struct cursors *cursors = &cursor->store->cursors;
    /* The last touch of the namespace is under its lock: it may go after that. */
    lock_take(&ns->lock);
    lock_take(&cursors->lock);
    LIST_REMOVE(cursor, all);
    lock_give(&cursors->lock);
    revisits_clear(&cursor->owed, &cursors->total);
    struct standpoint **link = &cursor->generation->listings;
    while (*link != &cursor->at) {
        link = &(*link)->next;
    }
    __atomic_store_n(link, cursor->at.next, __ATOMIC_RELAXED);
    __atomic_fetch_sub(&ns->holds, 1, __ATOMIC_RELAXED);
    backlog_add_namespace(&cursor->store->backlog, ns);
    lock_give(&ns->lock);
}

void store_cursor_close(struct store_cursor **cursor)
{
    if (*cursor != NULL) {
        if ((*cursor)->ns != NULL) {
            leave(*cursor);
        }
        free(*cursor);
        *cursor = NULL;
    }
}

/* --- those that stand still ------------------------------------------------------------ */

static bool is_stalled(struct store_cursor *cursor, uint64_t now)
{
    uint64_t progress = __atomic_load_n(&cursor->progress, __ATOMIC_RELAXED);
    return progress != 0 && progress + STALL_MS <= now &&
           __atomic_load_n(&cursor->owed.bytes, __ATOMIC_RELAXED) > 0;
}

/* Which one, and whose it is: neither namespace nor generation is freed while store.reclaim_lock is
 * held, but the cursor may be gone as soon as the lock is given. */
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
    for (struct standpoint *at = generation->listings; at != NULL; at = at->next) {
        struct store_cursor *cursor = (struct store_cursor *)at;
        if (cursor == stalled && is_stalled(cursor, now)) {
            break_off(cursor);
        }
    }
    lock_give(lock);
}

void cursors_end_stalled(struct store *store, uint64_t now)
{
    struct owed_total *total = &store->cursors.total;
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

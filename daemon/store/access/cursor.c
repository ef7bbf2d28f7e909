/*
 * cursor.c - listings.
 *
 * A listing goes through the log of its namespace twice. What was there when it was opened is
 * its first round: the segments up to the last one of that moment, all of them sealed then,
 * from the oldest to the youngest. The listing remembers where it stands and no more.
 *
 * Meanwhile records are written again, and are moved by compaction and eviction. The new copy
 * goes to the log's end, which the first round does not follow. If the old copy was still to
 * come, the key is to be revisited (revisits.h): record_retire tells of each copy that ends because
 * there is another one. The second round looks these keys up in the index, and gives their records
 * from where they lie by then. It adds no keys, so that it ends.
 *
 * Hence a record that lives from open to end is met in the first round where it lay, or is
 * met in the second. It may be met in both if it was moved or written after the first had passed
 * it and another key of its cell is revisited. All work is bounded by what there was and by the
 * number of keys to be revisited, whatever is written meanwhile.
 *
 * The first round is the scan of a snapshot, as of log-structured file systems and their
 * checkpoints (Rosenblum and Ousterhout, 1992); the second one is the order of SCAN in Redis,
 * restricted to marked cells so that its cost follows these keys and not the cache.
 *
 * These keys take memory apart from the store's, which a listing that is not stepped may hold
 * for long. All of it together is bounded. When half of that is taken, a listing that has stood
 * still for STALL_MS is ended; when all of it is, the one that needs more.
 */
#include <stdlib.h>

#include "daemon/store/access/cursor_second.h"
#include "daemon/store/records/append.h"

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
        __atomic_fetch_add(&ns->references, 1, __ATOMIC_RELAXED);
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
    cursor->at.offset = offset + record_footprint(&store->segments, &at.record);
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
        if (generation_is_retired(cursor->generation) || cursor->broken) {
            ended = true;
        } else if (walks(cursor)) {
            goes_on = walk(step);
        } else {
            goes_on = cursor_second_step(step, &ended);
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
    bool flushed = generation_is_retired(cursor->generation);
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
    revisits_clear(&cursor->revisits, &cursors->total);
    struct cursor_position **link = &cursor->generation->listings;
    while (*link != &cursor->at) {
        link = &(*link)->next;
    }
    __atomic_store_n(link, cursor->at.next, __ATOMIC_RELAXED);
    __atomic_fetch_sub(&ns->references, 1, __ATOMIC_RELAXED);
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

/*
 * cursor.c - listings.
 *
 * A listing walks the segments of its namespace from the oldest to the youngest
 * and remembers only where it stands. What makes it meet every record once:
 * nothing is compacted meanwhile, so records stay where they are; and no segment
 * that it has passed is appended to any more, so whatever is written again goes
 * into younger segments, which are still to come.
 */
#include <stdlib.h>

#include "daemon/store/lookup.h"

struct store_cursor {
    struct store *store;
    struct namespace *ns;          /* held; NULL: an empty listing */
    struct generation *generation; /* kept from being freed by being listed there */
    struct standpoint at;          /* ns->lock */
    uint32_t serial;               /* of the youngest segment it has stood on */
    bool crowded;                  /* the last step stopped before a value that may not be
                                      pinned for now */
};

static void enroll(struct store_cursor *cursor, struct namespace *ns)
{
    lock_take(&ns->lock);
    if (!ns->gone) {
        cursor->ns = ns;
        cursor->generation = ns->generation;
        cursor->at.segment = ns->generation->first;
        cursor->at.next = ns->generation->listings;
        __atomic_store_n(&ns->generation->listings, &cursor->at, __ATOMIC_RELAXED);
        __atomic_fetch_add(&ns->holds, 1, __ATOMIC_RELAXED);
    }
    lock_give(&ns->lock);
}

enum store_status store_cursor_open(struct lane *lane, struct slice name,
                                    struct store_cursor **result)
{
    struct store *store = lane->store;
    struct namespace *ns = lane_find(lane, name);
    if (ns == NULL && __atomic_load_n(&store->namespaces.declared_only, __ATOMIC_RELAXED)) {
        return STORE_UNDECLARED;
    }
    struct store_cursor *cursor = calloc(1, sizeof *cursor);
    if (cursor == NULL) {
        return STORE_NO_MEMORY;
    }
    cursor->store = store;
    if (ns != NULL) {
        enroll(cursor, ns);
    }
    *result = cursor;
    return STORE_OK;
}

/* Offers one live record to the visitor; false: it wants to stop before it. */
static bool offer(struct store_cursor *cursor, struct segment *segment, const struct record *record,
                  uint64_t now, store_visit *visit, void *context)
{
    struct store_entry entry = {.key = record->key, .value_length = record->value_length};
    struct store_view view;
    if (lookup_pins(record)) {
        cursor->crowded = !lookup_may_pin(cursor->store, segment, record, now);
        if (cursor->crowded) {
            return false;
        }
        lookup_pin(cursor->store, segment, record, &view);
        entry.large = &view;
    } else {
        entry.value = (struct slice){record->value, record->value_length};
    }
    bool goes_on = visit(context, &entry);
    if (entry.large != NULL) {
        share_unpin_locked(cursor->store, cursor->ns, segment);
    }
    return goes_on;
}

/* One record further. False when the visitor wants to stop before it. */
static bool step(struct store_cursor *cursor, uint64_t now, store_visit *visit, void *context)
{
    struct store *store = cursor->store;
    struct segment *segment = segment_at(&store->segments, cursor->at.segment);
    if (segment_state(segment) == SEGMENT_OPEN) { /* these are in order of their serials */
        cursor->serial = segment->serial;
    }
    uint32_t offset = cursor->at.offset != 0 ? cursor->at.offset : store->segments.lead;
    if (offset >= segment->used) {
        cursor->at.segment = segment->next;
        cursor->at.offset = 0;
        return true;
    }
    char *bytes = segment_bytes(&store->segments, segment) + offset;
    struct record record;
    uint64_t expires = 0;
    segment_record(segment, bytes, &record, &expires);
    if (!record_is_dead(bytes) && now < expires &&
        !offer(cursor, segment, &record, now, visit, context)) {
        return false;
    }
    cursor->at.offset = offset + record_footprint(store, &record);
    return true;
}

/* Seals the open segments that the listing has reached. What they did not use
 * goes back to the arena: a slow listing may do this often. */
static void seal_passed_segments(struct store_cursor *cursor)
{
    struct segments *segments = &cursor->store->segments;
    struct generation *generation = cursor->generation;
    uint32_t number = generation->open;
    while (number != 0) {
        struct segment *segment = segment_at(segments, number);
        number = segment->open_next;
        if ((int32_t)(segment->serial - cursor->serial) <= 0) {
            generation_seal(generation, segments, segment);
            generation_shrink(generation, segments, segment);
        }
    }
}

bool store_cursor_step(struct lane *lane, struct store_cursor *cursor, uint64_t now, size_t limit,
                       store_visit *visit, void *context)
{
    (void)lane;
    if (cursor->ns == NULL) {
        return true;
    }
    cursor->crowded = false;
    lock_take(&cursor->ns->lock);
    bool goes_on = true;
    bool ended = false;
    for (; goes_on && !ended && limit > 0; limit--) {
        /* Flushed: what is left of it does not live any more. */
        ended = cursor->at.segment == 0 || cursor->generation->retired;
        goes_on = ended || step(cursor, now, visit, context);
    }
    if (!ended) {
        seal_passed_segments(cursor);
    }
    lock_let_in(&cursor->ns->lock);
    return ended;
}

bool store_cursor_is_crowded(const struct store_cursor *cursor)
{
    return cursor->crowded;
}

/* What lost records during the listing could not be compacted meanwhile. */
static void queue_for_compaction(struct store *store, const struct generation *generation)
{
    for (uint32_t number = generation->first; number != 0;) {
        struct segment *segment = segment_at(&store->segments, number);
        if (segment_state(segment) == SEGMENT_SEALED && segment_is_half_dead(segment)) {
            work_add_segment(&store->work, &store->segments, segment);
        }
        number = segment->next;
    }
}

static void leave(struct store_cursor *cursor)
{
    struct namespace *ns = cursor->ns;
    /* The last touch of the namespace is under its lock: it may go after that. */
    lock_take(&ns->lock);
    struct standpoint **link = &cursor->generation->listings;
    while (*link != &cursor->at) {
        link = &(*link)->next;
    }
    __atomic_store_n(link, cursor->at.next, __ATOMIC_RELAXED);
    if (cursor->generation->listings == NULL && !cursor->generation->retired) {
        queue_for_compaction(cursor->store, cursor->generation);
    }
    __atomic_fetch_sub(&ns->holds, 1, __ATOMIC_RELAXED);
    work_add_namespace(&cursor->store->work, ns);
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

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
    bool wants_notes;
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
    if (ns == NULL && namespaces_missing(&store->namespaces, name) != STORE_OK) {
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

void store_cursor_want_notes(struct store_cursor *cursor)
{
    cursor->wants_notes = true;
}

/* A record where the listing stands. */
struct stand {
    struct segment *segment;
    char *bytes;
    uint32_t offset;
    uint64_t expires;
    struct record record;
};

/* Reads the notes, and what the index has counted where there are none. False: the record has
 * just gone. */
static bool read_notes(struct store_cursor *cursor, const struct stand *stand, uint64_t now,
                       struct store_entry *entry)
{
    struct store *store = cursor->store;
    const struct record *record = &stand->record;
    uint64_t hash = store_hash(store, cursor->generation, record->key);
    uint32_t place = place_of(&store->segments, stand->segment, stand->offset);
    struct bucket *home = index_lock(&store->index, hash);
    struct slot slot;
    bool there = index_find_place(&store->index, home, hash, place, &slot);
    if (there && record->noted) {
        entry->idle = record_idle(stand->bytes, now);
        entry->read_before = (record->notes & NOTE_READ) != 0;
    } else if (there) {
        entry->read_before = slot_reads(&slot) > 0;
    }
    index_unlock(home);
    return there;
}

/* Offers one live record to the visitor; false: it wants to stop before it. */
static bool offer(struct store_cursor *cursor, const struct stand *stand, uint64_t now,
                  store_visit *visit, void *context)
{
    struct store *store = cursor->store;
    const struct record *record = &stand->record;
    struct store_entry entry = {
        .key = record->key,
        .value_length = record->value_length,
        .size = record_footprint(store, record),
        .expires = stand->expires == SEGMENT_NEVER ? STORE_NEVER : stand->expires,
        .version = record_version(store, stand->segment, stand->bytes, record),
        .client_flags = record->client_flags};
    struct store_view view;
    if (cursor->wants_notes && !read_notes(cursor, stand, now, &entry)) {
        return true;
    }
    if (record->span || record->value_length > STORE_COPY_MAX) {
        lookup_pin(store, stand->segment, record, &view);
        entry.large = &view;
    } else {
        entry.value = (struct slice){record->value, record->value_length};
    }
    bool goes_on = visit(context, &entry);
    if (entry.large != NULL) {
        store_view_put(&view);
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
    struct stand stand = {.segment = segment,
                          .bytes = segment_bytes(&store->segments, segment) + offset,
                          .offset = offset};
    segment_record(segment, stand.bytes, &stand.record, &stand.expires);
    if (!record_is_dead(stand.bytes) && now < stand.expires &&
        !offer(cursor, &stand, now, visit, context)) {
        return false;
    }
    cursor->at.offset = offset + record_footprint(store, &stand.record);
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

struct slice store_cursor_namespace(const struct store_cursor *cursor)
{
    const struct namespace *ns = cursor->ns;
    return ns != NULL ? (struct slice){ns->name, ns->name_length} : (struct slice){NULL, 0};
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

/*
 * cursor_visit.c - a record on its way to the visitor of a listing; see cursor_visit.h.
 */
#include "daemon/store/access/cursor_visit.h"

#include "daemon/store/records/share_limits.h"
#include "daemon/store/records/view.h"

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
                                .size = record_footprint(&store->segments, record),
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
    if (view_is_pinned(record)) {
        step->cursor->crowded = !view_may_pin(store, at->segment, record, step->now);
        if (step->cursor->crowded) {
            return false;
        }
        view_pin(store, at->segment, record, &view);
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

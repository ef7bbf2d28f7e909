/*
 * span_move.c - moving a large record to other blocks; see span_move.h.
 *
 * A large record's bytes never change, and while store.reclaim_lock is held they stay in place. So
 * they are copied without another lock. Only then the slot is set to the copy, if the record still
 * exists. The copy keeps the record's age, queue and version.
 */
#include "daemon/store/reclaim/span_move.h"

#include "daemon/store/reclaim/reclaim.h"
#include "daemon/store/records/span.h"

enum {
    BYTES_MAX = 1 << 20, /* copied at once: tenths of a millisecond */
    PIECES_AT_ONCE = 16,
};

bool span_may_move(struct store *store, const struct segment *segment)
{
    const struct generation *generation = segment_owner(segment);
    return generation != NULL && !generation_is_retired(generation) &&
           !segment_is_pinned(segment) && segment_weight(segment) <= BYTES_MAX &&
           segment_weight(segment) / arena_frame_size(&store->arena) <
               arena_available(&store->arena);
}

/* --- the copy ------------------------------------------------------------------- */

/* While a frame is emptied, whole frames are taken for whole frames that come free, and smaller
 * blocks must come from what is left over of others. */
static bool add(struct span *to, struct generation *generation, uint64_t now)
{
    uint8_t order = span_next_order(to);
    bool cuts = to->store->evict.unit == to->store->evict.units_end;
    bool whole = order == to->store->arena.frame_order;
    return span_add(to, generation, order, whole || cuts ? 0 : ARENA_CRUMBS, now);
}

/* False: there is no room for it. */
static bool copy_piece(struct span *to, struct generation *generation, struct iovec from,
                       uint64_t now)
{
    const char *bytes = from.iov_base;
    size_t left = from.iov_len;
    while (left > 0) {
        char *at = NULL;
        size_t room = span_room(to, &at);
        if (room == 0) {
            if (!add(to, generation, now)) {
                return false;
            }
            continue;
        }
        size_t size = room < left ? room : left;
        memcpy(at, bytes, size);
        span_advance(to, size);
        bytes += size;
        left -= size;
    }
    return true;
}

static bool copy(struct span *to, struct segment *segment, uint64_t now)
{
    const struct segments *segments = &to->store->segments;
    const struct store_view view = {
        .length = to->record.value_length,
        .pinned = true,
        .store = to->store,
        .segment = segment_number(segments, segment),
        .offset = (uint32_t)(to->record.value - segment_bytes(segments, segment))};
    struct iovec pieces[PIECES_AT_ONCE];
    bool copied = true;
    if (view.length == 0) {
        copied = add(to, segment->generation, now);
        if (copied) {
            span_finish_empty(to);
        }
    }
    for (uint64_t done = 0; copied && done < view.length;) {
        size_t count = store_view_pieces(&view, done, pieces, PIECES_AT_ONCE);
        for (size_t i = 0; copied && i < count; i++) {
            copied = copy_piece(to, segment->generation, pieces[i], now);
            done += pieces[i].iov_len;
        }
    }
    return copied;
}

/* --- in its place ----------------------------------------------------------------- */

/* Copies what may have changed since the copy was begun, and what the segment keeps of the
 * record. */
static void take_along(struct store *store, struct segment *from, struct segment *to,
                       const struct record *record)
{
    const char *old = segment_bytes(&store->segments, from) + store->segments.lead;
    char *bytes = segment_bytes(&store->segments, to) + store->segments.lead;
    record_set_notes(bytes, record->notes);
    record_set_read_at(bytes, record_read_at(old));
    span_set_version(store, to, span_version(store, from));
    __atomic_store_n(&to->queue, from->queue, __ATOMIC_RELAXED);
    __atomic_store_n(&to->serial, from->serial, __ATOMIC_RELAXED);
    to->own_clock = from->own_clock;
    to->age = from->age;
}

/* Puts the copy in the record's place. False: the record is gone. Namespace and bucket are
 * locked. */
static bool publish(struct write_txn *txn, const struct span *span, struct segment *segment)
{
    struct store *store = txn->thread->store;
    uint32_t place = place_of(&store->segments, segment, store->segments.lead);
    struct found *old = &txn->old;
    if (generation_is_retired(segment->generation) ||
        !index_find_place(&store->index, txn->home, txn->at->hash, place, &old->slot)) {
        return false;
    }
    old->segment = segment;
    old->bytes = segment_bytes(&store->segments, segment) + store->segments.lead;
    segment_record(segment, old->bytes, &old->record, &old->expires);
    txn->found = txn->lives = true;
    take_along(store, segment, segment_at(&store->segments, span->head), &old->record);
    struct slot slot = old->slot;
    span_publish(txn, span, &slot, old->expires, (old->record.notes & NOTE_STALE) != 0);
    return true;
}

bool span_move(struct store_thread *thread, struct segment *segment, uint64_t now, size_t *effort)
{
    enum { BYTES_A_RECORD = 1024 };
    struct store *store = thread->store;
    struct generation *generation = segment->generation;
    struct span span = {.store = store, .promised = true};
    record_read(segment_bytes(&store->segments, segment) + store->segments.lead, &span.record);
    *effort += 1 + (span.record.value_length + span.record.key.length) / BYTES_A_RECORD;
    if (!copy(&span, segment, now)) {
        span_drop(&span);
        return false;
    }
    span_enter_pieces(&span);
    struct store_key at = {.key = span.record.key,
                           .ns = generation->ns,
                           .generation = generation,
                           .hash = store_hash(store, generation, span.record.key)};
    struct write_txn txn = {.thread = thread, .at = &at, .now = now};
    lock_take(&generation->ns->lock);
    txn.home = index_lock(&store->index, at.hash);
    bool published = publish(&txn, &span, segment);
    write_txn_end(&txn);
    if (!published) {
        span_drop(&span);
    }
    return reclaim_segment(store, segment) && published;
}

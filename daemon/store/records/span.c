/*
 * span.c - choosing, filling and publishing the blocks of a large record; see span.h.
 */
#include "daemon/store/records/span.h"

/* --- blocks ------------------------------------------------------------------ */

/* The largest block that the bytes would fill, a frame at most; the first must
 * hold header and key. */
static uint8_t block_for(const struct store *store, uint64_t bytes, uint64_t least)
{
    uint8_t order = store->arena.frame_order;
    while (order > 0 && arena_block_size(order) >= bytes + ARENA_UNIT) {
        order--;
    }
    uint8_t fit = arena_order_for(least);
    return order > fit ? order : fit;
}

uint8_t span_next_order(const struct span *span)
{
    const struct store *store = span->store;
    uint64_t least = span->head == 0 ? store->segments.lead + span_header_and_key(span) + 1u : 1;
    uint64_t left = span->record.value_length - span->given + (least - 1);
    uint64_t earned = span->promised ? left : span->given;
    if (earned < ARENA_UNIT) {
        earned = ARENA_UNIT;
    }
    return block_for(store, left < earned ? left : earned, least);
}

bool span_add(struct span *span, struct generation *generation, uint8_t order, uint32_t reserve,
              uint64_t now)
{
    struct segments *segments = &span->store->segments;
    bool first = span->head == 0;
    uint32_t number = segment_create(segments, generation, first ? SEGMENT_WRITING : SEGMENT_PIECE,
                                     order, reserve, now);
    if (number == 0) {
        return false;
    }
    struct segment *piece = segment_at(segments, number);
    if (first) {
        span->head = number;
        span->born = piece->version;
        piece->span = true;
        record_write(segment_bytes(segments, piece) + segments->lead, &span->record);
        __atomic_store_n(&piece->used, segments->lead + span_header_and_key(span),
                         __ATOMIC_RELAXED);
    } else {
        segment_at(segments, span->last)->piece = number;
        __atomic_store_n(&piece->previous, span->head, __ATOMIC_RELAXED);
    }
    span->last = number;
    span->memory += segment_capacity(piece);
    return true;
}

uint32_t span_room(const struct span *span, char **bytes)
{
    if (span->last == 0) {
        return 0;
    }
    const struct segments *segments = &span->store->segments;
    const struct segment *last = segment_at(segments, span->last);
    *bytes = segment_bytes(segments, last) + last->used;
    return segment_capacity(last) - last->used;
}

/* The bytes of the value in the last piece are all there, and still in the cache. */
static void sum_piece(const struct span *span)
{
    struct segments *segments = &span->store->segments;
    const struct segment *last = segment_at(segments, span->last);
    uint32_t from = span->last == span->head ? segments->lead + span_header_and_key(span) : 0;
    segments->file->segments[span->last].sum = file_segment_sum_of(
        segments->file, last->version, segment_bytes(segments, last) + from, last->used - from);
}

void span_advance(struct span *span, size_t bytes)
{
    struct segment *last = segment_at(&span->store->segments, span->last);
    uint32_t used = last->used + (uint32_t)bytes;
    __atomic_store_n(&last->used, used, __ATOMIC_RELAXED);
    span->given += bytes;
    bool filled = used == segment_capacity(last) || span->given == span->record.value_length;
    if (span->store->segments.file != NULL && filled) {
        sum_piece(span);
    }
}

void span_finish_empty(struct span *span)
{
    if (span->store->segments.file != NULL) {
        sum_piece(span);
    }
}

void span_drop(struct span *span)
{
    struct segments *segments = &span->store->segments;
    if (span->head != 0) {
        segment_put(segments, segment_at(segments, span->head));
        span->head = span->last = 0;
    }
}

/* --- in the file ---------------------------------------------------------------- */

/* In any order: without the head's label they belong to no record. */
void span_enter_pieces(const struct span *span)
{
    struct segments *segments = &span->store->segments;
    uint32_t number = segment_at(segments, span->head)->piece;
    for (; segments->file != NULL && number != 0; number = segment_at(segments, number)->piece) {
        struct segment *piece = segment_at(segments, number);
        struct file_segment_fields facts = {.kind = FILE_SEGMENT_PIECE,
                                            .owner = span->head,
                                            .version = piece->version,
                                            .bound = span->born,
                                            .sum = segments->file->segments[number].sum};
        segment_describe(segments, piece, &facts);
        file_segment_set_owner(segments->file, number, facts.owner);
    }
}

/* Now the record exists there. */
static void enter_head(struct segments *segments, const struct span *span, struct segment *head,
                       uint64_t expires, bool stale)
{
    struct file_segment_fields facts = {.kind = FILE_SEGMENT_SPAN,
                                        .owner = head->generation->number,
                                        .version = span->born,
                                        .bound = head->version + segments->lead,
                                        .sum = segments->file->segments[span->head].sum,
                                        .expires = expires,
                                        .stale = stale};
    segment_describe(segments, head, &facts);
    segment_guard(segments, head, segments->lead, span_header_and_key(span));
    file_segment_set_owner(segments->file, span->head, facts.owner);
}

/* --- the record's life ------------------------------------------------------------ */

static void set_expiry(struct store *store, struct segment *segment, uint64_t expires)
{
    __atomic_store_n(&segment->latest, expires, __ATOMIC_RELAXED);
    segment->earliest = expires;
    expire_reschedule(&store->expire, segment, expires);
}

void span_set_life(struct store *store, struct segment *segment, uint64_t expires, bool stale)
{
    if (store->segments.file != NULL) {
        file_segment_set_expiry(store->segments.file, segment_number(&store->segments, segment),
                                expires, stale);
    }
    set_expiry(store, segment, expires);
}

void span_publish(struct write_txn *txn, const struct span *span, struct slot *slot,
                  uint64_t expires, bool stale)
{
    struct store *store = txn->thread->store;
    struct segment *head = segment_at(&store->segments, span->head);
    struct generation *generation = txn->at->generation;
    uint32_t size = record_footprint(&store->segments, &span->record);
    __atomic_store_n(&head->generation, generation, __ATOMIC_RELAXED);
    if (store->segments.file != NULL) {
        enter_head(&store->segments, span, head, expires, stale);
    }
    segment_set_live(head, size);
    generation_link(generation, &store->segments, head);
    __atomic_store_n(&head->state, SEGMENT_SEALED, __ATOMIC_RELEASE);
    set_expiry(store, head, expires);
    write_txn_commit(txn, slot, place_of(&store->segments, head, store->segments.lead), size);
}

/*
 * relocate.c - moving what lives out of a segment that stands in the way.
 *
 * Records of a log go the way of compaction. A large record is copied as a whole, to new
 * segments of the same sizes: under the locks of its namespace and its bucket, so only where it
 * is not too large for that. It keeps its version, its life and its notes. In a file both copies
 * exist for a moment, as they do with any record that is moved.
 */
#include <string.h>

#include "daemon/store/stream.h"
#include "daemon/store/upkeep.h"

enum { SPAN_MOST = 256 << 10 /* bytes: copied in some tens of microseconds */ };

/* A large record and the copy of it that is being made. */
struct relocation {
    struct visited *visited;
    struct store *store;
    struct segment *head; /* of the copy; NULL: none yet */
    struct segment *last;
    uint64_t born; /* the head's version as it was made: what its pieces know it by */
};

/* --- copying ---------------------------------------------------------------------------- */

static uint64_t bytes_of(const struct segments *segments, const struct segment *segment)
{
    uint64_t bytes = segment_capacity(segment);
    while (segment->piece != 0) {
        segment = segment_at(segments, segment->piece);
        bytes += segment_capacity(segment);
    }
    return bytes;
}

static bool copy_segment(struct relocation *of, const struct segment *from)
{
    struct segments *segments = &of->store->segments;
    enum segment_state state = of->head == NULL ? SEGMENT_WRITING : SEGMENT_PIECE;
    uint32_t number = segment_create(segments, of->visited->segment->generation, state, from->order,
                                     0, of->visited->now);
    if (number == 0) {
        return false;
    }
    struct segment *to = segment_at(segments, number);
    memcpy(segment_bytes(segments, to), segment_bytes(segments, from), from->used);
    __atomic_store_n(&to->used, from->used, __ATOMIC_RELAXED);
    if (of->head == NULL) {
        of->head = to;
        of->born = to->version;
    } else {
        of->last->piece = number;
        __atomic_store_n(&to->previous, segment_number(segments, of->head), __ATOMIC_RELAXED);
    }
    of->last = to;
    return true;
}

/* Where a large record's value begins in its head. */
static uint32_t value_at(const struct relocation *of)
{
    const struct visited *visited = of->visited;
    return of->store->segments.lead +
           (uint32_t)(visited->record.value - (const char *)visited->bytes);
}

/* --- in the file ------------------------------------------------------------------------ */

static uint32_t sum_of(const struct segments *segments, const struct segment *segment,
                       uint64_t version, uint32_t from)
{
    return label_sum_of(segments->file, version, segment_bytes(segments, segment) + from,
                        segment->used - from);
}

static void enter_pieces(struct relocation *of)
{
    struct segments *segments = &of->store->segments;
    uint32_t head = segment_number(segments, of->head);
    for (uint32_t number = of->head->piece; number != 0;) {
        struct segment *piece = segment_at(segments, number);
        struct label_facts facts = {.kind = LABEL_PIECE,
                                    .owner = head,
                                    .version = piece->version,
                                    .bound = of->born,
                                    .sum = sum_of(segments, piece, piece->version, 0)};
        segment_describe(segments, piece, &facts);
        label_own(segments->file, number, facts.owner);
        number = piece->piece;
    }
}

/* From here on the copy exists there. */
static void enter_head(struct relocation *of)
{
    struct segments *segments = &of->store->segments;
    const struct visited *visited = of->visited;
    struct label_facts facts = {.kind = LABEL_SPAN,
                                .owner = of->head->generation->number,
                                .version = of->born,
                                .bound = of->head->version + segments->lead,
                                .sum = sum_of(segments, of->head, of->born, value_at(of)),
                                .expires = visited->expires,
                                .stale = (visited->record.notes & NOTE_STALE) != 0};
    segment_describe(segments, of->head, &facts);
    segment_guard(segments, of->head, segments->lead, value_at(of) - segments->lead);
    label_own(segments->file, segment_number(segments, of->head), facts.owner);
}

/* --- taking its place --------------------------------------------------------------------- */

static void publish(struct relocation *of)
{
    struct store *store = of->store;
    struct visited *visited = of->visited;
    struct segment *head = of->head;
    struct generation *generation = head->generation;
    uint32_t size = record_footprint(store, &visited->record);
    __atomic_store_n(&head->version, __atomic_load_n(&visited->segment->version, __ATOMIC_RELAXED),
                     __ATOMIC_RELAXED);
    if (store->segments.file != NULL) {
        enter_pieces(of);
        enter_head(of);
    }
    __atomic_store_n(&head->queue, (uint8_t)segment_queue(visited->segment), __ATOMIC_RELAXED);
    __atomic_store_n(&head->latest, visited->expires, __ATOMIC_RELAXED);
    head->earliest = visited->expires;
    __atomic_store_n(&head->live, size, __ATOMIC_RELAXED);
    generation_link(generation, &store->segments, head);
    __atomic_fetch_add(&generation->items, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&generation->bytes, size, __ATOMIC_RELAXED);
    __atomic_store_n(&head->state, SEGMENT_SEALED, __ATOMIC_RELEASE);
    expire_reschedule(&store->expire, head, visited->expires);
    slot_set_place(&visited->slot, place_of(&store->segments, head, store->segments.lead));
    bury(visited->lane, visited->segment, visited->bytes, &visited->record, BURIED_REPLACED);
}

static void relocate_span(struct visited *visited)
{
    struct store *store = visited->lane->store;
    struct generation *generation = visited->segment->generation;
    struct relocation of = {.visited = visited, .store = store};
    if (generation->retired || generation->listings != NULL ||
        bytes_of(&store->segments, visited->segment) > SPAN_MOST) {
        return;
    }
    bool whole = true;
    for (const struct segment *from = visited->segment; whole && from != NULL;) {
        whole = copy_segment(&of, from);
        from = from->piece == 0 ? NULL : segment_at(&store->segments, from->piece);
    }
    if (whole) {
        publish(&of);
    } else if (of.head != NULL) {
        segment_put(&store->segments, of.head);
    }
}

static void relocate_record(struct visited *visited)
{
    if (visited->expires <= visited->now) {
        visited_remove(visited, BURIED_EXPIRED);
    } else if (visited->record.span) {
        relocate_span(visited);
    } else {
        compact_move(visited, segment_queue(visited->segment));
    }
}

/* No more is appended to it. False when it is not there any more. */
static bool seal(struct store *store, struct segment *segment)
{
    struct generation *generation = __atomic_load_n(&segment->generation, __ATOMIC_RELAXED);
    if (generation == NULL || !victims_is_eligible(segment)) {
        return false;
    }
    lock_take(&generation->ns->lock);
    bool good =
        segment->generation == generation && !generation->retired && segment_is_linked(segment);
    if (good) {
        generation_seal(generation, &store->segments, segment);
    }
    lock_give(&generation->ns->lock);
    return good;
}

size_t relocate_segment(struct lane *lane, struct segment *segment, uint64_t now)
{
    if (!seal(lane->store, segment)) {
        return 1;
    }
    struct visit visit = {.lane = lane,
                          .segment = segment,
                          .now = now,
                          .expired_by = SEGMENT_NEVER,
                          .lock_namespace = true,
                          .each = relocate_record};
    visit_segment(&visit);
    reclaim_segment(lane->store, segment);
    return visit.seen + 1;
}

/*
 * generation_segments.c - linking, sealing and unlinking segments; see generation_segments.h.
 */
#include "daemon/store/records/generation_segments.h"

static void count_memory(struct generation *generation, const struct segment *segment,
                         uint64_t bytes)
{
    __atomic_fetch_add(&generation->memory, bytes, __ATOMIC_RELAXED);
    if (segment_queue(segment) == SEGMENT_YOUNG) {
        __atomic_fetch_add(&generation->young, bytes, __ATOMIC_RELAXED);
    }
}

/* Of all pieces. */
static uint64_t memory_of(const struct segments *segments, const struct segment *segment)
{
    uint64_t bytes = segment_capacity(segment);
    for (uint32_t piece = segment->piece; piece != 0;) {
        segment = segment_at(segments, piece);
        bytes += segment_capacity(segment);
        piece = segment->piece;
    }
    return bytes;
}

/* It is to be young no more, or to be unlinked. Each segment that is proven is passed
 * over once. */
static void leave_youth(struct generation *generation, const struct segments *segments,
                        const struct segment *segment)
{
    if (generation->first_young != segment_number(segments, segment)) {
        return;
    }
    uint32_t next = segment->next;
    while (next != 0 && segment_queue(segment_at(segments, next)) != SEGMENT_YOUNG) {
        next = segment_at(segments, next)->next;
    }
    generation->first_young = next;
}

void generation_link(struct generation *generation, struct segments *segments,
                     struct segment *segment)
{
    uint32_t number = segment_number(segments, segment);
    segment->link = ++generation->links;
    segment->next = 0;
    segment->previous = generation->last;
    if (generation->last != 0) {
        segment_at(segments, generation->last)->next = number;
    } else {
        generation->first = number;
    }
    generation->last = number;
    if (segment_state(segment) == SEGMENT_OPEN) {
        segment->open_next = generation->open;
        generation->open = number;
    }
    if (segment_queue(segment) == SEGMENT_YOUNG && generation->first_young == 0) {
        generation->first_young = number;
    }
    count_memory(generation, segment, memory_of(segments, segment));
}

void generation_seal(struct generation *generation, struct segments *segments,
                     struct segment *segment)
{
    uint32_t number = segment_number(segments, segment);
    uint32_t *link = &generation->open;
    while (*link != 0 && *link != number) {
        link = &segment_at(segments, *link)->open_next;
    }
    if (*link == number) {
        *link = segment->open_next;
        segment->open_next = 0;
        __atomic_store_n(&segment->state, SEGMENT_SEALED, __ATOMIC_RELEASE);
    }
}

void generation_shrink(struct generation *generation, struct segments *segments,
                       struct segment *segment)
{
    count_memory(generation, segment, -(uint64_t)segment_shrink(segments, segment));
}

void generation_prove(struct generation *generation, struct segments *segments,
                      struct segment *segment)
{
    if (segment_queue(segment) == SEGMENT_YOUNG) {
        leave_youth(generation, segments, segment);
        __atomic_store_n(&segment->queue, SEGMENT_PROVEN, __ATOMIC_RELAXED);
        __atomic_fetch_sub(&generation->young, memory_of(segments, segment), __ATOMIC_RELAXED);
    }
}

/* Every listing that stands on `from` goes to the beginning of `to`. */
static void move_listings(struct generation *generation, uint32_t from, uint32_t to)
{
    for (struct cursor_position *at = generation->listings; at != NULL; at = at->next) {
        if (at->segment == from) {
            at->segment = to;
            at->offset = 0;
        }
    }
}

void generation_unlink(struct generation *generation, struct segments *segments,
                       struct segment *segment)
{
    uint32_t number = segment_number(segments, segment);
    generation_seal(generation, segments, segment);
    __atomic_store_n(&segment->state, SEGMENT_GONE, __ATOMIC_RELEASE);
    move_listings(generation, number, segment->next);
    leave_youth(generation, segments, segment);
    if (segment->previous != 0) {
        segment_at(segments, segment->previous)->next = segment->next;
    } else {
        generation->first = segment->next;
    }
    if (segment->next != 0) {
        segment_at(segments, segment->next)->previous = segment->previous;
    } else {
        generation->last = segment->previous;
    }
    count_memory(generation, segment, -memory_of(segments, segment));
}

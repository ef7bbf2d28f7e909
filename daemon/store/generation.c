/*
 * generation.c - the segments of one generation: a list, oldest first, and a
 * shorter one of those that are still appended to. Under the namespace's lock.
 */
#include "daemon/store/namespace.h"

void generation_link(struct generation *generation, struct segments *segments,
                     struct segment *segment)
{
    uint32_t number = segment_number(segments, segment);
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
    for (uint32_t piece = number; piece != 0; piece = segment_at(segments, piece)->piece) {
        __atomic_fetch_add(&generation->memory, segment_capacity(segment_at(segments, piece)),
                           __ATOMIC_RELAXED);
    }
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

/* Every listing that stands on `from` goes to the beginning of `to`. */
static void move_listings(struct generation *generation, uint32_t from, uint32_t to)
{
    for (struct standpoint *at = generation->listings; at != NULL; at = at->next) {
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
    for (uint32_t piece = number; piece != 0; piece = segment_at(segments, piece)->piece) {
        __atomic_fetch_sub(&generation->memory, segment_capacity(segment_at(segments, piece)),
                           __ATOMIC_RELAXED);
    }
}

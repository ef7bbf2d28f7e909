/*
 * recover_segments.c - which segments there are; see recover.h.
 *
 * A label counts when all its checks are right, its owner is the current generation of a
 * namespace, and no other label claims a unit of its block. Large records bring their pieces
 * along, or are dropped. Labels that do not count are freed: so are those of generations
 * that were flushed, and of pieces whose record was never finished.
 */
#include "daemon/store/lifecycle/recover_segments.h"

#include <stdlib.h>

/* --- units ------------------------------------------------------------------------ */

static bool is_claimed(const struct recover *recover, uint32_t unit)
{
    return (recover->claimed[unit / 64] >> unit % 64 & 1) != 0;
}

void recover_claim(struct recover *recover, uint32_t unit, uint8_t order)
{
    for (uint32_t end = unit + (1u << order); unit < end; unit++) {
        recover->claimed[unit / 64] |= UINT64_C(1) << unit % 64;
    }
}

void recover_unclaim(struct recover *recover, uint32_t unit, uint8_t order)
{
    for (uint32_t end = unit + (1u << order); unit < end; unit++) {
        recover->claimed[unit / 64] &= ~(UINT64_C(1) << unit % 64);
    }
}

/* A block of the arena that no other segment has: aligned, and not in frame 0. */
static bool may_claim(const struct recover *recover, const struct file_segment_fields *facts)
{
    const struct arena *arena = &recover->store->arena;
    uint32_t units = 1u << facts->order;
    if (facts->order > arena->frame_order || facts->unit % units != 0 ||
        facts->unit < 1u << arena->frame_order || facts->unit + units > arena_units(arena)) {
        return false;
    }
    for (uint32_t i = 0; i < units; i++) {
        if (is_claimed(recover, facts->unit + i)) {
            return false;
        }
    }
    return true;
}

/* --- owners ------------------------------------------------------------------------ */

static struct generation *find_owner(const struct recover *recover, uint64_t number)
{
    size_t from = 0;
    size_t end = recover->owner_count;
    while (from < end) {
        size_t middle = from + (end - from) / 2;
        if (recover->owners[middle]->number == number) {
            return recover->owners[middle];
        }
        if (recover->owners[middle]->number < number) {
            from = middle + 1;
        } else {
            end = middle;
        }
    }
    return NULL;
}

/* --- one segment --------------------------------------------------------------------- */

static void adopt(struct recover *recover, uint32_t number, struct generation *generation,
                  const struct file_segment_fields *facts)
{
    recover_claim(recover, facts->unit, facts->order);
    segment_adopt(&recover->store->segments, number, generation, facts);
}

static bool is_adopted(const struct recover *recover, uint32_t number)
{
    return segment_state(segment_at(&recover->store->segments, number)) != SEGMENT_FREE;
}

/* The pieces of a head that was adopted, as far as they are there; false: not all. No
 * piece is met twice, since its units are claimed. */
static bool adopt_pieces(struct recover *recover, uint32_t head,
                         const struct file_segment_fields *of)
{
    const struct file *file = recover->store->arena.file;
    struct segments *segments = &recover->store->segments;
    struct generation *generation = segment_at(segments, head)->generation;
    uint32_t last = head;
    for (uint32_t number = of->piece; number != 0;) {
        struct file_segment_fields facts;
        if (number >= file->segments_max || is_adopted(recover, number) ||
            file_segment_open(file, number, &facts) != FILE_SEGMENT_IS_VALID ||
            facts.kind != FILE_SEGMENT_PIECE || facts.owner != head || facts.bound != of->version ||
            !may_claim(recover, &facts)) {
            return false;
        }
        adopt(recover, number, generation, &facts);
        segment_at(segments, last)->piece = number;
        __atomic_store_n(&segment_at(segments, number)->previous, head, __ATOMIC_RELAXED);
        last = number;
        number = facts.piece;
    }
    return true;
}

void recover_drop(struct recover *recover, struct segment *segment)
{
    struct segments *segments = &recover->store->segments;
    while (segment != NULL) {
        struct segment *next = segment->piece == 0 ? NULL : segment_at(segments, segment->piece);
        file_segment_free(recover->store->arena.file, segment_number(segments, segment));
        recover_unclaim(recover, segment->unit, segment->order);
        __atomic_store_n(&segment->state, SEGMENT_FREE, __ATOMIC_RELEASE);
        segment->piece = 0;
        segment = next;
    }
}

static void adopt_head(struct recover *recover, uint32_t number,
                       const struct file_segment_fields *facts)
{
    struct segment *segment = segment_at(&recover->store->segments, number);
    struct generation *generation = find_owner(recover, facts->owner);
    if (generation == NULL) {
        return; /* it was flushed */
    }
    if (!may_claim(recover, facts)) {
        recover->found->damaged_segments++;
        return;
    }
    adopt(recover, number, generation, facts);
    if (facts->kind == FILE_SEGMENT_SPAN && !adopt_pieces(recover, number, facts)) {
        recover->found->damaged_segments++;
        recover_drop(recover, segment);
        return;
    }
    recover->segments[recover->count++] = number;
    recover->to_walk += 2 * (uint64_t)segment->used;
}

/* --- all of them ------------------------------------------------------------------------ */

static void adopt_label(struct recover *recover, uint32_t number)
{
    struct file_segment_fields facts;
    enum file_segment_state state = file_segment_open(recover->store->arena.file, number, &facts);
    if (state == FILE_SEGMENT_IS_DAMAGED) {
        recover->found->damaged_segments++;
    } else if (state == FILE_SEGMENT_IS_VALID) {
        uint64_t end = facts.version + arena_block_size(facts.order);
        recover->newest = end > recover->newest ? end : recover->newest;
        if (facts.kind != FILE_SEGMENT_PIECE) {
            uint64_t *last = &recover->store->namespaces.generations;
            *last = facts.owner > *last ? facts.owner : *last;
            adopt_head(recover, number, &facts);
        }
    }
}

/* Labels of segments that were not adopted. */
static void free_label(struct recover *recover, uint32_t number)
{
    struct file *file = recover->store->arena.file;
    if (!is_adopted(recover, number) && file->segments[number].owner != 0) {
        file_segment_free(file, number);
    }
}

static void each_label(struct recover *recover, void (*each)(struct recover *, uint32_t))
{
    uint32_t first = 1;
    uint32_t end = 0;
    while (file_segment_run(recover->store->arena.file, &first, &end)) {
        for (; first < end; first++) {
            each(recover, first);
        }
    }
}

static void count_label(struct recover *recover, uint32_t number)
{
    recover->count += recover->store->arena.file->segments[number].owner != 0;
}

enum { NOT_ASKED, BACKED, REFUSED }; /* of a frame */

/* A frame that is in use has all its blocks, also those that the file system has lost, or
 * never had. */
static bool back_frame(struct recover *recover, uint8_t *frames, uint32_t frame)
{
    const struct arena *arena = &recover->store->arena;
    uint64_t size = arena_frame_size(arena);
    if (frames[frame] == NOT_ASKED) {
        frames[frame] = file_back(arena->file, frame * size, size) ? BACKED : REFUSED;
    }
    return frames[frame] == BACKED;
}

static bool back_segment(struct recover *recover, uint8_t *frames, const struct segment *segment)
{
    const struct segments *segments = &recover->store->segments;
    bool backed = true;
    while (segment != NULL && backed) {
        backed = back_frame(recover, frames, arena_frame_of(segments->arena, segment->unit));
        segment = segment->piece == 0 ? NULL : segment_at(segments, segment->piece);
    }
    return backed;
}

/* Where the file system cannot give blocks, segments go. */
static bool back_segments(struct recover *recover)
{
    uint8_t *frames = calloc(recover->store->arena.frames, sizeof *frames);
    for (size_t i = 0; frames != NULL && i < recover->count;) {
        struct segment *segment = segment_at(&recover->store->segments, recover->segments[i]);
        if (back_segment(recover, frames, segment)) {
            i++;
        } else {
            recover->found->damaged_segments++;
            recover_drop(recover, segment);
            recover->segments[i] = recover->segments[--recover->count];
        }
    }
    free(frames);
    return frames != NULL;
}

bool recover_segments(struct recover *recover)
{
    size_t units = arena_units(&recover->store->arena);
    recover->claimed = calloc(units / 64 + 1, sizeof *recover->claimed);
    each_label(recover, count_label);
    recover->segments = malloc((recover->count + 1) * sizeof *recover->segments);
    recover->count = 0;
    if (recover->claimed == NULL || recover->segments == NULL) {
        return false;
    }
    each_label(recover, adopt_label);
    each_label(recover, free_label);
    return back_segments(recover);
}

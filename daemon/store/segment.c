/*
 * segment.c - making, finding and freeing segments; see segment.h.
 */
#include "daemon/store/segment.h"

#include <string.h>

#include "daemon/store/namespace.h"
#include "daemon/store/reserve.h"

/* Threads may have read the clock a moment before the one that makes a segment:
 * their expiries must not lie before its base time. */
enum { CLOCK_SLACK = 60000 /* ms */ };

static size_t table_bytes(const struct segments *segments)
{
    return (arena_units(segments->arena) + 1) * sizeof(struct segment);
}

static size_t seeds_bytes(const struct segments *segments)
{
    return (arena_units(segments->arena) + 1) * sizeof(uint64_t);
}

bool segments_init(struct segments *segments, struct arena *arena)
{
    memset(segments, 0, sizeof *segments);
    segments->arena = arena;
    segments->version = 1;
    segments->file = arena->file;
    segments->guard = arena->file != NULL ? RECORD_GUARD : 0;
    segments->lead = place_aligned(segments, segments->guard);
    if (arena->file != NULL) {
        segments->seeds = reserve_pages(seeds_bytes(segments));
    }
    segments->table = reserve_pages(table_bytes(segments));
    segments->by_frame = reserve_pages(arena->frames * sizeof(uint32_t));
    segments->by_unit = reserve_pages(arena_units(arena) * sizeof(uint32_t));
    if (segments->table == NULL || segments->by_frame == NULL || segments->by_unit == NULL ||
        (segments->file != NULL && segments->seeds == NULL)) {
        segments_deinit(segments);
        return false;
    }
    return true;
}

void segments_deinit(struct segments *segments)
{
    reserve_release(segments->seeds, seeds_bytes(segments));
    reserve_release(segments->table, table_bytes(segments));
    reserve_release(segments->by_frame, segments->arena->frames * sizeof(uint32_t));
    reserve_release(segments->by_unit, arena_units(segments->arena) * sizeof(uint32_t));
}

/* What a number takes in tables. */
static uint64_t number_cost(const struct segments *segments)
{
    return sizeof(struct segment) +
           (segments->file != NULL ? sizeof(struct label) + sizeof(uint64_t) : 0);
}

/* Numbers used for the first time are paid for; they are kept for ever after. */
static uint32_t take_number(struct segments *segments)
{
    uint32_t number = segments->free;
    if (number != 0) {
        segments->free = segment_at(segments, number)->next;
        return number;
    }
    uint64_t cost = number_cost(segments);
    if (!budget_take(segments->arena->budget, cost)) {
        return 0;
    }
    number = segments->count + 1;
    if (segments->file != NULL && !file_back_label(segments->file, number)) {
        budget_give(segments->arena->budget, cost);
        return 0;
    }
    __atomic_store_n(&segments->count, number, __ATOMIC_RELEASE);
    return number;
}

/* Versions for so many bytes. The file knows of them first: none may be given twice. */
static uint64_t take_versions(struct segments *segments, uint64_t bytes)
{
    uint64_t first = __atomic_fetch_add(&segments->version, bytes, __ATOMIC_RELAXED);
    if (segments->file != NULL && first + bytes > segments->versions_told) {
        segments->versions_told = label_set_versions(segments->file, first + bytes);
    }
    return first;
}

static void give_number(struct segments *segments, uint32_t number)
{
    lock_take(&segments->lock);
    segment_at(segments, number)->next = segments->free;
    segments->free = number;
    lock_give(&segments->lock);
    __atomic_fetch_sub(&segments->in_use, 1, __ATOMIC_RELAXED);
}

static void map_units(struct segments *segments, uint32_t number, uint32_t unit, uint8_t order)
{
    const struct arena *arena = segments->arena;
    bool whole = order == arena->frame_order;
    for (uint32_t i = 0; !whole && i < 1u << order; i++) {
        __atomic_store_n(&segments->by_unit[unit + i], number, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&segments->by_frame[arena_frame_of(arena, unit)],
                     whole ? number : SEGMENTS_SHARED, __ATOMIC_RELEASE);
}

void segment_describe(struct segments *segments, const struct segment *segment,
                      struct label_facts *facts)
{
    uint32_t number = segment_number(segments, segment);
    facts->order = segment->order;
    facts->base_time = segment->base_time;
    facts->unit = segment->unit;
    facts->piece = segment->piece;
    facts->used = segment->used;
    label_write(segments->file, number, facts);
    segments->seeds[number] = label_record_seed(segments->file, number, facts);
}

/* Open ones exist in the file from the beginning, since their records are written there one
 * by one. Those of a large record do not until it is whole. */
static void enter_file(struct segments *segments, const struct segment *segment)
{
    struct label_facts facts = {
        .kind = LABEL_LOG, .owner = segment->generation->number, .version = segment->version};
    segment_describe(segments, segment, &facts);
    label_own(segments->file, segment_number(segments, segment), facts.owner);
}

uint32_t segment_create(struct segments *segments, struct generation *generation,
                        enum segment_state state, uint8_t order, uint32_t reserve, uint64_t now)
{
    lock_take(&segments->lock);
    uint32_t number = take_number(segments);
    uint32_t serial = __atomic_add_fetch(&segments->serial, 1, __ATOMIC_RELAXED);
    uint64_t version = take_versions(segments, arena_block_size(order));
    lock_give(&segments->lock);
    if (number == 0) {
        return 0;
    }
    __atomic_fetch_add(&segments->in_use, 1, __ATOMIC_RELAXED);
    uint32_t unit = arena_alloc(segments->arena, order, reserve);
    if (unit == 0) {
        give_number(segments, number);
        return 0;
    }
    struct segment *segment = segment_at(segments, number);
    __atomic_store_n(&segment->generation, generation, __ATOMIC_RELAXED);
    segment->base_time = now > CLOCK_SLACK ? now - CLOCK_SLACK : 0;
    __atomic_store_n(&segment->version, version, __ATOMIC_RELAXED);
    __atomic_store_n(&segment->unit, unit, __ATOMIC_RELAXED);
    __atomic_store_n(&segment->used, state == SEGMENT_PIECE ? 0 : segments->lead, __ATOMIC_RELAXED);
    segment->earliest = SEGMENT_NEVER;
    __atomic_store_n(&segment->latest, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&segment->due, SEGMENT_NEVER, __ATOMIC_RELAXED);
    __atomic_store_n(&segment->live, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&segment->references, SEGMENT_OWNER, __ATOMIC_RELAXED);
    segment->next = segment->piece = segment->open_next = 0;
    __atomic_store_n(&segment->previous, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&segment->serial, serial, __ATOMIC_RELAXED);
    __atomic_store_n(&segment->order, order, __ATOMIC_RELAXED);
    segment->class = 0;
    __atomic_store_n(&segment->queue, SEGMENT_YOUNG, __ATOMIC_RELAXED);
    map_units(segments, number, unit, order);
    if (segments->file != NULL && state == SEGMENT_OPEN) {
        enter_file(segments, segment);
    }
    __atomic_store_n(&segment->state, (uint8_t)state, __ATOMIC_RELEASE);
    return number;
}

void segment_put(struct segments *segments, struct segment *segment)
{
    if (__atomic_sub_fetch(&segment->references, SEGMENT_OWNER, __ATOMIC_ACQ_REL) == 0) {
        segment_free(segments, segment);
    }
}

void segment_free(struct segments *segments, struct segment *segment)
{
    while (segment != NULL) {
        struct segment *next = segment->piece == 0 ? NULL : segment_at(segments, segment->piece);
        __atomic_store_n(&segment->state, SEGMENT_FREE, __ATOMIC_RELEASE);
        if (segments->file != NULL) {
            label_free(segments->file, segment_number(segments, segment));
        }
        arena_free(segments->arena, segment->unit, segment->order);
        __atomic_fetch_add(&segments->returns, 1, __ATOMIC_RELAXED);
        give_number(segments, segment_number(segments, segment));
        segment = next;
    }
}

uint32_t segment_shrink(struct segments *segments, struct segment *segment)
{
    uint8_t from = segment->order;
    uint8_t order = arena_order_for(segment->used);
    if (order >= from || segment->piece != 0) {
        return 0;
    }
    /* Readers may look it up meanwhile: they find it by frame or by unit. */
    map_units(segments, segment_number(segments, segment), segment->unit, order);
    __atomic_store_n(&segment->order, order, __ATOMIC_RELAXED);
    if (segments->file != NULL) {
        label_shrink(segments->file, segment_number(segments, segment), order);
    }
    arena_cut(segments->arena, segment->unit, from, order);
    __atomic_fetch_add(&segments->returns, 1, __ATOMIC_RELAXED);
    return (uint32_t)(arena_block_size(from) - arena_block_size(order));
}

/* --- from a file ------------------------------------------------------------------ */

void segment_adopt(struct segments *segments, uint32_t number, struct generation *generation,
                   const struct label_facts *facts)
{
    struct segment *segment = segment_at(segments, number);
    bool is_span = facts->kind == LABEL_SPAN;
    *segment = (struct segment){.generation = generation,
                                .base_time = facts->base_time,
                                .version = is_span ? facts->bound - segments->lead : facts->version,
                                .unit = facts->unit,
                                .used = facts->used,
                                .earliest = is_span ? facts->expires : SEGMENT_NEVER,
                                .latest = is_span ? facts->expires : 0,
                                .due = SEGMENT_NEVER,
                                .references = SEGMENT_OWNER,
                                .order = facts->order};
    segments->seeds[number] = label_record_seed(segments->file, number, facts);
    map_units(segments, number, facts->unit, facts->order);
    segment->state = facts->kind == LABEL_PIECE ? SEGMENT_PIECE : SEGMENT_SEALED;
    if (number > segments->count) {
        segments->count = number;
    }
}

void segments_adopted(struct segments *segments)
{
    while (segments->count > 0 &&
           segment_state(segment_at(segments, segments->count)) == SEGMENT_FREE) {
        segments->count--;
    }
    for (uint32_t number = segments->count; number > 0; number--) {
        struct segment *segment = segment_at(segments, number);
        if (segment_state(segment) == SEGMENT_FREE) {
            segment->next = segments->free;
            segments->free = number;
        } else {
            segments->in_use++;
        }
    }
    budget_force(segments->arena->budget, segments->count * number_cost(segments));
}

bool segment_narrow(struct segments *segments, struct segment *segment)
{
    uint8_t order = arena_order_for(segment->used);
    if (order >= segment->order) {
        return false;
    }
    segment->order = order;
    label_shrink(segments->file, segment_number(segments, segment), order);
    map_units(segments, segment_number(segments, segment), segment->unit, order);
    return true;
}

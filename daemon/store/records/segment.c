/*
 * segment.c - making, finding and freeing segments; see segment.h.
 */
#include "daemon/store/records/segment.h"

#include <string.h>

#include "daemon/store/arena/pages.h"
#include "daemon/store/records/generation.h"

/* Threads may have read the clock a moment before the one that makes a segment:
 * their expiries must not lie before its base time. */
enum { CLOCK_SLACK = 60000 /* ms */ };

_Static_assert((int)NUMBER_CHUNK_NUMBERS == (int)FILE_SEGMENTS_PER_PAGE,
               "entries of segments come and go by the chunk");

static size_t table_bytes(size_t units)
{
    return units * sizeof(struct segment);
}

static size_t numbers_bytes(size_t count)
{
    return count * sizeof(uint32_t);
}

bool segments_init(struct segments *segments, struct arena *arena)
{
    size_t units = arena_units_max(arena);
    memset(segments, 0, sizeof *segments);
    segments->arena = arena;
    segments->version = 1;
    segments->file = arena->file;
    segments->guard = arena->file != NULL ? RECORD_GUARD : 0;
    segments->lead = place_aligned(segments, segments->guard);
    segments->table = pages_reserve(table_bytes(units));
    segments->by_frame = pages_reserve(numbers_bytes(arena->frames_max));
    segments->by_unit = pages_reserve(numbers_bytes(units));
    if (segments->table == NULL || segments->by_frame == NULL || segments->by_unit == NULL ||
        !segment_numbers_init(&segments->numbers, units) ||
        !segments_open(segments, arena_frames(arena))) {
        segments_deinit(segments);
        return false;
    }
    return true;
}

void segments_deinit(struct segments *segments)
{
    size_t units = arena_units_max(segments->arena);
    segment_numbers_deinit(&segments->numbers);
    pages_release(segments->table, table_bytes(units));
    pages_release(segments->by_frame, numbers_bytes(segments->arena->frames_max));
    pages_release(segments->by_unit, numbers_bytes(units));
    segments->table = NULL;
    segments->by_frame = segments->by_unit = NULL;
}

bool segments_open(struct segments *segments, uint32_t frames)
{
    size_t units = (size_t)frames << segments->arena->frame_order;
    bool open = pages_open(segments->table, table_bytes(units)) &&
                pages_open(segments->by_frame, numbers_bytes(frames)) &&
                pages_open(segments->by_unit, numbers_bytes(units));
    lock_take(&segments->lock);
    if (open && units / NUMBER_CHUNK_NUMBERS > segments->segment_numbers_open) {
        segments->segment_numbers_open = (uint32_t)(units / NUMBER_CHUNK_NUMBERS);
    }
    lock_give(&segments->lock);
    return open;
}

/* --- numbers -------------------------------------------------------------------------- */

uint64_t segments_chunk_cost(const struct segments *segments)
{
    return NUMBER_CHUNK_NUMBERS *
           (sizeof(struct segment) + (segments->file != NULL ? sizeof(struct segment_entry) : 0));
}

/* Memory for more numbers; false: there is none. */
static bool add_chunk(struct segments *segments, bool makes_room)
{
    struct budget *budget = segments->arena->budget;
    uint32_t chunk = segment_numbers_absent(&segments->numbers);
    uint64_t cost = segments_chunk_cost(segments);
    if (chunk >= segments->segment_numbers_open ||
        !(makes_room ? budget_take_for_arena(budget, cost) : budget_take(budget, cost))) {
        return false;
    }
    if (segments->file != NULL &&
        !file_back_segments(segments->file, chunk * NUMBER_CHUNK_NUMBERS)) {
        budget_give(budget, cost);
        return false;
    }
    segment_numbers_add(&segments->numbers, chunk);
    return true;
}

uint64_t segments_lack(const struct segments *segments)
{
    uint64_t set = __atomic_load_n(&segments->numbers.count, __ATOMIC_RELAXED);
    uint64_t used = 1 + (uint64_t)__atomic_load_n(&segments->in_use, __ATOMIC_RELAXED);
    return used < set * NUMBER_CHUNK_NUMBERS ? 0 : segments_chunk_cost(segments);
}

/* Reclamation, for which frames are kept, must not fail for want of a number. */
static uint32_t take_number(struct segments *segments, bool makes_room)
{
    uint32_t number = segment_numbers_take(&segments->numbers);
    if (number == 0 && add_chunk(segments, makes_room)) {
        number = segment_numbers_take(&segments->numbers);
    }
    return number;
}

bool segments_has_chunk(struct segments *segments, uint32_t chunk)
{
    lock_take(&segments->lock);
    bool there = number_chunk_is_there(&segments->numbers, chunk);
    lock_give(&segments->lock);
    return there;
}

bool segments_close_chunk(struct segments *segments, uint32_t chunk)
{
    lock_take(&segments->lock);
    bool closed = segment_numbers_close(&segments->numbers, chunk);
    lock_give(&segments->lock);
    return closed;
}

void segments_end_chunk(struct segments *segments, uint32_t chunk, bool goes)
{
    goes = goes && (segments->file == NULL ||
                    file_forget_segments(segments->file, chunk * NUMBER_CHUNK_NUMBERS));
    lock_take(&segments->lock);
    if (goes) {
        segment_numbers_remove(&segments->numbers, chunk);
    } else {
        segment_numbers_reopen(&segments->numbers, chunk);
    }
    lock_give(&segments->lock);
    if (goes) {
        budget_give(segments->arena->budget, segments_chunk_cost(segments));
    }
}

/* Versions for so many bytes. The file knows of them first: none may be given twice. */
static uint64_t take_versions(struct segments *segments, uint64_t bytes)
{
    uint64_t first = __atomic_fetch_add(&segments->version, bytes, __ATOMIC_RELAXED);
    if (segments->file != NULL && first + bytes > segments->versions_told) {
        segments->versions_told = file_segment_set_versions(segments->file, first + bytes);
    }
    return first;
}

static void give_number(struct segments *segments, uint32_t number)
{
    lock_take(&segments->lock);
    segment_numbers_give(&segments->numbers, number);
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

void segment_describe(struct segments *segments, struct segment *segment,
                      struct file_segment_fields *facts)
{
    uint32_t number = segment_number(segments, segment);
    facts->order = segment->order;
    facts->base_time = segment->base_time;
    facts->unit = segment->unit;
    facts->piece = segment->piece;
    facts->used = segment->used;
    file_segment_write(segments->file, number, facts);
    segment->seed = file_segment_record_seed(segments->file, number, facts);
}

/* Open ones exist in the file from the beginning, since their records are written there one
 * by one. Those of a large record do not until it is whole. */
static void enter_file(struct segments *segments, struct segment *segment)
{
    struct file_segment_fields facts = {.kind = FILE_SEGMENT_LOG,
                                        .owner = segment->generation->number,
                                        .version = segment->version};
    segment_describe(segments, segment, &facts);
    file_segment_set_owner(segments->file, segment_number(segments, segment), facts.owner);
}

uint32_t segment_create(struct segments *segments, struct generation *generation,
                        enum segment_state state, uint8_t order, uint32_t reserve, uint64_t now)
{
    lock_take(&segments->lock);
    uint32_t number = take_number(segments, reserve == 0 || reserve == ARENA_CRUMBS);
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
    segment_set_live(segment, 0);
    __atomic_store_n(&segment->references, SEGMENT_OWNER, __ATOMIC_RELAXED);
    segment->next = segment->piece = segment->open_next = 0;
    __atomic_store_n(&segment->previous, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&segment->serial, serial, __ATOMIC_RELAXED);
    __atomic_store_n(&segment->order, order, __ATOMIC_RELAXED);
    segment->class = 0;
    __atomic_store_n(&segment->queue, SEGMENT_YOUNG, __ATOMIC_RELAXED);
    segment->span = segment->moving = false;
    map_units(segments, number, unit, order);
    if (segments->file != NULL && state == SEGMENT_OPEN) {
        enter_file(segments, segment);
    }
    __atomic_store_n(&segment->state, (uint8_t)state, __ATOMIC_RELEASE);
    return number;
}

static void free_one(struct segments *segments, struct segment *segment)
{
    __atomic_store_n(&segment->state, SEGMENT_FREE, __ATOMIC_RELEASE);
    if (segments->file != NULL) {
        file_segment_free(segments->file, segment_number(segments, segment));
    }
    arena_free(segments->arena, segment->unit, segment->order);
    __atomic_fetch_add(&segments->returns, 1, __ATOMIC_RELAXED);
    give_number(segments, segment_number(segments, segment));
}

void segment_put(struct segments *segments, struct segment *segment)
{
    if (__atomic_sub_fetch(&segment->references, SEGMENT_OWNER, __ATOMIC_ACQ_REL) == 0) {
        segment_free(segments, segment);
    }
}

/* The head goes last: as long as a piece says that it is one of the head's, it is. In a file
 * it goes first, and then pieces belong to no record. */
void segment_free(struct segments *segments, struct segment *segment)
{
    uint32_t number = segment->piece;
    if (segments->file != NULL) {
        file_segment_free(segments->file, segment_number(segments, segment));
    }
    while (number != 0) {
        struct segment *piece = segment_at(segments, number);
        number = piece->piece;
        free_one(segments, piece);
    }
    free_one(segments, segment);
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
        file_segment_shrink(segments->file, segment_number(segments, segment), order);
    }
    arena_cut(segments->arena, segment->unit, from, order);
    __atomic_fetch_add(&segments->returns, 1, __ATOMIC_RELAXED);
    return (uint32_t)(arena_block_size(from) - arena_block_size(order));
}

/* --- from a file ------------------------------------------------------------------ */

void segment_adopt(struct segments *segments, uint32_t number, struct generation *generation,
                   const struct file_segment_fields *facts)
{
    struct segment *segment = segment_at(segments, number);
    bool is_span = facts->kind == FILE_SEGMENT_SPAN;
    *segment = (struct segment){.generation = generation,
                                .base_time = facts->base_time,
                                .version = is_span ? facts->bound - segments->lead : facts->version,
                                .unit = facts->unit,
                                .used = facts->used,
                                .dead = facts->used,
                                .earliest = is_span ? facts->expires : SEGMENT_NEVER,
                                .latest = is_span ? facts->expires : 0,
                                .due = SEGMENT_NEVER,
                                .references = SEGMENT_OWNER,
                                .order = facts->order};
    segment->seed = file_segment_record_seed(segments->file, number, facts);
    map_units(segments, number, facts->unit, facts->order);
    segment->span = is_span;
    segment->state = facts->kind == FILE_SEGMENT_PIECE ? SEGMENT_PIECE : SEGMENT_SEALED;
    if (!number_chunk_is_there(&segments->numbers, number_chunk_of(number))) {
        segment_numbers_add(&segments->numbers, number_chunk_of(number));
    }
}

bool segments_back_labels(struct segments *segments)
{
    bool good = true;
    for (uint32_t chunk = 0; chunk < segments->numbers.end && good; chunk++) {
        good = !number_chunk_is_there(&segments->numbers, chunk) ||
               file_back_segments(segments->file, chunk * NUMBER_CHUNK_NUMBERS);
    }
    return good;
}

/* The numbers that are in use are taken; a chunk where none is goes. */
static void settle_chunk(struct segments *segments, uint32_t chunk)
{
    uint32_t first = chunk * NUMBER_CHUNK_NUMBERS;
    uint32_t in_use = 0;
    for (uint32_t number = first; number < first + NUMBER_CHUNK_NUMBERS; number++) {
        if (segment_state(segment_at(segments, number)) != SEGMENT_FREE) {
            segment_numbers_claim(&segments->numbers, number);
            in_use++;
        }
    }
    segments->in_use += in_use;
    budget_force(segments->arena->budget, segments_chunk_cost(segments));
    if (in_use == 0 && segments_close_chunk(segments, chunk)) {
        pages_forget(segment_at(segments, first), NUMBER_CHUNK_NUMBERS * sizeof(struct segment));
        segments_end_chunk(segments, chunk, true);
    }
}

void segments_adopted(struct segments *segments)
{
    for (uint32_t chunk = 0; chunk < segments->numbers.end; chunk++) {
        if (number_chunk_is_there(&segments->numbers, chunk)) {
            settle_chunk(segments, chunk);
        }
    }
}

bool segment_narrow(struct segments *segments, struct segment *segment)
{
    uint8_t order = arena_order_for(segment->used);
    if (order >= segment->order) {
        return false;
    }
    segment->order = order;
    file_segment_shrink(segments->file, segment_number(segments, segment), order);
    map_units(segments, segment_number(segments, segment), segment->unit, order);
    return true;
}

/*
 * arena.c - frames on two stacks, blocks in buddy lists; see arena.h.
 *
 * A free block's links lie in the block itself, which is resident anyway: its frame is in use.
 * The table `block` says which units start a free block, so that one load tells whether a block's
 * buddy is free.
 */
#include "daemon/store/arena/arena.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/store/arena/file.h"
#include "daemon/store/arena/pages.h"

enum { RETRY_AFTER = 1000 /* ms, after the file system refused blocks */ };

struct free_block {
    uint32_t next, previous; /* units; 0: none */
};

uint32_t arena_frames_for(const struct arena *arena, uint64_t bytes)
{
    uint64_t frames = (bytes >> (arena->frame_order + ARENA_UNIT_SHIFT)) + 1;
    return frames < arena->frames_max ? (uint32_t)frames : arena->frames_max;
}

static size_t range_bytes(const struct arena *arena, uint32_t frames)
{
    return frames * arena_frame_size(arena);
}

static size_t stack_bytes(uint32_t frames)
{
    return frames * sizeof(uint32_t);
}

static size_t vacant_bytes(uint32_t frames)
{
    return frames * sizeof(uint16_t);
}

/* Limits the range to `most` bytes, but to no less than the frames it has. */
static void limit_range(struct arena *arena, uint64_t most)
{
    uint64_t frames = most / arena_frame_size(arena);
    if (frames < arena->frames) {
        frames = arena->frames;
    }
    if (frames < arena->frames_max) {
        arena->frames_max = (uint32_t)frames;
    }
}

/* Sets where the frames are. False with errno. */
static bool find_range(struct arena *arena, uint64_t bytes, uint64_t most, struct file *file)
{
    if (file != NULL) {
        arena->frame_order = file->frame_order;
        arena->place_shift = file->place_shift;
        arena->frames = file->frames;
        arena->frames_max = file->frames_max;
        arena->base = file->base;
        limit_range(arena, most);
        return true;
    }
    struct arena_shape shape = arena_shape_choose(bytes);
    arena->frame_order = shape.frame_order;
    arena->place_shift = shape.place_shift;
    arena->frames = shape.frames;
    arena->frames_max = shape.frames_max;
    limit_range(arena, most);
    arena->base = pages_reserve(range_bytes(arena, arena->frames_max));
    return arena->base != NULL;
}

/* Makes so many frames, and their part of the tables, accessible. */
static bool open_frames(struct arena *arena, uint32_t frames)
{
    bool there = arena->file != NULL ? file_grow(arena->file, frames)
                                     : pages_open(arena->base, range_bytes(arena, frames));
    return there && pages_open(arena->warm, stack_bytes(frames)) &&
           pages_open(arena->cold, stack_bytes(frames)) &&
           pages_open(arena->vacant, vacant_bytes(frames)) &&
           pages_open(arena->block, (size_t)frames << arena->frame_order);
}

bool arena_init(struct arena *arena, uint64_t bytes, uint64_t most, struct budget *budget,
                struct file *file)
{
    memset(arena, 0, sizeof *arena);
    arena->file = file;
    arena->budget = budget;
    arena->fresh = 1;
    if (!find_range(arena, bytes, most, file)) {
        return false;
    }
    arena->warm = pages_reserve(stack_bytes(arena->frames_max));
    arena->cold = pages_reserve(stack_bytes(arena->frames_max));
    arena->block = pages_reserve(arena_units_max(arena));
    arena->vacant = pages_reserve(vacant_bytes(arena->frames_max));
    if (arena->warm == NULL || arena->cold == NULL || arena->block == NULL ||
        arena->vacant == NULL || !open_frames(arena, arena->frames)) {
        arena_deinit(arena);
        return false;
    }
    return true;
}

void arena_deinit(struct arena *arena)
{
    if (arena->file == NULL) {
        pages_release(arena->base, range_bytes(arena, arena->frames_max));
    }
    pages_release(arena->warm, stack_bytes(arena->frames_max));
    pages_release(arena->cold, stack_bytes(arena->frames_max));
    pages_release(arena->block, arena_units_max(arena));
    pages_release(arena->vacant, vacant_bytes(arena->frames_max));
    arena->base = NULL;
    arena->warm = arena->cold = NULL;
    arena->block = NULL;
    arena->vacant = NULL;
}

bool arena_open(struct arena *arena, uint32_t frames)
{
    if (frames > arena->frames && !open_frames(arena, frames)) {
        return false;
    }
    lock_take(&arena->lock);
    if (frames > arena->frames) {
        __atomic_store_n(&arena->frames, frames, __ATOMIC_RELAXED);
    }
    lock_give(&arena->lock);
    return true;
}

static struct free_block *links(const struct arena *arena, uint32_t unit)
{
    return (struct free_block *)(void *)arena_at(arena, unit);
}

/* With the lock; read without it as a hint (evict_frame.c). */
static void set_block(struct arena *arena, uint32_t unit, unsigned block)
{
    __atomic_store_n(&arena->block[unit], (uint8_t)block, __ATOMIC_RELAXED);
}

static void list_block(struct arena *arena, uint32_t unit, uint8_t order)
{
    uint32_t first = arena->first_free[order];
    *links(arena, unit) = (struct free_block){.next = first};
    if (first != 0) {
        links(arena, first)->previous = unit;
    }
    arena->first_free[order] = unit;
    set_block(arena, unit, order + 1u);
}

static void unlist_block(struct arena *arena, uint32_t unit, uint8_t order)
{
    struct free_block at = *links(arena, unit);
    if (at.next != 0) {
        links(arena, at.next)->previous = at.previous;
    }
    if (at.previous != 0) {
        links(arena, at.previous)->next = at.next;
    } else {
        arena->first_free[order] = at.next;
    }
    set_block(arena, unit, 0);
}

static void count_vacant(struct arena *arena, uint32_t unit, int units)
{
    uint16_t *vacant = &arena->vacant[arena_frame_of(arena, unit)];
    __atomic_store_n(vacant, (uint16_t)(*vacant + units), __ATOMIC_RELAXED);
}

static void push_block(struct arena *arena, uint32_t unit, uint8_t order)
{
    count_vacant(arena, unit, 1 << order);
    if (arena_frame_of(arena, unit) == arena->withdrawn) {
        set_block(arena, unit, (order + 1u) | ARENA_APART);
    } else {
        list_block(arena, unit, order);
    }
}

static void unlink_block(struct arena *arena, uint32_t unit, uint8_t order)
{
    count_vacant(arena, unit, -(1 << order));
    if ((arena->block[unit] & ARENA_APART) != 0) {
        set_block(arena, unit, 0);
    } else {
        unlist_block(arena, unit, order);
    }
}

/* Free frames without pages. */
static uint32_t cold_frames(const struct arena *arena)
{
    return arena->cold_count + (arena->frames - arena->fresh);
}

/* Free frames that can be used now: a cold one needs budget for its pages. */
static uint32_t available(const struct arena *arena)
{
    uint64_t paid = arena->starved ? 0 : budget_left(arena->budget) / arena_frame_size(arena);
    uint32_t cold = cold_frames(arena);
    return arena->warm_count + (paid < cold ? (uint32_t)paid : cold);
}

/* There must be one. */
static uint32_t pop_cold(struct arena *arena)
{
    return arena->cold_count > 0 ? arena->cold[--arena->cold_count] : arena->fresh++;
}

/* Takes blocks of the file for a frame that was cold. The lock is not held during the system
 * call, which is slow. */
static bool warm_up(struct arena *arena, uint32_t frame)
{
    uint64_t size = arena_frame_size(arena);
    if (arena->file == NULL) {
        return true;
    }
    lock_give(&arena->lock);
    bool backed = file_back(arena->file, frame * size, size);
    lock_take(&arena->lock);
    if (!backed) {
        arena->cold[arena->cold_count++] = frame;
        arena->starved = true;
        budget_give(arena->budget, size);
    }
    return backed;
}

/* There must be one. */
static uint32_t use_warm(struct arena *arena)
{
    uint32_t frame = arena->warm[--arena->warm_count];
    if (arena->warm_count < arena->warm_least) {
        arena->warm_least = arena->warm_count;
    }
    return frame;
}

/* There must be one. It goes cold, so that one less is idle. */
static uint32_t drop_warm(struct arena *arena)
{
    arena->idle -= arena->idle > 0;
    arena->warm_least -= arena->warm_least > 0;
    return arena->warm[--arena->warm_count];
}

static uint32_t take_frame(struct arena *arena, uint32_t reserve)
{
    if (reserve > 0 && available(arena) <= reserve) {
        return 0;
    }
    if (arena->warm_count > 0) {
        return use_warm(arena) << arena->frame_order;
    }
    if (!arena->starved && cold_frames(arena) > 0 &&
        budget_take_for_arena(arena->budget, arena_frame_size(arena))) {
        uint32_t frame = pop_cold(arena);
        return warm_up(arena, frame) ? frame << arena->frame_order : 0;
    }
    return 0;
}

/* Halves a block down to the wanted order; the upper halves become free. */
static uint32_t cut(struct arena *arena, uint32_t unit, uint8_t from, uint8_t order)
{
    while (from > order) {
        from--;
        push_block(arena, unit + (1u << from), from);
    }
    return unit;
}

uint32_t arena_alloc(struct arena *arena, uint8_t order, uint32_t reserve)
{
    uint32_t unit = 0;
    lock_take(&arena->lock);
    bool may =
        reserve == 0 || reserve == ARENA_CRUMBS || arena->lent || available(arena) >= reserve;
    for (uint8_t from = order; may && from < arena->frame_order && unit == 0; from++) {
        unit = arena->first_free[from];
        if (unit != 0) {
            unlink_block(arena, unit, from);
            cut(arena, unit, from, order);
        }
    }
    if (unit == 0) {
        unit = take_frame(arena, reserve);
        if (unit != 0) {
            cut(arena, unit, arena->frame_order, order);
        }
    }
    lock_give(&arena->lock);
    return unit;
}

void arena_free(struct arena *arena, uint32_t unit, uint8_t order)
{
    lock_take(&arena->lock);
    while (order < arena->frame_order) {
        uint32_t buddy = unit ^ (1u << order);
        if ((arena->block[buddy] & ~ARENA_APART) != order + 1u) {
            break;
        }
        unlink_block(arena, buddy, order);
        unit &= ~(1u << order);
        order++;
    }
    if (order < arena->frame_order) {
        push_block(arena, unit, order);
    } else {
        uint32_t frame = arena_frame_of(arena, unit);
        arena->warm[arena->warm_count++] = frame;
        arena->withdrawn = frame == arena->withdrawn ? 0 : arena->withdrawn;
        __atomic_store_n(&arena->lent, false, __ATOMIC_RELAXED);
    }
    lock_give(&arena->lock);
}

void arena_cut(struct arena *arena, uint32_t unit, uint8_t from, uint8_t order)
{
    lock_take(&arena->lock);
    cut(arena, unit, from, order);
    lock_give(&arena->lock);
}

bool arena_lend(struct arena *arena)
{
    lock_take(&arena->lock);
    bool was_lent = arena->lent;
    __atomic_store_n(&arena->lent, true, __ATOMIC_RELAXED);
    lock_give(&arena->lock);
    return !was_lent;
}

/* --- emptying a frame ------------------------------------------------------------ */

void arena_withdraw(struct arena *arena, uint32_t frame)
{
    lock_take(&arena->lock);
    uint32_t unit = frame << arena->frame_order;
    uint32_t end = unit + (1u << arena->frame_order);
    arena->withdrawn = frame;
    while (unit < end) {
        uint8_t block = arena->block[unit];
        if (block != 0) {
            unlist_block(arena, unit, (uint8_t)(block - 1));
            set_block(arena, unit, block | ARENA_APART);
        }
        unit += block != 0 ? 1u << (block - 1) : 1;
    }
    lock_give(&arena->lock);
}

bool arena_restore(struct arena *arena)
{
    lock_take(&arena->lock);
    uint32_t unit = arena->withdrawn << arena->frame_order;
    uint32_t end = unit + (1u << arena->frame_order);
    bool was_withdrawn = arena->withdrawn != 0;
    arena->withdrawn = 0;
    while (was_withdrawn && unit < end) {
        uint8_t block = arena->block[unit] & (uint8_t)~ARENA_APART;
        if (block != 0) {
            list_block(arena, unit, (uint8_t)(block - 1));
        }
        unit += block != 0 ? 1u << (block - 1) : 1;
    }
    lock_give(&arena->lock);
    return was_withdrawn;
}

/* ---------------------------------------------------------------------------------- */

uint32_t arena_available(struct arena *arena)
{
    lock_take(&arena->lock);
    uint32_t count = available(arena);
    lock_give(&arena->lock);
    return count;
}

uint32_t arena_in_use(struct arena *arena)
{
    lock_take(&arena->lock);
    uint32_t count = arena->fresh - 1 - arena->warm_count - arena->cold_count;
    lock_give(&arena->lock);
    return count;
}

/* Gives a frame's pages to the system. False: the file system does not take them. */
static bool cool_down(struct arena *arena, uint32_t frame)
{
    uint64_t size = arena_frame_size(arena);
    if (arena->file != NULL) {
        return file_forget(arena->file, frame * size, size);
    }
    pages_forget(arena->base + frame * size, size);
    return true;
}

void arena_mark(struct arena *arena)
{
    lock_take(&arena->lock);
    arena->idle = arena->warm_least;
    arena->warm_least = arena->warm_count;
    lock_give(&arena->lock);
}

uint32_t arena_idle(struct arena *arena)
{
    lock_take(&arena->lock);
    uint32_t idle = arena->idle < arena->warm_least ? arena->idle : arena->warm_least;
    lock_give(&arena->lock);
    return idle;
}

uint32_t arena_trim(struct arena *arena, uint32_t keep, uint32_t most)
{
    uint32_t given = 0;
    bool gives = true;
    for (; gives && given < most; given += gives) {
        uint32_t frame = 0;
        lock_take(&arena->lock);
        if (arena->warm_count > keep) {
            frame = drop_warm(arena);
        }
        lock_give(&arena->lock);
        if (frame == 0) {
            break;
        }
        /* Outside of the lock: a slow system call. */
        gives = cool_down(arena, frame);
        if (gives) {
            budget_give(arena->budget, arena_frame_size(arena));
        }
        lock_take(&arena->lock);
        if (gives) {
            arena->cold[arena->cold_count++] = frame;
            arena->starved = false;
        } else {
            arena->warm[arena->warm_count++] = frame;
        }
        lock_give(&arena->lock);
    }
    return given;
}

void arena_retry(struct arena *arena, uint64_t now)
{
    lock_take(&arena->lock);
    if (arena->starved && now >= arena->retry_at) {
        arena->starved = false;
        arena->retry_at = now + RETRY_AFTER;
    }
    lock_give(&arena->lock);
}

/* --- an arena that is in use already ------------------------------------------- */

static bool any_used(const uint64_t *used, uint32_t unit, uint8_t order)
{
    uint32_t end = unit + (1u << order);
    for (; unit < end; unit++) {
        if ((used[unit / 64] >> unit % 64 & 1) != 0) {
            return true;
        }
    }
    return false;
}

/* Frees the largest blocks without a used unit within a block that has some. */
static void free_rest(struct arena *arena, const uint64_t *used, uint32_t unit, uint8_t order)
{
    if (!any_used(used, unit, order)) {
        push_block(arena, unit, order);
    } else if (order > 0) {
        free_rest(arena, used, unit + (1u << (order - 1)), (uint8_t)(order - 1));
        free_rest(arena, used, unit, (uint8_t)(order - 1));
    }
}

/* Frames first .. end - 1 hold nothing: they become cold, or warm if the file does not take their
 * blocks back. The last ones of the arena count as never used. */
static void adopt_free(struct arena *arena, uint32_t first, uint32_t end)
{
    uint64_t size = arena_frame_size(arena);
    bool cold = first == end || arena->file == NULL ||
                file_forget(arena->file, first * size, (end - first) * size);
    arena->fresh = cold && end == arena->frames ? first : end;
    for (uint32_t frame = first; frame < arena->fresh; frame++) {
        if (cold) {
            arena->cold[arena->cold_count++] = frame;
        } else {
            arena->warm[arena->warm_count++] = frame;
            budget_force(arena->budget, size);
        }
    }
}

void arena_adopt(struct arena *arena, const uint64_t *used_units)
{
    uint32_t idle = 1; /* the first of the frames without one, up to this one */
    lock_take(&arena->lock);
    for (uint32_t frame = 1; frame < arena->frames; frame++) {
        uint32_t unit = frame << arena->frame_order;
        if (any_used(used_units, unit, arena->frame_order)) {
            budget_force(arena->budget, arena_frame_size(arena));
            adopt_free(arena, idle, frame);
            idle = frame + 1;
            free_rest(arena, used_units, unit, arena->frame_order);
        }
    }
    adopt_free(arena, idle, arena->frames);
    lock_give(&arena->lock);
}

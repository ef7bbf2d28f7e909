/*
 * arena.h - one contiguous range of address space, cut into frames and blocks.
 *
 * A frame is the size of a full segment. Frames that small namespaces share are
 * cut further into blocks by halves (the buddy system: Knowlton, "A fast storage
 * allocator", 1965), down to a unit of 1 KiB. Places are unit numbers, never
 * pointers. Unit 0 is never given out, so 0 means "nowhere".
 *
 * A free frame is warm or cold: a warm one still has its pages and stays in the budget, the pages
 * of a cold one have been given back to the operating system. To go cold and come back costs more
 * than to fill a frame, since the kernel clears its pages; so the arena knows how many warm frames
 * were not needed for a while.
 *
 * With a file (file.h) the frames are the file's. Blocks of the file are taken before a cold frame
 * is used and given back when it is trimmed, so the file takes as much as the budget says. If the
 * file system refuses, the arena is starved: it has no cold frames, and the store evicts instead.
 *
 * Address space is reserved for more frames than the memory has at first, so that the memory may
 * grow while pointers into the range stay valid (arena_open). The number of frames does not limit
 * what is used; the budget does.
 *
 * Any thread; arena.lock is a leaf. The lock is not held during system calls.
 */
#ifndef KVCACHED_DAEMON_STORE_ARENA_ARENA_H
#define KVCACHED_DAEMON_STORE_ARENA_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/arena/arena_shape.h"
#include "daemon/store/arena/budget.h"
#include "daemon/store/arena/lock.h"

struct file;

struct arena {
    char *base;
    struct file *file;     /* NULL: the process's own memory; not owned */
    uint8_t frame_order;   /* a frame is 2^frame_order units; 6 to 10 */
    uint8_t place_shift;   /* records start at multiples of 2^place_shift bytes */
    uint32_t frames_max;   /* of the range, frame 0 included */
    struct budget *budget; /* not owned */

    struct lock lock; /* guards all that follows */
    uint32_t frames;  /* that may be used, frame 0 included; never fewer than before; atomic */
    uint32_t fresh;   /* frames from this one on were never used: they are free and cold, too */
    bool starved;     /* the file system has no room: cold frames cannot be had */
    uint64_t retry_at;
    uint32_t *warm; /* stack of free frames that have their pages */
    uint32_t warm_count;
    uint32_t warm_least; /* the lowest warm_count since the last mark */
    uint32_t idle;       /* the lowest warm_count between the last two marks */
    uint32_t *cold;      /* stack of free frames that have none */
    uint32_t cold_count;
    uint32_t first_free[ARENA_ORDER_MAX]; /* free blocks by order; unit or 0 */
    uint8_t *block;                       /* by unit: the order of the free block that starts
                                             here + 1, or 0; with ARENA_APART */
    uint16_t *vacant;                     /* by frame: units in its free blocks; atomic */
    uint32_t withdrawn;                   /* the frame that arena_withdraw took out; 0: none */
    bool lent; /* blocks are given out though the reserve is not whole; atomic */
};

#define ARENA_APART  0x80u      /* flag of a free block: it is in no list */
#define ARENA_CRUMBS UINT32_MAX /* a `reserve`: neither take nor cut a frame */

/* Reserves address space for `most` bytes at most, and tables; with a file, the file defines how
 * many and where. Frames for `bytes` are free and cold. False with errno. */
bool arena_init(struct arena *arena, uint64_t bytes, uint64_t most, struct budget *budget,
                struct file *file);
void arena_deinit(struct arena *arena);

/* How many frames so many bytes take, frame 0 included; frames_max at most. */
uint32_t arena_frames_for(const struct arena *arena, uint64_t bytes);
/* So many frames may be used from here on; the arena never has fewer again. One thread at a time.
 * False with errno: then nothing has changed. */
bool arena_open(struct arena *arena, uint32_t frames);

static inline uint64_t arena_frame_size(const struct arena *arena)
{
    return arena_block_size(arena->frame_order);
}

/*
 * A block of 2^order units, or 0 when there is none. The last `reserve` frames are not touched:
 * they are kept for reclamation, which asks with 0. While reclamation uses some of them, calls
 * with a reserve get nothing at all: what is left of a frame that reclamation cut is needed, too.
 */
uint32_t arena_alloc(struct arena *arena, uint8_t order, uint32_t reserve);
void arena_free(struct arena *arena, uint32_t unit, uint8_t order);
/* Gives back all of a block but its first 2^order units. */
void arena_cut(struct arena *arena, uint32_t unit, uint8_t from, uint8_t order);

/*
 * Says which units are in use, a bit for each, in an arena where nothing was allocated yet.
 * Frames without a unit in use stay cold and give their blocks back. Of the others every unit that
 * is not in use becomes free. They count in the budget, whether it has room or not.
 */
void arena_adopt(struct arena *arena, const uint64_t *used_units);

/* How many whole frames could be had at once. */
uint32_t arena_available(struct arena *arena);

/*
 * For when the reserve cannot be made whole: all calls may use the blocks there are, until a frame
 * comes free. False: that was so already.
 */
bool arena_lend(struct arena *arena);
static inline bool arena_is_lent(const struct arena *arena)
{
    return __atomic_load_n(&arena->lent, __ATOMIC_RELAXED);
}

/* Units of a frame that are free though the frame is in use: a hint. */
static inline uint32_t arena_vacant(const struct arena *arena, uint32_t frame)
{
    return __atomic_load_n(&arena->vacant[frame], __ATOMIC_RELAXED);
}

/*
 * From here on free blocks of the frame, and blocks that come free in it, are not allocated, so
 * that it can be emptied. One frame at a time. It ends when all of the frame is free, or with
 * arena_restore.
 */
void arena_withdraw(struct arena *arena, uint32_t frame);
/* True: a frame was withdrawn still. */
bool arena_restore(struct arena *arena);

/* Begins a new period; see arena_idle. */
void arena_mark(struct arena *arena);

/* Warm frames that were not needed since the mark before the last one. */
uint32_t arena_idle(struct arena *arena);

/* Gives pages of warm frames back until `keep` are left, of `most` frames at most. Returns how
 * many gave theirs. */
uint32_t arena_trim(struct arena *arena, uint32_t keep, uint32_t most);

/* Call it now and then, with the time in ms: cold frames that the file system had no room for are
 * tried again after a second. */
void arena_retry(struct arena *arena, uint64_t now);

/* Frames that are in use, whole or cut. */
uint32_t arena_in_use(struct arena *arena);

/* Units of all frames that there may ever be, unit 0 included. */
static inline size_t arena_units_max(const struct arena *arena)
{
    return (size_t)arena->frames_max << arena->frame_order;
}

/* Frames that may be used, frame 0 included; without the lock there may soon be more. */
static inline uint32_t arena_frames(const struct arena *arena)
{
    return __atomic_load_n(&arena->frames, __ATOMIC_RELAXED);
}

/* Units of these frames. */
static inline size_t arena_units(const struct arena *arena)
{
    return (size_t)arena_frames(arena) << arena->frame_order;
}

/* Bytes that the range may grow to. */
static inline uint64_t arena_most(const struct arena *arena)
{
    return (uint64_t)arena->frames_max * arena_frame_size(arena);
}

static inline char *arena_at(const struct arena *arena, uint32_t unit)
{
    return arena->base + ((uint64_t)unit << ARENA_UNIT_SHIFT);
}

static inline uint32_t arena_frame_of(const struct arena *arena, uint32_t unit)
{
    return unit >> arena->frame_order;
}

#endif

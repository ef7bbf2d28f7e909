/*
 * arena_shape.h - units, blocks and frames: the sizes that an arena is made of.
 *
 * Apart from arena.h because an arena file has a shape too, and the arena builds on the file.
 * Pure functions; any thread.
 */
#ifndef KVCACHED_DAEMON_STORE_ARENA_ARENA_SHAPE_H
#define KVCACHED_DAEMON_STORE_ARENA_ARENA_SHAPE_H

#include <stdint.h>

enum {
    ARENA_UNIT_SHIFT = 10,
    ARENA_UNIT = 1 << ARENA_UNIT_SHIFT, /* bytes */
    ARENA_ORDER_MAX = 10,               /* the largest frame is 1 MiB */
};

struct arena_shape {
    uint32_t frames;     /* for the bytes that it was chosen for, frame 0 included */
    uint32_t frames_max; /* as far as places reach, frame 0 included */
    uint8_t frame_order; /* a frame is 2^frame_order units; 6 to 10 */
    uint8_t place_shift; /* records start at multiples of 2^place_shift bytes */
};

/* The shape of an arena of so many bytes. It may grow to twice its bytes at least, and to
 * 4 GiB at least. */
struct arena_shape arena_shape_choose(uint64_t bytes);

/* Bytes of a block of 2^order units. */
static inline uint64_t arena_block_size(uint8_t order)
{
    return (uint64_t)ARENA_UNIT << order;
}

/* The smallest order whose block holds so many bytes. */
uint8_t arena_order_for(uint64_t bytes);

#endif

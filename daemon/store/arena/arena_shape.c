/*
 * arena_shape.c - see arena_shape.h.
 */
#include "daemon/store/arena/arena_shape.h"

/* About 1,000 frames in a small store, frames of 1 MiB in a large one. */
static uint8_t choose_frame_order(uint64_t bytes)
{
    uint8_t order = 6;
    while (order < ARENA_ORDER_MAX && arena_block_size(order) * 1024 < bytes) {
        order++;
    }
    return order;
}

/* The index has 32 bits for a place: larger stores align their records. There is room for
 * twice as much. */
static uint8_t choose_place_shift(uint64_t bytes)
{
    uint8_t shift = 0;
    while (2 * bytes > UINT64_C(1) << (32 + shift)) {
        shift++;
    }
    return shift;
}

struct arena_shape arena_shape_choose(uint64_t bytes)
{
    struct arena_shape shape = {.frame_order = choose_frame_order(bytes),
                                .place_shift = choose_place_shift(bytes)};
    uint64_t addressed = (UINT64_C(1) << (32 + shape.place_shift)) >> ARENA_UNIT_SHIFT;
    uint64_t units = addressed < UINT32_MAX ? addressed : UINT32_MAX;
    uint64_t frames = bytes / arena_block_size(shape.frame_order) + 1;
    shape.frames_max = (uint32_t)(units >> shape.frame_order);
    shape.frames = frames < shape.frames_max ? (uint32_t)frames : shape.frames_max;
    return shape;
}

uint8_t arena_order_for(uint64_t bytes)
{
    uint8_t order = 0;
    while (arena_block_size(order) < bytes) {
        order++;
    }
    return order;
}

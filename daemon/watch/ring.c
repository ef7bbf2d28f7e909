/*
 * ring.c - each entry has its size before it, and both together are a multiple of 8 bytes. NOTHING
 * in place of the size says that the rest of the memory is not used.
 */
#include "daemon/watch/ring.h"

enum { UNIT = 8 };

#define NOTHING UINT64_MAX

static size_t footprint(size_t size)
{
    return (UNIT + size + UNIT - 1) / UNIT * UNIT;
}

static uint64_t *size_at(const struct ring *ring, uint64_t position)
{
    return (uint64_t *)(void *)(ring->memory + position % RING_BYTES);
}

/* Bytes from the position to the end of the memory. */
static size_t tail_of(uint64_t position)
{
    return RING_BYTES - (size_t)(position % RING_BYTES);
}

/* Bytes that an entry needs, those that it leaves out at the end of the memory included. */
static size_t needed(uint64_t written, size_t size)
{
    size_t bytes = footprint(size);
    size_t tail = tail_of(written);
    return bytes <= tail ? bytes : tail + bytes;
}

void *ring_reserve(struct ring *ring, size_t size)
{
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    if (size > RING_ENTRY_MAX || written + needed(written, size) - read > RING_BYTES) {
        uint64_t lost = atomic_load_explicit(&ring->lost, memory_order_relaxed);
        atomic_store_explicit(&ring->lost, lost + 1, memory_order_relaxed);
        return NULL;
    }
    if (footprint(size) > tail_of(written)) {
        *size_at(ring, written) = NOTHING;
        written += tail_of(written);
    }
    *size_at(ring, written) = size;
    return size_at(ring, written) + 1;
}

void ring_commit(struct ring *ring, size_t size)
{
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    atomic_store_explicit(&ring->written, written + needed(written, size), memory_order_release);
}

const void *ring_peek(struct ring *ring, size_t *size)
{
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    if (read == atomic_load_explicit(&ring->written, memory_order_acquire)) {
        return NULL;
    }
    size_t skipped = 0;
    if (*size_at(ring, read) == NOTHING) {
        skipped = tail_of(read);
        read += skipped;
    }
    *size = (size_t)*size_at(ring, read);
    ring->peeked = skipped + footprint(*size);
    return size_at(ring, read) + 1;
}

void ring_drop(struct ring *ring)
{
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    atomic_store_explicit(&ring->read, read + ring->peeked, memory_order_release);
    ring->peeked = 0;
}

uint64_t ring_take_lost(struct ring *ring)
{
    uint64_t lost = atomic_load_explicit(&ring->lost, memory_order_relaxed);
    uint64_t since = lost - ring->told;
    ring->told = lost;
    return since;
}

void ring_clear(struct ring *ring)
{
    atomic_store_explicit(&ring->read, 0, memory_order_relaxed);
    atomic_store_explicit(&ring->written, 0, memory_order_relaxed);
    atomic_store_explicit(&ring->lost, 0, memory_order_relaxed);
    ring->told = 0;
    ring->peeked = 0;
}

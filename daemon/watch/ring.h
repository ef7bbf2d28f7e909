/*
 * ring.h - a queue of entries between one thread that writes and one that reads; neither waits.
 *
 * An entry that does not fit is lost, and counted. Entries lie in one piece: where one does not
 * fit before the end of the memory, it begins at the front again.
 */
#ifndef KVCACHED_DAEMON_WATCH_RING_H
#define KVCACHED_DAEMON_WATCH_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RING_BYTES = 256 << 10, /* of memory; a power of two */
    RING_ENTRY_MAX = RING_BYTES / 8,
};

/* All zeros, apart from `memory`, is an empty ring. The positions grow without end. */
struct ring {
    char *memory; /* RING_BYTES, aligned as for uint64_t */
    /* Of the thread that writes. */
    _Alignas(64) _Atomic uint64_t written;
    _Atomic uint64_t lost; /* entries */
    /* Of the thread that reads. */
    _Alignas(64) _Atomic uint64_t read;
    uint64_t told; /* of `lost` */
    size_t peeked; /* bytes of the entry at the front, while it is looked at */
};

/* Where an entry of that size is to be written, aligned as for uint64_t; ring_commit makes it
 * visible. NULL: there is no room, which was counted. */
void *ring_reserve(struct ring *ring, size_t size);
void ring_commit(struct ring *ring, size_t size);

/* The entry at the front, and its size; NULL: there is none. It stays until ring_drop. */
const void *ring_peek(struct ring *ring, size_t *size);
void ring_drop(struct ring *ring);

/* How many entries were lost since the last call. For the thread that reads. */
uint64_t ring_take_lost(struct ring *ring);

/* Makes it empty. For the thread that reads, while none writes. */
void ring_clear(struct ring *ring);

#endif

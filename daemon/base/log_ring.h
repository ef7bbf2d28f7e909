/*
 * log_ring.h - lines that wait to be written, in memory of a fixed size.
 *
 * A line is kept as it was said, with the time at which it was said. What does not fit is
 * refused, and nothing that is there is pushed out. Not for several threads at once: the
 * caller has a lock, and holds it for the length of a copy.
 */
#ifndef KVCACHED_DAEMON_BASE_LOG_RING_H
#define KVCACHED_DAEMON_BASE_LOG_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum {
    LOG_TEXT_MAX = 1000, /* bytes of a message as it was given, its NUL included */
    LOG_RING_BYTES = 128 << 10,
};

struct log_entry {
    int level;
    struct timespec time; /* by the wall clock */
    size_t length;        /* of the text, without its NUL */
    char text[LOG_TEXT_MAX];
};

/* All zero is an empty one. */
struct log_ring {
    size_t begin, used; /* bytes */
    uint64_t put, got;  /* lines, since the beginning */
    char bytes[LOG_RING_BYTES];
};

/* False: there is no room for it. */
bool log_ring_put(struct log_ring *ring, const struct log_entry *entry);

/* The oldest, which is taken out. False: there is none. */
bool log_ring_get(struct log_ring *ring, struct log_entry *entry);

#endif

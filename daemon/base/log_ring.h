/*
 * log_ring.h - a ring buffer of lines that wait to be written, of fixed size.
 *
 * A line is kept with its time, before it is escaped and formatted. A line that does not fit is
 * refused; no line is overwritten. The caller holds a lock for the length of a copy.
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

/* All zero: empty. */
struct log_ring {
    size_t begin, used; /* bytes */
    uint64_t put, got;  /* lines since the start */
    char bytes[LOG_RING_BYTES];
};

/* Copies the line in. False: there is no room for it. */
bool log_ring_put(struct log_ring *ring, const struct log_entry *entry);

/* Takes the oldest line out. False: the ring is empty. */
bool log_ring_get(struct log_ring *ring, struct log_entry *entry);

#endif

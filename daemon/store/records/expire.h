/*
 * expire.h - which segment is to be looked at next because records expire.
 *
 * A binary heap of segments by the time at which something in them expires.
 * Entries are not moved when that time changes: a new one is added, and an entry
 * counts only if the segment is still due at just that time. Any thread;
 * expire.lock is a leaf.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_EXPIRE_H
#define KVCACHED_DAEMON_STORE_RECORDS_EXPIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/records/segment.h"

struct expire_entry {
    uint64_t due;
    uint32_t segment;
};

struct expire {
    struct segments *segments; /* not owned */
    struct budget *budget;     /* not owned */
    struct lock lock;          /* guards what follows */
    struct expire_entry *heap; /* reserved for twice as many as there may be segments */
    size_t capacity;           /* entries that can be used */
    size_t count;
    size_t resident; /* entries that are paid for */
};

bool expire_init(struct expire *expire, struct segments *segments, struct budget *budget);
void expire_deinit(struct expire *expire);

/* There is room for the segments of so many frames. False with errno. */
bool expire_open(struct expire *expire, uint32_t frames);

/* Makes the segment due at `when`, if it is not due before. */
void expire_schedule(struct expire *expire, struct segment *segment, uint64_t when);
/* The same, whenever it was due before; SEGMENT_NEVER: not at all. */
void expire_reschedule(struct expire *expire, struct segment *segment, uint64_t when);

/* Takes the first segment that is due; 0 when none is. It is no longer due. */
uint32_t expire_take(struct expire *expire, uint64_t now);

/*
 * Of `most` entries from *hand on, drops those that count no more; behind the last one gives
 * memory back. How many it looked at, at least 1 when it gave something; 0: it is through.
 */
size_t expire_tidy(struct expire *expire, size_t *hand, size_t most);
/* Bytes that it could give back, about. */
uint64_t expire_excess(struct expire *expire);

#endif

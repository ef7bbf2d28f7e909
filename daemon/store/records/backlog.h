/*
 * backlog.h - what waits for the housekeeper.
 *
 * Requests leave notes here instead of doing what can wait: a segment that lost
 * much of what it held, a namespace that became empty or nears its quota, a
 * generation that was flushed. Any thread; backlog.lock is a leaf.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_BACKLOG_H
#define KVCACHED_DAEMON_STORE_RECORDS_BACKLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/records/namespace.h"
#include "daemon/store/records/segment.h"

struct backlog {
    struct lock lock;
    uint32_t first_segment, last_segment;
    uint32_t now; /* milliseconds, which may overflow */
    struct namespace *first_namespace, *last_namespace;
    struct generation *first_retired, *last_retired;
    uint32_t urgent; /* the housekeeper should not wait for its turn; atomic */
};

/* A segment of `owner`, as it was linked last. It goes first, and counts as one that has waited,
 * where its namespace has used half of its quota or more. */
void backlog_add_segment(struct backlog *backlog, struct segments *segments,
                         struct segment *segment, const struct generation *owner);
/* The first one, if it has waited for so many milliseconds; 0: none has. */
uint32_t backlog_take_segment(struct backlog *backlog, struct segments *segments, uint32_t waited);

/* The time from which on segments wait, and by which they have waited. */
void backlog_set_time(struct backlog *backlog, uint64_t now);

/* Gives the memory of the table for so many segments back, from `first` on, all of them free.
 * False: one of them waits still. */
bool backlog_forget_segments(struct backlog *backlog, struct segments *segments, uint32_t first,
                             uint32_t count);

/* One that has been removed is left alone. */
void backlog_add_namespace(struct backlog *backlog, struct namespace *ns);
struct namespace *backlog_take_namespace(struct backlog *backlog);

void backlog_add_retired(struct backlog *backlog, struct generation *generation);
/* The oldest one, which stays first until it is taken; NULL: none. */
struct generation *backlog_first_retired(struct backlog *backlog);
struct generation *backlog_take_retired(struct backlog *backlog);

static inline void backlog_hurry(struct backlog *backlog)
{
    if (__atomic_load_n(&backlog->urgent, __ATOMIC_RELAXED) == 0) {
        __atomic_store_n(&backlog->urgent, 1, __ATOMIC_RELEASE);
    }
}

#endif

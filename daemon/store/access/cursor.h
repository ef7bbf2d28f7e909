/*
 * cursor.h - listings under way, for those who change what is listed; see cursor.c.
 */
#ifndef KVCACHED_DAEMON_STORE_ACCESS_CURSOR_H
#define KVCACHED_DAEMON_STORE_ACCESS_CURSOR_H

#include <sys/queue.h>

#include "daemon/store/access/revisits.h"
#include "daemon/store/records/namespace.h"

struct store;

LIST_HEAD(cursor_list, store_cursor);

struct cursors {
    struct lock lock;        /* guards `all`; a leaf */
    struct cursor_list all;  /* but for empty ones */
    struct owed_total total; /* of what they owe */
    uint64_t look_at; /* when those that stand still are looked for next; store.reclaim_lock */
};

void cursors_init(struct cursors *cursors, uint64_t memory);
/* What is owed may take another share from now on: that of another memory. */
void cursors_resize(struct cursors *cursors, uint64_t memory);

/* The record at `bytes` is being replaced, or has been moved: listings that have not come to
 * it yet owe its key from now on. Under the namespace's lock, and the bucket's. */
void cursors_revisit(struct store *store, const struct segment *segment, const char *bytes,
                     struct slice key);

/* When what listings owe takes much memory: ends those that have stood still for longest.
 * Under store.reclaim_lock, with no other lock. */
void cursors_end_stalled(struct store *store, uint64_t now);

#endif

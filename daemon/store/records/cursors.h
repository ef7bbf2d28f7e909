/*
 * cursors.h - listings under way: plain data. cursor.c tells how a listing proceeds.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_CURSORS_H
#define KVCACHED_DAEMON_STORE_RECORDS_CURSORS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/store/arena/lock.h"
#include "daemon/store/records/generation.h"
#include "daemon/store/records/revisits.h"
#include "daemon/store/store.h"

struct store_cursor {
    struct cursor_position at; /* where the first round is; ns->lock. Comes first */
    struct store *store;
    struct namespace *ns;          /* held; NULL: an empty listing */
    struct generation *generation; /* kept from being freed by being listed there */
    uint64_t bound;                /* the first round goes up to this link */
    uint64_t from;                 /* where the second is, of a map; reversed hash */
    struct revisits revisits;      /* ns->lock */
    bool broken;                   /* memory ran short; ns->lock */
    bool wants_notes;
    bool skips_values;
    bool crowded; /* the last step stopped before a value that may not be pinned for now */
    enum store_status status;     /* at the end */
    uint64_t progress;            /* `now` of the last step; 0: none yet; atomic */
    LIST_ENTRY(store_cursor) all; /* cursors.lock */
};

LIST_HEAD(cursor_list, store_cursor);

/* Of a store. */
struct cursors {
    struct lock lock;            /* guards `all`; a leaf */
    struct cursor_list all;      /* without empty listings */
    struct revisits_total total; /* memory of all keys to be revisited */
    uint64_t look_at;            /* when stalled listings are looked for next; store.reclaim_lock */
};

#endif

/*
 * cursor_state.h - what a listing is made of; for cursor.c, which has its first round, and
 * cursor_owed.c, which has the second one.
 */
#ifndef KVCACHED_DAEMON_STORE_ACCESS_CURSOR_STATE_H
#define KVCACHED_DAEMON_STORE_ACCESS_CURSOR_STATE_H

#include "daemon/store/access/cursor.h"
#include "daemon/store/records/lookup.h"

struct store_cursor {
    struct standpoint at; /* where the first round is; ns->lock. Comes first */
    struct store *store;
    struct namespace *ns;          /* held; NULL: an empty listing */
    struct generation *generation; /* kept from being freed by being listed there */
    uint64_t bound;                /* the first round goes up to this link */
    uint64_t from;                 /* where the second is, of a map; reversed hash */
    struct revisits owed;          /* ns->lock */
    bool broken;                   /* memory ran short; ns->lock */
    bool wants_notes;
    bool skips_values;
    bool crowded; /* the last step stopped before a value that may not be pinned for now */
    enum store_status status;     /* at the end */
    uint64_t progress;            /* `now` of the last step; 0: none yet; atomic */
    LIST_ENTRY(store_cursor) all; /* cursors.lock */
};

/* One step of either round, and the visitor. */
struct cursor_step {
    struct store_cursor *cursor;
    uint64_t now;
    size_t left; /* records that may still be looked at */
    store_visit *visit;
    void *context;
};

/* A record that a listing has come to. */
struct cursor_record {
    struct segment *segment;
    char *bytes;
    uint32_t offset; /* in the segment */
    uint64_t expires;
    struct record record;
};

/* Offers a record to the visitor, if it lives; false: the visitor wants to stop before it.
 * `home`: its bucket, where that is locked, else NULL. */
bool cursor_offer(const struct cursor_step *step, const struct cursor_record *at,
                  struct bucket *home);

/* Goes on with the second round. False: the visitor wants to stop. *ended: nothing is owed any
 * more. */
bool cursor_revisit_give(struct cursor_step *step, bool *ended);

#endif

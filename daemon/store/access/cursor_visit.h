/*
 * cursor_visit.h - a step of a listing, and how a record is offered to its visitor.
 *
 * cursor.c has the first round of a listing, cursor_second.c the second one; both offer records.
 */
#ifndef KVCACHED_DAEMON_STORE_ACCESS_CURSOR_VISIT_H
#define KVCACHED_DAEMON_STORE_ACCESS_CURSOR_VISIT_H

#include "daemon/store/records/cursors.h"
#include "daemon/store/records/lookup.h"

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

#endif

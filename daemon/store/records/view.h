/*
 * view.h - values that are read where they lie: see struct store_view in store.h.
 *
 * A small value is read with its bucket locked, until the view is given back. A large one is
 * pinned: its segment stays for as long as the view does, and no lock is held.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_VIEW_H
#define KVCACHED_DAEMON_STORE_RECORDS_VIEW_H

#include "daemon/store/records/lookup.h"

/* Whether a view of it is pinned. */
static inline bool view_is_pinned(const struct record *record)
{
    return record->span || record->value_length > STORE_COPY_MAX;
}

/* Of a record whose views are pinned. False: for now too much is. The bucket or the namespace is
 * locked. */
bool view_may_pin(struct store *store, struct segment *segment, const struct record *record,
                  uint64_t now);

/* A view that may outlive all locks: the segment is kept for it. Under the lock of the bucket
 * or of the namespace. */
void view_pin(struct store *store, struct segment *segment, const struct record *record,
              struct store_view *view);

/* Fills in all but what belongs to store_inspect alone, or to views that are pinned. */
static inline void view_describe(const struct record *record, struct store_view *view)
{
    view->length = record->value_length;
    view->bytes = record->value;
    view->client_flags = record->client_flags;
    view->pinned = false;
}

/* A view of a small value that was found: its bucket stays locked until the view is given back. */
static inline void view_hold(struct bucket *home, const struct found *found,
                             struct store_view *view)
{
    view_describe(&found->record, view);
    view->held = home;
    view->expires = found->expires == SEGMENT_NEVER ? STORE_NEVER : found->expires;
}

/* A view of what was found; the bucket stays locked until view_unlock, and for a small
 * value until the view is given back. */
static inline void view_open(struct store *store, struct bucket *home, const struct found *found,
                             struct store_view *view)
{
    if (!view_is_pinned(&found->record)) {
        view_hold(home, found, view);
        return;
    }
    view_pin(store, found->segment, &found->record, view);
    view->expires = found->expires == SEGMENT_NEVER ? STORE_NEVER : found->expires;
}
static inline void view_unlock(struct bucket *home, const struct store_view *view)
{
    if (view->pinned) {
        index_unlock(home);
    }
}

#endif

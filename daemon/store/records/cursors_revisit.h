/*
 * cursors_revisit.h - what listings under way are told of changes to the records that they list.
 *
 * A listing that has not come to a record yet has to come back to its key when the record is
 * written again or moved. The keys to be revisited take memory beside the store's, which is
 * bounded: a listing that needs more than there is ends early, with STORE_FELL_BEHIND.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_CURSORS_REVISIT_H
#define KVCACHED_DAEMON_STORE_RECORDS_CURSORS_REVISIT_H

#include "daemon/store/records/state.h"

void cursors_init(struct cursors *cursors, uint64_t memory);
/* The keys to be revisited may take another share from now on: that of another memory. */
void cursors_resize(struct cursors *cursors, uint64_t memory);

/* The record at `bytes` is being replaced, or was moved: listings that have not come to it yet
 * have to revisit its key. Under the locks of the namespace and of the bucket. */
void cursors_revisit(struct store *store, const struct segment *segment, const char *bytes,
                     struct slice key);

/* Where the keys to be revisited take much memory: ends the listings that were not stepped for
 * longest. Under store.reclaim_lock, with no other lock. */
void cursors_end_stalled(struct store *store, uint64_t now);

#endif

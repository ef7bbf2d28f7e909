/*
 * shrink.h - a store whose memory becomes another while it is used.
 *
 * More memory is there at once. Less is a target: the budget's limit follows what is used down
 * to it, so that nothing is taken that was not given back before, and every step of housekeeping
 * gives some back. What costs no record goes first: free frames, free buckets of the index. Then
 * records are evicted, until the rest can be won from tables that have become sparse: these are
 * squeezed once, at the end, since what they hold has to be moved for it.
 *
 * Under store.reclaim_lock, but for what is marked.
 */
#ifndef KVCACHED_DAEMON_STORE_RECLAIM_SHRINK_H
#define KVCACHED_DAEMON_STORE_RECLAIM_SHRINK_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/store/records/state.h"

/* Begins to shrink where more is used than store.memory. */
void shrink_begin(struct store *store);

/* A step towards store.memory; the effort, or 0 when there is nothing to do. */
size_t shrink_step(struct store_thread *thread, uint64_t now);

/* For a writer that has to make room: while the store shrinks it gives some back first, for what
 * writers make room for is used again at once. */
void shrink_help(struct store_thread *thread, uint64_t now);

#endif

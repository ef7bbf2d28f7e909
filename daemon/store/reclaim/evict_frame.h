/*
 * evict_frame.h - emptying a frame that small segments and pieces of large records share.
 *
 * A frame is emptied for one of two reasons. Either much of it is dead or free: then all living
 * records are moved, and the frame's free blocks are not allocated meanwhile. Or one of its
 * segments was the oldest of all: then what is not fresh is evicted with it, and of the rest small
 * records are moved. Namespaces with a quota lose nothing by either.
 *
 * It is done in steps: a writer needs one small segment, and to empty all of a frame takes as long
 * as 100 writes.
 *
 * Under store.reclaim_lock, with no namespace or bucket locked.
 */
#ifndef KVCACHED_DAEMON_STORE_RECLAIM_EVICT_FRAME_H
#define KVCACHED_DAEMON_STORE_RECLAIM_EVICT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct segment;
struct store;
struct store_thread;

/* Begins to empty a frame without a loss of records. False: it cannot be emptied, or it is not
 * worth it. */
bool evict_frame_begin(struct store *store, uint32_t frame);
/* Does a step with the frame that was begun. Returns the effort, in records; 0: there is none. */
size_t evict_frame_continue(struct store_thread *thread, uint64_t now);
/* Empties the segment, and the frame that it shares with others; returns the effort. */
size_t evict_frame_around(struct store_thread *thread, struct segment *segment, uint64_t now);

#endif

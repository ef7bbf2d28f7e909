/*
 * evict_frame.h - emptying a frame that small segments and pieces of large records share.
 *
 * Either because much of it is dead or free: then what lives is moved, all of it, and what is
 * free of the frame is not given out meanwhile. Or because one of its segments was the oldest of
 * all: then what is not fresh goes with it, and of the rest what is small is moved. Namespaces with
 * a quota lose nothing by either.
 *
 * It is done in steps: where segments are small, one of them is what a writer needs, and all
 * of them take as long as a hundred writes.
 *
 * Under store.reclaim_lock.
 */
#ifndef KVCACHED_DAEMON_STORE_RECLAIM_EVICT_FRAME_H
#define KVCACHED_DAEMON_STORE_RECLAIM_EVICT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct segment;
struct store;
struct store_thread;

/* False when it cannot be emptied, or it does not pay. */
bool evict_frame_begin(struct store *store, uint32_t frame);
/* Goes on with the one that was begun; returns the effort, 0 when there is none. */
size_t evict_frame_continue(struct store_thread *thread, uint64_t now);
/* Empties the segment, and the frame that it shares with others; returns the effort. */
size_t evict_frame_around(struct store_thread *thread, struct segment *segment, uint64_t now);

#endif

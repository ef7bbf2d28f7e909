/*
 * span_move.h - moving a large record to other blocks.
 *
 * With store.reclaim_lock held, and no namespace or bucket locked.
 */
#ifndef KVCACHED_DAEMON_STORE_RECLAIM_SPAN_MOVE_H
#define KVCACHED_DAEMON_STORE_RECLAIM_SPAN_MOVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct segment;
struct store;
struct store_thread;

/* Whether a large record is worth the copying, there are frames for what it fills of such, and it
 * may be moved at all: nobody sends it or lists its namespace. */
bool span_may_move(struct store *store, const struct segment *segment);
/* Moves it and frees its blocks. False when it stays, for want of room, or has just gone; in
 * that case they may be free, too. */
bool span_move(struct store_thread *thread, struct segment *segment, uint64_t now, size_t *effort);

#endif

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

/* Whether a large record can be moved: it is small enough to be copied at once, there are frames
 * for it, and no reader pins it. */
bool span_may_move(struct store *store, const struct segment *segment);
/* Moves it and frees its blocks. Adds to *effort. False: there is no room, or the record was
 * removed meanwhile; then its blocks may be free, too. */
bool span_move(struct store_thread *thread, struct segment *segment, uint64_t now, size_t *effort);

#endif

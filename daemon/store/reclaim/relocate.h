/*
 * relocate.h - moving what lives out of a segment that stands in the way.
 *
 * With store.reclaim_lock held, and no namespace or bucket locked. An effort is a number of
 * records that were looked at, at least 1 when anything was done.
 */
#ifndef KVCACHED_DAEMON_STORE_RECLAIM_RELOCATE_H
#define KVCACHED_DAEMON_STORE_RECLAIM_RELOCATE_H

#include <stddef.h>
#include <stdint.h>

struct segment;
struct store_thread;

/* Moves what lives in a segment to others, as far as there is room. Frees the segment if all of it
 * could be moved. Returns the effort. */
size_t relocate_segment(struct store_thread *thread, struct segment *segment, uint64_t now);

#endif

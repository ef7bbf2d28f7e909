/*
 * reclaim.h - freeing segments, generations and namespaces that hold nothing.
 *
 * With store.reclaim_lock held, and no namespace or bucket locked. An effort is a number of
 * records that were looked at, at least 1 when anything was done.
 */
#ifndef KVCACHED_DAEMON_STORE_RECLAIM_RECLAIM_H
#define KVCACHED_DAEMON_STORE_RECLAIM_RECLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct namespace;
struct segment;
struct store;
struct store_thread;

/* Empties and frees one segment of a flushed generation; 0 when there is none. */
size_t reclaim_flushed(struct store_thread *thread);
/* Frees the segments that an empty generation still has: its open ones. */
void reclaim_dead_segments(struct store *store, struct namespace *ns);
/* Removes an undeclared namespace that is empty and not in use. */
void reclaim_if_unused(struct store *store, struct namespace *ns);
enum { RECLAIM_ROUND = 64 /* namespaces */ };

/* Frees generations and namespaces that no thread can see any more, so many rounds of
 * RECLAIM_ROUND namespaces at most. True: there is more. */
bool reclaim_gone(struct store *store, int rounds);

/* Unlinks and frees a segment all of whose records are dead. False if some live. */
bool reclaim_segment(struct store *store, struct segment *segment);

#endif

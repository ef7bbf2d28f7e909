/*
 * purge.h - removing records that have expired.
 *
 * With store.reclaim_lock held, and no namespace or bucket locked. An effort is a number of
 * records that were looked at, at least 1 when anything was done.
 */
#ifndef KVCACHED_DAEMON_STORE_RECLAIM_PURGE_H
#define KVCACHED_DAEMON_STORE_RECLAIM_PURGE_H

#include <stddef.h>
#include <stdint.h>

struct store;
struct store_thread;

/* Purges the next segment in which something has expired; 0 when none is due. */
size_t purge_next(struct store_thread *thread, uint64_t now);
/* Grants effort for segments of which little has expired, by the time that passed; once a slice
 * of housekeeping. */
void purge_grant(struct store *store, uint64_t now);

#endif

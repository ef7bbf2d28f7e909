/*
 * compact.h - winning back the dead space between records that live.
 *
 * With store.reclaim_lock held, and no namespace or bucket locked; compact_move is for visitors.
 * An effort is a number of records that were looked at, at least 1 when anything was done.
 */
#ifndef KVCACHED_DAEMON_STORE_RECLAIM_COMPACT_H
#define KVCACHED_DAEMON_STORE_RECLAIM_COMPACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/reclaim/visit.h"

/* The next segment that lost half of its records; 0 when none waits. With
 * `pressing`, also where its remains will expire soon. */
size_t compact_next(struct store_thread *thread, uint64_t now, bool pressing);

/* Empties a linked segment by moving what lives, all but a large record. Or, if it was appended to
 * still, it is sealed. True when it came free, or a part of it. */
bool compact_segment(struct store_thread *thread, struct segment *segment, uint64_t now,
                     size_t *effort);

/* A record that is being visited goes to an open segment of its generation, among
 * those that are young or proven. It is fresh there as well if it lies behind `fresh_from`
 * (age_fresh_in). False when it has to stay: there is no room. */
bool compact_move(struct visited *visited, enum segment_queue queue, uint32_t fresh_from);

#endif

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

/* Compacts the next segment that lost half of its records; 0 when none is to be. Where half of the
 * memory is free, and of its namespace's quota, one that lost them less than a second ago is not,
 * unless `pressing`; nor is ever one whose remaining records expire soon, unless `pressing`. */
size_t compact_next(struct store_thread *thread, uint64_t now, bool pressing);

/* Empties a linked segment by moving all living records but a large one. An open segment with
 * unused space is sealed instead. Adds to *effort. True: the segment, or a part of it, is free. */
bool compact_segment(struct store_thread *thread, struct segment *segment, uint64_t now,
                     size_t *effort);

/* Moves a record that is being visited to an open segment of its generation, of that queue. It is
 * fresh there as well if it lies at `fresh_from` (age_fresh_in) or behind. False: it stays, since
 * there is no room. */
bool compact_move(struct visited *visited, enum segment_queue queue, uint32_t fresh_from);

#endif

/*
 * victims.h - a short list of the segments that rank highest.
 *
 * All segments are offered once; those of the highest rank are kept and then taken
 * one by one. By the time one is taken it may have been freed and used for
 * something else: then it is passed over. Under store.reclaim_lock.
 */
#ifndef KVCACHED_DAEMON_STORE_RECLAIM_VICTIMS_H
#define KVCACHED_DAEMON_STORE_RECLAIM_VICTIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/records/evict_state.h"
#include "daemon/store/records/segment.h"

/* Empties the list; it will keep `most` at most. */
void victims_clear(struct victims *victims, unsigned most);
void victims_offer(struct victims *victims, struct victim victim);
/* The one of the lowest rank is taken off, unless it is the only one. */
void victims_spare(struct victims *victims);
/* The one of the highest rank that is still what it was; NULL: none is left. */
struct segment *victims_take(struct victims *victims, const struct segments *segments);

/* Holds records of a namespace, and nobody sends from it: it would come free. */
bool victims_is_eligible(const struct segment *segment);

#endif

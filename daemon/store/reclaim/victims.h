/*
 * victims.h - a short list of the segments that rank highest.
 *
 * Segments are offered one by one; those of the highest rank are kept, and then taken. By the
 * time one is taken it may have been freed and used for something else: then it is passed over.
 * Under store.reclaim_lock.
 */
#ifndef KVCACHED_DAEMON_STORE_RECLAIM_VICTIMS_H
#define KVCACHED_DAEMON_STORE_RECLAIM_VICTIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/records/evict_state.h"
#include "daemon/store/records/segment.h"

/* Empties the list; it will keep `most` at most. */
void victims_clear(struct victims *victims, unsigned most);
/* Adds an entry, or drops the lowest rank if the list is full. */
void victims_offer(struct victims *victims, struct victim victim);
/* Drops the lowest rank, unless it is the only entry. */
void victims_spare(struct victims *victims);
/* Takes the highest rank off that still is the segment that was offered. NULL: none is left. */
struct segment *victims_take(struct victims *victims, const struct segments *segments);

/* The segment is linked to a namespace and no reader pins it: emptying it makes it free. */
bool victims_is_eligible(const struct segment *segment);

#endif

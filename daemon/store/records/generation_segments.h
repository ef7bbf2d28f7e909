/*
 * generation_segments.h - the segments of one generation.
 *
 * They are in a list, oldest first, and those that are still appended to are in a second,
 * shorter one. All calls are made with the lock of the generation's namespace held.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_GENERATION_SEGMENTS_H
#define KVCACHED_DAEMON_STORE_RECORDS_GENERATION_SEGMENTS_H

#include "daemon/store/records/generation.h"
#include "daemon/store/records/segment.h"

void generation_link(struct generation *generation, struct segments *segments,
                     struct segment *segment);
/* Moves listings that stand on it to the next one. */
void generation_unlink(struct generation *generation, struct segments *segments,
                       struct segment *segment);
/* Takes an open segment off the list of open ones; no harm to others. */
void generation_seal(struct generation *generation, struct segments *segments,
                     struct segment *segment);
/* Gives back the blocks that a sealed one did not use. */
void generation_shrink(struct generation *generation, struct segments *segments,
                       struct segment *segment);
/* A young one is proven from now on. */
void generation_prove(struct generation *generation, struct segments *segments,
                      struct segment *segment);

#endif

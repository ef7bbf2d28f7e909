/*
 * recover_segments.h - which segments a file holds; see recover.h.
 */
#ifndef KVCACHED_DAEMON_STORE_LIFECYCLE_RECOVER_SEGMENTS_H
#define KVCACHED_DAEMON_STORE_LIFECYCLE_RECOVER_SEGMENTS_H

#include "daemon/store/lifecycle/recovery.h"

/* Adopts the segments of current generations. False without memory. */
bool recover_segments(struct recover *recover);
/* Frees an adopted segment, pieces and all, and its labels. It is linked nowhere. */
void recover_drop(struct recover *recover, struct segment *segment);
/* Marks the units of a block as in use, or as free. */
void recover_claim(struct recover *recover, uint32_t unit, uint8_t order);
void recover_unclaim(struct recover *recover, uint32_t unit, uint8_t order);

#endif

/*
 * recover_records.h - the two walks over the records of a segment; see recover.h.
 */
#ifndef KVCACHED_DAEMON_STORE_LIFECYCLE_RECOVER_RECORDS_H
#define KVCACHED_DAEMON_STORE_LIFECYCLE_RECOVER_RECORDS_H

#include "daemon/store/lifecycle/recovery.h"

/* Checks the records of a segment: afterwards the ones that are not dead are right, and have
 * not expired. A large record that is not becomes SEGMENT_GONE. */
void recover_examine(struct recover *recover, struct segment *segment);
/* Brings them into the index and counts them. */
void recover_insert(struct recover *recover, struct segment *segment);

#endif

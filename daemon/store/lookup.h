/*
 * lookup.h - from a key to its record, and the end of a record.
 *
 * All of it happens with the key's bucket locked.
 */
#ifndef KVCACHED_LOOKUP_H
#define KVCACHED_LOOKUP_H

#include "daemon/store/state.h"

struct found {
    struct slot slot;
    struct segment *segment;
    char *bytes;
    struct record record;
    uint64_t expires; /* on the store's clock, or SEGMENT_NEVER */
};

/*
 * The record of that key in that generation, expired or not; false: there is
 * none. `home` is the locked bucket of at->hash.
 */
bool lookup(struct store *store, struct bucket *home, const struct store_key *at,
            struct found *found);

static inline bool found_lives(const struct found *found, uint64_t now)
{
    return now < found->expires;
}

/*
 * Makes sure that the key was located in the namespace's current generation: a
 * flush, or the making of the namespace, may have come in between. False when
 * the namespace does not exist.
 */
bool lookup_refresh(struct lane *lane, struct store_key *at);

/* Why a record ends, for the counters. */
enum burial { BURIED_REPLACED, BURIED_DELETED, BURIED_EXPIRED, BURIED_EVICTED };

/* Bytes that a record takes in its segment; for a span all of it. */
uint32_t record_footprint(const struct store *store, const struct record *record);

/*
 * The record is dead from now on: marked where it lies, taken off the counts, and
 * its segment left to the housekeeper if there is little else in it. The slot is
 * the caller's to empty or to turn elsewhere.
 */
void bury(struct lane *lane, struct segment *segment, char *bytes, const struct record *record,
          enum burial why);

#endif

/*
 * append.h - where a new record goes.
 *
 * Each generation has an open segment for each class of time to live that it
 * writes. All of this happens with the namespace's lock held.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_APPEND_H
#define KVCACHED_DAEMON_STORE_RECORDS_APPEND_H

#include "daemon/store/records/age_segment.h"
#include "daemon/store/records/state.h"

enum room {
    ROOM_FOUND,
    ROOM_QUOTA, /* the namespace has reached its quota */
    ROOM_ARENA, /* the arena is full */
};

/* What the room is for: a writer leaves the last frames to reclamation. */
enum appender { APPENDER_WRITER, APPENDER_RECLAIM };

enum { APPEND_RESERVE = 2 /* frames that a writer may not take */ };

/* What is to be appended, and how. */
struct append {
    uint64_t expires; /* or SEGMENT_NEVER */
    uint32_t size;    /* bytes; less than span_size */
    enum appender appender;
    enum segment_queue queue;
};

/* An open segment with room for it. */
enum room append_room(struct store *store, struct generation *generation,
                      const struct append *append, uint64_t now, struct segment **segment);

/*
 * Segments that reclamation opens are its own until what it was emptying is free, and the reserve
 * is whole. Else writers, which are faster, would fill them, and no frame would be left to make
 * room with. Then they are handed over.
 */
void append_hand_over(struct store *store, struct generation *generation);

/* Nothing is appended to that open segment any more. What it did not use goes back to the
 * arena, and what is left is compacted if little of it lives. */
void append_seal(struct store *store, struct generation *generation, struct segment *segment);

/* Bytes that tables leave to reclamation: the frames above, and numbers for the segments that it
 * opens. */
static inline uint64_t append_kept(const struct store *store)
{
    return APPEND_RESERVE * arena_frame_size(&store->arena) + segments_chunk_cost(&store->segments);
}

/* Whether the namespace is large enough to have proven records apart from young ones. */
bool append_separates(const struct generation *generation);

/*
 * Appends the record and counts it in its segment, not in its generation; `expires` may be
 * SEGMENT_NEVER. Sets the fields of *record that depend on the segment, and *footprint to the
 * bytes that it takes. Returns its place.
 */
uint32_t append_record(struct store *store, struct segment *segment, struct record *record,
                       uint64_t expires, uint32_t *footprint);

/* An upper bound of what the record will take in any segment. */
static inline uint32_t append_size(const struct store *store, const struct record *record,
                                   uint64_t expires)
{
    uint64_t size = (uint64_t)record_header_most(record, expires != SEGMENT_NEVER) +
                    record->key.length + record->value_length + store->segments.guard;
    return size > store->span_size ? store->span_size
                                   : place_aligned(&store->segments, (uint32_t)size);
}

/* Whether the namespace may own so many bytes more. */
bool append_quota_allows(const struct generation *generation, uint64_t bytes);

#endif

/*
 * append.h - where a new record goes.
 *
 * Each generation has an open segment for each class of time to live that it
 * writes. All of this happens with the namespace's lock held.
 */
#ifndef KVCACHED_APPEND_H
#define KVCACHED_APPEND_H

#include "daemon/store/state.h"

enum room {
    ROOM_FOUND,
    ROOM_QUOTA, /* the namespace has reached its quota */
    ROOM_ARENA, /* the arena is full */
};

/* Who asks: a writer leaves the last frames to those who make room. */
enum appender { APPENDER_WRITER, APPENDER_UPKEEP };

enum { APPEND_RESERVE = 2 /* frames that a writer may not take */ };

/* What is to be appended, and how. */
struct append {
    uint64_t expires; /* or SEGMENT_NEVER */
    uint32_t size;    /* bytes; less than span_size */
    enum appender who;
    enum segment_queue queue;
};

/* An open segment with room for it. */
enum room append_room(struct store *store, struct generation *generation,
                      const struct append *append, uint64_t now, struct segment **segment);

/*
 * Segments that upkeep opens are its own until what it was emptying is free, and the reserve is
 * whole, else writers who are faster would fill them, and no frame would be left to make room
 * with. Then they are handed over.
 */
void append_hand_over(struct store *store, struct generation *generation);

/* Nothing is appended to that open segment any more. What it did not use goes back to the
 * arena, and what is left is compacted if little of it lives. */
void append_seal(struct store *store, struct generation *generation, struct segment *segment);

/* Bytes that tables leave to those who make room: the frames above, and numbers for what they
 * open. */
static inline uint64_t append_kept(const struct store *store)
{
    return APPEND_RESERVE * arena_frame_size(&store->arena) + segments_shelf_cost(&store->segments);
}

/* Whether the namespace is large enough to have proven records apart from young ones. */
bool append_separates(const struct generation *generation);

/*
 * Appends the record and counts it; `expires` may be SEGMENT_NEVER. Sets the
 * fields of *record that depend on the segment. Returns its place.
 */
uint32_t append_record(struct store *store, struct segment *segment, struct record *record,
                       uint64_t expires);

/* The clock that the segment keeps to. */
static inline const struct age_clock *append_clock(const struct store *store,
                                                   const struct segment *segment)
{
    bool own = __atomic_load_n(&segment->own_clock, __ATOMIC_RELAXED);
    return own ? &segment->generation->age : &store->age;
}

/* What is appended next is fresh: it was written just now, or was not long ago. */
static inline void append_fresh(const struct store *store, struct segment *segment)
{
    age_append(&segment->age, segment->used, age_period(append_clock(store, segment)));
}

/* An upper bound of what the record will take in any segment. */
uint32_t append_size(const struct store *store, const struct record *record, uint64_t expires);

/* Whether the namespace may own so many bytes more. */
bool append_quota_allows(const struct generation *generation, uint64_t bytes);

#endif

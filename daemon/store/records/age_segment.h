/*
 * age_segment.h - which records of a segment are fresh, by the clocks of the store.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_AGE_SEGMENT_H
#define KVCACHED_DAEMON_STORE_RECORDS_AGE_SEGMENT_H

#include "daemon/store/records/state.h"

/* The clock that the segment keeps to. */
static inline const struct age_clock *age_clock_of(const struct store *store,
                                                   const struct segment *segment)
{
    bool own = __atomic_load_n(&segment->own_clock, __ATOMIC_RELAXED);
    return own ? &segment->generation->age : &store->age;
}

/* What is appended next is fresh: it was written just now, or was not long ago. */
static inline void age_note_fresh(const struct store *store, struct segment *segment)
{
    age_append(&segment->age, segment->used, age_period(age_clock_of(store, segment)));
}

/* So many bytes were written for the generation. Any thread, no lock. */
void age_count(struct store *store, struct generation *generation, uint64_t bytes);
/* The same of a record that was appended; under the namespace's lock. */
void age_count_record(struct store_thread *thread, struct generation *generation, uint32_t bytes);
/* A segment was opened for the first record of the generation; under the namespace's lock. */
void age_count_first(struct store *store, struct generation *generation);

/* The segment is new, and is the generation's. `fresh`: so is what comes into it; else that
 * is told one by one (age_note_fresh). */
void age_begin(const struct store *store, struct segment *segment,
               const struct generation *generation, bool fresh);
/* All that the segment will hold is there. */
void age_seal(const struct store *store, struct segment *segment);

/* age_fresh_from of a linked segment; under store.reclaim_lock. */
uint32_t age_fresh_in(const struct store *store, const struct segment *segment);

/* Of one that is appended to: nothing has been for a while, about a sixth of the memory. */
bool age_is_idle(const struct store *store, const struct segment *segment);

/* Nothing of the segment may be evicted yet. Of a large record: it may not. */
bool age_is_fresh(const struct store *store, const struct segment *segment);

#endif

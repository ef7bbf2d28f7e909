/*
 * age.h - how much was written since a record was: what is fresh is not evicted.
 *
 * A cache that drops what it has just stored is of no use to the client that stored it. So
 * a record is not evicted before a share of the memory was written after it, or a share of
 * the quota in a namespace that has one, read or not, whatever its size.
 *
 * Written is what records take that writers append, and of large ones the bytes of the value as
 * they come. The first record of a namespace counts for the block that it takes: else a store
 * of many small namespaces could be full and all of it fresh. A write that was refused though no
 * reader and no upload held memory counts, too, for the same reason. What is moved is not written.
 *
 * A clock counts it in periods; a period ends when AGE_PERIODS of them would make all of the
 * memory that no quota claims, or all of the quota. A record is fresh until AGE_FRESH periods have
 * begun since the one that it was written in, so that AGE_FRESH - 1 whole ones lie between: a
 * 32nd. Each is an eighth longer than that, and lanes count ahead by less than this eighth.
 *
 * A record has no room for a time. Its segment remembers where it ended at two moments that
 * are AGE_FRESH periods apart or more: what lies below a mark was there before. So all of a
 * sealed segment is known to be fresh or not, and of one that is appended to now and then
 * what lies below is no longer fresh though its end may be.
 *
 * A segment keeps to one clock: the store's, or that of its generation where the namespace
 * had a quota when the segment was made.
 */
#ifndef KVCACHED_AGE_H
#define KVCACHED_AGE_H

#include <stdbool.h>
#include <stdint.h>

struct generation;
struct lane;
struct segment;
struct store;

enum {
    AGE_PERIODS = 64,
    AGE_FRESH = 3,
    AGE_OPEN = 2 * AGE_FRESH - 1, /* periods after a mark in which appends that it does not
                                     tell of may have come */
    AGE_IDLE = 2 * AGE_OPEN,
    AGE_START = 64, /* a clock's first period: what has no marks is not fresh */
};

struct age_clock {
    uint64_t written; /* bytes; atomic */
    uint64_t end;     /* of the period, by `written`; atomic */
    uint32_t period;  /* atomic */
};

enum { AGE_UNIT_SHIFT = 4 /* marks are in units of 16 bytes */ };
#define AGE_ALL UINT16_MAX /* a mark: behind all that the segment will ever hold */

/* Of a segment; namespace.lock, but read by the holder of store.upkeep as they are. */
struct age_marks {
    uint16_t offset[2]; /* how much of the segment was used; the older one first */
    uint16_t period[2]; /* and when, as far as it can be told */
};

static inline uint32_t age_period(const struct age_clock *clock)
{
    return __atomic_load_n(&clock->period, __ATOMIC_RELAXED);
}

/* A mark of now, in place of the older one. */
static inline void age_mark(struct age_marks *marks, uint16_t offset, uint32_t period)
{
    __atomic_store_n(&marks->offset[0], marks->offset[1], __ATOMIC_RELAXED);
    __atomic_store_n(&marks->period[0], marks->period[1], __ATOMIC_RELAXED);
    __atomic_store_n(&marks->offset[1], offset, __ATOMIC_RELAXED);
    __atomic_store_n(&marks->period[1], (uint16_t)period, __ATOMIC_RELAXED);
}

/* A record is about to be appended at `used`. */
static inline void age_append(struct age_marks *marks, uint32_t used, uint32_t period)
{
    if ((uint16_t)(period - marks->period[1]) >= AGE_FRESH) {
        uint32_t units = used >> AGE_UNIT_SHIFT;
        age_mark(marks, (uint16_t)(units < AGE_ALL ? units : AGE_ALL - 1), period);
    }
}

/* Records from this byte on may be fresh; UINT32_MAX: none are. */
uint32_t age_fresh_from(const struct age_marks *marks, uint32_t period);

/* --- of the store's own --------------------------------------------------------- */

void age_start(struct age_clock *clock);

/* What there is is fresh no more. */
void age_pass(struct age_clock *clock);

/* So many bytes were written for the generation. Any thread, no lock. */
void age_count(struct store *store, struct generation *generation, uint64_t bytes);
/* The same of a record that was appended; under the namespace's lock. */
void age_count_record(struct lane *lane, struct generation *generation, uint32_t bytes);
/* A segment was opened for the first record of the generation; under the namespace's lock. */
void age_count_first(struct store *store, struct generation *generation);

/* The segment is new, and is the generation's. `fresh`: so is what comes into it; else that
 * is told one by one (append_note_fresh). */
void age_begin(const struct store *store, struct segment *segment,
               const struct generation *generation, bool fresh);
/* All that the segment will hold is there. */
void age_seal(const struct store *store, struct segment *segment);

/* age_fresh_from of a linked segment; under store.upkeep. */
uint32_t age_fresh_in(const struct store *store, const struct segment *segment);

/* Of one that is appended to: nothing has been for a while, about a sixth of the memory. */
bool age_is_idle(const struct store *store, const struct segment *segment);

/* Nothing of the segment may be evicted yet. Of a large record: it may not. */
bool age_is_fresh(const struct store *store, const struct segment *segment);

#endif

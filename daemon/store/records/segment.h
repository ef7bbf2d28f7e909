/*
 * segment.h - the table of segments.
 *
 * A segment is a block of the arena that one generation of one namespace fills
 * from the front with records of about the same time to live. Its bookkeeping
 * is here, apart from the records, so that a lookup finds it in the cache.
 * Segments are known by number; 0 is none.
 *
 * A large record has a segment of its own and may go on in further ones, its
 * pieces, chained by `piece`.
 *
 * Lives: segment_create makes one with one reference, the owner's. A reader that
 * sends a value from where it lies pins it, which is another (share.h). The last one that
 * is dropped frees it, pieces and all.
 *
 * With a file there is a label for each (file_segment.h), and each record has a guard in front
 * (record.h): the first one begins at `lead`, and what a record takes ends with the
 * guard of the next. Without a file both are of no size.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_SEGMENT_H
#define KVCACHED_DAEMON_STORE_RECORDS_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/arena/arena.h"
#include "daemon/store/arena/file_segment.h"
#include "daemon/store/arena/race_window.h"
#include "daemon/store/records/age.h"
#include "daemon/store/records/record.h"
#include "daemon/store/records/segment_numbers.h"

struct generation;

enum segment_state {
    SEGMENT_FREE,
    SEGMENT_OPEN,    /* records are appended */
    SEGMENT_SEALED,  /* no more */
    SEGMENT_WRITING, /* a large record that is not committed yet */
    SEGMENT_PIECE,   /* a further part of a large record; `previous` is its head */
    SEGMENT_GONE,    /* unlinked; readers still hold it */
};

/* Where its records stand with eviction, see evict.h. */
enum segment_queue {
    SEGMENT_YOUNG,  /* written not long ago */
    SEGMENT_PROVEN, /* and were read, or missed, after they were looked at */
    SEGMENT_QUEUES,
};

/* A segment's references, in one word, so that they change together. */
#define SEGMENT_OWNER UINT64_C(1)
#define SEGMENT_PIN   UINT64_C(2)         /* of one reader; there are up to 2^30 */
#define SEGMENT_POOL  (UINT64_C(1) << 32) /* what is pinned counts in the pool */
enum { SEGMENT_COUNTED = 33 };            /* from this bit on: units that count as pinned */

struct segment {
    /* The first half is what a lookup reads. */
    struct generation *generation; /* its owner; atomic */
    uint64_t base_time;            /* ms; expiries of its records are relative to it */
    uint64_t version;              /* of what lies at its first byte; that of a record is so
                                      much above it as the record lies behind. Of a span,
                                      of the record's own choice (span.h); atomic */
    uint64_t latest;               /* the last expiry; namespace.lock. Of a span: its expiry,
                                      atomic */
    uint64_t seed;                 /* with a file: of the guards in it */
    uint32_t unit;                 /* where in the arena */
    uint32_t piece;                /* the next piece of a span */
    uint32_t serial;               /* rises with every segment made: its age */
    uint8_t state;                 /* enum segment_state; atomic */
    uint8_t order;                 /* of its block; atomic */
    uint8_t class;                 /* of time to live, see ttl.h */
    uint8_t queue;                 /* enum segment_queue; atomic, changed under
                                      namespace.lock */
    struct age_marks age;          /* how fresh its records are; namespace.lock */
    /* The second half is what writes change. */
    _Alignas(64) uint64_t earliest; /* the first expiry, as far as known; namespace.lock */
    uint64_t due;                   /* when the purge will look at it; expire.lock */
    uint64_t references;            /* SEGMENT_OWNER, and readers; atomic */
    uint32_t used;                  /* bytes appended; atomic, changed under namespace.lock */
    uint32_t dead;                  /* of `used`, what is no record that lives; less than nothing
                                       where a large record goes on in pieces; atomic */
    uint32_t next, previous;        /* in the generation's list; namespace.lock */
    uint32_t open_next;             /* the next open one of the generation; namespace.lock */
    uint32_t queued;                /* the next one waiting for the housekeeper; backlog.lock */
    uint8_t waiting;                /* whether it is queued; backlog.lock */
    uint8_t own_clock;              /* `age` is of the generation's clock; atomic */
    uint8_t span;                   /* one large record, which may have pieces; constant */
    uint8_t moving;                 /* opened for what is moved: see append.h; namespace.lock */
    uint32_t queued_at;             /* by the backlog's clock; backlog.lock */
    uint64_t link;                  /* rises along the generation's list; namespace.lock */
};

_Static_assert(sizeof(struct segment) == 128, "a segment is two lines of the processor's cache");

struct segments {
    struct arena *arena;   /* not owned */
    struct file *file;     /* NULL: none; not owned */
    uint32_t guard;        /* bytes before each record: 0 or RECORD_GUARD */
    uint32_t lead;         /* where the first record of a segment is */
    struct segment *table; /* reserved for as many as there may be units */
    uint32_t *by_frame;    /* which segment fills the frame; SEGMENTS_SHARED:
                              look into by_unit */
    uint32_t *by_unit;
    struct lock lock;               /* guards what follows */
    struct segment_numbers numbers; /* numbers that are free */
    uint32_t segment_numbers_open;  /* those before this one may be there */
    uint32_t in_use;                /* atomic */
    uint64_t returns;               /* how often space went back to the arena; atomic */
    uint32_t serial;                /* the last one given; atomic */
    uint64_t version;               /* the next one that was never given; atomic */
    uint64_t versions_told;         /* the file knows of those below */
};

#define SEGMENTS_SHARED UINT32_MAX

/* With a file, if the arena lies in one. */
bool segments_init(struct segments *segments, struct arena *arena);
void segments_deinit(struct segments *segments);

/* The tables can be used for so many frames of the arena. False with errno. */
bool segments_open(struct segments *segments, uint32_t frames);

/* Numbers of segments that there are, or were, are below this. */
static inline uint32_t segments_end(const struct segments *segments)
{
    return __atomic_load_n(&segments->numbers.end, __ATOMIC_ACQUIRE) * NUMBER_CHUNK_NUMBERS;
}

bool segments_has_chunk(struct segments *segments, uint32_t chunk);
/* What a chunk of numbers takes in tables, in bytes. */
uint64_t segments_chunk_cost(const struct segments *segments);
/*
 * Where none of a chunk's numbers is in use none will be given out any more. False: some are.
 * Then the caller gives the segments' memory back, if nothing waits on any of them, and says in
 * segments_end_chunk whether it did: the rest of what the chunk takes goes too, or its numbers
 * can be had again.
 */
bool segments_close_chunk(struct segments *segments, uint32_t chunk);
void segments_end_chunk(struct segments *segments, uint32_t chunk, bool goes);

static inline struct segment *segment_at(const struct segments *segments, uint32_t number)
{
    return &segments->table[number];
}

static inline uint32_t segment_number(const struct segments *segments, const struct segment *s)
{
    return (uint32_t)(s - segments->table);
}

/*
 * A new segment over a fresh block, with one reference, linked nowhere; 0 when
 * the arena has no block of that order. See arena_alloc for `reserve`.
 */
uint32_t segment_create(struct segments *segments, struct generation *generation,
                        enum segment_state state, uint8_t order, uint32_t reserve, uint64_t now);

/* Bytes of memory that the next segment would take in tables: a hint. */
uint64_t segments_lack(const struct segments *segments);

/* A version above all that were given so far. */
static inline uint64_t segments_next_version(struct segments *segments)
{
    return __atomic_fetch_add(&segments->version, 1, __ATOMIC_RELAXED);
}

/*
 * At the start, of a store that a file was kept of: a segment as its label tells of it, linked
 * nowhere, with one reference, sealed or a piece, and its records not counted yet. Of a large
 * record, `previous` and the pieces are the caller's. When all are there, segments_adopted.
 */
void segment_adopt(struct segments *segments, uint32_t number, struct generation *generation,
                   const struct file_segment_fields *facts);
/* Labels of those that were adopted, and of their neighbours, can be written. False: no space. */
bool segments_back_labels(struct segments *segments);
/* Numbers that are in use are paid for, and the others on their chunks are free. */
void segments_adopted(struct segments *segments);
/* One that was adopted needs no more than this of its block. True when it became less;
 * the rest is the caller's to free. */
bool segment_narrow(struct segments *segments, struct segment *segment);

/* Drops the owner's reference of a segment that nothing pins, or frees one whose last
 * reference is gone. */
void segment_put(struct segments *segments, struct segment *segment);
void segment_free(struct segments *segments, struct segment *segment);

static inline bool segment_has_pins(uint64_t references)
{
    return (uint32_t)references >= SEGMENT_PIN;
}

static inline bool segment_is_pinned(const struct segment *segment)
{
    return segment_has_pins(__atomic_load_n(&segment->references, __ATOMIC_ACQUIRE));
}

/* Bytes that the word says are pinned. */
static inline uint64_t segment_counted(uint64_t references)
{
    return references >> SEGMENT_COUNTED << ARENA_UNIT_SHIFT;
}

/* Gives back the blocks beyond what is used, when no more is to be appended. Under
 * the namespace's lock. Returns how many bytes came free. */
uint32_t segment_shrink(struct segments *segments, struct segment *segment);

/* Without the namespace's lock it may shrink at any time. */
static inline uint8_t segment_order(const struct segment *segment)
{
    return __atomic_load_n(&segment->order, __ATOMIC_RELAXED);
}

static inline uint32_t segment_capacity(const struct segment *segment)
{
    return (uint32_t)arena_block_size(segment_order(segment));
}

/* Bytes of what is appended that are no living record's. Not of a span. */
static inline uint32_t segment_dead(const struct segment *segment)
{
    return __atomic_load_n(&segment->dead, __ATOMIC_ACQUIRE);
}

/* Bytes of records that are not dead. What dies is counted, not what lives: so to append, which may
 * be done by one thread at a time, takes no atomic addition. Without the namespace's lock it may be
 * a record more than there is, never less. */
static inline uint32_t segment_live(const struct segment *segment)
{
    uint32_t dead = __atomic_load_n(&segment->dead, __ATOMIC_ACQUIRE);
    return __atomic_load_n(&segment->used, __ATOMIC_RELAXED) - dead;
}

static inline void segment_set_live(struct segment *segment, uint32_t live)
{
    __atomic_store_n(&segment->dead, segment->used - live, __ATOMIC_RELAXED);
}

/* Worth compacting: no more than half of it lives. */
static inline bool segment_is_half_dead(const struct segment *segment)
{
    return segment_live(segment) <= segment_capacity(segment) / 2;
}

static inline char *segment_bytes(const struct segments *segments, const struct segment *segment)
{
    return arena_at(segments->arena, segment->unit);
}

static inline enum segment_state segment_state(const struct segment *segment)
{
    return (enum segment_state)__atomic_load_n(&segment->state, __ATOMIC_ACQUIRE);
}

static inline enum segment_queue segment_queue(const struct segment *segment)
{
    return (enum segment_queue)__atomic_load_n(&segment->queue, __ATOMIC_RELAXED);
}

/* Linked to a generation: it holds, or held, records that can be found. */
static inline bool segment_is_linked(const struct segment *segment)
{
    enum segment_state state = segment_state(segment);
    return state == SEGMENT_OPEN || state == SEGMENT_SEALED;
}

/*
 * The generation that it is linked to; NULL: none. For callers that have only its number, from a
 * queue, a list or a unit: it may be free by now, or belong to another. Under store.reclaim_lock,
 * where what is linked stays so and its generation with it. The state is read first: before it says
 * that the segment is linked the owner may be one that was freed.
 */
static inline struct generation *segment_owner(const struct segment *segment)
{
    if (!segment_is_linked(segment)) {
        return NULL;
    }
    race_window_pass(WINDOW_OWNER);
    return __atomic_load_n(&segment->generation, __ATOMIC_RELAXED);
}

/* Bytes of memory, about; of a large record with its pieces. */
static inline uint64_t segment_weight(const struct segment *segment)
{
    uint32_t live = segment_live(segment);
    uint32_t capacity = segment_capacity(segment);
    return live > capacity ? live : capacity;
}

/* --- places: 32 bits that say where in the arena a record begins --------- */

static inline uint32_t place_of(const struct segments *segments, const struct segment *segment,
                                uint32_t offset)
{
    uint64_t byte = ((uint64_t)segment->unit << ARENA_UNIT_SHIFT) + offset;
    return (uint32_t)(byte >> segments->arena->place_shift);
}

static inline char *place_bytes(const struct segments *segments, uint32_t place)
{
    return segments->arena->base + ((uint64_t)place << segments->arena->place_shift);
}

static inline struct segment *place_segment(const struct segments *segments, uint32_t place)
{
    const struct arena *arena = segments->arena;
    uint64_t byte = (uint64_t)place << arena->place_shift;
    uint32_t number = __atomic_load_n(
        &segments->by_frame[byte >> (arena->frame_order + ARENA_UNIT_SHIFT)], __ATOMIC_ACQUIRE);
    if (number == SEGMENTS_SHARED) {
        number = __atomic_load_n(&segments->by_unit[byte >> ARENA_UNIT_SHIFT], __ATOMIC_RELAXED);
    }
    return segment_at(segments, number);
}

/* Bytes that a record of `size` takes with the alignment of places. */
static inline uint32_t place_aligned(const struct segments *segments, uint32_t size)
{
    uint32_t mask = (1u << segments->arena->place_shift) - 1;
    return (size + mask) & ~mask;
}

/* --- segments in a file ---------------------------------------------------- */

static inline uint64_t segment_guard_seed(uint64_t seed, uint32_t offset)
{
    return seed + offset * UINT64_C(0x9e3779b97f4a7c15); /* odd: 2^64 / golden ratio */
}

/* The guard of a record of `size` bytes that has just been written there. */
static inline void segment_guard(const struct segments *segments, const struct segment *segment,
                                 uint32_t offset, uint32_t size)
{
    record_guard(segment_bytes(segments, segment) + offset, size,
                 segment_guard_seed(segment->seed, offset));
}

/* Writes its label, which has no owner yet, and sets the seed of its guards. The caller has
 * filled in what a segment does not know of itself: kind, owner, version as it was made, bound,
 * sum, expires and stale. */
void segment_describe(struct segments *segments, struct segment *segment,
                      struct file_segment_fields *facts);

/* --- records of a segment ------------------------------------------------ */

/* Bytes that a record of that size takes in its segment; for a span all of it. */
static inline uint32_t record_footprint_of(const struct segments *segments,
                                           const struct record *record, uint32_t size)
{
    return record->span ? size : place_aligned(segments, size + segments->guard);
}

static inline uint32_t record_footprint(const struct segments *segments,
                                        const struct record *record)
{
    return record_footprint_of(segments, record, record_size(record));
}

/* The same of a record that was read there, which is known sooner. */
static inline uint32_t record_footprint_at(const struct segments *segments, const char *bytes,
                                           const struct record *record)
{
    uint32_t size = (uint32_t)(record->value - bytes) + record->value_length;
    return record_footprint_of(segments, record, size);
}

/* Decodes the record at `bytes`, which lies in `segment`. *expires: on the
 * store's clock, or SEGMENT_NEVER. */
static inline __attribute__((always_inline)) void segment_record(const struct segment *segment,
                                                                 const char *bytes,
                                                                 struct record *record,
                                                                 uint64_t *expires)
{
    record_read(bytes, record);
    if (record->expires) {
        *expires = segment->base_time + record->after;
    } else if (record->span) {
        *expires = __atomic_load_n(&segment->latest, __ATOMIC_RELAXED);
    } else {
        *expires = SEGMENT_NEVER;
    }
}

#endif

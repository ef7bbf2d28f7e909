/*
 * recover.h - making a store of what an arena file holds.
 *
 * Names give the namespaces and their generations, labels the segments; what belongs to no
 * current generation is freed. The segments are walked twice, by several threads: first
 * every record is checked and what is not whole, or not alive, is marked as dead; then the
 * others go into the index. That comes second because to look into the index is to read
 * other segments' records. Of two records of one key that both live any may stay: the
 * process ended between the commit of the newer and the burial of the older, so nobody was
 * told that it was written.
 *
 * Nothing is written that was not so before in meaning: records are marked as dead, segments
 * become shorter, labels become free. So recovery may be ended at any point and begun again.
 *
 * It can be cancelled in between: then the file is as good as it was.
 *
 * recover.c, recover_segments.c, recover_records.c and recover_threads.c include it, and store.c
 * for the first function.
 */
#ifndef KVCACHED_DAEMON_STORE_LIFECYCLE_RECOVER_H
#define KVCACHED_DAEMON_STORE_LIFECYCLE_RECOVER_H

#include "daemon/store/arena/file_namespace.h"
#include "daemon/store/arena/file_segment.h"
#include "daemon/store/records/state.h"

/*
 * All parts of the store are initialised and empty, and its file was kept. `now` is on the
 * store's clock. Evicts what does not fit into the memory. False, with errno, without memory
 * for it.
 */
bool recover_store(struct store *store, const struct store_options *options, uint64_t now,
                   struct store_recovery *found);

/* --- for the files of recovery ------------------------------------------------ */

struct recover {
    struct store *store;
    uint64_t now;
    unsigned threads;
    void (*progress)(void *context, uint64_t done, uint64_t all); /* bytes; or NULL */
    bool (*cancelled)(void *context);                             /* or NULL */
    void *context;
    bool gives_up;                /* atomic: it was cancelled */
    struct store_recovery *found; /* its counts: atomic while segments are walked */
    /* recover_segments.c */
    uint64_t *claimed;          /* a bit for each unit of the arena */
    struct generation **owners; /* current ones, by number */
    size_t owner_count;
    uint32_t *segments; /* numbers of those that were adopted, pieces left out */
    size_t count;
    uint64_t newest; /* a version above all that labels tell of */
    /* recover_threads.c */
    size_t next;     /* of `segments`, to be walked; atomic */
    uint64_t walked; /* bytes; atomic */
    uint64_t to_walk;
    uint64_t alive; /* records that may go into the index; atomic */
};

/* --- recover_segments.c --- */

/* Adopts the segments of current generations. False without memory. */
bool recover_segments(struct recover *recover);
/* Frees an adopted segment, pieces and all, and its labels. It is linked nowhere. */
void recover_drop(struct recover *recover, struct segment *segment);
/* Marks the units of a block as in use, or as free. */
void recover_claim(struct recover *recover, uint32_t unit, uint8_t order);
void recover_unclaim(struct recover *recover, uint32_t unit, uint8_t order);

static inline struct segment_entry *recover_label(const struct recover *recover,
                                                  const struct segment *segment)
{
    const struct segments *segments = &recover->store->segments;
    return &segments->file->segments[segment_number(segments, segment)];
}

/* A large record, alone in its segment and its pieces. */
static inline bool recover_is_span(const struct recover *recover, const struct segment *segment)
{
    return (recover_label(recover, segment)->shape >> 8 & 0xff) == FILE_SEGMENT_SPAN;
}

/* --- recover_threads.c --- */

typedef void recover_work(struct recover *recover, struct segment *segment);

/* Has it done for all adopted segments, on several threads at once. False, with ECANCELED, where
 * it was cancelled meanwhile. */
bool recover_each(struct recover *recover, recover_work *backlog);

/* The calling thread's. */
bool recover_is_cancelled(struct recover *recover);

static inline void recover_count(uint64_t *figure, uint64_t by)
{
    __atomic_fetch_add(figure, by, __ATOMIC_RELAXED);
}

/* --- recover_records.c: two kinds of work --- */

/* Checks the records of a segment: afterwards those that are not dead are right, and have
 * not expired. A large record that is not becomes SEGMENT_GONE. */
recover_work recover_examine;
/* Brings them into the index and counts them. */
recover_work recover_insert;

#endif

/*
 * recovery.h - what the files of recovery share. See recover.h.
 */
#ifndef KVCACHED_DAEMON_STORE_LIFECYCLE_RECOVERY_H
#define KVCACHED_DAEMON_STORE_LIFECYCLE_RECOVERY_H

#include "daemon/store/arena/file_segment.h"
#include "daemon/store/records/state.h"

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
    uint32_t *segments; /* numbers of the adopted ones, without pieces */
    size_t count;
    uint64_t newest; /* a version above all that labels tell of */
    /* recover_threads.c */
    size_t next;     /* of `segments`, to be walked; atomic */
    uint64_t walked; /* bytes; atomic */
    uint64_t to_walk;
    uint64_t alive; /* records that may go into the index; atomic */
};

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

static inline void recover_count(uint64_t *figure, uint64_t by)
{
    __atomic_fetch_add(figure, by, __ATOMIC_RELAXED);
}

#endif

/*
 * evict_state.h - what eviction keeps from one step to the next: plain data. See evict.h.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_EVICT_STATE_H
#define KVCACHED_DAEMON_STORE_RECORDS_EVICT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/records/segment.h"

enum { VICTIMS_MAX = 256 };

struct victim {
    uint32_t segment;
    uint32_t serial; /* what the segment's was when it was offered */
    uint32_t rank;
};

struct victims {
    unsigned most;
    unsigned count;
    struct victim entries[VICTIMS_MAX]; /* the highest rank last */
};

/* Under store.reclaim_lock. */
struct evict {
    struct victims wasteful;            /* by dead space: emptied without losses */
    struct victims sparse;              /* frames, by what is free of them: likewise */
    struct victims old[SEGMENT_QUEUES]; /* by age */
    uint64_t saved;                     /* bytes that proven segments may keep beyond their share */
    uint64_t bytes[SEGMENT_QUEUES];     /* of the pool's segments in the sample, about */
    uint32_t hand, frame_hand;          /* where the samples begin */
    uint32_t unit, units_end;           /* of a frame that is being emptied; equal: of none */
    bool drops;                         /* which loses records by that */
    bool fills;                         /* what lives in it goes to what is left of others, */
    bool thrifty;                       /* and is going there now: no other frame is cut */
    bool whole;                         /* what is being emptied is a frame's only segment */
    uint32_t vain;                      /* frames that were not empty in the end, */
    uint32_t period;                    /* in this period (age.h) */
    bool found_waste;                   /* when the lists were made there was some: look again,
                                           before a record that lives is dropped */
};

#endif

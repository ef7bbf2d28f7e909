/*
 * housekeep.h - giving space back: what the housekeeper does in slices, and what a
 * writer does itself when it cannot wait.
 *
 * store_housekeep and store_wants_housekeeping are in store.h.
 */
#ifndef KVCACHED_DAEMON_STORE_RECLAIM_HOUSEKEEP_H
#define KVCACHED_DAEMON_STORE_RECLAIM_HOUSEKEEP_H

#include "daemon/store/records/append.h"
#include "daemon/store/records/state.h"

/* What a writer lacks. */
enum lack {
    LACK_QUOTA,  /* space inside its namespace's quota */
    LACK_ARENA,  /* space in the arena */
    LACK_BUDGET, /* memory for the index or a table */
};

/* Whether a writer waits for room: then whoever holds store.reclaim_lock is to let go of it soon,
 * and to sleep. To take it again at once would not do, for whoever does that has it before the one
 * who is woken for it. */
static inline bool housekeep_writers_wait(const struct store *store)
{
    return __atomic_load_n(&store->waiting_writers, __ATOMIC_RELAXED) > 0;
}

/* How often a writer makes room and tries again. Each time a segment comes free at
 * least; only a store that others fill as fast as this one empties it would ever see
 * the end of this. */
enum { HOUSEKEEP_ATTEMPTS = 1000 };

static inline enum lack housekeep_lack(enum room room)
{
    return room == ROOM_QUOTA ? LACK_QUOTA : LACK_ARENA;
}

/*
 * Frees something, the cheapest first: what was flushed, what has expired, dead
 * space, and only then records that live. True when something was freed, so that
 * it makes sense to try again. Takes store.reclaim_lock itself.
 */
bool housekeep_make_room(struct store_thread *thread, enum lack lack, struct namespace *ns,
                         uint64_t now);

#endif

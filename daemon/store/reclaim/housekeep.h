/*
 * housekeep.h - giving space back: the housekeeper does it in slices, and a writer that cannot
 * wait does it itself.
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

/* Whether a writer waits for store.reclaim_lock. Its holder must then give it soon *and sleep*: a
 * mutex that is unlocked and locked again at once is taken by the thread that is running, before
 * the waiter wakes. */
static inline bool housekeep_writers_wait(const struct store *store)
{
    return __atomic_load_n(&store->waiting_writers, __ATOMIC_RELAXED) > 0;
}

/* How often a writer makes room and tries again. Each time a segment comes free at least, so the
 * limit is reached only if other threads fill the store as fast as this one empties it. */
enum { HOUSEKEEP_ATTEMPTS = 1000 };

static inline enum lack housekeep_lack(enum room room)
{
    return room == ROOM_QUOTA ? LACK_QUOTA : LACK_ARENA;
}

/*
 * Frees something, the cheapest first: what was flushed, what has expired, dead space, and only
 * then living records. True: something was freed, so it makes sense to try again. `ns`: the
 * namespace that is written to; NULL: it does not exist yet. Takes store.reclaim_lock itself; no
 * other lock may be held.
 */
bool housekeep_make_room(struct store_thread *thread, enum lack lack, struct namespace *ns,
                         uint64_t now);

#endif

/*
 * housekeep.h - giving space back: what the housekeeper does in slices, and what a
 * writer does itself when it cannot wait.
 *
 * Everything here but housekeep_make_room is called with store.reclaim_lock held, and with
 * no namespace or bucket locked. Functions that return an effort return how many
 * records they looked at, at least 1 when they did anything.
 */
#ifndef KVCACHED_DAEMON_STORE_RECLAIM_HOUSEKEEP_H
#define KVCACHED_DAEMON_STORE_RECLAIM_HOUSEKEEP_H

#include "daemon/store/reclaim/visit.h"
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
enum { UPKEEP_ATTEMPTS = 1000 };

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

/* --- purge.c --- */

/* The next segment in which something has expired; 0 when none is due. */
size_t purge_next(struct store_thread *thread, uint64_t now);
/* Grants some effort for exactness' sake; once a slice. */
void purge_grant(struct store *store, uint64_t now);

/* --- reclaim.c --- */

/* A segment of a flushed generation; 0 when there is none. */
size_t reclaim_flushed(struct store_thread *thread);
/* Frees what segments an empty generation still has: its open ones. */
void reclaim_dead_segments(struct store *store, struct namespace *ns);
/* An undeclared namespace goes when it is empty and nobody is on it. */
void reclaim_if_unused(struct store *store, struct namespace *ns);
/* Frees what no thread can see any more, so many rounds of RECLAIM_ROUND namespaces at most. True:
 * there is more. */
bool reclaim_gone(struct store *store, int rounds);

enum { RECLAIM_ROUND = 64 };
/* Unlinks and frees a segment all of whose records are dead. False if some live. */
bool reclaim_segment(struct store *store, struct segment *segment);

/* --- span_move.c --- */

/* Whether a large record is worth the copying, there are frames for what it fills of such, and it
 * may be moved at all: nobody sends it or lists its namespace. */
bool span_may_move(struct store *store, const struct segment *segment);
/* Moves it and frees its blocks. False when it stays, for want of room, or has just gone; in
 * that case they may be free, too. */
bool span_move(struct store_thread *thread, struct segment *segment, uint64_t now, size_t *effort);

/* --- relocate.c --- */

/* Moves what lives in a segment to others, as far as that can be done; frees it if all could.
 * The effort. */
size_t relocate_segment(struct store_thread *thread, struct segment *segment, uint64_t now);

/* --- compact.c --- */

/* The next segment that lost half of its records; 0 when none waits. With
 * `pressing`, also where its remains will expire soon. */
size_t compact_next(struct store_thread *thread, uint64_t now, bool pressing);

/* Empties a linked segment by moving what lives, all but a large record. Or, if it was appended to
 * still, it is sealed. True when it came free, or a part of it. */
bool compact_segment(struct store_thread *thread, struct segment *segment, uint64_t now,
                     size_t *effort);

/* A record that is being visited goes to an open segment of its generation, among
 * those that are young or proven. It is fresh there as well if it lies behind `fresh_from`
 * (age_fresh_in). False when it has to stay: there is no room. */
bool compact_move(struct visited *visited, enum segment_queue queue, uint32_t fresh_from);

#endif

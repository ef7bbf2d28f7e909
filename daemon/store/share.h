/*
 * share.h - how much of the memory may be held beside the records that can be found.
 *
 * Two things hold memory that eviction cannot have. A large value that is being sent is
 * pinned: its segment stays, even when the record has been replaced, deleted or evicted
 * meanwhile. And a value that is being uploaded has blocks before it is a record. Each
 * namespace counts both, and what is not counted in its generation counts for its quota.
 *
 * Both are bounded, in eighths of the quota, or for namespaces without one of the pool:
 * what no quota claims.
 *
 *                          pinned   uploads
 *     a quota                 4        3
 *     the pool                4        3
 *     a namespace of it       3        2
 *
 * So an eighth at least is always there for finished records. An upload counts with the length
 * that was announced for as long as it takes, so that every one that has begun can end; and so
 * does a large value that is appended to in steps (join.c). What exceeds a bound waits:
 * STORE_CROWDED. The first in a share never waits, however large. A value whose bytes are all
 * there, and which is written at once, does not wait and is not granted.
 *
 * Where there is waiting, or pinned memory is much while free memory is short, the share is
 * pressed: the daemon then has the connections give way that were stuck for longest.
 */
#ifndef KVCACHED_SHARE_H
#define KVCACHED_SHARE_H

#include <stdbool.h>
#include <stdint.h>

struct namespace;
struct segment;
struct store;
struct store_policy;
struct store_pressure;

/* What last had to wait. */
struct want {
    uint64_t asked; /* when; 0: never */
    uint64_t bytes;
};

/* Of a namespace, or of the pool. All atomic. */
struct share {
    uint64_t pinned;     /* bytes of segments that readers hold */
    uint64_t orphaned;   /* of those, bytes that belong to no generation any more */
    uint64_t writing;    /* bytes of blocks of writes that are not committed */
    uint64_t announced;  /* bytes that the uploads which have begun will take */
    struct want pins;    /* what waits until less is pinned, */
    struct want space;   /* and what until less is being uploaded */
    uint64_t first;      /* when the upload began that waits for longest, */
    uint64_t first_seen; /* and when it last asked */
};

/* What the namespace holds beside the segments of its generation. */
static inline uint64_t share_beside(const struct share *share)
{
    return __atomic_load_n(&share->orphaned, __ATOMIC_RELAXED) +
           __atomic_load_n(&share->writing, __ATOMIC_RELAXED);
}

/* Under the lock of its namespace: readers hold something of it. */
static inline bool share_is_held(const struct share *share)
{
    return __atomic_load_n(&share->pinned, __ATOMIC_RELAXED) != 0;
}

/* Whether readers or uploads hold some of what the namespace may have: it comes back. */
bool share_is_lent(const struct store *store, const struct namespace *ns);

/* The quotas of a new policy. */
void share_set_quotas(struct store *store, const struct store_policy *policy);

/* --- pinned segments ------------------------------------------------------------- */

/* Whether one more segment may be pinned, which takes so many bytes. */
bool share_admits_pin(struct store *store, struct namespace *ns, const struct segment *segment,
                      uint64_t bytes, uint64_t now);

/* One more reader. The segment is linked, and its bucket or its namespace locked. */
void share_pin(struct store *store, struct segment *segment, uint64_t bytes);

/* One reader less; frees a segment that nothing else holds. No lock may be held. */
void share_unpin(struct store *store, struct namespace *ns, struct segment *segment);
/* The same with the namespace locked. */
void share_unpin_locked(struct store *store, struct namespace *ns, struct segment *segment);

/* The owner's reference of an unlinked segment is dropped while readers hold it. Under the
 * namespace's lock. */
void share_orphan(struct namespace *ns, struct segment *segment);

/* --- uploads --------------------------------------------------------------------- */

/* What an upload was granted. */
struct grant {
    uint64_t bytes; /* 0: nothing */
    bool pool;      /* counted there too */
};

/* Grants an upload that began then so many bytes. False: it has to wait. Where `begun` is 0 it
 * goes before all others that wait. */
bool share_grant(struct store *store, struct namespace *ns, uint64_t bytes, uint64_t begun,
                 uint64_t now, struct grant *grant);
/* Gives it back. */
void share_revoke(struct store *store, struct namespace *ns, struct grant *grant);

/* --- pressure -------------------------------------------------------------------- */

/* A writer found no room at all. `ns` may be NULL. */
void share_note_want(struct store *store, struct namespace *ns, uint64_t now);

/* Whether uploads of that namespace are in the way of others. */
bool share_upload_presses(const struct store *store, const struct namespace *ns,
                          const struct store_pressure *pressure);

#endif

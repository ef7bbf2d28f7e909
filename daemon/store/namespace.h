/*
 * namespace.h - namespaces, their generations, and the table of them.
 *
 * A namespace is a name with settings. What it holds belongs to a generation:
 * segments, and counts of their live records. To flush a namespace is to give it
 * a new generation; the old one is taken apart later by the housekeeper, and
 * nobody finds its records meanwhile, since a lookup compares generations.
 *
 * Namespaces and generations that are no longer reachable are freed when every
 * lane has left since (lane.h), so a pointer got between store_enter and
 * store_leave is good until then.
 */
#ifndef KVCACHED_NAMESPACE_H
#define KVCACHED_NAMESPACE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/store/declared.h"
#include "daemon/store/hash.h"
#include "daemon/store/lock.h"
#include "daemon/store/makers.h"
#include "daemon/store/segment.h"
#include "daemon/store/share.h"
#include "daemon/store/store.h"

/* Where a listing stands; cursor.c owns it. */
struct standpoint {
    struct standpoint *next;
    uint32_t segment; /* 0: at the end */
    uint32_t offset;  /* 0: at its first record */
};

/* So much between what is read and what is written keeps them on different lines of the
 * processor's cache. With two workers and a pipeline this took a fifth off what a request costs. */
enum { NAMESPACE_LINE = 64 };

struct generation {
    uint64_t number; /* never used twice; salts the hash of its keys */
    struct namespace *ns;
    char apart[NAMESPACE_LINE]; /* every request reads what is above, every write changes
                                   what is below */
    uint64_t items;             /* live records; atomic */
    uint64_t bytes;             /* of them, headers included; atomic */
    uint64_t memory;            /* bytes of its blocks; atomic, changed under ns->lock */
    uint64_t young;             /* of that in segments that are young; likewise */
    struct age_clock age;       /* where the namespace has a quota */
    /* ns->lock guards what follows */
    uint32_t first, last;        /* its segments, oldest first */
    uint64_t links;              /* how many were ever linked: the last one's `link` */
    uint32_t first_young;        /* the oldest of those that are young */
    uint32_t open;               /* the first of those that are appended to */
    uint32_t begun;              /* bytes of the first block that are counted already; age.c */
    struct standpoint *listings; /* those under way; atomic */
    bool retired;                /* flushed: ns has another by now */
    uint16_t remnants;           /* orders of blocks that its segments left unused, as bits */
    /* the housekeeper's */
    struct generation *next_retired;
    uint64_t epoch;
};

struct namespace
{
    struct namespace *chain;       /* the next of the same hash; atomic */
    struct generation *generation; /* the current one; atomic */
    uint32_t id;
    uint8_t name_length;
    char name[STORE_NAMESPACE_MAX + 1];
    /* settings; atomic, changed under namespaces.lock and `lock` */
    uint8_t declared;
    uint8_t require_ttl;
    uint64_t ttl, max_ttl;        /* ms; STORE_NEVER */
    uint64_t quota;               /* bytes; 0: none */
    uint32_t holds;               /* open listings, writes in progress and generations that
                                     are being taken apart; atomic. Keep it from going */
    struct store_counters before; /* what the counters of its number were when it
                                     was made; lane.h */
    char apart[NAMESPACE_LINE];   /* every request reads what is above */
    struct share share;           /* what of it is pinned or being written */
    struct lock lock;
    bool gone; /* taken out of the table; written under lock and work.lock, read under
                  either */
    /* work.lock */
    struct namespace *queued;
    uint8_t waiting;
    uint64_t flush_at;   /* when it is to be flushed; 0: not; namespaces.lock */
    struct maker *maker; /* what made it, while it is not declared, or NULL; namespaces.lock */
    /* the housekeeper's */
    STAILQ_ENTRY(namespace) next_gone;
    uint64_t epoch;
};

STAILQ_HEAD(gone_namespaces, namespace);

enum { NAMESPACES_HEADS = 65536 };

/* A namespace and its generation; that it has two for a moment after a flush is not
 * counted. */
#define NAMESPACE_COST (sizeof(struct namespace) + sizeof(struct generation))

#define NAMESPACES_NO_FLUSH UINT64_MAX

struct lanes;
struct roll_facts;

struct namespaces {
    const struct lanes *lanes; /* not owned */
    struct file *file;         /* where they are written down; NULL: nowhere; not owned */
    pthread_mutex_t lock;      /* making, removing, settings; lock.h has the order */
    const struct hash_secret *secret;
    struct budget *budget;
    struct namespace **heads; /* by hash of the name; atomic */
    struct namespace **by_id; /* 1 .. STORE_NAMESPACES_MAX; atomic */
    uint32_t *free_ids;
    uint32_t free_count;
    uint32_t highest;          /* ids up to here have been used; atomic */
    uint32_t count;            /* atomic */
    uint64_t generations;      /* the last number given; atomic */
    uint32_t removals;         /* rises with each removal and change of policy, so that
                                  lanes know when to forget names; atomic */
    struct declared *declared; /* what the policy declares; own; NULL: nothing */
    uint32_t declared_there;   /* namespaces that are declared */
    /* For names that are not declared: their settings, how many numbers they may take, those
     * that are just going included, and what made them. */
    struct store_namespace_options undeclared;
    uint32_t undeclared_most;
    struct makers makers;
    uint32_t owed;         /* not 0: of some names that are declared there may be no namespace
                              yet; atomic */
    uint8_t declared_only; /* atomic */
    uint64_t next_flush;   /* the first that was set for later; atomic, changed under lock */
    /* The look at those that are due: the last number, and the first that is to come as far as
     * seen. */
    uint32_t due_id;
    uint64_t due_next;
};

bool namespaces_init(struct namespaces *all, const struct hash_secret *secret,
                     struct budget *budget, const struct lanes *lanes, struct file *file);
void namespaces_deinit(struct namespaces *all);

/* NULL when there is none, or when only declared ones count and it is not. The
 * caller is inside of enter and leave. */
struct namespace *namespaces_find(const struct namespaces *all, struct slice name);

/* What is to be said of a name that was not found: STORE_UNDECLARED, or STORE_OK where there
 * could be such a namespace. */
enum store_status namespaces_missing(struct namespaces *all, struct slice name);
/* The same, with namespaces.lock held. */
enum store_status namespaces_missing_locked(const struct namespaces *all, struct slice name);
/* Whether a name that was not found is declared: there was no room for it yet. */
bool namespaces_declare(struct namespaces *all, struct slice name);

/*
 * Finds or makes, with the settings that the policy has for the name. NULL with *why:
 * STORE_UNDECLARED, STORE_TOO_MANY_NAMESPACES, STORE_TOO_MANY_OWN or STORE_NO_MEMORY.
 * `maker`: see makers.h.
 */
struct namespace *namespaces_obtain(struct namespaces *all, struct slice name, uint64_t maker,
                                    enum store_status *why);
/* The same, with namespaces.lock held. */
struct namespace *namespaces_obtain_locked(struct namespaces *all, struct slice name,
                                           uint64_t maker, enum store_status *why);

/* Gives it the settings that the policy has for its name. True: the housekeeper should look at
 * it, for it is declared no more or has another quota. Under namespaces.lock. */
bool namespaces_settle(struct namespaces *all, struct namespace *ns);

/* At the start: one that a file tells of, by ascending numbers, empty and with the
 * generation of that number. NULL without memory. */
struct namespace *namespaces_adopt(struct namespaces *all, uint32_t id,
                                   const struct roll_facts *facts);

/* A fresh, empty generation for ns; NULL without memory. */
struct generation *generation_create(struct namespaces *all, struct namespace *ns);
void generation_destroy(struct generation **generation);

/* Takes a namespace out of the table: nobody finds it from now on. Whoever holds
 * namespaces.lock; it is freed with namespace_destroy after a grace period. */
void namespaces_unlink(struct namespaces *all, struct namespace *ns);
/* Its number may be given to another from now on. */
void namespace_destroy(struct namespaces *all, struct namespace **ns);

static inline struct generation *namespace_generation(const struct namespace *ns)
{
    return __atomic_load_n(&ns->generation, __ATOMIC_SEQ_CST);
}

/* Whether the policy lets anybody use it. */
static inline bool namespace_is_allowed(const struct namespaces *all, const struct namespace *ns)
{
    return !__atomic_load_n(&all->declared_only, __ATOMIC_RELAXED) ||
           __atomic_load_n(&ns->declared, __ATOMIC_RELAXED);
}

static inline uint64_t namespace_quota(const struct namespace *ns)
{
    return __atomic_load_n(&ns->quota, __ATOMIC_RELAXED);
}

/* When a record that is written now expires: milliseconds on the store's clock or
 * SEGMENT_NEVER. STORE_OK or STORE_TTL_REQUIRED. */
enum store_status namespace_expiry(const struct namespace *ns, struct store_ttl ttl, uint64_t now,
                                   uint64_t *expires);

/* --- segments of a generation; under ns->lock ----------------------------- */

void generation_link(struct generation *generation, struct segments *segments,
                     struct segment *segment);
/* Moves listings that stand on it to the next one. */
void generation_unlink(struct generation *generation, struct segments *segments,
                       struct segment *segment);
/* Takes an open segment off the list of open ones; no harm to others. */
void generation_seal(struct generation *generation, struct segments *segments,
                     struct segment *segment);
/* Gives back the blocks that a sealed one did not use. */
void generation_shrink(struct generation *generation, struct segments *segments,
                       struct segment *segment);
/* A young one is proven from now on. */
void generation_prove(struct generation *generation, struct segments *segments,
                      struct segment *segment);

#endif

/*
 * namespace.h - namespaces, their generations, and the table of them.
 *
 * A namespace is a name with settings. What it holds belongs to a generation:
 * segments, and counts of their live records. To flush a namespace is to give it
 * a new generation; the old one is taken apart later by housekeeping. Its
 * records are not found meanwhile, because a lookup compares generations.
 *
 * Namespaces and generations that are no longer reachable are freed when every
 * thread has left since (thread.h), so a pointer got between store_enter and
 * store_leave is good until then.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_NAMESPACE_H
#define KVCACHED_DAEMON_STORE_RECORDS_NAMESPACE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/base/siphash.h"
#include "daemon/store/arena/lock.h"
#include "daemon/store/records/creators.h"
#include "daemon/store/records/declared.h"
#include "daemon/store/records/generation.h"
#include "daemon/store/records/share.h"
#include "daemon/store/records/thread.h"
#include "daemon/store/store.h"

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
    uint64_t ttl, max_ttl;   /* ms; STORE_NEVER */
    uint64_t quota;          /* bytes; 0: none */
    uint32_t references;     /* open listings, writes in progress and generations that
                           are being taken apart; atomic. Keep it from going */
    uint32_t evictions_seen; /* low bits of the count at the last look of store_evicted_step;
                                namespaces.lock */
    /* What the counters of its number were when it was made; thread.h. Seldom read, it keeps what
     * every request reads, which is above, on other lines than what writes change, below. */
    struct store_counters before;
    struct share share; /* what of it is pinned or being written */
    struct lock lock;
    bool gone; /* taken out of the table; written under lock and backlog.lock, read under
                  either */
    /* backlog.lock */
    struct namespace *queued;
    uint8_t waiting;
    uint8_t remote;          /* a setting as those above */
    uint32_t evicted_at;     /* when that look last found more, in seconds, rounded up; 0: never;
                                namespaces.lock */
    uint64_t flush_at;       /* when it is to be flushed; 0: not; namespaces.lock */
    struct creator *creator; /* what made it, while it is not declared, or NULL; namespaces.lock */
    /* the housekeeper's */
    STAILQ_ENTRY(namespace) next_gone;
    uint64_t epoch;
};

_Static_assert(sizeof(struct store_counters) >= NAMESPACE_LINE, "a line of the cache is between");

STAILQ_HEAD(gone_namespaces, namespace);

enum { NAMESPACES_HEADS = 65536 };

/* A namespace and its generation; that it has two for a moment after a flush is not
 * counted. */
#define NAMESPACE_COST (sizeof(struct namespace) + sizeof(struct generation))

#define NAMESPACES_NO_FLUSH UINT64_MAX

struct threads;
struct file_namespace_fields;

/* Namespaces without a quota that are gone, and of which records were evicted since the last look:
 * a full store empties namespaces faster than the housekeeper looks at them. namespaces.lock. */
struct namespaces_gone_evicted {
    uint64_t records;
    size_t namespaces;
    uint8_t name_length;
    char name[STORE_NAMESPACE_MAX]; /* of the last one */
};

struct namespaces {
    const struct threads *threads; /* not owned */
    struct file *file;             /* where they are written down; NULL: nowhere; not owned */
    pthread_mutex_t lock;          /* making, removing, settings; lock.h has the order */
    const struct siphash_key *secret;
    struct budget *budget;
    struct namespace **heads; /* by hash of the name; atomic */
    struct namespace **by_id; /* 1 .. STORE_NAMESPACES_MAX; atomic */
    uint32_t *free_ids;
    uint32_t free_count;
    uint32_t highest;          /* ids up to here have been used; atomic */
    uint32_t count;            /* atomic */
    uint64_t generations;      /* the last number given; atomic */
    uint32_t removals;         /* rises with each removal and change of policy, so that
                                  threads know when to forget names; atomic */
    struct declared *declared; /* what the policy declares; own; NULL: nothing */
    uint32_t declared_there;   /* namespaces that are declared */
    /* For names that are not declared: their settings, how many numbers they may take, those
     * that are just going included, and what made them. */
    struct store_namespace_options undeclared;
    uint32_t undeclared_most;
    struct creators creators;
    uint32_t owed;         /* not 0: of some names that are declared there may be no namespace
                              yet; atomic */
    uint8_t declared_only; /* atomic */
    uint64_t next_flush;   /* the first that was set for later; atomic, changed under lock */
    /* The look at those that are due: the last number, and the first that is to come as far as
     * seen. */
    uint32_t due_id;
    uint64_t due_next;
    struct namespaces_gone_evicted gone_evicted;
};

bool namespaces_init(struct namespaces *all, const struct siphash_key *secret,
                     struct budget *budget, const struct threads *threads, struct file *file);
void namespaces_deinit(struct namespaces *all);

/* NULL when there is none, or when only declared ones count and it is not. The
 * caller is inside of enter and leave. */
struct namespace *namespaces_find(const struct namespaces *all, struct slice name);

/* The same, and the thread remembers it, on that thread. */
struct namespace *namespaces_find_and_note(const struct namespaces *all,
                                           struct store_thread *thread, struct slice name);

/* The same through the thread's cache of names, on that thread. A hit reads no table. */
static inline __attribute__((always_inline)) struct namespace *
namespaces_find_cached(const struct namespaces *all, struct store_thread *thread, struct slice name)
{
    if (name.length > 0 &&
        __atomic_load_n(&all->removals, __ATOMIC_SEQ_CST) == thread->names_removals) {
        struct namespace *known = *store_thread_name(thread, name);
        if (known != NULL && slice_equal(name, (struct slice){known->name, known->name_length})) {
            return known;
        }
    }
    return namespaces_find_and_note(all, thread, name);
}

/* The settings that the policy has for a name, whether there is such a namespace or not. False: it
 * is neither declared nor allowed. Takes namespaces.lock. */
bool namespaces_options(struct namespaces *all, struct slice name,
                        struct store_namespace_options *options);

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
 * `creator`: see creators.h.
 */
struct namespace *namespaces_obtain(struct namespaces *all, struct slice name, uint64_t creator,
                                    enum store_status *why);
/* The same, with namespaces.lock held. */
struct namespace *namespaces_obtain_locked(struct namespaces *all, struct slice name,
                                           uint64_t creator, enum store_status *why);

/* Gives it the settings that the policy has for its name. True: the housekeeper should look at
 * it, for it is declared no more or has another quota. Under namespaces.lock. */
bool namespaces_settle(struct namespaces *all, struct namespace *ns);

/* At the start: one that a file tells of, by ascending numbers, empty and with the
 * generation of that number. NULL without memory. */
struct namespace *namespaces_adopt(struct namespaces *all, uint32_t id,
                                   const struct file_namespace_fields *facts);

/* A fresh, empty generation for ns; NULL without memory. */
struct generation *generation_create(struct namespaces *all, struct namespace *ns);
void generation_destroy(struct generation **generation);

/* Takes a namespace out of the table: it is not found from now on. Under
 * namespaces.lock. It is freed with namespace_destroy after a grace period. */
void namespaces_unlink(struct namespaces *all, struct namespace *ns);
/* Its number may be given to another from now on. */
void namespace_destroy(struct namespaces *all, struct namespace **ns);

/* Records evicted since ns->evictions_seen, which is set to what is now. Under namespaces.lock. */
uint32_t namespaces_take_evictions(struct namespaces *all, struct namespace *ns);

static inline struct generation *namespace_generation(const struct namespace *ns)
{
    return __atomic_load_n(&ns->generation, __ATOMIC_SEQ_CST);
}

/* Whether the policy allows to use it. */
static inline bool namespace_is_allowed(const struct namespaces *all, const struct namespace *ns)
{
    return !__atomic_load_n(&all->declared_only, __ATOMIC_RELAXED) ||
           __atomic_load_n(&ns->declared, __ATOMIC_RELAXED);
}

static inline uint64_t namespace_quota(const struct namespace *ns)
{
    return __atomic_load_n(&ns->quota, __ATOMIC_RELAXED);
}

/* What a policy says about times to live, in milliseconds; STORE_NEVER: for ever, or no bound. */
struct ttl_policy {
    uint64_t ttl, max_ttl;
    bool required;
};

/* When a record that is written now expires by that policy: as namespace_expiry. */
enum store_status ttl_policy_expiry(const struct ttl_policy *policy, struct store_ttl ttl,
                                    uint64_t now, uint64_t *expires);

/* When a record that is written now expires: milliseconds on the store's clock or
 * SEGMENT_NEVER. STORE_OK or STORE_TTL_REQUIRED. */
enum store_status namespace_expiry(const struct namespace *ns, struct store_ttl ttl, uint64_t now,
                                   uint64_t *expires);

#endif

/*
 * remote_walk.h - a walk over the buckets of a namespace in the cluster (remote_key.h).
 *
 * Some buckets are asked for ahead, so that nodes work while others are told. While a slot moves,
 * both nodes are asked, first the one that it leaves: so no key is missed, and one that moves
 * meanwhile may come twice.
 *
 * For the thread of the worker.
 */
#ifndef KVCACHED_DAEMON_REQUEST_REMOTE_WALK_H
#define KVCACHED_DAEMON_REQUEST_REMOTE_WALK_H

#include "daemon/request/remote.h"
#include "daemon/request/remote_key.h"

enum { REMOTE_WALK_BUCKETS = 16 }; /* asked for at once */

enum remote_bucket_state {
    REMOTE_BUCKET_ASKED,
    REMOTE_BUCKET_PUT_OFF, /* it holds many keys: it is asked for when it is about to be told */
    REMOTE_BUCKET_READY,
    REMOTE_BUCKET_FAILED, /* the last question says why */
};

struct remote_walk;

struct remote_bucket {
    struct remote_walk *walk;
    enum remote_bucket_state state;
    struct cluster_question *questions[2]; /* of the node that has the slot, and of the one to which
                                              it moves */
    unsigned asked;                        /* questions */
    bool counts;                           /* the last question is for the number of keys */
    uint64_t wanted;                       /* keys that the last question asks for at most */
    bool moves;                            /* the slot moves to another node just now */
    size_t held;                           /* bytes of the replies, of the work's */
    unsigned slot;
    size_t prefix_length;
    char prefix[REMOTE_PREFIX_MAX];
};

struct remote_walk {
    struct remote_work *work; /* is woken when it awaits a bucket */
    bool counts;              /* numbers of keys are wanted only */
    size_t ns_length;
    char ns[REQUEST_NAMESPACE_MAX];
    unsigned next;         /* bucket to be asked for */
    unsigned first, count; /* of the ring */
    struct remote_bucket buckets[REMOTE_WALK_BUCKETS];
};

/* Begins to ask. `counts`: for numbers only. */
void remote_walk_begin(struct remote_walk *walk, struct remote_work *work, struct slice ns,
                       bool counts);
/* Whether it is that namespace's: a reload may have taken it away from a request that walks over
 * many. */
static inline bool remote_walk_is_of(const struct remote_walk *walk, struct slice ns)
{
    return slice_equal((struct slice){walk->ns, walk->ns_length}, ns);
}
/* Forgets what is under way. */
void remote_walk_end(struct remote_walk *walk);

/* The bucket that is next; NULL: there are no more. */
struct remote_bucket *remote_walk_bucket(struct remote_walk *walk);
/* Goes on to the one after it. */
void remote_walk_step(struct remote_walk *walk);

/* Of a bucket that has failed: the question that says why; NULL: it could not be asked. */
static inline const struct cluster_question *
remote_bucket_failure(const struct remote_bucket *bucket)
{
    return bucket->asked > 0 ? bucket->questions[bucket->asked - 1] : NULL;
}

/* Of a bucket that is ready: how many keys its slot holds, other namespaces' included. */
uint64_t remote_bucket_count(const struct remote_bucket *bucket);

/* Of a bucket that is ready: the key of that number, without its prefix; one of another namespace,
 * or that is too long for a request, is empty. False: there are no more. */
bool remote_bucket_key(const struct remote_bucket *bucket, size_t number, struct slice *key);

#endif

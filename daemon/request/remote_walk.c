/*
 * remote_walk.c - see remote_walk.h.
 *
 *     asked --> ready                          few keys, as in most buckets
 *     asked --> number --> put off --> asked --> ready    more than FEW keys
 *
 * The command that lists the keys of a slot has no cursor: it gives the first ones, as many as it
 * is asked for. So a bucket of many keys is counted first.
 */
#include "daemon/request/remote_walk.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    FEW = 1000,   /* keys that are asked for without counting */
    SPARE = 1000, /* that may have come since they were counted */
    NEAR = 2,     /* buckets of many keys that are held at once */
};

#define TEXT(literal) ((struct slice){literal, sizeof literal - 1})

static struct remote_bucket *bucket_at(struct remote_walk *walk, unsigned number)
{
    return &walk->buckets[(walk->first + number) % REMOTE_WALK_BUCKETS];
}

/* --- asking ------------------------------------------------------------------------- */

static void on_answered(struct cluster_question *question, void *context);

static void fail(struct remote_bucket *bucket)
{
    bucket->state = REMOTE_BUCKET_FAILED;
}

static void ask(struct remote_bucket *bucket, bool importing)
{
    char slot[16], wanted[24];
    snprintf(slot, sizeof slot, "%u", bucket->slot);
    snprintf(wanted, sizeof wanted, "%" PRIu64, bucket->wanted);
    const struct slice keys[] = {TEXT("CLUSTER"), TEXT("GETKEYSINSLOT"), slice_of(slot),
                                 slice_of(wanted)};
    const struct slice number[] = {TEXT("CLUSTER"), TEXT("COUNTKEYSINSLOT"), slice_of(slot)};
    const struct cluster_command command = {.slot = bucket->slot,
                                            .guard = {bucket->prefix, bucket->prefix_length},
                                            .importing = importing,
                                            .count = bucket->counts ? 3 : 4,
                                            .arguments = bucket->counts ? number : keys,
                                            .owned = -1};
    struct cluster_question *question =
        cluster_ask(bucket->walk->work->remote->cluster, &command, on_answered, bucket);
    bucket->state = REMOTE_BUCKET_ASKED;
    if (question == NULL) {
        fail(bucket);
    } else {
        bucket->questions[bucket->asked++] = question;
    }
}

static void forget(struct remote_bucket *bucket)
{
    while (bucket->asked > 0) {
        cluster_question_free(&bucket->questions[--bucket->asked]);
    }
    bucket->walk->work->held -= bucket->held;
    bucket->held = 0;
}

/* Asks for a number, or for the first keys, anew. */
static void ask_again(struct remote_bucket *bucket, bool counts, uint64_t wanted)
{
    forget(bucket);
    bucket->counts = counts;
    bucket->wanted = wanted;
    bucket->moves = false;
    ask(bucket, false);
}

/* --- answers ------------------------------------------------------------------------- */

static uint64_t counted(const struct remote_bucket *bucket)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < bucket->asked; i++) {
        const struct cluster_reply *reply = bucket->questions[i]->reply;
        sum += reply->type == CLUSTER_ARRAY ? reply->count : (uint64_t)reply->integer;
    }
    return sum;
}

static bool is_near(struct remote_walk *walk, const struct remote_bucket *bucket)
{
    for (unsigned i = 0; i < NEAR && i < walk->count; i++) {
        if (bucket_at(walk, i) == bucket) {
            return true;
        }
    }
    return false;
}

/* The keys were counted. */
static void go_on_counted(struct remote_bucket *bucket)
{
    bucket->wanted = counted(bucket) + SPARE;
    if (is_near(bucket->walk, bucket)) {
        ask_again(bucket, false, bucket->wanted);
    } else {
        bucket->state = REMOTE_BUCKET_PUT_OFF;
    }
}

static bool is_good(const struct cluster_question *question, bool counts)
{
    return question->outcome == CLUSTER_ANSWERED &&
           question->reply->type == (counts ? CLUSTER_INTEGER : CLUSTER_ARRAY);
}

static void take(struct remote_bucket *bucket, const struct cluster_question *question)
{
    if (!is_good(question, bucket->counts)) {
        fail(bucket);
    } else if (!bucket->counts && question->reply->count >= bucket->wanted) {
        ask_again(bucket, true, 0); /* there may be more */
    } else if (question->moves && bucket->asked == 1) {
        bucket->moves = true;
        ask(bucket, true);
    } else if (bucket->counts && !bucket->walk->counts) {
        go_on_counted(bucket);
    } else {
        bucket->state = REMOTE_BUCKET_READY;
    }
}

static void on_answered(struct cluster_question *question, void *context)
{
    struct remote_bucket *bucket = context;
    struct remote_work *work = bucket->walk->work;
    bucket->held += remote_hold(work, question);
    take(bucket, question);
    bool told = bucket->state == REMOTE_BUCKET_READY || bucket->state == REMOTE_BUCKET_FAILED;
    if (told && work->awaited == bucket) {
        remote_wake(work);
    }
}

/* --- the walk -------------------------------------------------------------------------- */

static void ask_more(struct remote_walk *walk)
{
    struct remote_key key;
    while (walk->count < REMOTE_WALK_BUCKETS && walk->next < REMOTE_BUCKETS) {
        struct remote_bucket *bucket = bucket_at(walk, walk->count++);
        remote_key_bucket(&key, (struct slice){walk->ns, walk->ns_length}, walk->next++);
        *bucket = (struct remote_bucket){.walk = walk,
                                         .slot = key.slot,
                                         .counts = walk->counts,
                                         .wanted = FEW,
                                         .prefix_length = key.prefix};
        memcpy(bucket->prefix, key.bytes, key.prefix);
        ask(bucket, false);
    }
}

void remote_walk_begin(struct remote_walk *walk, struct remote_work *work, struct slice ns,
                       bool counts)
{
    walk->work = work;
    walk->counts = counts;
    walk->ns_length = ns.length;
    memcpy(walk->ns, ns.bytes, ns.length);
    walk->next = walk->first = walk->count = 0;
    ask_more(walk);
}

void remote_walk_end(struct remote_walk *walk)
{
    for (unsigned i = 0; i < walk->count; i++) {
        forget(bucket_at(walk, i));
    }
    walk->count = 0;
}

struct remote_bucket *remote_walk_bucket(struct remote_walk *walk)
{
    return walk->count > 0 ? bucket_at(walk, 0) : NULL;
}

void remote_walk_step(struct remote_walk *walk)
{
    forget(bucket_at(walk, 0));
    walk->first = (walk->first + 1) % REMOTE_WALK_BUCKETS;
    walk->count--;
    ask_more(walk);
    for (unsigned i = 0; i < NEAR && i < walk->count; i++) {
        struct remote_bucket *bucket = bucket_at(walk, i);
        if (bucket->state == REMOTE_BUCKET_PUT_OFF) {
            ask_again(bucket, false, bucket->wanted);
        }
    }
}

/* Whether it is a key of the namespace that a request could name: other clients of the cluster
 * write what they like. */
static bool is_own(const struct remote_bucket *bucket, struct slice key)
{
    return key.length > bucket->prefix_length &&
           key.length <= bucket->prefix_length + REQUEST_KEY_MAX &&
           memcmp(key.bytes, bucket->prefix, bucket->prefix_length) == 0;
}

uint64_t remote_bucket_count(const struct remote_bucket *bucket)
{
    return counted(bucket);
}

bool remote_bucket_key(const struct remote_bucket *bucket, size_t number, struct slice *key)
{
    for (unsigned i = 0; i < bucket->asked; i++) {
        const struct cluster_reply *reply = bucket->questions[i]->reply;
        if (number < reply->count) {
            struct slice whole = reply->elements[number]->text;
            size_t skipped = is_own(bucket, whole) ? bucket->prefix_length : whole.length;
            *key = (struct slice){whole.bytes, 0};
            if (skipped < whole.length) {
                *key = (struct slice){whole.bytes + skipped, whole.length - skipped};
            }
            return true;
        }
        number -= reply->count;
    }
    return false;
}

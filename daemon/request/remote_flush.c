/*
 * remote_flush.c - FLUSH of a namespace in the cluster: its keys are listed bucket by bucket, and
 * unlinked, many of one bucket with one command.
 */
#include <stdlib.h>

#include "daemon/request/remote_failure.h"
#include "daemon/request/remote_walk.h"
#include "daemon/request/verbs.h"

enum {
    TOGETHER = 200, /* keys of one UNLINK; of a slot that moves 1, since they may be on two nodes */
    ASKED_MAX = 64, /* such commands under way */
};

struct remote_flush {
    struct remote_work work;
    struct remote_walk walk;
    uint64_t records; /* that were unlinked so far */
    size_t next;      /* number of the bucket's key that is next */
    size_t held;      /* bytes of the keys that were asked for since `count` was 0, of the work's */
    unsigned first, count, pending;
    struct cluster_question *questions[ASKED_MAX]; /* of the front bucket, a ring */
};

static struct remote_flush *flush_of(const struct command *cmd)
{
    return (struct remote_flush *)cmd->remote;
}

static void destroy(struct remote_work *work)
{
    struct remote_flush *flush = (struct remote_flush *)work;
    for (unsigned i = 0; i < flush->count; i++) {
        cluster_question_free(&flush->questions[(flush->first + i) % ASKED_MAX]);
    }
    remote_walk_end(&flush->walk);
    free(flush);
}

static bool begin(struct command_context *ctx, struct command *cmd, struct slice ns)
{
    struct remote_flush *flush = calloc(1, sizeof *flush);
    if (flush == NULL) {
        return false;
    }
    flush->work = remote_begin(ctx, sizeof *flush, destroy);
    cmd->remote = &flush->work;
    remote_walk_begin(&flush->walk, &flush->work, ns, false);
    return true;
}

/* Called for answers in any order; those of one node come in order. */
static void on_answered(struct cluster_question *question, void *context)
{
    struct remote_flush *flush = context;
    (void)question;
    flush->pending--;
    if (flush->pending <= ASKED_MAX / 2 && flush->work.awaited == flush) {
        remote_wake(&flush->work);
    }
}

/* The next keys of the bucket that are the namespace's, with their prefix. */
static unsigned collect(struct remote_flush *flush, const struct remote_bucket *bucket,
                        struct slice *arguments)
{
    unsigned most = bucket->moves ? 1 : TOGETHER, count = 0;
    struct slice key;
    while (count < most && remote_bucket_key(bucket, flush->next, &key)) {
        flush->next++;
        if (key.length > 0) {
            arguments[1 + count++] = (struct slice){key.bytes - bucket->prefix_length,
                                                    key.length + bucket->prefix_length};
        }
    }
    return count;
}

static void hold(struct remote_flush *flush, const struct slice *arguments, unsigned count)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < count; i++) {
        bytes += arguments[i].length;
    }
    flush->held += bytes;
    flush->work.held += bytes;
}

/* Unlinks more keys of the bucket. False: no memory. */
static bool ask_more(struct remote_flush *flush, const struct remote_bucket *bucket)
{
    struct slice arguments[1 + TOGETHER] = {{"UNLINK", 6}};
    unsigned keys;
    while (flush->count < ASKED_MAX && (keys = collect(flush, bucket, arguments)) > 0) {
        const struct cluster_command command = {.slot = bucket->slot,
                                                .writes = true,
                                                .count = 1 + keys,
                                                .arguments = arguments,
                                                .owned = -1};
        struct cluster_question *question =
            cluster_ask(flush->work.remote->cluster, &command, on_answered, flush);
        if (question == NULL) {
            return false;
        }
        flush->questions[(flush->first + flush->count++) % ASKED_MAX] = question;
        hold(flush, arguments, 1 + keys);
        flush->pending++;
    }
    return true;
}

/* Takes the answers that are there. False: one of them is a failure: *failed. */
static bool take_answers(struct remote_flush *flush, const struct cluster_question **failed)
{
    while (flush->count > 0) {
        struct cluster_question **question = &flush->questions[flush->first];
        if ((*question)->outcome == CLUSTER_PENDING) {
            return true;
        }
        if (remote_has_failed(*question) || (*question)->reply->type != CLUSTER_INTEGER) {
            *failed = *question;
            return false;
        }
        flush->records += (uint64_t)(*question)->reply->integer;
        cluster_question_free(question);
        flush->first = (flush->first + 1) % ASKED_MAX;
        flush->count--;
    }
    flush->work.held -= flush->held;
    flush->held = 0;
    return true;
}

static enum remote_progress fail(struct command_context *ctx, struct command *cmd, struct slice ns,
                                 const struct cluster_question *failed)
{
    remote_answer_failure(ctx, &cmd->request, ns, failed, true, REMOTE_OF_LISTING);
    remote_end(&cmd->remote);
    return REMOTE_FAILED;
}

enum remote_progress remote_flush(struct command_context *ctx, struct command *cmd, struct slice ns,
                                  uint64_t *records)
{
    if (cmd->remote != NULL && !remote_walk_is_of(&flush_of(cmd)->walk, ns)) {
        remote_end(&cmd->remote);
    }
    if (cmd->remote == NULL && !begin(ctx, cmd, ns)) {
        return fail(ctx, cmd, ns, NULL);
    }
    struct remote_flush *flush = flush_of(cmd);
    struct remote_bucket *bucket;
    while ((bucket = remote_walk_bucket(&flush->walk)) != NULL) {
        const struct cluster_question *failed = NULL;
        if (bucket->state == REMOTE_BUCKET_FAILED) {
            return fail(ctx, cmd, ns, remote_bucket_failure(bucket));
        }
        if (bucket->state != REMOTE_BUCKET_READY) {
            remote_wait(&flush->work, bucket);
            return REMOTE_WAITS;
        }
        if (!take_answers(flush, &failed) || !ask_more(flush, bucket)) {
            return fail(ctx, cmd, ns, failed);
        }
        if (flush->count > 0) {
            remote_wait(&flush->work, flush);
            return REMOTE_WAITS;
        }
        flush->next = 0;
        remote_walk_step(&flush->walk);
        if (!command_has_time(ctx)) {
            return REMOTE_YIELDS;
        }
    }
    *records = flush->records;
    remote_end(&cmd->remote);
    return REMOTE_READY;
}

/*
 * remote_count.c - the number of records of a namespace in the cluster, for STATS and NAMESPACES.
 *
 * It is a sum of what nodes count in the namespace's slots: records that have expired and were not
 * removed yet are among them, and those of another namespace that shares a slot.
 */
#include <stdlib.h>

#include "daemon/request/remote_failure.h"
#include "daemon/request/remote_walk.h"

struct remote_count {
    struct remote_work work;
    struct remote_walk walk;
    uint64_t records;
};

static struct remote_count *count_of(const struct command *cmd)
{
    return (struct remote_count *)cmd->remote;
}

static void destroy(struct remote_work *work)
{
    struct remote_count *count = (struct remote_count *)work;
    remote_walk_end(&count->walk);
    free(count);
}

static bool begin(struct command_context *ctx, struct command *cmd, struct slice ns)
{
    struct remote_count *count = calloc(1, sizeof *count);
    if (count == NULL) {
        return false;
    }
    count->work = remote_begin(ctx, sizeof *count, destroy);
    cmd->remote = &count->work;
    remote_walk_begin(&count->walk, &count->work, ns, true);
    return true;
}

static enum remote_progress fail(struct command_context *ctx, struct command *cmd, struct slice ns,
                                 const struct cluster_question *failed)
{
    remote_answer_failure(ctx, &cmd->request, ns, failed, false, REMOTE_OF_LISTING);
    remote_end(&cmd->remote);
    return REMOTE_FAILED;
}

enum remote_progress remote_count(struct command_context *ctx, struct command *cmd, struct slice ns,
                                  uint64_t *records)
{
    if (cmd->remote != NULL && !remote_walk_is_of(&count_of(cmd)->walk, ns)) {
        remote_end(&cmd->remote);
    }
    if (cmd->remote == NULL && !begin(ctx, cmd, ns)) {
        return fail(ctx, cmd, ns, NULL);
    }
    struct remote_count *count = count_of(cmd);
    struct remote_bucket *bucket;
    while ((bucket = remote_walk_bucket(&count->walk)) != NULL) {
        if (bucket->state == REMOTE_BUCKET_FAILED) {
            return fail(ctx, cmd, ns, remote_bucket_failure(bucket));
        }
        if (bucket->state != REMOTE_BUCKET_READY) {
            remote_wait(&count->work, bucket);
            return REMOTE_WAITS;
        }
        count->records += remote_bucket_count(bucket);
        remote_walk_step(&count->walk);
    }
    *records = count->records;
    remote_end(&cmd->remote);
    return REMOTE_READY;
}

/*
 * flush.c - FLUSH, of one namespace or of all that an endpoint reaches.
 */
#include "daemon/request/authorize.h"
#include "daemon/request/namespace_walk.h"
#include "daemon/request/remote.h"
#include "daemon/request/verbs.h"

/* Flushes now or when the request says, and cancels a flush that an earlier request has set. */
static enum store_status flush_local(struct command_context *ctx, struct command *cmd,
                                     struct slice name)
{
    struct flushing *flushing = &cmd->place.flushing;
    uint64_t held = 0;
    enum store_status status = STORE_OK;
    if (cmd->request.ns.length == 0) {
        status = store_flush_at(ctx->store_thread, name, flushing->when);
    }
    if (flushing->when == 0) {
        status = store_flush(ctx->store_thread, name, ctx->now, &held);
        flushing->records += held;
    }
    return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* In the cluster; not at a time to come, since nodes have no such thing. */
static enum remote_progress flush_remote(struct command_context *ctx, struct command *cmd,
                                         struct slice name)
{
    uint64_t held = 0;
    if (cmd->place.flushing.when != 0) {
        remote_refuse_verb(ctx, &cmd->request, name);
        return REMOTE_FAILED;
    }
    enum remote_progress progress = remote_flush(ctx, cmd, name, &held);
    cmd->place.flushing.records += held;
    return progress;
}

static enum remote_progress flush_one(struct command_context *ctx, struct command *cmd,
                                      struct slice name)
{
    if (ctx->remote != NULL && store_is_remote(ctx->store_thread, name)) {
        return flush_remote(ctx, cmd, name);
    }
    remote_end(&cmd->remote); /* of this namespace, until a reload has changed its engine */
    enum store_status status = flush_local(ctx, cmd, name);
    if (status != STORE_OK) {
        command_refuse(ctx, &cmd->request, name, status);
        return REMOTE_FAILED;
    }
    return REMOTE_READY;
}

/* The flush goes on later, or was answered. */
static enum outcome stop_flush(struct command *cmd, enum remote_progress progress)
{
    cmd->begun = progress != REMOTE_FAILED;
    return remote_outcome(progress);
}

static enum outcome answer_flush(struct command_context *ctx, struct command *cmd)
{
    cmd->begun = false;
    reply_queue_reply(
        ctx->replies, &cmd->request,
        &(struct reply){.kind = REPLY_FLUSHED, .number = cmd->place.flushing.records});
    return OUTCOME_DONE;
}

/* Flushes the other namespaces that the endpoint reaches. Rights are checked once more: a reload
 * may have taken them away since. */
static enum outcome flush_declared(struct command_context *ctx, struct command *cmd,
                                   struct slice own)
{
    struct flushing *flushing = &cmd->place.flushing;
    struct namespace_walk walk = {.next = &flushing->next, .own = own};
    enum walk_step step = WALK_ENDED;
    if (ctx->endpoint->separator == '\0') {
        return answer_flush(ctx, cmd);
    }
    while ((step = namespace_walk_next(ctx, &walk)) == WALK_FOUND) {
        if (slice_equal(walk.name, own) || !authorize_may(ctx, &cmd->request, walk.name)) {
            continue;
        }
        enum remote_progress progress = flush_one(ctx, cmd, walk.name);
        if (progress != REMOTE_READY) {
            flushing->next = namespace_walk_number(&walk); /* the same once more */
            return stop_flush(cmd, progress);
        }
    }
    return step == WALK_PAUSED ? OUTCOME_LATER : answer_flush(ctx, cmd);
}

/* Whether all namespaces that the endpoint reaches can be flushed then; if not, that is answered,
 * before one of them is. */
static bool check_engines(struct command_context *ctx, const struct command *cmd)
{
    struct slice own = command_namespace(ctx, &cmd->request);
    struct namespace_walk walk = {.next = &(uint32_t){0}, .own = own, .name = own};
    if (cmd->place.flushing.when == 0 || ctx->remote == NULL ||
        (!store_is_remote(ctx->store_thread, own) && !namespace_walk_next_remote(ctx, &walk))) {
        return true;
    }
    remote_refuse_verb(ctx, &cmd->request, walk.name);
    return false;
}

/* Whether the client may flush all namespaces that the endpoint reaches. If not, *outcome says
 * whether that was answered or takes longer. */
static bool check(struct command_context *ctx, struct command *cmd, enum outcome *outcome)
{
    struct flushing *flushing = &cmd->place.flushing;
    enum walk_step step = authorize_reached(ctx, &cmd->request, &flushing->next);
    *outcome = step == WALK_PAUSED ? OUTCOME_LATER : OUTCOME_DONE;
    flushing->checked = step == WALK_ENDED && check_engines(ctx, cmd);
    cmd->begun = step == WALK_PAUSED || flushing->checked;
    return flushing->checked;
}

/* Flushes all namespaces that the endpoint reaches, over as many turns as that takes. Rights are
 * checked for all of them first. */
static enum outcome flush_reached(struct command_context *ctx, struct command *cmd)
{
    struct flushing *flushing = &cmd->place.flushing;
    struct slice own = command_namespace(ctx, &cmd->request);
    enum outcome outcome = OUTCOME_DONE;
    if (!flushing->checked) {
        if (!check(ctx, cmd, &outcome)) {
            return outcome;
        }
        flushing->next = 0;
    }
    if (!flushing->own) {
        enum remote_progress progress = flush_one(ctx, cmd, own);
        if (progress != REMOTE_READY) {
            return stop_flush(cmd, progress);
        }
        flushing->own = true;
    }
    return flush_declared(ctx, cmd, own);
}

/* A time of the store's clock; 0: now. */
static uint64_t flush_time(const struct command_context *ctx, struct store_ttl when)
{
    switch (when.kind) {
    case STORE_TTL_FOR:
        return ctx->now + 1 + when.milliseconds; /* `now` was rounded down */
    case STORE_TTL_UNTIL:
        return when.milliseconds;
    default:
        return 0;
    }
}

static void begin_flush(struct command_context *ctx, struct command *cmd)
{
    struct store_ttl when = command_lifetime(cmd->request.ttl);
    metrics_add(ctx->metrics, METRIC_CMD_FLUSH, 1);
    cmd->begun = true;
    cmd->place.flushing = (struct flushing){.when = flush_time(ctx, when)};
}

enum outcome verb_flush(struct command_context *ctx, struct command *cmd)
{
    if (!cmd->begun) {
        begin_flush(ctx, cmd);
    }
    if (cmd->request.ns.length == 0) {
        return flush_reached(ctx, cmd);
    }
    enum remote_progress progress = flush_one(ctx, cmd, command_namespace(ctx, &cmd->request));
    return progress == REMOTE_READY ? answer_flush(ctx, cmd) : stop_flush(cmd, progress);
}

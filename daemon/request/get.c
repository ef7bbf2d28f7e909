/*
 * get.c - GET, LOOK, TTL.
 */
#include "daemon/request/each_key.h"
#include "daemon/request/notice.h"
#include "daemon/request/verbs.h"

/* Too many bytes are pinned for this value to be pinned, too. */
static bool wait_for_memory(struct command_context *ctx)
{
    ctx->crowded = true;
    return false;
}

static inline void notice_read(struct command_context *ctx, const struct request *request,
                               const struct store_key *at, enum store_status status, uint64_t bytes)
{
    if (notice_wants(ctx, EVENTS_READS)) {
        notice_record(ctx, EVENT_READ, request, at, status, bytes);
    }
}

/* --- GET -------------------------------------------------------------------- */

/* *length is set where the record was found. */
static inline __attribute__((always_inline)) enum store_status get(struct command_context *ctx,
                                                                   const struct command *cmd,
                                                                   const struct store_key *at,
                                                                   uint64_t *length)
{
    struct store_view view;
    reply_queue_prepare(ctx->replies);
    enum store_status status = store_get(ctx->store_thread, at, ctx->now, &view);
    if (status == STORE_CROWDED) {
        return status;
    }
    bool last = each_key_is_last(&cmd->request);
    if (status != STORE_OK) {
        reply_queue_reply(ctx->replies, &cmd->request,
                          &(struct reply){.kind = REPLY_NOT_FOUND, .last = last});
        return status;
    }
    *length = view.length;
    reply_queue_value(ctx->replies, &cmd->request,
                      &(struct reply){.kind = REPLY_VALUE,
                                      .name = cmd->request.key,
                                      .value_length = view.length,
                                      .client_flags = view.client_flags,
                                      .last = last},
                      &view);
    return status;
}

static bool __attribute__((cold, noinline))
get_watched(struct command_context *ctx, const struct command *cmd, const struct store_key *at)
{
    uint64_t length = 0;
    enum store_status status = get(ctx, cmd, at, &length);
    if (status == STORE_CROWDED) {
        return wait_for_memory(ctx);
    }
    notice_record(ctx, EVENT_READ, &cmd->request, at, status, length);
    return true;
}

static bool get_one(struct command_context *ctx, const struct command *cmd, struct store_key *at)
{
    uint64_t length;
    if (notice_wants(ctx, EVENTS_READS)) {
        return get_watched(ctx, cmd, at);
    }
    return get(ctx, cmd, at, &length) != STORE_CROWDED || wait_for_memory(ctx);
}

bool answer_get_key(struct command_context *ctx, const struct command *cmd, struct store_key *at)
{
    return get_one(ctx, cmd, at);
}

enum outcome verb_get(struct command_context *ctx, struct command *cmd)
{
    if (cmd->request.key.length == 0) {
        return each_key_end(ctx, cmd); /* of a line in pieces, and its last key was answered */
    }
    return each_key(ctx, cmd, get_one, false); /* the last reply has the end with it */
}

/* --- LOOK ------------------------------------------------------------------- */

static uint32_t notes_of(const struct store_view *view)
{
    return (view->read_before ? (uint32_t)REPLY_READ_BEFORE : 0) |
           (view->stale ? (uint32_t)REPLY_STALE : 0) | (view->won ? (uint32_t)REPLY_WON : 0) |
           (view->taken ? (uint32_t)REPLY_TAKEN : 0);
}

/* The counters that the store does not keep. */
static void count_look(struct command_context *ctx, const struct store_terms *terms, bool found)
{
    if (terms->uncounted) {
        metrics_add(ctx->metrics, METRIC_CMD_META, 1);
    } else if (terms->ttl.kind != STORE_TTL_KEEP) {
        metrics_add(ctx->metrics, METRIC_CMD_TOUCH, 1);
        if (!found) {
            metrics_add(ctx->metrics, METRIC_TOUCH_MISSES, 1);
        }
    }
}

/* A client that names the current version has the value already. */
static bool wants_value(const struct request *request, const struct store_view *view)
{
    bool has_it = (request->options & REQUEST_COMPARE) != 0 && view->version == request->compare;
    return (request->options & REQUEST_NO_VALUE) == 0 && !has_it;
}

bool answer_look_key(struct command_context *ctx, const struct command *cmd, struct store_key *at)
{
    const struct request *request = &cmd->request;
    struct store_terms terms;
    command_terms(request, &terms);
    struct store_view view;
    /* A client without the right to write is not asked to write the record anew, and does not keep
     * another one from it. */
    terms.contends = terms.contends && (command_rights(ctx, at->name) & RIGHT_WRITE) != 0;
    reply_queue_prepare(ctx->replies);
    enum store_status status = store_inspect(ctx->store_thread, at, &terms, ctx->now, &view);
    ctx->reclaim_began = 0;
    if (status == STORE_CROWDED) {
        return wait_for_memory(ctx);
    }
    count_look(ctx, &terms, status == STORE_OK && !view.made);
    if (status != STORE_OK) {
        notice_read(ctx, request, at, status, 0);
        return command_answer(ctx, request, at->name, status);
    }
    uint64_t length = view.length;
    struct reply reply = {.kind = REPLY_VALUE,
                          .name = cmd->request.key,
                          .value_length = view.length,
                          .client_flags = view.client_flags,
                          .version = view.version,
                          .number = view.number,
                          .bytes = view.size,
                          .notes = notes_of(&view),
                          .left = command_left(view.expires, ctx->now),
                          .idle = view.idle};
    if (wants_value(request, &view)) {
        reply_queue_value(ctx->replies, request, &reply, &view);
    } else {
        store_view_put(&view);
        reply.kind = REPLY_FOUND;
        reply_queue_reply(ctx->replies, request, &reply);
    }
    notice_read(ctx, request, at, status, length);
    return true;
}

enum outcome verb_look(struct command_context *ctx, struct command *cmd)
{
    return each_key(ctx, cmd, answer_look_key, true);
}

/* --- TTL -------------------------------------------------------------------- */

enum outcome verb_ttl(struct command_context *ctx, struct command *cmd)
{
    uint64_t expires = STORE_NEVER;
    enum store_status status = store_expiry(ctx->store_thread, &cmd->at, ctx->now, &expires);
    if (status != STORE_OK) {
        command_answer(ctx, &cmd->request, cmd->at.name, status);
    } else if (expires == STORE_NEVER) {
        reply_queue_status(ctx->replies, &cmd->request, REPLY_TTL_NEVER);
    } else {
        reply_queue_reply(
            ctx->replies, &cmd->request,
            &(struct reply){.kind = REPLY_TTL, .number = store_left(expires, ctx->now)});
    }
    return OUTCOME_DONE;
}

/*
 * set.c - verbs that change a record: PUT and its variants, DEL, STALE, EMPTY, TOUCH, INCR, DECR.
 */
#include "daemon/request/each_key.h"
#include "daemon/request/notice.h"
#include "daemon/request/slow_timer.h"
#include "daemon/request/verbs.h"

/* Tells watchers of a change without a value. */
static inline void notice_change(struct command_context *ctx, enum event_kind kind,
                                 const struct request *request, const struct store_key *at,
                                 enum store_status status)
{
    if (notice_wants(ctx, EVENT_BIT(kind))) {
        notice_record(ctx, kind, request, at, status, 0);
    }
}

/* --- PUT -------------------------------------------------------------------- */

static inline __attribute__((always_inline)) enum outcome put(struct command_context *ctx,
                                                              struct command *cmd)
{
    struct store_terms terms;
    command_terms(&cmd->request, &terms);
    struct stored stored = {0, 0};
    if ((cmd->request.options & REQUEST_LENGTH) != 0) {
        terms.length = &stored.length;
    }
    enum store_status status = store_put(ctx->store_thread, &cmd->at, &terms, cmd->request.value,
                                         ctx->now, &stored.version);
    notice_write(ctx, &cmd->request, &cmd->at, status);
    command_stored(ctx, &cmd->request, &cmd->at, status, &stored);
    return OUTCOME_DONE;
}

static enum outcome put_large(struct command_context *ctx, struct command *cmd)
{
    return put(ctx, cmd);
}

enum outcome verb_put(struct command_context *ctx, struct command *cmd)
{
    if (cmd->request.value.length > SLOW_TIMER_VALUE) {
        cmd->timer.keys = 0;
        return slow_timer_run(ctx, cmd, put_large);
    }
    enum outcome outcome = put(ctx, cmd);
    if (ctx->reclaim_began != 0) {
        slow_timer_reclaimed(ctx, cmd);
    }
    return outcome;
}

/* --- APPEND and PREPEND ----------------------------------------------------- */

static enum store_status begin_append(struct command_context *ctx, struct command *cmd)
{
    struct store_terms terms;
    command_terms(&cmd->request, &terms);
    struct stored *stored = &cmd->place.appending.stored;
    *stored = (struct stored){0, 0};
    if ((cmd->request.options & REQUEST_LENGTH) != 0) {
        terms.length = &stored->length;
    }
    terms.join = &cmd->place.appending.append;
    return store_put(ctx->store_thread, &cmd->at, &terms, cmd->request.value, ctx->now,
                     &stored->version);
}

static enum outcome append(struct command_context *ctx, struct command *cmd)
{
    struct stored *stored = &cmd->place.appending.stored;
    enum store_status status = cmd->begun ? STORE_UNFINISHED : begin_append(ctx, cmd);
    cmd->begun = status == STORE_UNFINISHED;
    while (status == STORE_UNFINISHED) {
        status = store_append_step(ctx->store_thread, &cmd->place.appending.append, ctx->now,
                                   &stored->version);
        cmd->begun = status == STORE_UNFINISHED || status == STORE_CROWDED;
        if (status == STORE_UNFINISHED && !command_has_time(ctx)) {
            return OUTCOME_LATER;
        }
    }
    if (status == STORE_CROWDED) {
        ctx->crowded = true;
        return OUTCOME_LATER;
    }
    notice_write(ctx, &cmd->request, &cmd->at, status);
    command_stored(ctx, &cmd->request, &cmd->at, status, stored);
    return OUTCOME_DONE;
}

enum outcome verb_append(struct command_context *ctx, struct command *cmd)
{
    cmd->timer.keys = 0;
    return slow_timer_run(ctx, cmd, append);
}

void verb_abandon_append(struct command *cmd)
{
    store_append_abort(&cmd->place.appending.append);
    cmd->begun = false;
}

/* --- DEL, STALE and EMPTY --------------------------------------------------- */

bool answer_delete_key(struct command_context *ctx, const struct command *cmd, struct store_key *at)
{
    const struct request *request = &cmd->request;
    const uint64_t *expected = (request->options & REQUEST_COMPARE) != 0 ? &request->compare : NULL;
    enum store_status status = store_delete(ctx->store_thread, at, expected, ctx->now);
    notice_change(ctx, EVENT_DELETE, request, at, status);
    if (status != STORE_OK) {
        metrics_add(ctx->metrics, METRIC_DELETE_MISSES, 1);
        return command_answer(ctx, request, at->name, status);
    }
    reply_queue_status(ctx->replies, request, REPLY_DELETED);
    return true;
}

enum outcome verb_delete(struct command_context *ctx, struct command *cmd)
{
    return each_key(ctx, cmd, answer_delete_key, false);
}

enum outcome verb_make_stale(struct command_context *ctx, struct command *cmd)
{
    struct store_terms terms;
    command_terms(&cmd->request, &terms);
    enum store_status status = store_make_stale(ctx->store_thread, &cmd->at, &terms, ctx->now);
    notice_change(ctx, EVENT_DELETE, &cmd->request, &cmd->at, status);
    if (status == STORE_OK) {
        reply_queue_status(ctx->replies, &cmd->request, REPLY_DELETED);
    } else {
        metrics_add(ctx->metrics, METRIC_DELETE_MISSES, 1);
        command_answer(ctx, &cmd->request, cmd->at.name, status);
    }
    return OUTCOME_DONE;
}

enum outcome verb_empty(struct command_context *ctx, struct command *cmd)
{
    const struct request *request = &cmd->request;
    struct store_terms terms;
    command_terms(request, &terms);
    bool marks = (request->options & REQUEST_MARK) != 0;
    enum store_status status = store_empty(ctx->store_thread, &cmd->at, &terms, marks, ctx->now);
    notice_change(ctx, EVENT_DELETE, request, &cmd->at, status);
    if (status == STORE_OK) {
        reply_queue_status(ctx->replies, request, REPLY_DELETED);
    } else {
        metrics_add(ctx->metrics, METRIC_DELETE_MISSES, 1);
        command_answer(ctx, request, cmd->at.name, status);
    }
    return OUTCOME_DONE;
}

/* --- TOUCH ------------------------------------------------------------------ */

enum outcome verb_touch(struct command_context *ctx, struct command *cmd)
{
    struct store_ttl ttl = command_lifetime(cmd->request.ttl);
    enum store_status status = store_touch(ctx->store_thread, &cmd->at, ttl, ctx->now);
    notice_change(ctx, EVENT_TOUCH, &cmd->request, &cmd->at, status);
    ctx->reclaim_began = 0;
    metrics_add(ctx->metrics, METRIC_CMD_TOUCH, 1);
    if (status == STORE_OK) {
        reply_queue_status(ctx->replies, &cmd->request, REPLY_TOUCHED);
        return OUTCOME_DONE;
    }
    if (status == STORE_NOT_FOUND) {
        metrics_add(ctx->metrics, METRIC_TOUCH_MISSES, 1);
    }
    command_answer(ctx, &cmd->request, cmd->at.name, status);
    return OUTCOME_DONE;
}

/* --- INCR and DECR ---------------------------------------------------------- */

enum outcome verb_add_number(struct command_context *ctx, struct command *cmd)
{
    const struct request *request = &cmd->request;
    struct store_terms terms;
    command_terms(request, &terms);
    struct store_sum sum = {.by = request->number,
                            .initial = request->initial,
                            .subtract = request->verb == VERB_DECR,
                            .wraps = (request->options & REQUEST_WRAP) != 0};
    enum store_status status =
        store_add_number(ctx->store_thread, &cmd->at, &terms, &sum, ctx->now);
    ctx->reclaim_began = 0;
    notice_change(ctx, EVENT_WRITE, request, &cmd->at, status);
    if (status == STORE_OK) {
        reply_queue_reply(ctx->replies, request,
                          &(struct reply){.kind = REPLY_NUMBER,
                                          .name = cmd->request.key,
                                          .number = sum.number,
                                          .version = sum.version,
                                          .left = command_left(sum.expires, ctx->now)});
        return OUTCOME_DONE;
    }
    if (status == STORE_NOT_FOUND) {
        metrics_add(ctx->metrics, sum.subtract ? METRIC_DECR_MISSES : METRIC_INCR_MISSES, 1);
    }
    command_answer(ctx, request, cmd->at.name, status);
    return OUTCOME_DONE;
}

/*
 * slow_command.c - SLOW: the requests that took long.
 */
#include "daemon/request/verbs.h"

enum { READ_AT_ONCE = 8 };

static enum outcome reset(struct command_context *ctx, const struct request *request)
{
    slow_log_reset(ctx->instance->slow_log);
    reply_queue_status(ctx->replies, request, REPLY_OK);
    return OUTCOME_DONE;
}

static void tell(struct command_context *ctx, const struct request *request,
                 const struct slow_request *slow)
{
    char line[SLOW_LINE_MAX];
    reply_queue_reply(
        ctx->replies, request,
        &(struct reply){.kind = REPLY_SLOW, .text = {line, inspect_slow(slow, line)}});
}

enum outcome verb_slow(struct command_context *ctx, struct command *cmd)
{
    const struct request *request = &cmd->request;
    const struct slow_log *log = ctx->instance->slow_log;
    struct slow_request slow[READ_AT_ONCE];
    uint64_t *after = &cmd->place.slow_after;
    size_t count = 0;
    if (request->topic == STATS_RESET) {
        return reset(ctx, request);
    }
    if (!cmd->begun) {
        cmd->begun = true;
        *after = slow_log_before(log, request->number);
    }
    do {
        if (reply_queue_is_full(ctx->replies)) {
            return OUTCOME_LATER;
        }
        count = slow_log_read(log, *after, slow, READ_AT_ONCE);
        for (size_t i = 0; i < count; i++) {
            tell(ctx, request, &slow[i]);
            *after = slow[i].id;
        }
    } while (count > 0 && command_has_time(ctx));
    if (count > 0) {
        return OUTCOME_LATER;
    }
    reply_queue_status(ctx->replies, request, REPLY_END);
    return OUTCOME_DONE;
}

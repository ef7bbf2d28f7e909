/*
 * slow_timer.c - see slow_timer.h.
 */
#include "daemon/request/slow_timer.h"

#include <stdio.h>

#include "daemon/net/peer.h"

static void copy_name(char *to, size_t size, struct slice name)
{
    snprintf(to, size, "%.*s", (int)name.length, name.length > 0 ? name.bytes : "");
}

static void add_entry(struct command_context *ctx, const struct slow_timer *timer,
                      const struct request *request, struct slice ns, uint64_t took)
{
    size_t cut =
        request->pattern.length < SLOW_PATTERN_MAX ? request->pattern.length : SLOW_PATTERN_MAX;
    struct slow_request slow = {
        .us = clock_wall_us(),
        .took = took,
        .worked = timer->worked,
        .turns = timer->turns,
        .keys = timer->keys > 0 ? timer->keys : 1,
        .verb = request->verb,
        .pattern_length = (uint8_t)cut,
    };
    if (cut > 0) {
        memcpy(slow.pattern, request->pattern.bytes, cut);
    }
    peer_name(ctx->identity->fd, slow.peer, sizeof slow.peer);
    if (ctx->identity->state == IDENTITY_AUTHENTICATED) {
        copy_name(slow.user, sizeof slow.user, user_name(ctx->identity->user));
    }
    copy_name(slow.listener, sizeof slow.listener, slice_of(ctx->endpoint->name));
    copy_name(slow.ns, sizeof slow.ns, ns);
    slow_log_add(ctx->instance->slow_log, ctx->worker, &slow);
}

static void note(struct command_context *ctx, const struct slow_timer *timer,
                 const struct request *request, struct slice ns, uint64_t took)
{
    if (took >= ctx->slow_threshold) {
        metrics_add(ctx->metrics, METRIC_SLOW_REQUESTS, 1);
        if (ctx->instance->slow_log != NULL) {
            add_entry(ctx, timer, request, ns, took);
        }
    }
}

void slow_timer_start(struct command_context *ctx, struct slow_timer *timer)
{
    timer->resumed = ctx->slow_threshold == 0 ? 0 : clock_precise();
    if (timer->began == 0) {
        timer->began = timer->resumed;
    }
}

void slow_timer_stop(struct command_context *ctx, struct slow_timer *timer, bool ends,
                     const struct request *request, struct slice ns)
{
    ctx->reclaim_began = 0;
    if (timer->resumed == 0) {
        return;
    }
    uint64_t now = clock_precise();
    timer->worked += now - timer->resumed;
    timer->turns++;
    if (ends) {
        note(ctx, timer, request, ns, now - timer->began);
    }
}

/* The namespace that a request was about. */
static struct slice subject(const struct command_context *ctx, const struct command *cmd)
{
    return cmd->request.key.length > 0 ? cmd->at.name : command_namespace(ctx, &cmd->request);
}

enum outcome slow_timer_run(struct command_context *ctx, struct command *cmd, verb_function *run)
{
    if (!cmd->begun) {
        cmd->timer = (struct slow_timer){.keys = cmd->timer.keys};
    }
    slow_timer_start(ctx, &cmd->timer);
    enum outcome outcome = run(ctx, cmd);
    slow_timer_stop(ctx, &cmd->timer, outcome == OUTCOME_DONE, &cmd->request, subject(ctx, cmd));
    return outcome;
}

void slow_timer_reclaims(struct command_context *ctx)
{
    if (ctx->slow_threshold != 0 && ctx->reclaim_began == 0) {
        ctx->reclaim_began = clock_precise();
    }
}

void slow_timer_reclaimed(struct command_context *ctx, const struct command *cmd)
{
    uint64_t took = clock_precise() - ctx->reclaim_began;
    const struct slow_timer timer = {.worked = took, .turns = 1};
    ctx->reclaim_began = 0;
    note(ctx, &timer, &cmd->request, cmd->at.name, took);
}

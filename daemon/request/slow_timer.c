/*
 * slow_timer.c - see slow_timer.h.
 */
#include "daemon/request/slow_timer.h"

#include <stdio.h>

#include "daemon/net/peer.h"

void slow_timer_begin(struct command_context *ctx)
{
    struct slow_timer *timer = &ctx->timer;
    if (timer->began == 0 && ctx->slow_threshold != UINT64_MAX) {
        uint64_t now = clock_precise();
        *timer = (struct slow_timer){.began = now, .resumed = now};
    }
}

void slow_timer_count(struct command_context *ctx, struct slice keys)
{
    struct slice key;
    unsigned count = 1;
    if (ctx->timer.began != 0 || keys.length < 2 * SLOW_TIMER_KEYS) {
        return;
    }
    while (request_next_key(&keys, &key)) {
        count++;
    }
    if (count > SLOW_TIMER_KEYS) {
        slow_timer_begin(ctx);
        ctx->timer.keys = count;
    }
}

void slow_timer_pause(struct command_context *ctx, struct slow_timer *saved)
{
    struct slow_timer *timer = &ctx->timer;
    if (timer->began != 0) {
        timer->worked += clock_precise() - timer->resumed;
        timer->turns++;
    }
    *saved = *timer;
    timer->began = 0;
}

void slow_timer_continue(struct command_context *ctx, struct slow_timer *saved)
{
    ctx->timer = *saved;
    ctx->timer.resumed = clock_precise();
    saved->began = 0;
}

static void copy_name(char *to, size_t size, struct slice name)
{
    snprintf(to, size, "%.*s", (int)name.length, name.length > 0 ? name.bytes : "");
}

static void add_entry(struct command_context *ctx, const struct request *request, struct slice ns,
                      uint64_t now)
{
    const struct slow_timer *timer = &ctx->timer;
    size_t cut =
        request->pattern.length < SLOW_PATTERN_MAX ? request->pattern.length : SLOW_PATTERN_MAX;
    struct slow_request slow = {
        .us = clock_wall_us(),
        .took = now - timer->began,
        .worked = timer->worked + (now - timer->resumed),
        .turns = timer->turns + 1,
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

void slow_timer_note(struct command_context *ctx, const struct request *request, struct slice ns)
{
    uint64_t now = ctx->timer.began != 0 ? clock_precise() : 0;
    if (now - ctx->timer.began >= ctx->slow_threshold && ctx->timer.began != 0) {
        metrics_add(ctx->metrics, METRIC_SLOW_REQUESTS, 1);
        if (ctx->instance->slow_log != NULL) {
            add_entry(ctx, request, ns, now);
        }
    }
    ctx->timer.began = 0;
}

/*
 * watch_command.c - WATCH, and the lines of events; see inspection.h.
 */
#include <stdio.h>

#include "daemon/request/authorize.h"
#include "daemon/request/inspection.h"
#include "daemon/request/verbs.h"

enum {
    EVENTS_A_TURN = 64, /* of a short turn */
    EVENTS_TIMED = 16,  /* between two readings of the clock */
};

/* --- beginning and end ------------------------------------------------------------------ */

/* The name is copied: a reload may change what `-` stands for. */
static void keep_namespace(struct inspection *inspection, const struct command_context *ctx,
                           const struct request *request)
{
    inspection->ns_length = 0;
    if (!authorize_names_all(request)) {
        struct slice name = command_namespace(ctx, request);
        memcpy(inspection->ns, name.bytes, name.length);
        inspection->ns_length = name.length;
    }
}

static enum watch_status begin(struct inspection *inspection, struct command_context *ctx,
                               const struct request *request)
{
    if (inspection == NULL || ctx->watch == NULL) {
        return WATCH_NO_MEMORY;
    }
    watch_leave(&inspection->watcher);
    keep_namespace(inspection, ctx, request);
    struct watch_terms terms = {.kinds = request->events,
                                .sample = request->number,
                                .ns = {inspection->ns, inspection->ns_length}};
    inspection->told = 0;
    return watch_join(ctx->watch, &terms, ctx->identity, &inspection->watcher);
}

static void refuse(struct command_context *ctx, const struct request *request,
                   enum watch_status status)
{
    static const char full[] = "8 connections watch already, which is the most: end one of them";
    bool too_many = status == WATCH_TOO_MANY;
    metrics_add(ctx->metrics, METRIC_REQUESTS_REFUSED, 1);
    reply_queue_reply(
        ctx->replies, request,
        &(struct reply){.kind = REPLY_SERVER_ERROR,
                        .reason = too_many ? REASON_TOO_MANY_WATCHERS : REASON_NO_MEMORY,
                        .text = slice_of(too_many ? full : "out of memory")});
}

_Static_assert(WATCH_MAX == 8, "the text says so");

enum outcome verb_watch(struct command_context *ctx, struct command *cmd)
{
    enum watch_status status = begin(inspection_of(ctx->identity), ctx, &cmd->request);
    if (status == WATCH_OK) {
        reply_queue_status(ctx->replies, &cmd->request, REPLY_OK);
    } else {
        refuse(ctx, &cmd->request, status);
    }
    return OUTCOME_DONE;
}

/* --- events -------------------------------------------------------------------------------- */

/* Makes the key one that clients of the listener write: with the namespace before it, unless that
 * is the listener's own. `room` is for the new key. False: they cannot reach it. */
static bool write_key(const struct command_context *ctx, struct watch_event *event, char *room)
{
    static const struct request none = {.verb = VERB_GET};
    struct slice ns = event->ns;
    char separator = ctx->endpoint->separator;
    if (ns.length == 0 || slice_equal(ns, command_namespace(ctx, &none))) {
        return true;
    }
    if (separator == '\0' || memchr(ns.bytes, separator, ns.length) != NULL ||
        !store_declares(ctx->store_thread, ns)) {
        return false;
    }
    memcpy(room, ns.bytes, ns.length);
    room[ns.length] = separator;
    memcpy(room + ns.length + 1, event->key.bytes, event->key.length);
    event->key = (struct slice){room, ns.length + 1 + event->key.length};
    return true;
}

static void tell(struct inspection *inspection, struct command_context *ctx,
                 struct watch_event *event)
{
    const struct protocol *protocol = ctx->replies->protocol;
    char key[REQUEST_NAMESPACE_MAX + 1 + REQUEST_KEY_MAX];
    char line[EVENT_LINE_MAX];
    if (protocol->whole_keys && !write_key(ctx, event, key)) {
        return;
    }
    size_t length = protocol->event(event, inspection->told, line);
    inspection->told += length > 0;
    reply_queue_text(ctx->replies, (struct slice){line, length});
}

static void tell_lost(struct inspection *inspection, struct command_context *ctx)
{
    char line[EVENT_LINE_MAX];
    uint64_t lost = watcher_take_lost(inspection->watcher);
    if (lost > 0) {
        reply_queue_text(ctx->replies,
                         (struct slice){line, ctx->replies->protocol->skipped(lost, line)});
    }
}

/* Whether the turn goes on after so many events. */
static bool has_time(const struct command_context *ctx, unsigned events)
{
    if (ctx->until == 0) {
        return events < EVENTS_A_TURN;
    }
    return events % EVENTS_TIMED != 0 || command_has_time(ctx);
}

bool inspection_watch(struct command_context *ctx)
{
    struct inspection *inspection = ctx->identity->inspection;
    const struct request request = {.verb = VERB_WATCH,
                                    .ns = {inspection->ns, inspection->ns_length}};
    struct watch_event event;
    unsigned events = 0;
    if (inspection->watcher == NULL) {
        return false;
    }
    if (!authorize_watching(ctx, &request)) {
        watch_leave(&inspection->watcher);
        return false;
    }
    while (!reply_queue_is_full(ctx->replies) && has_time(ctx, events)) {
        tell_lost(inspection, ctx);
        if (!watcher_peek(inspection->watcher, &event)) {
            return false;
        }
        tell(inspection, ctx, &event);
        watcher_drop(inspection->watcher);
        events++;
    }
    return true;
}

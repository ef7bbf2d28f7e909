/*
 * memory_limit.c - a client sets the limit for the memory of the store.
 *
 * It holds until the next request for one, or until a reload sets the configured one.
 */
#include "daemon/request/verbs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/log.h"

enum {
    LEAST = 8,             /* megabytes, as in memcached */
    MOST = 1000 * 1000000, /* a higher number was meant as bytes, as in memcached */
    MEGABYTE_SHIFT = 20,
    TEXT_MAX = 160,
};

static void answer(struct command_context *ctx, const struct request *request, const char *text)
{
    metrics_add(ctx->metrics, METRIC_REQUESTS_REFUSED, 1);
    reply_queue_reply(ctx->replies, request,
                      &(struct reply){.kind = REPLY_MEMORY_FAILED, .text = slice_of(text)});
}

static void refuse(struct command_context *ctx, const struct request *request,
                   enum store_resize result, int why)
{
    const struct store *store = store_of(ctx->store_thread);
    char text[TEXT_MAX] = "";
    switch (result) {
    case STORE_RESIZE_TOO_SMALL:
        snprintf(text, sizeof text, "at least %" PRIu64 " megabytes are needed without a restart",
                 store_memory_least(store) >> MEGABYTE_SHIFT);
        break;
    case STORE_RESIZE_TOO_LARGE:
        snprintf(text, sizeof text, "at most %" PRIu64 " megabytes can be had without a restart",
                 store_memory_most(store) >> MEGABYTE_SHIFT);
        break;
    case STORE_RESIZE_PROMISED:
        snprintf(text, sizeof text,
                 "the quotas of namespaces, or four values of max_value, come to more");
        break;
    case STORE_RESIZE_FAILED:
        snprintf(text, sizeof text, "%s", strerror(why));
        break;
    case STORE_RESIZED:
        return;
    }
    answer(ctx, request, text);
}

static void log_change(const struct command_context *ctx, uint64_t before, uint64_t megabytes)
{
    static const char any_client[] = "a client";
    bool known = ctx->identity->state == IDENTITY_AUTHENTICATED;
    struct slice user = known ? user_name(ctx->identity->user) : slice_of(any_client);
    log_notice("memory: %" PRIu64 " MiB, was %" PRIu64 " MiB: %s%.*s%s set it", megabytes,
               before >> MEGABYTE_SHIFT, known ? "user \"" : "", (int)user.length, user.bytes,
               known ? "\"" : "");
}

enum outcome verb_memory_limit(struct command_context *ctx, struct command *cmd)
{
    const struct request *request = &cmd->request;
    const struct store *store = store_of(ctx->store_thread);
    uint64_t before = store_memory(store);
    if (request->number < LEAST) {
        metrics_add(ctx->metrics, METRIC_REQUESTS_REFUSED, 1);
        reply_queue_status(ctx->replies, request, REPLY_MEMORY_TOO_SMALL);
        return OUTCOME_DONE;
    }
    if (request->number > MOST) {
        answer(ctx, request, "input value is megabytes not bytes");
        return OUTCOME_DONE;
    }
    enum store_resize result =
        store_set_memory(ctx->store_thread, request->number << MEGABYTE_SHIFT);
    int why = errno;
    if (result != STORE_RESIZED) {
        refuse(ctx, request, result, why);
        return OUTCOME_DONE;
    }
    if (before != store_memory(store)) {
        log_change(ctx, before, request->number);
    }
    reply_queue_status(ctx->replies, request, REPLY_OK);
    return OUTCOME_DONE;
}

/*
 * stats_lines.c - see stats_lines.h.
 */
#include "daemon/request/stats_lines.h"

#include <inttypes.h>
#include <stdio.h>

void stats_text(struct command_context *ctx, const struct request *request, const char *name,
                const char *value)
{
    reply_queue_reply(
        ctx->replies, request,
        &(struct reply){.kind = REPLY_STAT, .name = slice_of(name), .text = slice_of(value)});
}

void stats_number(struct command_context *ctx, const struct request *request, const char *name,
                  uint64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRIu64, value);
    stats_text(ctx, request, name, digits);
}

/*
 * settings.c - SETTINGS: all options in force.
 *
 * A configuration may have hundreds of thousands of lines, so they are made in parts, as a listing
 * is, of the configuration that was in force when the answer began.
 */
#include <stdio.h>
#include <stdlib.h>

#include "conf/conf_show.h"
#include "daemon/base/conf_in_use.h"
#include "daemon/request/verbs.h"

enum {
    PART_BYTES = 8192
}; /* made between two readings of the clock; the last line may exceed it */

struct settings {
    struct conf *first, *now; /* references */
    struct conf_walk walk;
};

static bool begin(struct command_context *ctx, struct command *cmd)
{
    struct settings *settings = calloc(1, sizeof *settings);
    if (settings == NULL) {
        command_refuse(ctx, &cmd->request, cmd->request.ns, STORE_NO_MEMORY);
        return false;
    }
    conf_in_use_get(ctx->instance->conf, &settings->first, &settings->now);
    cmd->place.settings = settings;
    cmd->begun = true;
    return true;
}

void verb_abandon_settings(struct command *cmd)
{
    conf_destroy(&cmd->place.settings->first);
    conf_destroy(&cmd->place.settings->now);
    free(cmd->place.settings);
    cmd->begun = false;
}

/* True at the end. */
static bool write_part(struct settings *settings, uint64_t memory, FILE *out)
{
    const struct conf_in_force in_force = {
        .first = settings->first, .now = settings->now, .memory = memory};
    bool goes_on = true;
    while (goes_on && ftell(out) < PART_BYTES) {
        long before = ftell(out);
        goes_on = conf_show_next(&settings->walk, &in_force, out);
        if (ftell(out) > before) {
            fputs("\r\n", out);
        }
    }
    return !goes_on;
}

/* Adds a part to the replies. False with *ended unset: no memory. */
static bool tell_part(struct command_context *ctx, struct settings *settings, bool *ended)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL) {
        return false;
    }
    *ended = write_part(settings, store_memory(store_of(ctx->store_thread)), out);
    bool written = fclose(out) == 0;
    if (written) {
        reply_queue_text(ctx->replies, (struct slice){text, length});
    }
    free(text);
    return written;
}

enum outcome verb_settings(struct command_context *ctx, struct command *cmd)
{
    bool ended = false;
    if (!cmd->begun && !begin(ctx, cmd)) {
        return OUTCOME_DONE;
    }
    do {
        if (!tell_part(ctx, cmd->place.settings, &ended)) {
            verb_abandon_settings(cmd);
            command_refuse(ctx, &cmd->request, cmd->request.ns, STORE_NO_MEMORY);
            return OUTCOME_DONE;
        }
    } while (!ended && !reply_queue_is_full(ctx->replies) && command_has_time(ctx));
    if (!ended) {
        return OUTCOME_LATER;
    }
    verb_abandon_settings(cmd);
    reply_queue_status(ctx->replies, &cmd->request, REPLY_END);
    return OUTCOME_DONE;
}

/*
 * reload_command.c - RELOAD: the configuration is read again, and its mistakes are the answer.
 *
 * The main thread reloads. The command waits for its answer, and with it all commands behind it;
 * the worker does not wait.
 */
#include "daemon/request/reload_request.h"

#include <string.h>

#include "daemon/request/verbs.h"

static void refuse_stopping(struct command_context *ctx, const struct request *request)
{
    metrics_add(ctx->metrics, METRIC_REQUESTS_REFUSED, 1);
    reply_queue_reply(
        ctx->replies, request,
        &(struct reply){.kind = REPLY_SERVER_ERROR, .text = slice_of("the daemon is stopping")});
}

static enum outcome begin(struct command_context *ctx, struct command *cmd)
{
    bool stopping;
    cmd->place.reload = reload_request_submit(ctx->reload_asker, ctx->identity, &stopping);
    cmd->begun = cmd->place.reload != NULL;
    if (cmd->begun) {
        return OUTCOME_WAITS;
    }
    if (stopping) {
        refuse_stopping(ctx, &cmd->request);
    } else {
        command_refuse(ctx, &cmd->request, cmd->request.ns, STORE_NO_MEMORY);
    }
    return OUTCOME_DONE;
}

/* Each line of the text is a reply. False: the reply queue is full. */
static bool tell_mistakes(struct command_context *ctx, const struct request *request,
                          struct reload_request *reload)
{
    const char *text = reload->text != NULL ? reload->text : "out of memory: see the log\n";
    while (text[reload->told] != '\0') {
        if (reply_queue_is_full(ctx->replies)) {
            return false;
        }
        const char *line = text + reload->told;
        size_t length = strcspn(line, "\n");
        reply_queue_reply(ctx->replies, request,
                          &(struct reply){.kind = REPLY_CLIENT_ERROR, .text = {line, length}});
        reload->told += length + (line[length] == '\n');
    }
    return true;
}

static bool tell(struct command_context *ctx, const struct request *request,
                 struct reload_request *reload)
{
    switch (reload->result) {
    case RELOAD_STOPPING:
        refuse_stopping(ctx, request);
        return true;
    case RELOAD_DONE:
        reply_queue_reply(
            ctx->replies, request,
            &(struct reply){.kind = REPLY_OK,
                            .text = slice_of(reload->text != NULL ? reload->text : "")});
        return true;
    case RELOAD_REFUSED:
        break;
    }
    if (!tell_mistakes(ctx, request, reload)) {
        return false;
    }
    metrics_add(ctx->metrics, METRIC_REQUESTS_REFUSED, 1);
    reply_queue_status(ctx->replies, request, REPLY_END);
    return true;
}

enum outcome verb_reload(struct command_context *ctx, struct command *cmd)
{
    if (!cmd->begun) {
        return begin(ctx, cmd);
    }
    if (!cmd->place.reload->answered) {
        return OUTCOME_WAITS;
    }
    if (!tell(ctx, &cmd->request, cmd->place.reload)) {
        return OUTCOME_LATER;
    }
    verb_abandon_reload(cmd);
    return OUTCOME_DONE;
}

void verb_abandon_reload(struct command *cmd)
{
    reload_request_abandon(&cmd->place.reload);
    cmd->begun = false;
}

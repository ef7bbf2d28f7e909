/*
 * remote_execute.c - see remote_execute.h.
 */
#include "daemon/request/remote_execute.h"

#include "daemon/request/authorize.h"
#include "daemon/request/remote_keys.h"
#include "daemon/request/remote_list.h"
#include "daemon/request/remote_part.h"
#include "daemon/request/slow_timer.h"

/* --- which requests are remote ------------------------------------------------------- */

/* Whether its keys may lie in several namespaces. */
static bool is_mixed(const struct command_context *ctx, const struct request *request)
{
    return request->keys.length > 0 && request->ns.length == 0 &&
           ctx->endpoint->separator != '\0' && (request->options & REQUEST_WHOLE_KEY) == 0;
}

static bool names_remote(const struct command_context *ctx, const struct request *request)
{
    return store_is_remote(ctx->store_thread, command_namespace(ctx, request));
}

bool remote_takes(struct command_context *ctx, const struct command *cmd)
{
    const struct request *request = &cmd->request;
    if (remote_part_serves(request->verb)) {
        return cmd->remote != NULL ||
               (request->key.length > 0 &&
                (is_mixed(ctx, request) || store_is_remote(ctx->store_thread, cmd->at.name)));
    }
    return request_lists(request) && names_remote(ctx, request);
}

/* --- carrying them out ----------------------------------------------------------------- */

static enum outcome execute(struct command_context *ctx, struct command *cmd)
{
    switch (cmd->request.verb) {
    case VERB_LIST:
    case VERB_ALL:
    case VERB_SURVEY:
    case VERB_DUMP:
        return remote_list(ctx, cmd);
    default:
        return remote_keys(ctx, cmd);
    }
}

enum outcome remote_execute(struct command_context *ctx, struct command *cmd)
{
    struct slice name =
        cmd->request.key.length > 0 ? cmd->at.name : command_namespace(ctx, &cmd->request);
    if (cmd->remote == NULL) {
        cmd->timer = (struct slow_timer){.began = 0}; /* of one that was asked ahead it runs */
    }
    slow_timer_start(ctx, &cmd->timer);
    enum outcome outcome = execute(ctx, cmd);
    slow_timer_stop(ctx, &cmd->timer, outcome == OUTCOME_DONE, &cmd->request, name);
    return outcome;
}

/* --- asking ahead ------------------------------------------------------------------------ */

/* What may come of a command while others before it wait. */
enum ahead {
    AHEAD_LOCAL, /* it is executed in its turn, and those behind it may be asked */
    AHEAD_ASK,
    AHEAD_STOP, /* nothing behind it may be asked */
};

static enum ahead judge(struct command_context *ctx, const struct command *cmd)
{
    const struct request *request = &cmd->request;
    if (request->verb == VERB_OK || request->verb == VERB_PING || request->verb == VERB_VERSION) {
        return AHEAD_LOCAL;
    }
    if (!remote_part_serves(request->verb) || cmd->located != STORE_OK) {
        return AHEAD_STOP;
    }
    if (!remote_takes(ctx, cmd)) {
        return AHEAD_LOCAL;
    }
    bool waits_for_login =
        identity_is_required(ctx->identity) &&
        (ctx->identity->login != NULL || (request->options & REQUEST_LOGIN) != 0);
    return waits_for_login || !authorize_may(ctx, request, cmd->at.name) ? AHEAD_STOP : AHEAD_ASK;
}

void remote_ask_ahead(struct command_context *ctx, struct command *commands, unsigned count)
{
    unsigned asked = 0;
    for (unsigned i = 0; i < count && asked < ctx->remote->ahead; i++) {
        struct command *cmd = &commands[i];
        enum ahead ahead = judge(ctx, cmd);
        if (ahead == AHEAD_LOCAL) {
            continue;
        }
        if (ahead == AHEAD_STOP) {
            return;
        }
        if (cmd->remote == NULL &&
            (remote_keys_conflict(commands, cmd) || !remote_keys_ask(ctx, cmd))) {
            return;
        }
        asked += remote_keys_asked(cmd);
    }
}

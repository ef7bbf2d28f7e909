/*
 * remote_execute.c - see remote_execute.h.
 */
#include "daemon/request/remote_execute.h"

#include "daemon/request/authorize.h"
#include "daemon/request/each_key.h"
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

/* Whether it has begun in the store in a way that is to be ended there. */
static bool has_begun_locally(const struct command *cmd)
{
    enum verb verb = cmd->request.verb;
    return cmd->begun &&
           (request_lists(&cmd->request) || verb == VERB_APPEND || verb == VERB_PREPEND);
}

bool remote_takes(struct command_context *ctx, const struct command *cmd)
{
    const struct request *request = &cmd->request;
    bool lists = request_lists(request);
    if ((!lists && !remote_part_serves(request->verb)) || has_begun_locally(cmd)) {
        return false;
    }
    if (cmd->remote != NULL) {
        return true;
    }
    return lists ? names_remote(ctx, request)
                 : request->key.length > 0 &&
                       (is_mixed(ctx, request) || store_is_remote(ctx->store_thread, cmd->at.name));
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

/* It is timed from its first turn on, even if it was asked ahead. */
static void reset_timer(struct command *cmd)
{
    bool several = cmd->request.key.length > 0 && cmd->request.keys.length > 0;
    cmd->timer = (struct slow_timer){.keys = several ? each_key_count(&cmd->request) : 0};
}

enum outcome remote_execute(struct command_context *ctx, struct command *cmd)
{
    struct slice name =
        cmd->request.key.length > 0 ? cmd->at.name : command_namespace(ctx, &cmd->request);
    if (cmd->remote == NULL) {
        reset_timer(cmd);
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
        if (cmd->remote == NULL) {
            if (remote_keys_conflict(commands, cmd) || !remote_keys_ask(ctx, cmd)) {
                return;
            }
            reset_timer(cmd);
        }
        asked += remote_keys_asked(cmd);
    }
}

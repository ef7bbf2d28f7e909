/*
 * dispatch.c - the table of verbs, the trivial verbs, and what is checked before any verb is
 * carried out.
 */
#include "daemon/request/dispatch.h"

#include "daemon/request/authorize.h"
#include "daemon/request/remote_execute.h"
#include "daemon/request/slow_timer.h"
#include "daemon/request/verbs.h"

/* --- trivial verbs -------------------------------------------------------- */

static enum outcome do_ok(struct command_context *ctx, struct command *cmd)
{
    reply_queue_status(ctx->replies, &cmd->request, REPLY_OK);
    return OUTCOME_DONE;
}

static enum outcome do_ping(struct command_context *ctx, struct command *cmd)
{
    reply_queue_status(ctx->replies, &cmd->request, REPLY_PONG);
    return OUTCOME_DONE;
}

static enum outcome do_version(struct command_context *ctx, struct command *cmd)
{
    reply_queue_reply(
        ctx->replies, &cmd->request,
        &(struct reply){.kind = REPLY_VERSION, .text = slice_of(command_version(ctx))});
    return OUTCOME_DONE;
}

static enum outcome do_help(struct command_context *ctx, struct command *cmd)
{
    reply_queue_text(ctx->replies, ctx->replies->protocol->help(&cmd->request));
    reply_queue_status(ctx->replies, &cmd->request, REPLY_END);
    return OUTCOME_DONE;
}

static enum outcome do_quit(struct command_context *ctx, struct command *cmd)
{
    (void)ctx;
    (void)cmd;
    return OUTCOME_QUIT;
}

/* --- verbs that may take long ---------------------------------------------------- */

static verb_function *const timed[VERB_UNUSED] = {
    [VERB_LIST] = verb_list,         [VERB_ALL] = verb_list,
    [VERB_FLUSH] = verb_flush,       [VERB_NAMESPACES] = verb_namespaces,
    [VERB_SURVEY] = verb_list,       [VERB_DUMP] = verb_list,
    [VERB_METADUMP] = verb_metadump,
};

static enum outcome do_timed(struct command_context *ctx, struct command *cmd)
{
    cmd->timer.keys = 0;
    return slow_timer_run(ctx, cmd, timed[cmd->request.verb]);
}

/* --- the table ------------------------------------------------------------ */

static verb_function *const verbs[VERB_UNUSED] = {
    [VERB_PUT] = verb_put,
    [VERB_ADD] = verb_put,
    [VERB_REPLACE] = verb_put,
    [VERB_APPEND] = verb_append,
    [VERB_PREPEND] = verb_append,
    [VERB_GET] = verb_get,
    [VERB_LOOK] = verb_look,
    [VERB_DEL] = verb_delete,
    [VERB_STALE] = verb_make_stale,
    [VERB_EMPTY] = verb_empty,
    [VERB_TTL] = verb_ttl,
    [VERB_TOUCH] = verb_touch,
    [VERB_INCR] = verb_add_number,
    [VERB_DECR] = verb_add_number,
    [VERB_LIST] = do_timed,
    [VERB_ALL] = do_timed,
    [VERB_SURVEY] = do_timed,
    [VERB_DUMP] = do_timed,
    [VERB_FLUSH] = do_timed,
    [VERB_NAMESPACES] = do_timed,
    [VERB_STATS] = verb_stats,
    [VERB_METADUMP] = do_timed,
    [VERB_SETTINGS] = verb_settings,
    [VERB_RELOAD] = verb_reload,
    [VERB_SLOW] = verb_slow,
    [VERB_WATCH] = verb_watch,
    [VERB_CLIENTS] = verb_clients,
    [VERB_KILL] = verb_kill,
    [VERB_MEMORY] = verb_memory_limit,
    [VERB_OK] = do_ok,
    [VERB_AUTH] = verb_auth,
    [VERB_PING] = do_ping,
    [VERB_VERSION] = do_version,
    [VERB_HELP] = do_help,
    [VERB_QUIT] = do_quit,
};

/* The functions that free what a command holds; NULL: it holds nothing. */
static verb_abandon *const abandons[VERB_UNUSED] = {
    [VERB_LIST] = verb_abandon_list,         [VERB_ALL] = verb_abandon_list,
    [VERB_SURVEY] = verb_abandon_list,       [VERB_DUMP] = verb_abandon_list,
    [VERB_METADUMP] = verb_abandon_metadump, [VERB_APPEND] = verb_abandon_append,
    [VERB_PREPEND] = verb_abandon_append,    [VERB_SETTINGS] = verb_abandon_settings,
    [VERB_RELOAD] = verb_abandon_reload,
};

void dispatch_abandon(struct command *cmd)
{
    verb_abandon *abandon = abandons[cmd->request.verb];
    if (cmd->begun && abandon != NULL) {
        abandon(cmd);
    }
    cmd->begun = false;
    remote_end(&cmd->remote);
}

/* --- one command ---------------------------------------------------------- */

static bool is_auth(const struct command_context *ctx, const struct request *request)
{
    return request->verb == VERB_AUTH || ctx->identity->login != NULL ||
           (ctx->identity->state == IDENTITY_UNAUTHENTICATED &&
            (request->options & REQUEST_LOGIN) != 0);
}

/* Where there are users: whether the command is to be carried out. If not, it is answered,
 * or waits: *outcome says so. */
static bool admit(struct command_context *ctx, struct command *cmd, enum outcome *outcome)
{
    *outcome = OUTCOME_DONE;
    if (is_auth(ctx, &cmd->request)) {
        *outcome = verb_auth(ctx, cmd);
        return false;
    }
    if (cmd->request.verb == VERB_QUIT || authorize_command(ctx, cmd)) {
        return true;
    }
    dispatch_abandon(cmd);
    return false;
}

enum outcome dispatch_execute(struct command_context *ctx, struct command *cmd)
{
    enum outcome outcome = OUTCOME_DONE;
    if (identity_is_required(ctx->identity) && !admit(ctx, cmd, &outcome)) {
        return outcome;
    }
    if (cmd->request.key.length > 0) {
        if (cmd->located == STORE_OK && cmd->at.ns == NULL) {
            command_locate_own(ctx,
                               cmd); /* a request before this one may have made the namespace */
        }
        if (cmd->located != STORE_OK) {
            remote_end(&cmd->remote);
            command_refuse(ctx, &cmd->request, cmd->at.name, cmd->located);
            return OUTCOME_DONE;
        }
    } else if ((cmd->request.options & REQUEST_ONLY_LOGIN) != 0) {
        /* a login, without a key, where none is needed */
        command_refuse_text(ctx, &cmd->request, REASON_OTHER, slice_of("bad command line format"));
        return OUTCOME_DONE;
    }
    enum verb verb = cmd->request.verb;
    ctx->identity->last_verb = (uint8_t)verb;
    if (ctx->remote != NULL && remote_takes(ctx, cmd)) {
        return remote_execute(ctx, cmd);
    }
    return verbs[verb](ctx, cmd);
}

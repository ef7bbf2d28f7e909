/*
 * remote.c - a worker's way to the cluster; which requests take it, and which are asked ahead.
 */
#include "daemon/request/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/request/authorize.h"
#include "daemon/request/batch.h"
#include "daemon/request/each_key.h"
#include "daemon/request/remote_key.h"
#include "daemon/request/remote_keys.h"
#include "daemon/request/remote_part.h"
#include "daemon/request/remote_scripts.h"
#include "daemon/request/slow_timer.h"

/* --- of a worker ------------------------------------------------------------------ */

static bool make_scripts(struct remote *remote)
{
    for (int i = 0; i < REMOTE_SCRIPTS; i++) {
        remote->scripts[i] = cluster_script_create(remote_script_text((enum remote_script)i));
        if (remote->scripts[i] == NULL) {
            errno = ENOMEM;
            return false;
        }
    }
    return true;
}

struct remote *remote_create(const struct cluster_options *options,
                             const struct remote_hooks *hooks)
{
    struct remote *remote = calloc(1, sizeof *remote);
    if (remote == NULL) {
        return NULL;
    }
    remote->hooks = *hooks;
    remote->ahead = REMOTE_AHEAD;
    if (make_scripts(remote)) {
        remote->cluster = cluster_create(options);
    }
    if (remote->cluster == NULL) {
        int error = errno;
        remote_destroy(&remote);
        errno = error;
    }
    return remote;
}

void remote_destroy(struct remote **place)
{
    struct remote *remote = *place;
    *place = NULL;
    if (remote == NULL) {
        return;
    }
    if (remote->cluster != NULL) {
        cluster_destroy(&remote->cluster);
    }
    for (int i = 0; i < REMOTE_SCRIPTS; i++) {
        if (remote->scripts[i] != NULL) {
            cluster_script_destroy(&remote->scripts[i]);
        }
    }
    free(remote);
}

/* --- work ------------------------------------------------------------------------- */

void remote_end(struct remote_work **place)
{
    struct remote_work *work = *place;
    *place = NULL;
    if (work != NULL) {
        work->destroy(work);
    }
}

void remote_wake(struct remote_work *work)
{
    if (work->waits) {
        work->waits = false;
        work->remote->hooks.resume(work->identity);
    }
}

/* Of an array that of its elements, too; they have none in what nodes answer to us. */
static size_t memory_of(const struct cluster_reply *reply)
{
    size_t bytes = sizeof *reply + reply->text.length;
    for (size_t i = 0; i < reply->count; i++) {
        bytes += sizeof reply + sizeof *reply + reply->elements[i]->text.length;
    }
    return bytes;
}

size_t remote_hold(struct remote_work *work, const struct cluster_question *question)
{
    enum { MUCH = 4 << 10 };
    size_t bytes = question->outcome == CLUSTER_ANSWERED ? memory_of(question->reply) : 0;
    work->held += bytes;
    if (bytes >= MUCH) {
        work->remote->hooks.grew(work->identity);
    }
    return bytes;
}

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

void remote_refuse_verb(struct command_context *ctx, const struct request *request,
                        struct slice name)
{
    char text[REQUEST_NAMESPACE_MAX + 64];
    int length = snprintf(text, sizeof text,
                          "not in namespace \"%.*s\": its records are in the "
                          "cluster",
                          (int)name.length, name.bytes);
    command_refuse_text(ctx, request, REASON_OTHER, (struct slice){text, (size_t)length});
}

void remote_adapt_ahead(struct remote *remote, size_t bytes)
{
    enum { LARGE = 16 << 10, TOGETHER = 1 << 20 };
    if (bytes > LARGE) {
        size_t ahead = TOGETHER / bytes;
        remote->ahead = ahead < 1 ? 1 : ahead < remote->ahead ? (unsigned)ahead : remote->ahead;
    } else if (remote->ahead < REMOTE_AHEAD) {
        remote->ahead++;
    }
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

void remote_ask_ahead(struct command_context *ctx, struct batch *batch)
{
    unsigned asked = 0;
    for (unsigned i = batch->next; i < batch->count && asked < ctx->remote->ahead; i++) {
        struct command *cmd = &batch->commands[i];
        enum ahead ahead = judge(ctx, cmd);
        if (ahead == AHEAD_LOCAL) {
            continue;
        }
        if (ahead == AHEAD_STOP) {
            return;
        }
        if (cmd->remote == NULL) {
            if (remote_keys_conflict(&batch->commands[batch->next], cmd) ||
                !remote_keys_ask(ctx, cmd)) {
                return;
            }
            reset_timer(cmd);
        }
        asked += remote_keys_asked(cmd);
    }
}

/*
 * auth_command.c - AUTH, and what other protocols have in its place: a client says which user it
 * is, and proves it by a secret.
 *
 * The secret is checked on the thread of the authenticator. The command waits until it has
 * answered, and with it all commands behind it.
 */
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/net/peer.h"
#include "daemon/request/verbs.h"

/* In the words that the protocol has for success. */
static void answer_granted(struct command_context *ctx, const struct request *request)
{
    reply_queue_status(ctx->replies, request, request->verb == VERB_AUTH ? REPLY_OK : REPLY_STORED);
}

static void log_denial(const struct command_context *ctx)
{
    static struct log_limit limit = LOG_LIMIT("denied: no such user with such a secret");
    if (log_admits(&limit, LOG_INFO)) {
        char peer[PEER_NAME_MAX];
        peer_name(ctx->identity->fd, peer, sizeof peer);
        log_line(LOG_INFO, "%s: %s: denied: no such user with such a secret", ctx->endpoint->name,
                 peer);
    }
}

static enum outcome conclude(struct command_context *ctx, const struct request *request,
                             enum identity_verdict verdict)
{
    switch (verdict) {
    case IDENTITY_WAITS:
        return OUTCOME_WAITS;
    case IDENTITY_GRANTED:
        answer_granted(ctx, request);
        return OUTCOME_DONE;
    case IDENTITY_DENIED:
        metrics_add(ctx->metrics, METRIC_AUTH_ERRORS, 1);
        log_denial(ctx);
        reply_queue_status(ctx->replies, request, REPLY_DENIED);
        return OUTCOME_DONE;
    case IDENTITY_NO_MEMORY:
        break;
    }
    command_refuse(ctx, request, request->ns, STORE_NO_MEMORY);
    return OUTCOME_DONE;
}

/* The bytes lie in the receive buffer: no later read of that memory shall find them. */
static void wipe(struct slice secret)
{
    explicit_bzero((char *)(uintptr_t)secret.bytes, secret.length);
}

/* Splits the value of a PUT that stands for AUTH: the user's name, a space, the secret. */
static bool split_value(struct slice value, struct slice *name, struct slice *secret)
{
    const char *space = memchr(value.bytes, ' ', value.length);
    if (space == NULL) {
        return false;
    }
    *name = (struct slice){value.bytes, (size_t)(space - value.bytes)};
    *secret = (struct slice){space + 1, value.length - name->length - 1};
    const char *why;
    return name->length > 0 && name->length <= REQUEST_NAMESPACE_MAX &&
           secret_is_possible(*secret, &why);
}

enum outcome verb_auth(struct command_context *ctx, struct command *cmd)
{
    const struct request *request = &cmd->request;
    struct slice name = request->ns;
    struct slice secret = request->value;
    if (cmd->begun) {
        return conclude(ctx, request, identity_take(ctx->identity, ctx->auth, ctx->now));
    }
    if (ctx->identity->state == IDENTITY_NOT_REQUIRED) {
        wipe(secret);
        command_refuse_text(ctx, request, REASON_OTHER,
                            slice_of("no users are configured: every client may do everything"));
        return OUTCOME_DONE;
    }
    metrics_add(ctx->metrics, METRIC_AUTH_CMDS, 1);
    if (request->verb != VERB_AUTH && !split_value(request->value, &name, &secret)) {
        wipe(request->value);
        command_refuse_text(ctx, request, REASON_OTHER,
                            slice_of("bad authentication token format"));
        return OUTCOME_DONE;
    }
    cmd->begun = true;
    enum identity_verdict verdict = identity_ask(ctx->identity, ctx->auth, ctx->now, name, secret);
    wipe(secret);
    return conclude(ctx, request, verdict);
}

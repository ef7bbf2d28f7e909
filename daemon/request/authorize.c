/*
 * authorize.c - who may have what carried out, and AUTH.
 *
 * Only connections of a daemon that has users come here. What a request takes is asked
 * before anything about it is answered, so that nobody learns of a namespace or a record
 * that is none of his business. It is asked again where a request goes on later: a reload
 * may have taken the right in between.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/net/transport.h"
#include "daemon/request/verbs.h"

/* --- rights ------------------------------------------------------------------- */

/* A read that leaves a trace: a new ttl, or a record where there was none. */
static bool look_changes(const struct request *request)
{
    return request->ttl.kind != TTL_KEEP || (request->options & REQUEST_MAKE) != 0;
}

/* The bits of enum right that a request takes; 0: it concerns no namespace. */
static unsigned needs(const struct request *request)
{
    static const uint8_t of_verb[VERB_UNUSED] = {
        [VERB_PUT] = RIGHT_WRITE,
        [VERB_ADD] = RIGHT_WRITE,
        [VERB_REPLACE] = RIGHT_WRITE,
        [VERB_APPEND] = RIGHT_WRITE,
        [VERB_PREPEND] = RIGHT_WRITE,
        [VERB_DEL] = RIGHT_WRITE,
        [VERB_STALE] = RIGHT_WRITE,
        [VERB_EMPTY] = RIGHT_WRITE,
        [VERB_TOUCH] = RIGHT_WRITE,
        [VERB_GET] = RIGHT_READ,
        [VERB_LOOK] = RIGHT_READ,
        [VERB_TTL] = RIGHT_READ,
        [VERB_INCR] = RIGHT_READ | RIGHT_WRITE,
        [VERB_DECR] = RIGHT_READ | RIGHT_WRITE,
        [VERB_LIST] = RIGHT_ADMIN,
        [VERB_ALL] = RIGHT_ADMIN,
        [VERB_DUMP] = RIGHT_ADMIN,
        [VERB_FLUSH] = RIGHT_ADMIN,
        [VERB_STATS] = RIGHT_WATCH,
        [VERB_MEMORY] = RIGHT_ADMIN,
    };
    unsigned rights = of_verb[request->verb];
    if (request->verb == VERB_STATS && request->topic == STATS_RESET) {
        rights |= RIGHT_ADMIN;
    }
    if (request->verb == VERB_LOOK && look_changes(request)) {
        rights |= RIGHT_WRITE;
    }
    return rights;
}

unsigned authorize_rights(const struct command_context *ctx, struct slice name)
{
    switch (ctx->identity->state) {
    case IDENTITY_NOT_REQUIRED:
        return RIGHT_READ | RIGHT_WRITE | RIGHT_ADMIN | RIGHT_WATCH;
    case IDENTITY_AUTHENTICATED:
        return user_rights(ctx->identity->user, name);
    case IDENTITY_UNAUTHENTICATED:
        break;
    }
    return 0;
}

uint64_t command_creator(void *context)
{
    const struct command_context *ctx = context;
    return ctx->identity->state == IDENTITY_AUTHENTICATED ? user_tag(ctx->identity->user) : 0;
}

static void say(struct command_context *ctx, const struct request *request,
                enum reply_reason reason, const char *text, size_t length)
{
    metrics_add(ctx->metrics, METRIC_REQUESTS_REFUSED, 1);
    ctx->replies->refused = true;
    reply_queue_reply(
        ctx->replies, request,
        &(struct reply){.kind = REPLY_CLIENT_ERROR, .reason = reason, .text = {text, length}});
}

void authorize_refuse_unauthenticated(struct command_context *ctx, const struct request *request)
{
    static const char text[] = "authenticate first: write AUTH <user> <secret>";
    say(ctx, request, REASON_UNAUTHENTICATED, text, sizeof text - 1);
}

void authorize_refuse_login(struct command_context *ctx, const struct request *request)
{
    static const char text[] = "bad command line format";
    say(ctx, request, REASON_OTHER, text, sizeof text - 1);
}

/* `name` is empty: every namespace. */
static void refuse_right(struct command_context *ctx, const struct request *request,
                         unsigned missing, struct slice name)
{
    const char *right = (missing & RIGHT_ADMIN) != 0   ? "admin"
                        : (missing & RIGHT_WATCH) != 0 ? "watch"
                        : (missing & RIGHT_WRITE) != 0 ? "write"
                                                       : "read";
    struct slice user = user_name(ctx->identity->user);
    char text[3 * REQUEST_NAMESPACE_MAX + 128];
    int length = name.length == 0
                     ? snprintf(text, sizeof text,
                                "not allowed: user \"%.*s\" needs the right \"%s\" everywhere",
                                (int)user.length, user.bytes, right)
                     : snprintf(text, sizeof text,
                                "not allowed: user \"%.*s\" needs the right \"%s\" in \"%.*s\"",
                                (int)user.length, user.bytes, right, (int)name.length, name.bytes);
    say(ctx, request, REASON_OTHER, text, (size_t)length);
}

bool authorize_may(const struct command_context *ctx, const struct request *request,
                   struct slice name)
{
    return (needs(request) & ~authorize_rights(ctx, name)) == 0;
}

bool authorize_may_everywhere(const struct command_context *ctx, const struct request *request)
{
    unsigned rights = ctx->identity->state == IDENTITY_AUTHENTICATED
                          ? user_rights_everywhere(ctx->identity->user)
                          : authorize_rights(ctx, (struct slice){NULL, 0});
    return (needs(request) & ~rights) == 0;
}

void authorize_refuse_declared(struct command_context *ctx, const struct request *request)
{
    struct slice user = user_name(ctx->identity->user);
    char text[REQUEST_NAMESPACE_MAX + 128];
    int length = snprintf(text, sizeof text,
                          "not allowed: user \"%.*s\" needs the right \"admin\" in every "
                          "namespace that is declared",
                          (int)user.length, user.bytes);
    say(ctx, request, REASON_OTHER, text, (size_t)length);
}

bool authorize_request(struct command_context *ctx, const struct request *request,
                       struct slice name)
{
    if (ctx->identity->state == IDENTITY_NOT_REQUIRED) {
        return true;
    }
    if (ctx->identity->state == IDENTITY_UNAUTHENTICATED) {
        authorize_refuse_unauthenticated(ctx, request);
        return false;
    }
    unsigned missing = needs(request) & ~authorize_rights(ctx, name);
    if (missing != 0) {
        refuse_right(ctx, request, missing, name);
    }
    return missing == 0;
}

/* Figures of the daemon, and its memory, are those of all namespaces. */
static bool allowed_everywhere(struct command_context *ctx, const struct request *request)
{
    unsigned missing = needs(request) & ~user_rights_everywhere(ctx->identity->user);
    if (missing != 0) {
        refuse_right(ctx, request, missing, (struct slice){NULL, 0});
    }
    return missing == 0;
}

/* Where it may not, its key may be whole for who asks. */
static bool is_allowed_key(struct command_context *ctx, struct command *cmd)
{
    if (authorize_may(ctx, &cmd->request, cmd->at.name)) {
        return true;
    }
    if (ctx->endpoint->separator != '\0') {
        command_locate_own(ctx, cmd);
    }
    return authorize_request(ctx, &cmd->request, cmd->at.name);
}

/* The namespace that a request is about: a listing stays where it began. */
static struct slice subject(const struct command_context *ctx, const struct command *cmd)
{
    enum verb verb = cmd->request.verb;
    struct slice ns = {NULL, 0};
    if (cmd->begun && (verb == VERB_LIST || verb == VERB_ALL)) {
        ns = store_cursor_namespace(cmd->place.listing.cursor);
    }
    return ns.length > 0 ? ns : command_namespace(ctx, &cmd->request);
}

static bool is_allowed(struct command_context *ctx, struct command *cmd)
{
    const struct request *request = &cmd->request;
    if (request->key.length > 0) {
        return is_allowed_key(ctx, cmd);
    }
    if ((request->options & REQUEST_IN_PIECES) != 0) {
        return true; /* the end of a line whose keys have been answered */
    }
    if (request->verb == VERB_MEMORY || (request->verb == VERB_STATS && request->ns.length == 0)) {
        return allowed_everywhere(ctx, request);
    }
    return needs(request) == 0 || authorize_request(ctx, request, subject(ctx, cmd));
}

/* --- AUTH ---------------------------------------------------------------------- */

/* What the protocol calls success. */
static void say_granted(struct command_context *ctx, const struct request *request)
{
    reply_queue_status(ctx->replies, request, request->verb == VERB_AUTH ? REPLY_OK : REPLY_STORED);
}

static void log_denial(const struct command_context *ctx)
{
    static struct log_limit limit = LOG_LIMIT("denied: no such user with such a secret");

    if (log_admits(&limit, LOG_INFO)) {
        char peer[TRANSPORT_PEER_MAX];
        transport_peer(ctx->identity->fd, peer, sizeof peer);
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
        say_granted(ctx, request);
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

/* The bytes are of the connection's receive buffer, where nobody shall find them later. */
static void wipe(struct slice secret)
{
    explicit_bzero((char *)(uintptr_t)secret.bytes, secret.length);
}

/* The user's name and the secret, of a PUT that stands for AUTH: its value is both, with a
 * space between. */
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
    static const char malformed[] = "bad authentication token format";
    static const char nobody[] = "there are no users here: everybody may do everything";
    const struct request *request = &cmd->request;
    struct slice name = request->ns;
    struct slice secret = request->value;
    if (cmd->begun) {
        return conclude(ctx, request, identity_take(ctx->identity, ctx->auth, ctx->now));
    }
    if (ctx->identity->state == IDENTITY_NOT_REQUIRED) {
        wipe(secret);
        say(ctx, request, REASON_OTHER, nobody, sizeof nobody - 1);
        return OUTCOME_DONE;
    }
    metrics_add(ctx->metrics, METRIC_AUTH_CMDS, 1);
    if (request->verb != VERB_AUTH && !split_value(request->value, &name, &secret)) {
        wipe(request->value);
        say(ctx, request, REASON_OTHER, malformed, sizeof malformed - 1);
        return OUTCOME_DONE;
    }
    cmd->begun = true;
    enum identity_verdict verdict = identity_ask(ctx->identity, ctx->auth, ctx->now, name, secret);
    wipe(secret);
    return conclude(ctx, request, verdict);
}

/* --- everything else ------------------------------------------------------------ */

static bool is_auth(const struct command_context *ctx, const struct request *request)
{
    return request->verb == VERB_AUTH || ctx->identity->login != NULL ||
           (ctx->identity->state == IDENTITY_UNAUTHENTICATED &&
            (request->options & REQUEST_LOGIN) != 0);
}

bool authorize_admits(struct command_context *ctx, struct command *cmd, enum outcome *outcome)
{
    const struct request *request = &cmd->request;
    *outcome = OUTCOME_DONE;
    if (is_auth(ctx, request)) {
        *outcome = verb_auth(ctx, cmd);
        return false;
    }
    if (request->verb == VERB_QUIT) {
        return true;
    }
    bool allowed = ctx->identity->state == IDENTITY_AUTHENTICATED && is_allowed(ctx, cmd);
    if (ctx->identity->state == IDENTITY_UNAUTHENTICATED) {
        authorize_refuse_unauthenticated(ctx, request);
    }
    if (!allowed) {
        command_abandon(cmd);
    }
    return allowed;
}

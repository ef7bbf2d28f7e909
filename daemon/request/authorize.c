/*
 * authorize.c - the rights that each verb takes, held against those of the client.
 */
#include "daemon/request/authorize.h"

#include <stdio.h>

/* Whether a read writes as well: a new ttl, or a record where there was none. */
static bool look_writes(const struct request *request)
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
        [VERB_SURVEY] = RIGHT_ADMIN,
        [VERB_DUMP] = RIGHT_ADMIN | RIGHT_READ,
        [VERB_METADUMP] = RIGHT_ADMIN,
        [VERB_FLUSH] = RIGHT_ADMIN,
        [VERB_STATS] = RIGHT_WATCH,
        [VERB_MEMORY] = RIGHT_ADMIN,
        [VERB_SETTINGS] = RIGHT_ADMIN,
        [VERB_RELOAD] = RIGHT_ADMIN,
    };
    unsigned rights = of_verb[request->verb];
    if (request->verb == VERB_STATS && request->topic == STATS_RESET) {
        rights |= RIGHT_ADMIN;
    }
    if (request->verb == VERB_LOOK && look_writes(request)) {
        rights |= RIGHT_WRITE;
    }
    return rights;
}

void authorize_refuse_unauthenticated(struct command_context *ctx, const struct request *request)
{
    command_refuse_text(ctx, request, REASON_UNAUTHENTICATED,
                        slice_of("authenticate first: write AUTH <user> <secret>"));
}

/* An empty name stands for every namespace. */
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
    command_refuse_text(ctx, request, REASON_OTHER, (struct slice){text, (size_t)length});
}

bool authorize_may(const struct command_context *ctx, const struct request *request,
                   struct slice name)
{
    return (needs(request) & ~command_rights(ctx, name)) == 0;
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
    unsigned missing = needs(request) & ~command_rights(ctx, name);
    if (missing != 0) {
        refuse_right(ctx, request, missing, name);
    }
    return missing == 0;
}

/* --- one namespace after the other ------------------------------------------ */

/* Whether the client has the rights in every namespace that the endpoint could reach beside its
 * own. */
static bool may_behind_endpoint(const struct command_context *ctx, const struct request *request)
{
    unsigned rights = ctx->identity->state == IDENTITY_AUTHENTICATED
                          ? user_rights_everywhere(ctx->identity->user)
                          : command_rights(ctx, (struct slice){NULL, 0});
    return ctx->endpoint->separator == '\0' || (needs(request) & ~rights) == 0;
}

static void refuse_declared(struct command_context *ctx, const struct request *request)
{
    struct slice user = user_name(ctx->identity->user);
    char text[REQUEST_NAMESPACE_MAX + 128];
    int length = snprintf(text, sizeof text,
                          "not allowed: user \"%.*s\" needs the right \"admin\" in every "
                          "namespace that is declared",
                          (int)user.length, user.bytes);
    command_refuse_text(ctx, request, REASON_OTHER, (struct slice){text, (size_t)length});
}

enum walk_step authorize_reached(struct command_context *ctx, const struct request *request,
                                 uint32_t *next)
{
    struct namespace_walk walk = {.next = next, .own = command_namespace(ctx, request)};
    enum walk_step step = WALK_ENDED;
    if (may_behind_endpoint(ctx, request)) {
        return WALK_ENDED;
    }
    while ((step = namespace_walk_next(ctx, &walk)) == WALK_FOUND) {
        if (!authorize_may(ctx, request, walk.name)) {
            refuse_declared(ctx, request);
            break;
        }
    }
    return step;
}

/* --- a command -------------------------------------------------------------- */

/* Stats of the daemon, its memory and its configuration concern all namespaces. */
static bool concerns_all(const struct request *request)
{
    return request->verb == VERB_MEMORY || request->verb == VERB_SETTINGS ||
           request->verb == VERB_RELOAD || (request->verb == VERB_STATS && request->ns.length == 0);
}

static bool allowed_everywhere(struct command_context *ctx, const struct request *request)
{
    unsigned missing = needs(request) & ~user_rights_everywhere(ctx->identity->user);
    if (missing != 0) {
        refuse_right(ctx, request, missing, (struct slice){NULL, 0});
    }
    return missing == 0;
}

/* Without a right in the namespace that the key begins with, the whole key may lie in the
 * endpoint's own namespace. */
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

/* The namespace that a request is about. A listing stays in the one where it began. */
static struct slice subject(const struct command_context *ctx, const struct command *cmd)
{
    struct slice ns = {NULL, 0};
    if (cmd->begun && request_lists(&cmd->request)) {
        ns = store_cursor_namespace(cmd->place.listing.cursor);
    }
    return ns.length > 0 ? ns : command_namespace(ctx, &cmd->request);
}

/* Of a client that has authenticated. */
static bool is_allowed(struct command_context *ctx, struct command *cmd)
{
    const struct request *request = &cmd->request;
    if (request->key.length > 0) {
        return is_allowed_key(ctx, cmd);
    }
    if ((request->options & REQUEST_IN_PIECES) != 0) {
        return true; /* the end of a line whose keys have been answered */
    }
    if (concerns_all(request)) {
        return allowed_everywhere(ctx, request);
    }
    return needs(request) == 0 || authorize_request(ctx, request, subject(ctx, cmd));
}

bool authorize_command(struct command_context *ctx, struct command *cmd)
{
    if (ctx->identity->state == IDENTITY_UNAUTHENTICATED) {
        authorize_refuse_unauthenticated(ctx, &cmd->request);
        return false;
    }
    return is_allowed(ctx, cmd);
}

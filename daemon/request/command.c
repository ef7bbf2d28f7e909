/*
 * command.c - what all verbs share: what a request means to the store, where its keys live, and
 * how refusals are answered.
 */
#include "daemon/request/command.h"

#include <stdio.h>

/* --- refusals ------------------------------------------------------------- */

/* The texts of the store's refusals. Where `after` is not NULL, the namespace's name stands between
 * the two. */
static const struct refusal {
    enum reply_kind kind;
    enum reply_reason reason;
    const char *before, *after;
} refusals[] = {
    [STORE_NOT_A_NUMBER] = {REPLY_CLIENT_ERROR, REASON_NOT_A_NUMBER,
                            "the value is not a number from 0 to 18446744073709551615", NULL},
    [STORE_OVERFLOW] = {REPLY_CLIENT_ERROR, REASON_OTHER,
                        "the sum would be above 18446744073709551615", NULL},
    [STORE_TTL_REQUIRED] = {REPLY_CLIENT_ERROR, REASON_OTHER, "namespace \"",
                            "\" needs a ttl with every write, such as 30m"},
    [STORE_UNDECLARED] = {REPLY_CLIENT_ERROR, REASON_OTHER, "namespace \"",
                          "\" is not declared; NAMESPACES lists those that are"},
    [STORE_TOO_MANY_NAMESPACES] = {REPLY_SERVER_ERROR, REASON_OTHER,
                                   "too many namespaces to make \"",
                                   "\"; flush some that are not declared"},
    [STORE_TOO_MANY_OWN] = {REPLY_SERVER_ERROR, REASON_OTHER,
                            "half of the namespaces that are not declared are yours, too many to "
                            "make \"",
                            "\"; flush some of them"},
    [STORE_TOO_LARGE] = {REPLY_SERVER_ERROR, REASON_TOO_LARGE,
                         "the record is larger than namespace \"", "\" may hold"},
    [STORE_TOO_SLOW] = {REPLY_SERVER_ERROR, REASON_NO_MEMORY,
                        "the value came too slowly while memory was short; send it again", NULL},
    [STORE_NO_MEMORY] = {REPLY_SERVER_ERROR, REASON_NO_MEMORY,
                         "out of memory, and nothing may be evicted", NULL},
    [STORE_FELL_BEHIND] = {REPLY_SERVER_ERROR, REASON_NO_MEMORY,
                           "the listing was read too slowly while memory was short; list "
                           "namespace \"",
                           "\" again, and read without pauses"},
};

static void refuse(struct command_context *ctx, const struct request *request,
                   const struct reply *reply)
{
    metrics_add(ctx->metrics, METRIC_REQUESTS_REFUSED, 1);
    ctx->replies->refused = true;
    reply_queue_reply(ctx->replies, request, reply);
}

void command_refuse_text(struct command_context *ctx, const struct request *request,
                         enum reply_reason reason, struct slice text)
{
    refuse(ctx, request,
           &(struct reply){.kind = REPLY_CLIENT_ERROR, .reason = reason, .text = text});
}

void command_fail_text(struct command_context *ctx, const struct request *request,
                       enum reply_reason reason, struct slice text)
{
    refuse(ctx, request,
           &(struct reply){.kind = REPLY_SERVER_ERROR, .reason = reason, .text = text});
}

void command_refuse(struct command_context *ctx, const struct request *request, struct slice name,
                    enum store_status status)
{
    const struct refusal *refusal = &refusals[status];
    char text[REQUEST_NAMESPACE_MAX + 128];
    int length = snprintf(text, sizeof text, "%s", refusal->before);
    if (refusal->after != NULL) {
        length = snprintf(text, sizeof text, "%s%.*s%s", refusal->before, (int)name.length,
                          name.bytes, refusal->after);
    }
    refuse(ctx, request,
           &(struct reply){
               .kind = refusal->kind, .reason = refusal->reason, .text = {text, (size_t)length}});
}

bool command_answer(struct command_context *ctx, const struct request *request, struct slice name,
                    enum store_status status)
{
    switch (status) {
    case STORE_NOT_FOUND:
        reply_queue_status(ctx->replies, request, REPLY_NOT_FOUND);
        return true;
    case STORE_EXISTS:
        reply_queue_status(ctx->replies, request, REPLY_EXISTS);
        return true;
    case STORE_CHANGED:
        reply_queue_status(ctx->replies, request, REPLY_CHANGED);
        return true;
    default:
        command_refuse(ctx, request, name, status);
        return false;
    }
}

/* Whether the store could not take the value. False: it did, or the terms of the write did not
 * hold. */
static bool is_refusal(enum store_status status)
{
    return status != STORE_OK && status != STORE_EXISTS && status != STORE_NOT_FOUND &&
           status != STORE_CHANGED;
}

void command_stored(struct command_context *ctx, const struct request *request,
                    struct store_key *at, enum store_status status, const struct stored *stored)
{
    if (status == STORE_OK) {
        reply_queue_reply(ctx->replies, request,
                          &(struct reply){.kind = REPLY_STORED,
                                          .version = stored->version,
                                          .value_length = stored->length});
        return;
    }
    if ((request->options & REQUEST_CLEAR) != 0 && is_refusal(status)) {
        store_drop(ctx->store_thread, at, ctx->now);
    }
    if (status == STORE_TOO_LARGE) {
        metrics_add(ctx->metrics, METRIC_STORE_TOO_LARGE, 1);
    }
    command_answer(ctx, request, at->name, status);
}

/* --- what a request means to the store ------------------------------------ */

/* The namespace of keys that come without one. */
static inline struct slice namespace_of_endpoint(const struct command_context *ctx)
{
    const struct endpoint *endpoint = ctx->endpoint;
    return endpoint->default_length != 0
               ? (struct slice){endpoint->default_namespace, endpoint->default_length}
               : ctx->default_namespace;
}

static inline struct slice named_namespace(const struct command_context *ctx,
                                           const struct request *request)
{
    bool is_default = request->ns.length == 1 && request->ns.bytes[0] == '-';
    return is_default ? ctx->default_namespace : request->ns;
}

struct slice command_namespace(const struct command_context *ctx, const struct request *request)
{
    return request->ns.length == 0 ? namespace_of_endpoint(ctx) : named_namespace(ctx, request);
}

unsigned command_rights(const struct command_context *ctx, struct slice name)
{
    switch (ctx->identity->state) {
    case IDENTITY_NOT_REQUIRED:
        return RIGHT_READ | RIGHT_WRITE | RIGHT_WATCH | RIGHT_ADMIN;
    case IDENTITY_AUTHENTICATED:
        return user_rights(ctx->identity->user, name);
    case IDENTITY_UNAUTHENTICATED:
        break;
    }
    return 0;
}

/* To a user without any right in it, a declared namespace looks like an undeclared one. */
static bool is_hidden(const struct command_context *ctx, struct slice name)
{
    return ctx->identity->state == IDENTITY_AUTHENTICATED && command_rights(ctx, name) == 0;
}

bool command_split_key(const struct command_context *ctx, struct slice *name, struct slice *key)
{
    char separator = ctx->endpoint->separator;
    const char *at = separator == '\0' ? NULL : memchr(key->bytes, separator, key->length);
    if (at == NULL) {
        return false;
    }
    struct slice before = {key->bytes, (size_t)(at - key->bytes)};
    struct slice behind = {at + 1, key->length - before.length - 1};
    if (before.length == 0 || before.length > REQUEST_NAMESPACE_MAX || behind.length == 0 ||
        !store_declares(ctx->store_thread, before)) {
        return false;
    }
    *name = before;
    *key = behind;
    return true;
}

/* A key that comes without a namespace, to a listener with a separator. */
static enum store_status __attribute__((noinline))
locate_split(const struct command_context *ctx, struct slice key, enum split split,
             struct store_key *at)
{
    struct slice name = {NULL, 0};
    struct slice rest = key;
    if (!command_split_key(ctx, &name, &rest) || (split == SPLIT_OWN && is_hidden(ctx, name))) {
        return store_locate(ctx->store_thread, namespace_of_endpoint(ctx), key, at);
    }
    return store_locate(ctx->store_thread, name, rest, at);
}

static inline enum store_status locate(const struct command_context *ctx,
                                       const struct request *request, struct slice key,
                                       enum split split, struct store_key *at)
{
    if (request->ns.length != 0) {
        return store_locate(ctx->store_thread, named_namespace(ctx, request), key, at);
    }
    if (ctx->endpoint->separator == '\0') {
        return store_locate(ctx->store_thread, namespace_of_endpoint(ctx), key, at);
    }
    return locate_split(ctx, key, split, at);
}

enum store_status command_locate_key(const struct command_context *ctx,
                                     const struct request *request, struct slice key,
                                     enum split split, struct store_key *at)
{
    return locate(ctx, request, key, split, at);
}

struct store_ttl command_lifetime(struct ttl ttl)
{
    static const enum store_ttl_kind kinds[] = {
        [TTL_DEFAULT] = STORE_TTL_DEFAULT, [TTL_NEVER] = STORE_TTL_NEVER,
        [TTL_FOR] = STORE_TTL_FOR,         [TTL_UNTIL] = STORE_TTL_UNTIL,
        [TTL_GONE] = STORE_TTL_GONE,       [TTL_KEEP] = STORE_TTL_KEEP,
    };
    if (ttl.kind != TTL_UNTIL) {
        return (struct store_ttl){kinds[ttl.kind], ttl.milliseconds};
    }
    uint64_t until = clock_when(ttl.milliseconds);
    return until != 0 ? (struct store_ttl){STORE_TTL_UNTIL, until}
                      : (struct store_ttl){STORE_TTL_GONE, 0};
}

/* Options that are terms of a write or of an inspection. Most requests have none. */
enum {
    TERMS = REQUEST_COMPARE | REQUEST_OR_STALE | REQUEST_MAKE | REQUEST_VERSION | REQUEST_PEEK |
            REQUEST_UNCOUNTED | REQUEST_CONTEND
};

static void __attribute__((noinline))
set_options(struct store_terms *terms, const struct request *request)
{
    uint32_t options = request->options;
    terms->compares = (options & REQUEST_COMPARE) != 0;
    terms->or_stale = (options & REQUEST_OR_STALE) != 0;
    terms->makes = (options & REQUEST_MAKE) != 0;
    terms->tells_version = (options & REQUEST_VERSION) != 0;
    terms->peeks = (options & REQUEST_PEEK) != 0;
    terms->uncounted = (options & REQUEST_UNCOUNTED) != 0;
    terms->contends = (options & REQUEST_CONTEND) != 0;
    if (terms->makes) {
        terms->make = command_lifetime(request->make);
    }
}

void command_terms(const struct request *request, struct store_terms *terms)
{
    static const enum store_mode modes[VERB_UNUSED] = {[VERB_ADD] = STORE_ADD,
                                                       [VERB_REPLACE] = STORE_REPLACE,
                                                       [VERB_APPEND] = STORE_APPEND,
                                                       [VERB_PREPEND] = STORE_PREPEND};
    *terms = (struct store_terms){.mode = modes[request->verb],
                                  .ttl = command_lifetime(request->ttl),
                                  .expected = request->compare,
                                  .version = request->version,
                                  .client_flags = request->client_flags,
                                  .noted = (request->options & REQUEST_NOTED) != 0};
    if ((request->options & TERMS) != 0) {
        set_options(terms, request);
    }
    if (request->refresh.kind != TTL_DEFAULT) {
        struct store_ttl refresh = command_lifetime(request->refresh);
        terms->refresh = refresh.kind == STORE_TTL_FOR ? refresh.milliseconds : 0;
    }
}

uint64_t command_creator(void *context)
{
    const struct command_context *ctx = context;
    return ctx->identity->state == IDENTITY_AUTHENTICATED ? user_tag(ctx->identity->user) : 0;
}

/* --- locating ------------------------------------------------------------- */

void command_locate(struct command_context *ctx, struct command *cmd)
{
    if (cmd->request.key.length > 0) {
        cmd->located = locate(ctx, &cmd->request, cmd->request.key, SPLIT_DECLARED, &cmd->at);
    }
}

void command_locate_own(struct command_context *ctx, struct command *cmd)
{
    cmd->located = command_locate_key(ctx, &cmd->request, cmd->request.key, SPLIT_OWN, &cmd->at);
}

/*
 * command.c - where a request goes: its keys are located, its verb is looked up in
 * a table, and what the store refuses is answered.
 */
#include "daemon/request/verbs.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/clock.h"
#include "daemon/request/stats.h"

enum {
    /* Keys of a long GET or DEL that are located before the first is read. */
    KEYS_AHEAD = 8,
    KEYS_TIMED = 64, /* keys of a request, after which it looks at the time */
};

/* --- refusals ------------------------------------------------------------- */

/* What a store's refusal is called. Where `after` is not NULL, the namespace's
 * name stands between the two. */
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
                            "\" wants a ttl with every write, such as 30m"},
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
    metrics_add(ctx->metrics, METRIC_REQUESTS_REFUSED, 1);
    ctx->replies->refused = true;
    reply_queue_reply(ctx->replies, request,
                      &(struct reply){.kind = refusal->kind,
                                      .reason = refusal->reason,
                                      .text = {text, (size_t)length}});
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

/* --- what a request means to the store ------------------------------------ */

/* Where keys live that come without a namespace. */
static struct slice namespace_of_endpoint(const struct command_context *ctx)
{
    const char *name = ctx->endpoint->default_namespace;
    return name[0] != '\0' ? slice_of(name) : ctx->default_namespace;
}

struct slice command_namespace(const struct command_context *ctx, const struct request *request)
{
    if (request->ns.length == 0) {
        return namespace_of_endpoint(ctx);
    }
    bool is_default = request->ns.length == 1 && request->ns.bytes[0] == '-';
    return is_default ? ctx->default_namespace : request->ns;
}

/* To a user without any right in it, a namespace looks as if it were not declared. */
static bool is_hidden(const struct command_context *ctx, struct slice name)
{
    return ctx->identity->state == IDENTITY_AUTHENTICATED && authorize_rights(ctx, name) == 0;
}

/* Takes the namespace off the front of a key, if one that is declared stands there. */
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

enum store_status command_locate_key(const struct command_context *ctx,
                                     const struct request *request, struct slice key,
                                     enum split split, struct store_key *at)
{
    struct slice name = {NULL, 0};
    struct slice rest = key;
    if (request->ns.length != 0 || !command_split_key(ctx, &name, &rest) ||
        (split == SPLIT_OWN && is_hidden(ctx, name))) {
        return store_locate(ctx->store_thread, command_namespace(ctx, request), key, at);
    }
    return store_locate(ctx->store_thread, name, rest, at);
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

struct store_terms command_terms(const struct request *request)
{
    static const enum store_mode modes[VERB_UNUSED] = {[VERB_ADD] = STORE_ADD,
                                                       [VERB_REPLACE] = STORE_REPLACE,
                                                       [VERB_APPEND] = STORE_APPEND,
                                                       [VERB_PREPEND] = STORE_PREPEND};
    struct store_terms terms = {.mode = modes[request->verb],
                                .ttl = command_lifetime(request->ttl)};
    uint32_t options = request->options;
    terms.compares = (options & REQUEST_COMPARE) != 0;
    terms.or_stale = (options & REQUEST_OR_STALE) != 0;
    terms.makes = (options & REQUEST_MAKE) != 0;
    terms.noted = (options & REQUEST_NOTED) != 0;
    terms.tells_version = (options & REQUEST_VERSION) != 0;
    terms.peeks = (options & REQUEST_PEEK) != 0;
    terms.uncounted = (options & REQUEST_UNCOUNTED) != 0;
    terms.contends = (options & REQUEST_CONTEND) != 0;
    terms.expected = request->compare;
    terms.version = request->version;
    terms.client_flags = request->client_flags;
    if (terms.makes) {
        terms.make = command_lifetime(request->make);
    }
    if (request->refresh.kind != TTL_DEFAULT) {
        struct store_ttl refresh = command_lifetime(request->refresh);
        terms.refresh = refresh.kind == STORE_TTL_FOR ? refresh.milliseconds : 0;
    }
    return terms;
}

/* --- locating ------------------------------------------------------------- */

void command_begin(struct command *cmd)
{
    struct request *request = &cmd->request;
    cmd->begun = false;
    cmd->located = STORE_OK;
    if ((request->options & REQUEST_WHOLE_KEY) != 0) {
        request->key = request->keys;
        request->keys.length = 0;
    } else if (!request_next_key(&request->keys, &request->key)) {
        request->key.length = 0;
    }
}

/* A request before this one may be a login: the guard looks at rights. */
void command_locate(struct command_context *ctx, struct command *cmd)
{
    if (cmd->request.key.length > 0) {
        cmd->located =
            command_locate_key(ctx, &cmd->request, cmd->request.key, SPLIT_DECLARED, &cmd->at);
    }
}

void command_locate_own(struct command_context *ctx, struct command *cmd)
{
    cmd->located = command_locate_key(ctx, &cmd->request, cmd->request.key, SPLIT_OWN, &cmd->at);
}

/* Locates and fetches the keys that come next; returns how many. */
static size_t look_ahead(struct command_context *ctx, struct command *cmd, struct store_key *ahead)
{
    struct slice keys = cmd->request.keys;
    struct slice key;
    size_t count = 0;
    while (count < KEYS_AHEAD && request_next_key(&keys, &key)) {
        cmd->located = command_locate_key(ctx, &cmd->request, key, SPLIT_OWN, &ahead[count]);
        if (cmd->located != STORE_OK) {
            cmd->at.name = ahead[count].name;
            break;
        }
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        store_fetch(ctx->store_thread, &ahead[i]);
    }
    return count;
}

enum outcome each_key(struct command_context *ctx, struct command *cmd, answers_key *one,
                      bool reads)
{
    struct store_key ahead[KEYS_AHEAD];
    unsigned done = 0;
    ctx->replies->refused = false;
    if (cmd->request.key.length > 0 && !one(ctx, cmd, &cmd->at)) {
        return ctx->crowded ? OUTCOME_LATER : OUTCOME_DONE;
    }
    while (cmd->request.keys.length > 0) {
        size_t count = look_ahead(ctx, cmd, ahead);
        if (count == 0) {
            if (authorize_request(ctx, &cmd->request, cmd->at.name)) {
                command_refuse(ctx, &cmd->request, cmd->at.name, cmd->located);
            }
            return OUTCOME_DONE;
        }
        for (size_t i = 0; i < count; i++) {
            request_next_key(&cmd->request.keys, &cmd->request.key);
            if (reply_queue_is_full(ctx->replies) ||
                (++done % KEYS_TIMED == 0 && !command_has_time(ctx))) {
                return OUTCOME_LATER;
            }
            if (!authorize_request(ctx, &cmd->request, ahead[i].name) ||
                !one(ctx, cmd, &ahead[i])) {
                return ctx->crowded ? OUTCOME_LATER : OUTCOME_DONE;
            }
        }
    }
    bool is_last = (cmd->request.options & REQUEST_MORE_FOLLOW) == 0;
    if (reads && is_last && ctx->replies->protocol->ends_keys) {
        reply_queue_status(ctx->replies, &cmd->request, REPLY_KEYS_END);
    }
    return OUTCOME_DONE;
}

/* --- the rest ------------------------------------------------------------- */

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
    reply_queue_text(ctx->replies, ctx->replies->protocol->help());
    reply_queue_status(ctx->replies, &cmd->request, REPLY_END);
    return OUTCOME_DONE;
}

static enum outcome do_quit(struct command_context *ctx, struct command *cmd)
{
    (void)ctx;
    (void)cmd;
    return OUTCOME_QUIT;
}

/* --- the table ------------------------------------------------------------ */

typedef enum outcome executes(struct command_context *, struct command *);

static executes *const verbs[VERB_UNUSED] = {
    [VERB_PUT] = verb_put,
    [VERB_ADD] = verb_put,
    [VERB_REPLACE] = verb_put,
    [VERB_APPEND] = verb_join,
    [VERB_PREPEND] = verb_join,
    [VERB_GET] = verb_get,
    [VERB_LOOK] = verb_look,
    [VERB_DEL] = verb_delete,
    [VERB_STALE] = verb_make_stale,
    [VERB_EMPTY] = verb_empty,
    [VERB_TTL] = verb_ttl,
    [VERB_TOUCH] = verb_touch,
    [VERB_INCR] = verb_add_number,
    [VERB_DECR] = verb_add_number,
    [VERB_LIST] = verb_list,
    [VERB_ALL] = verb_list,
    [VERB_FLUSH] = verb_flush,
    [VERB_NAMESPACES] = verb_namespaces,
    [VERB_STATS] = stats_answer,
    [VERB_DUMP] = verb_dump,
    [VERB_MEMORY] = verb_memory_limit,
    [VERB_OK] = do_ok,
    [VERB_AUTH] = verb_auth,
    [VERB_PING] = do_ping,
    [VERB_VERSION] = do_version,
    [VERB_HELP] = do_help,
    [VERB_QUIT] = do_quit,
};

enum outcome command_execute(struct command_context *ctx, struct command *cmd)
{
    enum outcome outcome = OUTCOME_DONE;
    if (identity_is_asked(ctx->identity) && !authorize_admits(ctx, cmd, &outcome)) {
        return outcome;
    }
    if (cmd->request.key.length > 0) {
        if (cmd->located == STORE_OK && cmd->at.ns == NULL) {
            command_locate_own(ctx, cmd); /* a request before this one may have made it */
        }
        if (cmd->located != STORE_OK) {
            command_refuse(ctx, &cmd->request, cmd->at.name, cmd->located);
            return OUTCOME_DONE;
        }
    } else if ((cmd->request.options & REQUEST_ONLY_LOGIN) != 0) {
        authorize_refuse_login(ctx, &cmd->request);
        return OUTCOME_DONE;
    }
    return verbs[cmd->request.verb](ctx, cmd);
}

void command_abandon(struct command *cmd)
{
    bool lists = cmd->request.verb == VERB_LIST || cmd->request.verb == VERB_ALL;
    if (cmd->begun && lists) {
        store_cursor_close(&cmd->place.listing.cursor);
        free(cmd->place.listing.glob);
    } else if (cmd->begun && cmd->request.verb == VERB_DUMP) {
        dump_end(cmd);
    }
    if (cmd->begun && (cmd->request.verb == VERB_APPEND || cmd->request.verb == VERB_PREPEND)) {
        store_append_abort(&cmd->place.joining.join);
    }
    cmd->begun = false;
}

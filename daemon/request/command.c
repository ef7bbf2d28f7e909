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

void execute_refuse(struct executor *by, const struct request *request, struct slice name,
                    enum store_status status)
{
    const struct refusal *refusal = &refusals[status];
    char text[REQUEST_NAMESPACE_MAX + 128];
    int length = snprintf(text, sizeof text, "%s", refusal->before);
    if (refusal->after != NULL) {
        length = snprintf(text, sizeof text, "%s%.*s%s", refusal->before, (int)name.length,
                          name.bytes, refusal->after);
    }
    metrics_add(by->metrics, METRIC_REQUESTS_REFUSED, 1);
    by->outbox->refused = true;
    outbox_reply(by->outbox, request,
                 &(struct reply){.kind = refusal->kind,
                                 .reason = refusal->reason,
                                 .text = {text, (size_t)length}});
}

bool execute_answer(struct executor *by, const struct request *request, struct slice name,
                    enum store_status status)
{
    switch (status) {
    case STORE_NOT_FOUND:
        outbox_say(by->outbox, request, REPLY_NOT_FOUND);
        return true;
    case STORE_EXISTS:
        outbox_say(by->outbox, request, REPLY_EXISTS);
        return true;
    case STORE_CHANGED:
        outbox_say(by->outbox, request, REPLY_CHANGED);
        return true;
    default:
        execute_refuse(by, request, name, status);
        return false;
    }
}

/* --- what a request means to the store ------------------------------------ */

/* Where keys live that come without a namespace. */
static struct slice namespace_of_endpoint(const struct executor *by)
{
    const char *name = by->endpoint->default_namespace;
    return name[0] != '\0' ? slice_of(name) : by->default_namespace;
}

struct slice execute_namespace(const struct executor *by, const struct request *request)
{
    if (request->ns.length == 0) {
        return namespace_of_endpoint(by);
    }
    bool is_default = request->ns.length == 1 && request->ns.bytes[0] == '-';
    return is_default ? by->default_namespace : request->ns;
}

/* To a user without any right in it, a namespace looks as if it were not declared. */
static bool is_hidden(const struct executor *by, struct slice name)
{
    return by->identity->state == IDENTITY_AUTHENTICATED && execute_rights(by, name) == 0;
}

/* Takes the namespace off the front of a key, if one that is declared stands there. */
bool execute_split_key(const struct executor *by, struct slice *name, struct slice *key)
{
    char separator = by->endpoint->separator;
    const char *at = separator == '\0' ? NULL : memchr(key->bytes, separator, key->length);
    if (at == NULL) {
        return false;
    }
    struct slice before = {key->bytes, (size_t)(at - key->bytes)};
    struct slice behind = {at + 1, key->length - before.length - 1};
    if (before.length == 0 || before.length > REQUEST_NAMESPACE_MAX || behind.length == 0 ||
        !store_declares(by->lane, before)) {
        return false;
    }
    *name = before;
    *key = behind;
    return true;
}

enum store_status execute_locate_key(const struct executor *by, const struct request *request,
                                     struct slice key, enum split split, struct store_key *at)
{
    struct slice name = {NULL, 0};
    struct slice rest = key;
    if (request->ns.length != 0 || !execute_split_key(by, &name, &rest) ||
        (split == SPLIT_OWN && is_hidden(by, name))) {
        return store_locate(by->lane, execute_namespace(by, request), key, at);
    }
    return store_locate(by->lane, name, rest, at);
}

struct store_ttl execute_lifetime(struct ttl ttl)
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

struct store_terms execute_terms(const struct request *request)
{
    static const enum store_mode modes[VERB_UNUSED] = {[VERB_ADD] = STORE_ADD,
                                                       [VERB_REPLACE] = STORE_REPLACE,
                                                       [VERB_APPEND] = STORE_APPEND,
                                                       [VERB_PREPEND] = STORE_PREPEND};
    struct store_terms terms = {.mode = modes[request->verb],
                                .ttl = execute_lifetime(request->ttl)};
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
        terms.make = execute_lifetime(request->make);
    }
    if (request->refresh.kind != TTL_DEFAULT) {
        struct store_ttl refresh = execute_lifetime(request->refresh);
        terms.refresh = refresh.kind == STORE_TTL_FOR ? refresh.milliseconds : 0;
    }
    return terms;
}

/* --- locating ------------------------------------------------------------- */

void execute_begin(struct execution *of)
{
    struct request *request = &of->request;
    of->begun = false;
    of->located = STORE_OK;
    if ((request->options & REQUEST_WHOLE_KEY) != 0) {
        request->key = request->keys;
        request->keys.length = 0;
    } else if (!request_next_key(&request->keys, &request->key)) {
        request->key.length = 0;
    }
}

/* A request before this one may be a login: the guard looks at rights. */
void execute_locate(struct executor *by, struct execution *of)
{
    if (of->request.key.length > 0) {
        of->located =
            execute_locate_key(by, &of->request, of->request.key, SPLIT_DECLARED, &of->at);
    }
}

void execute_locate_own(struct executor *by, struct execution *of)
{
    of->located = execute_locate_key(by, &of->request, of->request.key, SPLIT_OWN, &of->at);
}

/* Locates and fetches the keys that come next; returns how many. */
static size_t look_ahead(struct executor *by, struct execution *of, struct store_key *ahead)
{
    struct slice keys = of->request.keys;
    struct slice key;
    size_t count = 0;
    while (count < KEYS_AHEAD && request_next_key(&keys, &key)) {
        of->located = execute_locate_key(by, &of->request, key, SPLIT_OWN, &ahead[count]);
        if (of->located != STORE_OK) {
            of->at.name = ahead[count].name;
            break;
        }
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        store_fetch(by->lane, &ahead[i]);
    }
    return count;
}

enum outcome execute_each_key(struct executor *by, struct execution *of, answers_key *one,
                              bool reads)
{
    struct store_key ahead[KEYS_AHEAD];
    unsigned done = 0;
    by->outbox->refused = false;
    if (of->request.key.length > 0 && !one(by, of, &of->at)) {
        return by->crowded ? OUTCOME_LATER : OUTCOME_DONE;
    }
    while (of->request.keys.length > 0) {
        size_t count = look_ahead(by, of, ahead);
        if (count == 0) {
            if (execute_allowed(by, &of->request, of->at.name)) {
                execute_refuse(by, &of->request, of->at.name, of->located);
            }
            return OUTCOME_DONE;
        }
        for (size_t i = 0; i < count; i++) {
            request_next_key(&of->request.keys, &of->request.key);
            if (outbox_is_full(by->outbox) ||
                (++done % KEYS_TIMED == 0 && !executor_has_time(by))) {
                return OUTCOME_LATER;
            }
            if (!execute_allowed(by, &of->request, ahead[i].name) || !one(by, of, &ahead[i])) {
                return by->crowded ? OUTCOME_LATER : OUTCOME_DONE;
            }
        }
    }
    bool is_last = (of->request.options & REQUEST_MORE_FOLLOW) == 0;
    if (reads && is_last && by->outbox->protocol->ends_keys) {
        outbox_say(by->outbox, &of->request, REPLY_KEYS_END);
    }
    return OUTCOME_DONE;
}

/* --- the rest ------------------------------------------------------------- */

static enum outcome do_ok(struct executor *by, struct execution *of)
{
    outbox_say(by->outbox, &of->request, REPLY_OK);
    return OUTCOME_DONE;
}

static enum outcome do_ping(struct executor *by, struct execution *of)
{
    outbox_say(by->outbox, &of->request, REPLY_PONG);
    return OUTCOME_DONE;
}

static enum outcome do_version(struct executor *by, struct execution *of)
{
    outbox_reply(by->outbox, &of->request,
                 &(struct reply){.kind = REPLY_VERSION, .text = slice_of(execute_version(by))});
    return OUTCOME_DONE;
}

static enum outcome do_help(struct executor *by, struct execution *of)
{
    outbox_text(by->outbox, by->outbox->protocol->help());
    outbox_say(by->outbox, &of->request, REPLY_END);
    return OUTCOME_DONE;
}

static enum outcome do_quit(struct executor *by, struct execution *of)
{
    (void)by;
    (void)of;
    return OUTCOME_QUIT;
}

/* --- the table ------------------------------------------------------------ */

typedef enum outcome executes(struct executor *, struct execution *);

static executes *const verbs[VERB_UNUSED] = {
    [VERB_PUT] = execute_put,
    [VERB_ADD] = execute_put,
    [VERB_REPLACE] = execute_put,
    [VERB_APPEND] = execute_join,
    [VERB_PREPEND] = execute_join,
    [VERB_GET] = execute_get,
    [VERB_LOOK] = execute_look,
    [VERB_DEL] = execute_delete,
    [VERB_STALE] = execute_make_stale,
    [VERB_EMPTY] = execute_empty,
    [VERB_TTL] = execute_ttl,
    [VERB_TOUCH] = execute_touch,
    [VERB_INCR] = execute_add_number,
    [VERB_DECR] = execute_add_number,
    [VERB_LIST] = execute_list,
    [VERB_ALL] = execute_list,
    [VERB_FLUSH] = execute_flush,
    [VERB_NAMESPACES] = execute_namespaces,
    [VERB_STATS] = stats_answer,
    [VERB_DUMP] = execute_dump,
    [VERB_MEMORY] = execute_memory,
    [VERB_OK] = do_ok,
    [VERB_AUTH] = execute_auth,
    [VERB_PING] = do_ping,
    [VERB_VERSION] = do_version,
    [VERB_HELP] = do_help,
    [VERB_QUIT] = do_quit,
};

enum outcome execute(struct executor *by, struct execution *of)
{
    enum outcome outcome = OUTCOME_DONE;
    if (identity_is_asked(by->identity) && !execute_admits(by, of, &outcome)) {
        return outcome;
    }
    if (of->request.key.length > 0) {
        if (of->located == STORE_OK && of->at.ns == NULL) {
            execute_locate_own(by, of); /* a request before this one may have made it */
        }
        if (of->located != STORE_OK) {
            execute_refuse(by, &of->request, of->at.name, of->located);
            return OUTCOME_DONE;
        }
    } else if ((of->request.options & REQUEST_ONLY_LOGIN) != 0) {
        execute_refuse_login(by, &of->request);
        return OUTCOME_DONE;
    }
    return verbs[of->request.verb](by, of);
}

void execute_abandon(struct execution *of)
{
    bool lists = of->request.verb == VERB_LIST || of->request.verb == VERB_ALL;
    if (of->begun && lists) {
        store_cursor_close(&of->place.listing.cursor);
        free(of->place.listing.glob);
    } else if (of->begun && of->request.verb == VERB_DUMP) {
        execute_dump_end(of);
    }
    if (of->begun && (of->request.verb == VERB_APPEND || of->request.verb == VERB_PREPEND)) {
        store_join_abort(&of->place.joining.join);
    }
    of->begun = false;
}

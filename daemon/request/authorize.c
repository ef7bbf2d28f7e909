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
        [VERB_STATS] = RIGHT_ADMIN,
        [VERB_MEMORY] = RIGHT_ADMIN,
    };
    unsigned rights = of_verb[request->verb];
    if (request->verb == VERB_LOOK && look_changes(request)) {
        rights |= RIGHT_WRITE;
    }
    return rights;
}

unsigned execute_rights(const struct executor *by, struct slice name)
{
    switch (by->identity->state) {
    case IDENTITY_NOT_REQUIRED:
        return RIGHT_READ | RIGHT_WRITE | RIGHT_ADMIN;
    case IDENTITY_AUTHENTICATED:
        return user_rights(by->identity->user, name);
    case IDENTITY_UNAUTHENTICATED:
        break;
    }
    return 0;
}

uint64_t execute_maker(void *executor)
{
    const struct executor *by = executor;
    return by->identity->state == IDENTITY_AUTHENTICATED ? user_tag(by->identity->user) : 0;
}

static void say(struct executor *by, const struct request *request, enum reply_reason reason,
                const char *text, size_t length)
{
    metrics_add(by->metrics, METRIC_REQUESTS_REFUSED, 1);
    by->outbox->refused = true;
    outbox_reply(
        by->outbox, request,
        &(struct reply){.kind = REPLY_CLIENT_ERROR, .reason = reason, .text = {text, length}});
}

void execute_refuse_stranger(struct executor *by, const struct request *request)
{
    static const char text[] = "authenticate first: write AUTH <user> <secret>";
    say(by, request, REASON_UNAUTHENTICATED, text, sizeof text - 1);
}

void execute_refuse_login(struct executor *by, const struct request *request)
{
    static const char text[] = "bad command line format";
    say(by, request, REASON_OTHER, text, sizeof text - 1);
}

/* `name` is empty: every namespace. */
static void refuse_right(struct executor *by, const struct request *request, unsigned missing,
                         struct slice name)
{
    const char *right = (missing & RIGHT_ADMIN) != 0   ? "admin"
                        : (missing & RIGHT_WRITE) != 0 ? "write"
                                                       : "read";
    struct slice user = user_name(by->identity->user);
    char text[3 * REQUEST_NAMESPACE_MAX + 128];
    int length = name.length == 0
                     ? snprintf(text, sizeof text,
                                "not allowed: user \"%.*s\" needs the right \"%s\" everywhere",
                                (int)user.length, user.bytes, right)
                     : snprintf(text, sizeof text,
                                "not allowed: user \"%.*s\" needs the right \"%s\" in \"%.*s\"",
                                (int)user.length, user.bytes, right, (int)name.length, name.bytes);
    say(by, request, REASON_OTHER, text, (size_t)length);
}

bool execute_may(const struct executor *by, const struct request *request, struct slice name)
{
    return (needs(request) & ~execute_rights(by, name)) == 0;
}

bool execute_may_everywhere(const struct executor *by, const struct request *request)
{
    unsigned rights = by->identity->state == IDENTITY_AUTHENTICATED
                          ? user_rights_everywhere(by->identity->user)
                          : execute_rights(by, (struct slice){NULL, 0});
    return (needs(request) & ~rights) == 0;
}

void execute_refuse_declared(struct executor *by, const struct request *request)
{
    struct slice user = user_name(by->identity->user);
    char text[REQUEST_NAMESPACE_MAX + 128];
    int length = snprintf(text, sizeof text,
                          "not allowed: user \"%.*s\" needs the right \"admin\" in every "
                          "namespace that is declared",
                          (int)user.length, user.bytes);
    say(by, request, REASON_OTHER, text, (size_t)length);
}

bool execute_allowed(struct executor *by, const struct request *request, struct slice name)
{
    if (by->identity->state == IDENTITY_NOT_REQUIRED) {
        return true;
    }
    if (by->identity->state == IDENTITY_UNAUTHENTICATED) {
        execute_refuse_stranger(by, request);
        return false;
    }
    unsigned missing = needs(request) & ~execute_rights(by, name);
    if (missing != 0) {
        refuse_right(by, request, missing, name);
    }
    return missing == 0;
}

/* Figures of the daemon, and its memory, are those of all namespaces. */
static bool allowed_everywhere(struct executor *by, const struct request *request)
{
    unsigned missing = needs(request) & ~user_rights_everywhere(by->identity->user);
    if (missing != 0) {
        refuse_right(by, request, missing, (struct slice){NULL, 0});
    }
    return missing == 0;
}

/* Where it may not, its key may be whole for who asks. */
static bool is_allowed_key(struct executor *by, struct execution *of)
{
    if (execute_may(by, &of->request, of->at.name)) {
        return true;
    }
    if (by->endpoint->separator != '\0') {
        execute_locate_own(by, of);
    }
    return execute_allowed(by, &of->request, of->at.name);
}

/* The namespace that a request is about: a listing stays where it began. */
static struct slice subject(const struct executor *by, const struct execution *of)
{
    enum verb verb = of->request.verb;
    struct slice ns = {NULL, 0};
    if (of->begun && (verb == VERB_LIST || verb == VERB_ALL)) {
        ns = store_cursor_namespace(of->place.listing.cursor);
    }
    return ns.length > 0 ? ns : execute_namespace(by, &of->request);
}

static bool is_allowed(struct executor *by, struct execution *of)
{
    const struct request *request = &of->request;
    if (request->key.length > 0) {
        return is_allowed_key(by, of);
    }
    if ((request->options & REQUEST_IN_PIECES) != 0) {
        return true; /* the end of a line whose keys have been answered */
    }
    if (request->verb == VERB_MEMORY || (request->verb == VERB_STATS && request->ns.length == 0)) {
        return allowed_everywhere(by, request);
    }
    return needs(request) == 0 || execute_allowed(by, request, subject(by, of));
}

/* --- AUTH ---------------------------------------------------------------------- */

/* What the protocol calls success. */
static void say_granted(struct executor *by, const struct request *request)
{
    outbox_say(by->outbox, request, request->verb == VERB_AUTH ? REPLY_OK : REPLY_STORED);
}

static void log_denial(const struct executor *by)
{
    static struct log_limit limit = LOG_LIMIT("denied: no such user with such a secret");

    if (log_admits(&limit, LOG_INFO)) {
        char peer[TRANSPORT_PEER_MAX];
        transport_peer(by->identity->fd, peer, sizeof peer);
        log_line(LOG_INFO, "%s: %s: denied: no such user with such a secret", by->endpoint->name,
                 peer);
    }
}

static enum outcome conclude(struct executor *by, const struct request *request,
                             enum identity_verdict verdict)
{
    switch (verdict) {
    case IDENTITY_WAITS:
        return OUTCOME_WAITS;
    case IDENTITY_GRANTED:
        say_granted(by, request);
        return OUTCOME_DONE;
    case IDENTITY_DENIED:
        metrics_add(by->metrics, METRIC_AUTH_ERRORS, 1);
        log_denial(by);
        outbox_say(by->outbox, request, REPLY_DENIED);
        return OUTCOME_DONE;
    case IDENTITY_NO_MEMORY:
        break;
    }
    execute_refuse(by, request, request->ns, STORE_NO_MEMORY);
    return OUTCOME_DONE;
}

/* The bytes are of the connection's inbox, where nobody shall find them later. */
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

enum outcome execute_auth(struct executor *by, struct execution *of)
{
    static const char malformed[] = "bad authentication token format";
    static const char nobody[] = "there are no users here: everybody may do everything";
    const struct request *request = &of->request;
    struct slice name = request->ns;
    struct slice secret = request->value;
    if (of->begun) {
        return conclude(by, request, identity_take(by->identity, by->auth, by->now));
    }
    if (by->identity->state == IDENTITY_NOT_REQUIRED) {
        wipe(secret);
        say(by, request, REASON_OTHER, nobody, sizeof nobody - 1);
        return OUTCOME_DONE;
    }
    metrics_add(by->metrics, METRIC_AUTH_CMDS, 1);
    if (request->verb != VERB_AUTH && !split_value(request->value, &name, &secret)) {
        wipe(request->value);
        say(by, request, REASON_OTHER, malformed, sizeof malformed - 1);
        return OUTCOME_DONE;
    }
    of->begun = true;
    enum identity_verdict verdict = identity_ask(by->identity, by->auth, by->now, name, secret);
    wipe(secret);
    return conclude(by, request, verdict);
}

/* --- everything else ------------------------------------------------------------ */

static bool is_auth(const struct executor *by, const struct request *request)
{
    return request->verb == VERB_AUTH || by->identity->login != NULL ||
           (by->identity->state == IDENTITY_UNAUTHENTICATED &&
            (request->options & REQUEST_LOGIN) != 0);
}

bool execute_admits(struct executor *by, struct execution *of, enum outcome *outcome)
{
    const struct request *request = &of->request;
    *outcome = OUTCOME_DONE;
    if (is_auth(by, request)) {
        *outcome = execute_auth(by, of);
        return false;
    }
    if (request->verb == VERB_QUIT) {
        return true;
    }
    bool allowed = by->identity->state == IDENTITY_AUTHENTICATED && is_allowed(by, of);
    if (by->identity->state == IDENTITY_UNAUTHENTICATED) {
        execute_refuse_stranger(by, request);
    }
    if (!allowed) {
        execute_abandon(of);
    }
    return allowed;
}

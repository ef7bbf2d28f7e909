/*
 * remote_commands.c - from a request for a key to the commands that nodes understand.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/request/remote_key.h"
#include "daemon/request/remote_part.h"
#include "daemon/request/remote_scripts.h"
#include "daemon/request/remote_value.h"

enum { ARGUMENTS = 12, NUMBER_MAX = 24 };

#define TEXT(literal) ((struct slice){literal, sizeof literal - 1})
static const struct slice nothing = {"", 0};

/* A command that is being put together. */
struct draft {
    struct command_context *ctx;
    const struct request *request;
    struct remote_part *part;
    struct remote_key key;
    struct slice arguments[ARGUMENTS];
    unsigned count;
    int owned;
    const struct cluster_script *script;
};

static void add(struct draft *draft, struct slice argument)
{
    draft->arguments[draft->count++] = argument;
}

/* --- asking ------------------------------------------------------------------ */

static void on_answered(struct cluster_question *question, void *context)
{
    struct remote_part *part = context;
    part->held += remote_hold(part->work, question);
    part->pending--;
    if (part->pending == 0 && part->work->awaited == part) {
        remote_wake(part->work);
    }
}

/* The cluster copies the arguments, all but one that it takes over. */
static void hold_arguments(const struct draft *draft)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < draft->count; i++) {
        bytes += (int)i == draft->owned ? 0 : draft->arguments[i].length;
    }
    draft->part->held += bytes;
    draft->part->work->held += bytes;
}

/* Asks the command, and begins another one for the same key. */
static void send(struct draft *draft, bool writes)
{
    struct remote_part *part = draft->part;
    const struct cluster_command command = {.slot = draft->key.slot,
                                            .writes = writes,
                                            .script = draft->script,
                                            .count = draft->count,
                                            .arguments = draft->arguments,
                                            .owned = draft->owned};
    if (draft->owned >= 0) {
        part->owned = NULL;
    }
    struct cluster_question *question =
        cluster_ask(part->work->remote->cluster, &command, on_answered, part);
    if (question == NULL) {
        part->kind = REMOTE_PART_NO_MEMORY;
        return;
    }
    hold_arguments(draft);
    part->questions[part->asked++] = question;
    part->pending++;
    draft->count = 0;
    draft->owned = -1;
    draft->script = NULL;
}

/* `name key` */
static void begin(struct draft *draft, struct slice name)
{
    add(draft, name);
    add(draft, remote_key_slice(&draft->key));
}

static void begin_script(struct draft *draft, enum remote_script script)
{
    draft->script = draft->part->work->remote->scripts[script];
    add(draft, TEXT("1"));
    add(draft, remote_key_slice(&draft->key));
}

static void send_unlink(struct draft *draft)
{
    begin(draft, TEXT("UNLINK"));
    send(draft, true);
}

/* --- times to live ------------------------------------------------------------- */

/* As scripts have it. */
struct ttl_text {
    char text[NUMBER_MAX];
};

static struct slice ttl_slice(const struct ttl_text *ttl)
{
    return slice_of(ttl->text);
}

/* What the policy makes of a time to live. False: it refuses it, and that is the part's answer. */
static bool apply_policy(struct draft *draft, struct slice name, struct store_ttl ttl,
                         struct ttl_text *to)
{
    uint64_t now = draft->ctx->now;
    uint64_t expires = STORE_NEVER;
    if (ttl.kind == STORE_TTL_KEEP) {
        snprintf(to->text, sizeof to->text, "k");
        return true;
    }
    enum store_status status = store_expires(draft->ctx->store_thread, name, ttl, now, &expires);
    if (status != STORE_OK) {
        draft->part->kind = REMOTE_PART_REFUSED;
        draft->part->refused = status;
        return false;
    }
    if (expires == STORE_NEVER) {
        snprintf(to->text, sizeof to->text, "n");
    } else if (expires <= now) {
        snprintf(to->text, sizeof to->text, "g");
    } else {
        uint64_t left = store_left(expires, now);
        snprintf(to->text, sizeof to->text, "%" PRIu64, left > 0 ? left : 1);
    }
    return true;
}

/* Whether a record is made where there is none. */
static bool makes(const struct request *request)
{
    return (request->options & REQUEST_MAKE) != 0;
}

/* The same of a record that is made where there is none. A refusal is the script's to answer: there
 * may be one. */
static void apply_make_policy(struct draft *draft, struct slice name, struct ttl_text *to)
{
    const struct request *request = draft->request;
    if (makes(request) && !apply_policy(draft, name, command_lifetime(request->make), to)) {
        draft->part->kind = REMOTE_PART_ASKED;
        snprintf(to->text, sizeof to->text, "r");
    }
}

/* The policy refuses the time to live. Whether there is a record is said first, as by the store;
 * and where the protocol has it so, the old value goes with the new one. */
static void ask_although_refused(struct draft *draft)
{
    const struct request *request = draft->request;
    if (request->verb != VERB_PUT || (request->options & REQUEST_COMPARE) != 0) {
        begin(draft, TEXT("EXISTS"));
        send(draft, false);
    } else if ((request->options & REQUEST_CLEAR) != 0) {
        send_unlink(draft);
    }
}

/* apply_policy, and what is asked where it refuses. */
static bool apply_or_refuse(struct draft *draft, struct slice name, struct store_ttl ttl,
                            struct ttl_text *to)
{
    bool applied = apply_policy(draft, name, ttl, to);
    if (!applied) {
        ask_although_refused(draft);
    }
    return applied;
}

/* Whether the value is larger than it may be: parsers are no stricter than their protocol has it.
 * That is the part's answer then. */
static bool is_too_large(struct draft *draft)
{
    const struct request *request = draft->request;
    if (request->value_length <= draft->ctx->max_value) {
        return false;
    }
    draft->part->kind = REMOTE_PART_REFUSED;
    draft->part->refused = STORE_TOO_LARGE;
    if ((request->options & REQUEST_CLEAR) != 0) {
        send_unlink(draft);
    }
    return true;
}

/* --- values -------------------------------------------------------------------- */

/* What is stored for the request's value: a part of the request's own memory, or memory of the
 * draft's part. False: no memory. */
static bool compose_value(struct draft *draft, struct slice *stored)
{
    const struct request *request = draft->request;
    struct remote_part *part = draft->part;
    char head[REMOTE_HEAD];
    size_t size = remote_value_head(request->client_flags, request->value, head);
    if ((request->options & REQUEST_VERSION) != 0) {
        part->version = remote_value_version((struct slice){head, size}, request->value);
    }
    *stored = request->value;
    if (size == 0) {
        return true;
    }
    if (part->owned == NULL || part->reserved == 0) {
        char *whole = malloc(REMOTE_HEAD + request->value.length);
        if (whole == NULL) {
            part->kind = REMOTE_PART_NO_MEMORY;
            return false;
        }
        memcpy(whole + REMOTE_HEAD, request->value.bytes, request->value.length);
        free(part->owned);
        part->owned = whole;
    }
    memcpy(part->owned, head, REMOTE_HEAD);
    *stored = (struct slice){part->owned, REMOTE_HEAD + request->value.length};
    return true;
}

/* Adds a value; its memory becomes the cluster's if the part owns it. */
static void add_value(struct draft *draft, struct slice stored)
{
    if (draft->part->owned != NULL) {
        draft->owned = (int)draft->count;
    }
    add(draft, stored);
}

static struct slice expected(const struct request *request, char digits[REMOTE_VERSION_DIGITS])
{
    if ((request->options & REQUEST_COMPARE) == 0) {
        return nothing;
    }
    remote_value_digits(request->compare, digits);
    return (struct slice){digits, REMOTE_VERSION_DIGITS};
}

static void ask_set(struct draft *draft, struct slice stored, const struct ttl_text *ttl)
{
    enum verb verb = draft->request->verb;
    begin(draft, TEXT("SET"));
    add_value(draft, stored);
    if (ttl->text[0] == 'g') { /* long past: it has expired as soon as it is there */
        add(draft, TEXT("PXAT"));
        add(draft, TEXT("1"));
    } else if (ttl->text[0] != 'n') {
        add(draft, TEXT("PX"));
        add(draft, ttl_slice(ttl));
    }
    if (verb != VERB_PUT) {
        add(draft, verb == VERB_ADD ? TEXT("NX") : TEXT("XX"));
    }
    send(draft, true);
}

static void ask_put(struct draft *draft, const struct store_key *at)
{
    const struct request *request = draft->request;
    struct ttl_text ttl;
    struct slice stored;
    if (is_too_large(draft)) {
        return;
    }
    if (!apply_or_refuse(draft, at->name, command_lifetime(request->ttl), &ttl)) {
        return;
    }
    if (!compose_value(draft, &stored)) {
        return;
    }
    if ((request->options & REQUEST_COMPARE) == 0 || request->verb == VERB_ADD) {
        ask_set(draft, stored, &ttl);
        return;
    }
    char digits[REMOTE_VERSION_DIGITS];
    begin_script(draft, REMOTE_SCRIPT_SWAP);
    add_value(draft, stored);
    add(draft, expected(request, digits));
    add(draft, ttl_slice(&ttl));
    add(draft, request->verb == VERB_PUT && makes(request) ? TEXT("m") : nothing);
    send(draft, true);
}

static void ask_join(struct draft *draft, const struct store_key *at)
{
    const struct request *request = draft->request;
    struct ttl_text make = {""};
    char digits[REMOTE_VERSION_DIGITS], head[REMOTE_HEAD], most[NUMBER_MAX];
    if (is_too_large(draft)) {
        return;
    }
    apply_make_policy(draft, at->name, &make);
    size_t size = remote_value_head(request->client_flags, nothing, head);
    snprintf(most, sizeof most, "%" PRIu64, draft->ctx->max_value);
    begin_script(draft, REMOTE_SCRIPT_JOIN);
    add_value(draft, request->value);
    add(draft, request->verb == VERB_APPEND ? TEXT("a") : TEXT("p"));
    add(draft, expected(request, digits));
    add(draft, slice_of(most));
    add(draft, ttl_slice(&make));
    add(draft, (struct slice){head, size});
    add(draft, (request->options & REQUEST_VERSION) != 0 ? TEXT("v") : nothing);
    send(draft, true);
}

/* --- the other verbs --------------------------------------------------------------- */

static void ask_number(struct draft *draft, const struct store_key *at)
{
    const struct request *request = draft->request;
    uint32_t options = request->options;
    struct ttl_text ttl, make = {""};
    char digits[REMOTE_VERSION_DIGITS], by[NUMBER_MAX], initial[NUMBER_MAX];
    if (!apply_or_refuse(draft, at->name, command_lifetime(request->ttl), &ttl)) {
        return;
    }
    apply_make_policy(draft, at->name, &make);
    snprintf(by, sizeof by, "%" PRIu64, request->number);
    snprintf(initial, sizeof initial, "%" PRIu64, request->initial);
    begin_script(draft, REMOTE_SCRIPT_SUM);
    add(draft, slice_of(by));
    add(draft, request->verb == VERB_INCR ? TEXT("i") : TEXT("d"));
    add(draft, (options & REQUEST_WRAP) != 0 ? TEXT("w") : nothing);
    add(draft, expected(request, digits));
    add(draft, ttl_slice(&ttl));
    add(draft, ttl_slice(&make));
    add(draft, slice_of(initial));
    add(draft, (options & REQUEST_VERSION) != 0 ? TEXT("v") : nothing);
    send(draft, true);
}

static void ask_delete(struct draft *draft, const struct store_key *at)
{
    (void)at;
    char digits[REMOTE_VERSION_DIGITS];
    if ((draft->request->options & REQUEST_COMPARE) == 0) {
        send_unlink(draft);
        return;
    }
    begin_script(draft, REMOTE_SCRIPT_DELETE);
    add(draft, expected(draft->request, digits));
    send(draft, true);
}

static void ask_touch(struct draft *draft, const struct store_key *at)
{
    struct ttl_text ttl;
    if (!apply_or_refuse(draft, at->name, command_lifetime(draft->request->ttl), &ttl)) {
        return;
    }
    if (ttl.text[0] == 'g') {
        send_unlink(draft);
        return;
    }
    if (ttl.text[0] == 'n') {
        begin_script(draft, REMOTE_SCRIPT_FOREVER);
    } else {
        begin(draft, TEXT("PEXPIRE"));
        add(draft, ttl_slice(&ttl));
    }
    send(draft, true);
}

static void ask_ttl(struct draft *draft, const struct store_key *at)
{
    (void)at;
    begin(draft, TEXT("PTTL"));
    send(draft, false);
}

static void ask_get(struct draft *draft, const struct store_key *at)
{
    (void)at;
    begin(draft, TEXT("GET"));
    send(draft, false);
}

/* GET that gives the record a new time to live. */
static void ask_get_and_touch(struct draft *draft, const struct ttl_text *ttl)
{
    if (ttl->text[0] == 'g') {
        begin(draft, TEXT("GETDEL"));
    } else {
        begin(draft, TEXT("GETEX"));
        add(draft, ttl->text[0] == 'n' ? TEXT("PERSIST") : TEXT("PX"));
        if (ttl->text[0] != 'n') {
            add(draft, ttl_slice(ttl));
        }
    }
    send(draft, true);
}

static void ask_look(struct draft *draft, const struct store_key *at)
{
    struct ttl_text ttl;
    if (!apply_or_refuse(draft, at->name, command_lifetime(draft->request->ttl), &ttl)) {
        return;
    }
    if (ttl.text[0] == 'k') {
        ask_get(draft, at);
    } else {
        ask_get_and_touch(draft, &ttl);
    }
    if ((draft->request->options & REQUEST_LEFT) != 0 && draft->part->kind == REMOTE_PART_ASKED) {
        ask_ttl(draft, at);
    }
}

/* --- the table ------------------------------------------------------------------- */

static void (*const asks[VERB_UNUSED])(struct draft *, const struct store_key *) = {
    [VERB_PUT] = ask_put,     [VERB_ADD] = ask_put,      [VERB_REPLACE] = ask_put,
    [VERB_APPEND] = ask_join, [VERB_PREPEND] = ask_join, [VERB_GET] = ask_get,
    [VERB_LOOK] = ask_look,   [VERB_DEL] = ask_delete,   [VERB_TTL] = ask_ttl,
    [VERB_TOUCH] = ask_touch, [VERB_INCR] = ask_number,  [VERB_DECR] = ask_number,
};

bool remote_part_serves(enum verb verb)
{
    return asks[verb] != NULL || verb == VERB_STALE || verb == VERB_EMPTY;
}

bool remote_part_writes(const struct request *request)
{
    if (request->verb == VERB_LOOK) {
        return request->ttl.kind != TTL_KEEP;
    }
    return request->verb != VERB_GET && request->verb != VERB_TTL;
}

/* Nodes keep no notes of a record, and its version follows from its value. */
static bool is_supported(const struct request *request)
{
    if (asks[request->verb] == NULL || request->version != 0 ||
        (request->options & REQUEST_OR_STALE) != 0) {
        return false;
    }
    return request->verb != VERB_LOOK ||
           ((request->options & (REQUEST_MAKE | REQUEST_UNCOUNTED | REQUEST_HISTORY)) == 0 &&
            request->refresh.kind == TTL_DEFAULT);
}

void remote_part_ask(struct command_context *ctx, const struct request *request,
                     const struct store_key *at, struct remote_part *part)
{
    struct draft draft = {.ctx = ctx, .request = request, .part = part, .owned = -1};
    part->kind = REMOTE_PART_ASKED;
    part->asked = part->pending = 0;
    part->writes = remote_part_writes(request);
    if (!is_supported(request)) {
        part->kind = REMOTE_PART_UNSUPPORTED;
        return;
    }
    remote_key_make(&draft.key, at->name, at->key);
    part->slot = (uint16_t)draft.key.slot;
    asks[request->verb](&draft, at);
}

void remote_part_end(struct remote_part *part)
{
    while (part->asked > 0) {
        cluster_question_free(&part->questions[--part->asked]);
    }
    part->pending = 0;
    part->work->held -= part->held;
    part->held = 0;
    free(part->owned);
    part->owned = NULL;
}

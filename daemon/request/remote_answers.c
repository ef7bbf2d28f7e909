/*
 * remote_answers.c - from what nodes have answered to the replies of a request for a key.
 */
#include "daemon/request/each_key.h"
#include "daemon/request/notice.h"
#include "daemon/request/remote_failure.h"
#include "daemon/request/remote_part.h"
#include "daemon/request/remote_scripts.h"
#include "daemon/request/remote_value.h"

/* An answer that is being made. */
struct answer {
    struct command_context *ctx;
    const struct request *request;
    struct store_key *at;
    struct remote_part *part;
    struct store_counters *counters; /* of the namespace */
};

static struct cluster_reply *reply_of(const struct answer *answer, unsigned number)
{
    return answer->part->questions[number]->reply;
}

/* --- failures ---------------------------------------------------------------------- */

static bool has_failed(const struct answer *answer)
{
    const struct remote_part *part = answer->part;
    for (unsigned i = 0; i < part->asked; i++) {
        if (remote_has_failed(part->questions[i])) {
            /* Behind a write comes a read at most, and the write was done then. */
            remote_answer_failure(answer->ctx, answer->request, answer->at->name,
                                  part->questions[i], part->writes && i == 0, REMOTE_OF_KEY);
            return true;
        }
    }
    return false;
}

static bool answer_nonsense(const struct answer *answer)
{
    remote_answer_nonsense(answer->ctx, answer->request);
    return false;
}

/* --- writes ------------------------------------------------------------------------ */

/* The counters and the event of a write, as for a record of the store. */
static void count_write(const struct answer *answer, enum store_status status)
{
    struct store_counters *counters = answer->counters;
    enum verb verb = answer->request->verb;
    bool compares = (answer->request->options & REQUEST_COMPARE) != 0 &&
                    (verb == VERB_PUT || verb == VERB_REPLACE);
    notice_write(answer->ctx, answer->request, answer->at, status);
    if (status == STORE_OK) {
        store_count(&counters->sets);
    } else if (status == STORE_CHANGED || status == STORE_NOT_FOUND || status == STORE_EXISTS) {
        store_count(&counters->denied);
    } else if (status == STORE_TOO_LARGE) {
        metrics_add(answer->ctx->metrics, METRIC_STORE_TOO_LARGE, 1);
    }
    if (compares && (status == STORE_OK || status == STORE_CHANGED || status == STORE_NOT_FOUND)) {
        store_count(status == STORE_OK        ? &counters->cas_hits
                    : status == STORE_CHANGED ? &counters->cas_changed
                                              : &counters->cas_missing);
    }
}

static bool answer_write(const struct answer *answer, enum store_status status,
                         const struct stored *stored)
{
    const struct request *request = answer->request;
    count_write(answer, status);
    if (status != STORE_OK) {
        return command_answer(answer->ctx, request, answer->at->name, status);
    }
    reply_queue_reply(answer->ctx->replies, request,
                      &(struct reply){.kind = REPLY_STORED,
                                      .version = stored->version,
                                      .value_length = stored->length});
    return true;
}

/* The status that a script has given, as the store has it. False: it is none. */
static bool script_status(const struct cluster_reply *reply, enum store_status *status)
{
    static const enum store_status known[] = {STORE_CHANGED,   STORE_NOT_FOUND,
                                              STORE_TOO_LARGE, STORE_NOT_A_NUMBER,
                                              STORE_OVERFLOW,  STORE_TTL_REQUIRED};
    if (reply->type != CLUSTER_INTEGER || reply->integer > REMOTE_DONE ||
        reply->integer < REMOTE_TTL_REQUIRED) {
        return false;
    }
    *status = reply->integer == REMOTE_DONE ? STORE_OK : known[-reply->integer];
    return true;
}

static bool answer_put(const struct answer *answer)
{
    const struct cluster_reply *reply = reply_of(answer, 0);
    const struct stored stored = {answer->part->version, answer->request->value_length};
    enum store_status status = STORE_OK;
    if (reply->type == CLUSTER_NIL) {
        status = answer->request->verb == VERB_ADD ? STORE_EXISTS : STORE_NOT_FOUND;
    } else if (reply->type != CLUSTER_STATUS && !script_status(reply, &status)) {
        return answer_nonsense(answer);
    }
    return answer_write(answer, status, &stored);
}

/* Whether a script has answered with so many elements or, where it has done nothing, with one. */
static bool script_elements(const struct cluster_reply *reply, size_t count,
                            enum store_status *status)
{
    return reply->type == CLUSTER_ARRAY && reply->count >= 1 &&
           script_status(reply->elements[0], status) &&
           (*status != STORE_OK || reply->count == count);
}

static bool answer_join(const struct answer *answer)
{
    const struct cluster_reply *reply = reply_of(answer, 0);
    enum store_status status;
    if (!script_elements(reply, 3, &status)) {
        return answer_nonsense(answer);
    }
    struct stored stored = {0, 0};
    if (status == STORE_OK) {
        stored.length = (uint64_t)reply->elements[1]->integer;
        stored.version = remote_value_parse_version(reply->elements[2]->text);
    }
    return answer_write(answer, status, &stored);
}

/* Tells watchers of a change without a value of the client's. */
static void notice_change(const struct answer *answer, enum event_kind kind,
                          enum store_status status)
{
    if (notice_wants(answer->ctx, EVENT_BIT(kind))) {
        notice_record(answer->ctx, kind, answer->request, answer->at, status, 0);
    }
}

/* --- numbers ------------------------------------------------------------------------- */

static uint64_t parse_number(struct slice digits)
{
    uint64_t number = 0;
    for (size_t i = 0; i < digits.length; i++) {
        number = number * 10 + (uint64_t)(digits.bytes[i] - '0');
    }
    return number;
}

/* What is left, from the reply to a PTTL. */
static uint64_t left_of(const struct cluster_reply *reply)
{
    if (reply->integer == -1) {
        return REPLY_NEVER;
    }
    return reply->integer < 0 ? 0 : (uint64_t)reply->integer;
}

static bool answer_sum(const struct answer *answer)
{
    const struct cluster_reply *reply = reply_of(answer, 0);
    bool subtracts = answer->request->verb == VERB_DECR;
    enum store_status status;
    if (!script_elements(reply, 5, &status)) {
        return answer_nonsense(answer);
    }
    notice_change(answer, EVENT_WRITE, status);
    if (status != STORE_OK) {
        if (status == STORE_NOT_FOUND) {
            metrics_add(answer->ctx->metrics, subtracts ? METRIC_DECR_MISSES : METRIC_INCR_MISSES,
                        1);
        }
        return command_answer(answer->ctx, answer->request, answer->at->name, status);
    }
    bool made = reply->elements[4]->text.length > 0;
    uint64_t *changed = subtracts ? &answer->counters->decrements : &answer->counters->increments;
    store_count(made ? &answer->counters->made : changed);
    reply_queue_reply(
        answer->ctx->replies, answer->request,
        &(struct reply){.kind = REPLY_NUMBER,
                        .name = answer->request->key,
                        .number = parse_number(reply->elements[1]->text),
                        .version = remote_value_parse_version(reply->elements[3]->text),
                        .left = left_of(reply->elements[2])});
    return true;
}

/* --- changes without a value ------------------------------------------------------------ */

/* Of a command that answers how many records it has changed: 1 or 0. */
static enum store_status changed_one(const struct cluster_reply *reply)
{
    return reply->integer == 1 ? STORE_OK : STORE_NOT_FOUND;
}

static bool answer_delete(const struct answer *answer)
{
    const struct cluster_reply *reply = reply_of(answer, 0);
    enum store_status status = changed_one(reply);
    if (reply->type != CLUSTER_INTEGER) {
        return answer_nonsense(answer);
    }
    if ((answer->request->options & REQUEST_COMPARE) != 0) {
        script_status(reply, &status);
    }
    notice_change(answer, EVENT_DELETE, status);
    if (status != STORE_OK) {
        metrics_add(answer->ctx->metrics, METRIC_DELETE_MISSES, 1);
        return command_answer(answer->ctx, answer->request, answer->at->name, status);
    }
    store_count(&answer->counters->deletes);
    reply_queue_status(answer->ctx->replies, answer->request, REPLY_DELETED);
    return true;
}

static bool answer_touch(const struct answer *answer)
{
    const struct cluster_reply *reply = reply_of(answer, 0);
    if (reply->type != CLUSTER_INTEGER) {
        return answer_nonsense(answer);
    }
    enum store_status status = changed_one(reply);
    notice_change(answer, EVENT_TOUCH, status);
    metrics_add(answer->ctx->metrics, METRIC_CMD_TOUCH, 1);
    if (status != STORE_OK) {
        metrics_add(answer->ctx->metrics, METRIC_TOUCH_MISSES, 1);
        return command_answer(answer->ctx, answer->request, answer->at->name, status);
    }
    store_count(&answer->counters->touches);
    reply_queue_status(answer->ctx->replies, answer->request, REPLY_TOUCHED);
    return true;
}

/* --- reads ---------------------------------------------------------------------------- */

static bool answer_ttl(const struct answer *answer)
{
    enum { MISSING = -2, FOREVER = -1 };
    const struct cluster_reply *reply = reply_of(answer, 0);
    if (reply->type != CLUSTER_INTEGER || reply->integer < MISSING) {
        return answer_nonsense(answer);
    }
    if (reply->integer == MISSING) {
        reply_queue_status(answer->ctx->replies, answer->request, REPLY_NOT_FOUND);
    } else if (reply->integer == FOREVER) {
        reply_queue_status(answer->ctx->replies, answer->request, REPLY_TTL_NEVER);
    } else {
        reply_queue_reply(answer->ctx->replies, answer->request,
                          &(struct reply){.kind = REPLY_TTL, .number = (uint64_t)reply->integer});
    }
    return true;
}

/* Whether a read changes the time to live: it is counted as a touch then. */
static bool touches(const struct request *request)
{
    return request->verb == VERB_LOOK && request->ttl.kind != TTL_KEEP;
}

static void notice_read(const struct answer *answer, enum store_status status, uint64_t bytes)
{
    if (notice_wants(answer->ctx, EVENTS_READS)) {
        notice_record(answer->ctx, EVENT_READ, answer->request, answer->at, status, bytes);
    }
}

/* Whether the end of the keys goes out with the reply to the last one: that of a GET. */
static bool ends_with_reply(const struct request *request)
{
    return request->verb == VERB_GET && each_key_is_last(request);
}

static bool answer_missing(const struct answer *answer)
{
    if (!touches(answer->request)) {
        store_count(&answer->counters->misses);
    }
    notice_read(answer, STORE_NOT_FOUND, 0);
    reply_queue_reply(
        answer->ctx->replies, answer->request,
        &(struct reply){.kind = REPLY_NOT_FOUND, .last = ends_with_reply(answer->request)});
    return true;
}

static bool answer_get(const struct answer *answer)
{
    const struct cluster_reply *stored = reply_of(answer, 0);
    uint32_t client_flags;
    if (stored->type == CLUSTER_NIL) {
        return answer_missing(answer);
    }
    if (stored->type != CLUSTER_STRING) {
        return answer_nonsense(answer);
    }
    struct slice value = remote_value_split(stored->text, &client_flags);
    store_count(&answer->counters->hits);
    notice_read(answer, STORE_OK, value.length);
    remote_adapt_ahead(answer->part->work->remote, value.length);
    remote_tell_value(answer->ctx, answer->request,
                      &(struct reply){.kind = REPLY_VALUE,
                                      .name = answer->request->key,
                                      .value_length = value.length,
                                      .client_flags = client_flags,
                                      .last = ends_with_reply(answer->request)},
                      value, reply_of(answer, 0));
    return true;
}

/* The counters of a look, as for a record of the store. */
static void count_look(const struct answer *answer, bool found)
{
    if (touches(answer->request)) {
        metrics_add(answer->ctx->metrics, METRIC_CMD_TOUCH, 1);
        if (found) {
            store_count(&answer->counters->touches);
        } else {
            metrics_add(answer->ctx->metrics, METRIC_TOUCH_MISSES, 1);
        }
    }
}

static bool answer_look(const struct answer *answer)
{
    const struct request *request = answer->request;
    const struct cluster_reply *stored = reply_of(answer, 0);
    struct reply reply = {.kind = REPLY_VALUE, .name = request->key, .left = REPLY_NEVER};
    count_look(answer, stored->type == CLUSTER_STRING);
    if (stored->type == CLUSTER_NIL) {
        return answer_missing(answer);
    }
    if (stored->type != CLUSTER_STRING) {
        return answer_nonsense(answer);
    }
    struct slice value = remote_value_split(stored->text, &reply.client_flags);
    reply.value_length = value.length;
    if ((request->options & REQUEST_VERSION) != 0) {
        reply.version = remote_value_version(stored->text, (struct slice){"", 0});
    }
    if (answer->part->asked > 1) {
        reply.left = left_of(reply_of(answer, 1));
    }
    if (!touches(request)) {
        store_count(&answer->counters->hits);
    }
    notice_read(answer, STORE_OK, value.length);
    remote_adapt_ahead(answer->part->work->remote, value.length);
    bool has_it = (request->options & REQUEST_COMPARE) != 0 && reply.version == request->compare;
    if ((request->options & REQUEST_NO_VALUE) != 0 || has_it) {
        reply.kind = REPLY_FOUND;
        reply_queue_reply(answer->ctx->replies, request, &reply);
    } else {
        remote_tell_value(answer->ctx, request, &reply, value, reply_of(answer, 0));
    }
    return true;
}

/* --- refusals of the policy ------------------------------------------------------------- */

/* Whether nodes were asked if the record is there: that is answered before the refusal. */
static bool asked_if_it_exists(const struct answer *answer)
{
    const struct request *request = answer->request;
    return answer->part->asked > 0 && answer->part->refused != STORE_TOO_LARGE &&
           (request->verb != VERB_PUT || (request->options & REQUEST_COMPARE) != 0);
}

/* The counters and events of what was refused, as for a record of the store. */
static void count_refused(const struct answer *answer, enum store_status status)
{
    struct metrics *metrics = answer->ctx->metrics;
    switch (answer->request->verb) {
    case VERB_LOOK:
        count_look(answer, false);
        notice_read(answer, status, 0);
        break;
    case VERB_TOUCH:
        metrics_add(metrics, METRIC_CMD_TOUCH, 1);
        metrics_add(metrics, METRIC_TOUCH_MISSES, status == STORE_NOT_FOUND);
        notice_change(answer, EVENT_TOUCH, status);
        break;
    case VERB_INCR:
    case VERB_DECR:
        metrics_add(metrics,
                    answer->request->verb == VERB_INCR ? METRIC_INCR_MISSES : METRIC_DECR_MISSES,
                    status == STORE_NOT_FOUND);
        notice_change(answer, EVENT_WRITE, status);
        break;
    default:
        count_write(answer, status);
        break;
    }
}

static bool answer_refused(const struct answer *answer)
{
    const struct request *request = answer->request;
    enum store_status status = answer->part->refused;
    if (asked_if_it_exists(answer)) {
        if (has_failed(answer)) {
            return false;
        }
        bool exists = reply_of(answer, 0)->integer == 1;
        if (exists == (request->verb == VERB_ADD)) {
            status = exists ? STORE_EXISTS : STORE_NOT_FOUND;
        }
    }
    count_refused(answer, status);
    return command_answer(answer->ctx, request, answer->at->name, status);
}

/* --- the table ------------------------------------------------------------------------- */

static bool (*const answers[VERB_UNUSED])(const struct answer *) = {
    [VERB_PUT] = answer_put,     [VERB_ADD] = answer_put,      [VERB_REPLACE] = answer_put,
    [VERB_APPEND] = answer_join, [VERB_PREPEND] = answer_join, [VERB_GET] = answer_get,
    [VERB_LOOK] = answer_look,   [VERB_DEL] = answer_delete,   [VERB_TTL] = answer_ttl,
    [VERB_TOUCH] = answer_touch, [VERB_INCR] = answer_sum,     [VERB_DECR] = answer_sum,
};

bool remote_part_answer(struct command_context *ctx, const struct request *request,
                        struct store_key *at, struct remote_part *part)
{
    const struct answer answer = {.ctx = ctx,
                                  .request = request,
                                  .at = at,
                                  .part = part,
                                  .counters = store_counters_of(ctx->store_thread, at->name)};
    switch (part->kind) {
    case REMOTE_PART_ASKED:
        return !has_failed(&answer) && answers[request->verb](&answer);
    case REMOTE_PART_REFUSED:
        return answer_refused(&answer);
    case REMOTE_PART_UNSUPPORTED:
        remote_refuse_verb(ctx, request, at->name);
        return false;
    case REMOTE_PART_LOCAL:
    case REMOTE_PART_FORBIDDEN:
    case REMOTE_PART_NO_MEMORY:
        break;
    }
    command_refuse(ctx, request, at->name, STORE_NO_MEMORY);
    return false;
}

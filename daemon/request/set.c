/*
 * set.c - PUT and its like, DEL, STALE, TOUCH, INCR and DECR.
 */
#include "daemon/request/verbs.h"

/* --- PUT -------------------------------------------------------------------- */

/* Whether the store could not take the value, rather than that the terms did not hold. */
static bool is_refusal(enum store_status status)
{
    return status != STORE_OK && status != STORE_EXISTS && status != STORE_NOT_FOUND &&
           status != STORE_CHANGED;
}

void execute_stored(struct executor *by, const struct request *request, struct store_key *at,
                    enum store_status status, const struct stored *stored)
{
    if (status == STORE_OK) {
        outbox_reply(by->outbox, request,
                     &(struct reply){.kind = REPLY_STORED,
                                     .version = stored->version,
                                     .value_length = stored->length});
        return;
    }
    if ((request->options & REQUEST_CLEAR) != 0 && is_refusal(status)) {
        store_drop(by->lane, at, by->now);
    }
    if (status == STORE_TOO_LARGE) {
        metrics_add(by->metrics, METRIC_STORE_TOO_LARGE, 1);
    }
    execute_answer(by, request, at->name, status);
}

enum outcome execute_put(struct executor *by, struct execution *of)
{
    struct store_terms terms = execute_terms(&of->request);
    struct stored stored = {0, 0};
    if ((of->request.options & REQUEST_LENGTH) != 0) {
        terms.length = &stored.length;
    }
    enum store_status status =
        store_put(by->lane, &of->at, &terms, of->request.value, by->now, &stored.version);
    execute_stored(by, &of->request, &of->at, status, &stored);
    return OUTCOME_DONE;
}

/* --- APPEND and PREPEND ----------------------------------------------------- */

static enum store_status begin_join(struct executor *by, struct execution *of)
{
    struct store_terms terms = execute_terms(&of->request);
    struct stored *stored = &of->place.joining.stored;
    *stored = (struct stored){0, 0};
    if ((of->request.options & REQUEST_LENGTH) != 0) {
        terms.length = &stored->length;
    }
    terms.join = &of->place.joining.join;
    return store_put(by->lane, &of->at, &terms, of->request.value, by->now, &stored->version);
}

enum outcome execute_join(struct executor *by, struct execution *of)
{
    struct stored *stored = &of->place.joining.stored;
    enum store_status status = of->begun ? STORE_UNFINISHED : begin_join(by, of);
    of->begun = status == STORE_UNFINISHED;
    while (status == STORE_UNFINISHED) {
        status = store_join_step(by->lane, &of->place.joining.join, by->now, &stored->version);
        of->begun = status == STORE_UNFINISHED || status == STORE_CROWDED;
        if (status == STORE_UNFINISHED && !executor_has_time(by)) {
            return OUTCOME_LATER;
        }
    }
    if (status == STORE_CROWDED) {
        by->crowded = true;
        return OUTCOME_LATER;
    }
    execute_stored(by, &of->request, &of->at, status, stored);
    return OUTCOME_DONE;
}

/* --- DEL, STALE and EMPTY --------------------------------------------------- */

static bool delete_one(struct executor *by, const struct execution *of, struct store_key *at)
{
    const struct request *request = &of->request;
    const uint64_t *expected = (request->options & REQUEST_COMPARE) != 0 ? &request->compare : NULL;
    enum store_status status = store_delete(by->lane, at, expected, by->now);
    if (status != STORE_OK) {
        metrics_add(by->metrics, METRIC_DELETE_MISSES, 1);
        return execute_answer(by, request, at->name, status);
    }
    outbox_say(by->outbox, request, REPLY_DELETED);
    return true;
}

enum outcome execute_delete(struct executor *by, struct execution *of)
{
    return execute_each_key(by, of, delete_one, false);
}

enum outcome execute_make_stale(struct executor *by, struct execution *of)
{
    struct store_terms terms = execute_terms(&of->request);
    enum store_status status = store_make_stale(by->lane, &of->at, &terms, by->now);
    if (status == STORE_OK) {
        outbox_say(by->outbox, &of->request, REPLY_DELETED);
    } else {
        metrics_add(by->metrics, METRIC_DELETE_MISSES, 1);
        execute_answer(by, &of->request, of->at.name, status);
    }
    return OUTCOME_DONE;
}

enum outcome execute_empty(struct executor *by, struct execution *of)
{
    const struct request *request = &of->request;
    struct store_terms terms = execute_terms(request);
    bool marks = (request->options & REQUEST_MARK) != 0;
    enum store_status status = store_empty(by->lane, &of->at, &terms, marks, by->now);
    if (status == STORE_OK) {
        outbox_say(by->outbox, request, REPLY_DELETED);
    } else {
        metrics_add(by->metrics, METRIC_DELETE_MISSES, 1);
        execute_answer(by, request, of->at.name, status);
    }
    return OUTCOME_DONE;
}

/* --- TOUCH ------------------------------------------------------------------ */

enum outcome execute_touch(struct executor *by, struct execution *of)
{
    struct store_ttl ttl = execute_lifetime(of->request.ttl);
    enum store_status status = store_touch(by->lane, &of->at, ttl, by->now);
    metrics_add(by->metrics, METRIC_CMD_TOUCH, 1);
    if (status == STORE_OK) {
        outbox_say(by->outbox, &of->request, REPLY_TOUCHED);
        return OUTCOME_DONE;
    }
    if (status == STORE_NOT_FOUND) {
        metrics_add(by->metrics, METRIC_TOUCH_MISSES, 1);
    }
    execute_answer(by, &of->request, of->at.name, status);
    return OUTCOME_DONE;
}

/* --- INCR and DECR ---------------------------------------------------------- */

enum outcome execute_add_number(struct executor *by, struct execution *of)
{
    const struct request *request = &of->request;
    struct store_terms terms = execute_terms(request);
    struct store_sum sum = {.by = request->number,
                            .initial = request->initial,
                            .subtract = request->verb == VERB_DECR,
                            .wraps = (request->options & REQUEST_WRAP) != 0};
    enum store_status status = store_add_number(by->lane, &of->at, &terms, &sum, by->now);
    if (status == STORE_OK) {
        outbox_reply(by->outbox, request,
                     &(struct reply){.kind = REPLY_NUMBER,
                                     .name = of->request.key,
                                     .number = sum.number,
                                     .version = sum.version,
                                     .left = execute_left(sum.expires, by->now)});
        return OUTCOME_DONE;
    }
    if (status == STORE_NOT_FOUND) {
        metrics_add(by->metrics, sum.subtract ? METRIC_DECR_MISSES : METRIC_INCR_MISSES, 1);
    }
    execute_answer(by, request, of->at.name, status);
    return OUTCOME_DONE;
}

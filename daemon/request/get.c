/*
 * get.c - GET, LOOK, TTL.
 */
#include "daemon/request/verbs.h"

/* Too much is pinned for this value to be, for now. */
static bool wait(struct executor *by)
{
    by->crowded = true;
    return false;
}

/* --- GET -------------------------------------------------------------------- */

static bool get_one(struct executor *by, const struct execution *of, struct store_key *at)
{
    struct store_view view;
    outbox_prepare(by->outbox);
    enum store_status status = store_get(by->lane, at, by->now, &view);
    if (status == STORE_CROWDED) {
        return wait(by);
    }
    if (status != STORE_OK) {
        outbox_say(by->outbox, &of->request, REPLY_NOT_FOUND);
        return true;
    }
    outbox_value(by->outbox, &of->request,
                 &(struct reply){.kind = REPLY_VALUE,
                                 .name = of->request.key,
                                 .value_length = view.length,
                                 .client_flags = view.client_flags},
                 &view);
    return true;
}

enum outcome execute_get(struct executor *by, struct execution *of)
{
    return execute_each_key(by, of, get_one, true);
}

/* --- LOOK ------------------------------------------------------------------- */

static uint32_t notes_of(const struct store_view *view)
{
    return (view->read_before ? (uint32_t)REPLY_READ_BEFORE : 0) |
           (view->stale ? (uint32_t)REPLY_STALE : 0) | (view->won ? (uint32_t)REPLY_WON : 0) |
           (view->taken ? (uint32_t)REPLY_TAKEN : 0);
}

/* What the store does not count. */
static void count_look(struct executor *by, const struct store_terms *terms, bool found)
{
    if (terms->uncounted) {
        metrics_add(by->metrics, METRIC_CMD_META, 1);
    } else if (terms->ttl.kind != STORE_TTL_KEEP) {
        metrics_add(by->metrics, METRIC_CMD_TOUCH, 1);
        if (!found) {
            metrics_add(by->metrics, METRIC_TOUCH_MISSES, 1);
        }
    }
}

/* A client that has the version which it names has the value, too. */
static bool wants_value(const struct request *request, const struct store_view *view)
{
    bool has_it = (request->options & REQUEST_COMPARE) != 0 && view->version == request->compare;
    return (request->options & REQUEST_NO_VALUE) == 0 && !has_it;
}

static bool look_at_one(struct executor *by, const struct execution *of, struct store_key *at)
{
    const struct request *request = &of->request;
    struct store_terms terms = execute_terms(request);
    struct store_view view;
    /* Who may not write the record again is not asked to, nor keeps another from it. */
    terms.contends = terms.contends && (execute_rights(by, at->name) & RIGHT_WRITE) != 0;
    outbox_prepare(by->outbox);
    enum store_status status = store_look(by->lane, at, &terms, by->now, &view);
    if (status == STORE_CROWDED) {
        return wait(by);
    }
    count_look(by, &terms, status == STORE_OK && !view.made);
    if (status != STORE_OK) {
        return execute_answer(by, request, at->name, status);
    }
    struct reply reply = {.kind = REPLY_VALUE,
                          .name = of->request.key,
                          .value_length = view.length,
                          .client_flags = view.client_flags,
                          .version = view.version,
                          .number = view.number,
                          .bytes = view.size,
                          .notes = notes_of(&view),
                          .left = execute_left(view.expires, by->now),
                          .idle = view.idle};
    if (wants_value(request, &view)) {
        outbox_value(by->outbox, request, &reply, &view);
    } else {
        store_view_put(&view);
        reply.kind = REPLY_FOUND;
        outbox_reply(by->outbox, request, &reply);
    }
    return true;
}

enum outcome execute_look(struct executor *by, struct execution *of)
{
    return execute_each_key(by, of, look_at_one, true);
}

/* --- TTL -------------------------------------------------------------------- */

enum outcome execute_ttl(struct executor *by, struct execution *of)
{
    uint64_t expires = STORE_NEVER;
    enum store_status status = store_expiry(by->lane, &of->at, by->now, &expires);
    if (status != STORE_OK) {
        execute_answer(by, &of->request, of->at.name, status);
    } else if (expires == STORE_NEVER) {
        outbox_say(by->outbox, &of->request, REPLY_TTL_NEVER);
    } else {
        outbox_reply(by->outbox, &of->request,
                     &(struct reply){.kind = REPLY_TTL, .number = store_left(expires, by->now)});
    }
    return OUTCOME_DONE;
}

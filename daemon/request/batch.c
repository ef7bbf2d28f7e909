/*
 * batch.c - parse, locate, fetch, execute: see the drawing in batch.h.
 */
#include "daemon/request/batch.h"

#include "daemon/base/clock.h"

void batch_init(struct batch *batch)
{
    batch->open = batch->located = false;
    batch->next = batch->count = 0;
}

void batch_deinit(struct batch *batch)
{
    if (batch->open && batch->next < batch->count) {
        execute_abandon(&batch->of[batch->next]);
    }
    batch_init(batch);
}

void batch_parse(struct batch *batch, const struct protocol *protocol, struct parser *parser,
                 char *bytes, size_t length)
{
    enum parse_result result;
    size_t taken = 0;
    unsigned count = 0;
    for (;;) {
        if (taken == length) {
            parser->wanted = 1;
            result = PARSE_MORE;
            break;
        }
        size_t consumed = 0;
        struct execution *next = &batch->of[count];
        result = protocol->parse(parser, bytes + taken, length - taken, &next->request, &consumed);
        taken += consumed;
        if (result != PARSE_REQUEST) {
            break;
        }
        execute_begin(next);
        if (++count == BATCH_MAX || (next->request.options & REQUEST_IN_PIECES) != 0) {
            break;
        }
    }
    batch->open = true;
    batch->located = false;
    batch->next = 0;
    batch->count = count;
    batch->goes_on = count > 0 && (batch->of[count - 1].request.options & REQUEST_MORE_FOLLOW) != 0;
    batch->ending = result;
    batch->taken = taken;
}

void batch_locate(struct batch *batch, struct executor *by)
{
    for (unsigned i = batch->next; i < batch->count; i++) {
        execute_locate(by, &batch->of[i]);
    }
    batch->located = true;
}

void batch_fetch(const struct batch *batch, struct lane *lane)
{
    for (unsigned i = batch->next; i < batch->count; i++) {
        execute_fetch(lane, &batch->of[i]);
    }
}

/* What the clock says is good for as long as a few dozen requests take, which is about as
 * long as a reply is on its way. */
static void look_at_clock(struct executor *by, unsigned requests)
{
    enum { TURN = 8, GOOD_FOR = 64 };
    by->unclocked += TURN + requests;
    if (by->now == 0 || by->unclocked > GOOD_FOR) {
        by->now = clock_now();
        by->unclocked = 0;
        store_tick(by->lane, by->now);
    }
}

/* As long as hundreds of others, or it may be. */
static bool takes_long(const struct request *request)
{
    switch (request->verb) {
    case VERB_LIST:
    case VERB_ALL:
    case VERB_DUMP:
    case VERB_FLUSH:
    case VERB_NAMESPACES:
    case VERB_STATS:
        return true;
    default:
        return false;
    }
}

/* Whether others shall have their turn before the next request of the batch. Of those whose
 * turn is to be short one batch is let through: it is their last for now. */
static bool is_enough(const struct batch *batch, const struct executor *by)
{
    enum { TIMED = 8 };
    const struct request *last = &batch->of[batch->next - 1].request;
    bool ask = takes_long(last) || (by->until != 0 && batch->next % TIMED == 0);
    return ask && batch->next < batch->count && !executor_has_time(by);
}

enum outcome batch_execute(struct batch *batch, struct executor *by)
{
    if (batch->next < batch->count) {
        look_at_clock(by, batch->count - batch->next);
        if (!batch->located) {
            batch_locate(batch, by);
            batch_fetch(batch, by->lane);
        }
    }
    while (batch->next < batch->count) {
        if (outbox_is_full(by->outbox)) {
            return OUTCOME_LATER;
        }
        enum outcome outcome = execute(by, &batch->of[batch->next]);
        if (outcome != OUTCOME_DONE) {
            return outcome;
        }
        batch->next++;
        if (is_enough(batch, by)) {
            return OUTCOME_LATER;
        }
    }
    return OUTCOME_DONE;
}

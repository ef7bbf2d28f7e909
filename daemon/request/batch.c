/*
 * batch.c - parse, locate, fetch, execute: see the drawing in batch.h.
 */
#include "daemon/request/batch.h"

#include "daemon/base/clock.h"
#include "daemon/request/dispatch.h"
#include "daemon/request/reload_request.h"
#include "daemon/request/remote_execute.h"

void batch_init(struct batch *batch)
{
    batch->open = batch->located = false;
    batch->next = batch->count = 0;
}

void batch_deinit(struct batch *batch)
{
    if (batch->open && batch->next < batch->count) {
        dispatch_abandon(&batch->commands[batch->next]);
        for (unsigned i = batch->next + 1; i < batch->count; i++) {
            remote_end(&batch->commands[i].remote);
        }
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
        struct command *next = &batch->commands[count];
        result = protocol->parse(parser, bytes + taken, length - taken, &next->request, &consumed);
        taken += consumed;
        if (result != PARSE_REQUEST) {
            break;
        }
        command_begin(next);
        if (++count == BATCH_MAX || (next->request.options & REQUEST_IN_PIECES) != 0) {
            break;
        }
    }
    batch->open = true;
    batch->located = false;
    batch->next = 0;
    batch->count = count;
    batch->goes_on =
        count > 0 && (batch->commands[count - 1].request.options & REQUEST_MORE_FOLLOW) != 0;
    batch->ending = result;
    batch->taken = taken;
}

void batch_locate(struct batch *batch, struct command_context *ctx)
{
    for (unsigned i = batch->next; i < batch->count; i++) {
        command_locate(ctx, &batch->commands[i]);
    }
    batch->located = true;
}

void batch_fetch(struct batch *batch, struct store_thread *store_thread)
{
    for (unsigned i = batch->next; i < batch->count; i++) {
        command_fetch(store_thread, &batch->commands[i]);
    }
}

/* A reading of the clock is good for a few dozen requests: they take about as long as a reply is on
 * its way. */
static void update_clock(struct command_context *ctx, unsigned requests)
{
    enum { TURN = 8, GOOD_FOR = 64 };
    ctx->unclocked += TURN + requests;
    if (ctx->now == 0 || ctx->unclocked > GOOD_FOR) {
        ctx->now = clock_now();
        ctx->unclocked = 0;
        store_tick(ctx->store_thread, ctx->now);
    }
}

/* Whether it may take as long as hundreds of other requests. */
static bool takes_long(const struct request *request)
{
    switch (request->verb) {
    case VERB_LIST:
    case VERB_ALL:
    case VERB_SURVEY:
    case VERB_DUMP:
    case VERB_METADUMP:
    case VERB_FLUSH:
    case VERB_NAMESPACES:
    case VERB_STATS:
    case VERB_SETTINGS:
        return true;
    default:
        return false;
    }
}

/* Whether the turn ends before the next request of the batch. A short turn (until == 0) may finish
 * its first batch. */
static bool turn_ends(const struct batch *batch, const struct command_context *ctx)
{
    enum { TIMED = 8 };
    const struct request *last = &batch->commands[batch->next - 1].request;
    bool ask = takes_long(last) || (ctx->until != 0 && batch->next % TIMED == 0);
    return ask && batch->next < batch->count && !command_has_time(ctx);
}

enum outcome batch_execute(struct batch *batch, struct command_context *ctx)
{
    if (batch->next < batch->count) {
        update_clock(ctx, batch->count - batch->next);
        if (!batch->located) {
            batch_locate(batch, ctx);
            batch_fetch(batch, ctx->store_thread);
        }
        if (ctx->remote != NULL) {
            remote_ask_ahead(ctx, &batch->commands[batch->next], batch->count - batch->next);
        }
    }
    while (batch->next < batch->count) {
        if (reply_queue_is_full(ctx->replies)) {
            return OUTCOME_LATER;
        }
        enum outcome outcome = dispatch_execute(ctx, &batch->commands[batch->next]);
        if (outcome != OUTCOME_DONE) {
            return outcome;
        }
        /* It may have been asked ahead, and answered otherwise, after a reload. */
        remote_end(&batch->commands[batch->next].remote);
        batch->next++;
        if (turn_ends(batch, ctx)) {
            return OUTCOME_LATER;
        }
    }
    return OUTCOME_DONE;
}

size_t batch_memory(const struct batch *batch)
{
    size_t bytes = 0;
    for (unsigned i = batch->next; batch->open && i < batch->count; i++) {
        bytes += remote_memory(batch->commands[i].remote);
    }
    return bytes;
}

bool batch_awaits_reload(const struct batch *batch)
{
    const struct command *cmd = &batch->commands[batch->next];
    return batch->open && batch->next < batch->count && cmd->begun &&
           cmd->request.verb == VERB_RELOAD && !cmd->place.reload->answered;
}

bool batch_awaits_remote(const struct batch *batch)
{
    return batch->open && batch->next < batch->count &&
           remote_waits(batch->commands[batch->next].remote);
}

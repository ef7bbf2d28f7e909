/*
 * each_key.c - see each_key.h.
 */
#include "daemon/request/each_key.h"

#include "daemon/request/authorize.h"
#include "daemon/request/slow_timer.h"

enum {
    /* Keys of a long GET or DEL that are located before the first is read. */
    KEYS_AHEAD = 8,
    KEYS_TIMED = 64, /* keys of a request between two readings of the clock */
};

/* Locates and fetches the keys that come next; returns how many. */
static size_t locate_ahead(struct command_context *ctx, struct command *cmd,
                           struct store_key *ahead)
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

enum outcome each_key_end(const struct command_context *ctx, const struct command *cmd)
{
    bool is_last = (cmd->request.options & REQUEST_MORE_FOLLOW) == 0;
    if (is_last && ctx->replies->protocol->ends_keys) {
        reply_queue_status(ctx->replies, &cmd->request, REPLY_KEYS_END);
    }
    return OUTCOME_DONE;
}

static enum outcome several(struct command_context *ctx, struct command *cmd, answers_key *one,
                            bool ends)
{
    struct store_key ahead[KEYS_AHEAD];
    unsigned done = 0;
    if (cmd->request.key.length > 0 && !one(ctx, cmd, &cmd->at)) {
        return ctx->crowded ? OUTCOME_LATER : OUTCOME_DONE;
    }
    while (cmd->request.keys.length > 0) {
        size_t count = locate_ahead(ctx, cmd, ahead);
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
    return ends ? each_key_end(ctx, cmd) : OUTCOME_DONE;
}

unsigned each_key_count(const struct request *request)
{
    struct slice keys = request->keys, key;
    unsigned count = 1;
    while (request_next_key(&keys, &key)) {
        count++;
    }
    return count;
}

/* With many keys the command is timed. It counts as begun where it goes on later. */
static enum outcome many(struct command_context *ctx, struct command *cmd, answers_key *one,
                         bool ends)
{
    if (!cmd->begun) {
        cmd->timer = (struct slow_timer){.keys = each_key_count(&cmd->request)};
    }
    if (cmd->timer.keys <= SLOW_TIMER_KEYS) {
        return several(ctx, cmd, one, ends);
    }
    slow_timer_start(ctx, &cmd->timer);
    enum outcome outcome = several(ctx, cmd, one, ends);
    cmd->begun = outcome == OUTCOME_LATER;
    slow_timer_stop(ctx, &cmd->timer, outcome == OUTCOME_DONE, &cmd->request,
                    command_namespace(ctx, &cmd->request));
    return outcome;
}

enum outcome each_key_of_many(struct command_context *ctx, struct command *cmd, answers_key *one,
                              bool ends)
{
    bool timed = cmd->begun || cmd->request.keys.length >= 2 * SLOW_TIMER_KEYS;
    return timed ? many(ctx, cmd, one, ends) : several(ctx, cmd, one, ends);
}

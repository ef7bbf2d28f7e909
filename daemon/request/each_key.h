/*
 * each_key.h - requests of many keys.
 *
 * The keys that come next are located and fetched ahead, a few at a time, so that the processor
 * does not wait for each record in turn.
 */
#ifndef KVCACHED_DAEMON_REQUEST_EACH_KEY_H
#define KVCACHED_DAEMON_REQUEST_EACH_KEY_H

#include "daemon/request/command.h"

/* Answers one key. False: it was refused, which was answered, or has to wait: then the context is
 * `crowded`. */
typedef bool answers_key(struct command_context *ctx, const struct command *cmd,
                         struct store_key *at);

/* Of a command that has more than one key. */
enum outcome each_key_of_many(struct command_context *ctx, struct command *cmd, answers_key *one,
                              bool ends);
/* Whether the key that is answered is the last one of its line. */
static inline bool each_key_is_last(const struct request *request)
{
    return request->keys.length == 0 && (request->options & REQUEST_MORE_FOLLOW) == 0;
}

/* How many keys are still to be answered, of a request that has one at least. */
unsigned each_key_count(const struct request *request);

/* All keys are answered: answers their end, where the protocol has one. */
enum outcome each_key_end(const struct command_context *ctx, const struct command *cmd);

/* Of records of the store: get.c and set.c. */
answers_key answer_get_key, answer_look_key, answer_delete_key;

/* Answers the keys of a command in order. OUTCOME_DONE: all are answered, or one was refused, which
 * ends the answer. OUTCOME_LATER: the reply queue is full, the turn is over, or the context is
 * crowded; the command goes on with the next key. `ends`: then the end of its keys is answered as
 * well. Most requests have one key. */
static inline enum outcome each_key(struct command_context *ctx, struct command *cmd,
                                    answers_key *one, bool ends)
{
    ctx->replies->refused = false;
    if (cmd->request.keys.length > 0) {
        return each_key_of_many(ctx, cmd, one, ends);
    }
    if (cmd->request.key.length > 0 && !one(ctx, cmd, &cmd->at)) {
        return ctx->crowded ? OUTCOME_LATER : OUTCOME_DONE;
    }
    return ends ? each_key_end(ctx, cmd) : OUTCOME_DONE;
}

#endif

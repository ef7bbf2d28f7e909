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

/* Answers the keys of a command in order. OUTCOME_DONE: all are answered, or one was refused, which
 * ends the answer. OUTCOME_LATER: the reply queue is full, the turn is over, or the context is
 * crowded; the command goes on with the next key. Where the request `reads`, the end of its keys is
 * answered as well. */
enum outcome each_key(struct command_context *ctx, struct command *cmd, answers_key *one,
                      bool reads);

/* All keys are answered: answers their end, where the request `reads`. OUTCOME_DONE. */
enum outcome each_key_end(const struct command_context *ctx, const struct command *cmd, bool reads);

#endif

/*
 * remote_keys.h - requests of one key or many, some or all of which are in the cluster.
 *
 * For the thread of the worker.
 */
#ifndef KVCACHED_DAEMON_REQUEST_REMOTE_KEYS_H
#define KVCACHED_DAEMON_REQUEST_REMOTE_KEYS_H

#include "daemon/request/remote.h"

verb_function remote_keys;

/* Asks for the keys of a command that holds no work yet, or for the first of them. False: no
 * memory; it will be asked in its turn. */
bool remote_keys_ask(struct command_context *ctx, struct command *cmd);

/* Whether a command must not be asked before those from `first` on, up to itself, are answered:
 * they touch the same slot and one of them writes, or they have keys that were not asked for yet.
 */
bool remote_keys_conflict(const struct command *first, const struct command *cmd);

/* How many keys the command has asked for. */
unsigned remote_keys_asked(const struct command *cmd);

#endif

/*
 * remote_execute.h - which requests are for the nodes of a cluster, and how they are carried out.
 *
 * For the thread of the worker, between store_enter and store_leave of its store thread.
 */
#ifndef KVCACHED_DAEMON_REQUEST_REMOTE_EXECUTE_H
#define KVCACHED_DAEMON_REQUEST_REMOTE_EXECUTE_H

#include "daemon/request/remote.h"

/* Whether a command is for nodes, or goes on with them: one that has begun stays where it began,
 * whatever a reload has changed. Its key, if it has one, is located. */
bool remote_takes(struct command_context *ctx, const struct command *cmd);

/* A verb_function of such commands. */
enum outcome remote_execute(struct command_context *ctx, struct command *cmd);

/* Asks for the commands that come next, `count` of them, as far as that may be done before the
 * others are answered. */
void remote_ask_ahead(struct command_context *ctx, struct command *commands, unsigned count);

#endif

/*
 * dispatch.h - from a command to the function of its verb.
 */
#ifndef KVCACHED_DAEMON_REQUEST_DISPATCH_H
#define KVCACHED_DAEMON_REQUEST_DISPATCH_H

#include "daemon/request/command.h"

/* Answers a command that was located, or goes on answering it. Where there are users, its rights
 * are asked for first, each time. */
enum outcome dispatch_execute(struct command_context *ctx, struct command *cmd);

/* Ends a command wherever it stands, without an answer, and frees what it holds. */
void dispatch_abandon(struct command *cmd);

#endif

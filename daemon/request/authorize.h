/*
 * authorize.h - what a client may have carried out, where there are users.
 *
 * Rights are asked for before anything else about a request is answered, so that no client learns
 * of a namespace or a record to which it has no right. They are asked for again where a request
 * goes on in a later turn: a reload may have taken them away in between.
 *
 * Where a function says false, it has answered the refusal, unless it says otherwise.
 */
#ifndef KVCACHED_DAEMON_REQUEST_AUTHORIZE_H
#define KVCACHED_DAEMON_REQUEST_AUTHORIZE_H

#include "daemon/request/command.h"
#include "daemon/request/namespace_walk.h"

/* Whether a command may be carried out, or go on. Only where there are users. */
bool authorize_command(struct command_context *ctx, struct command *cmd);

/* Whether the client has the rights that a request takes in the namespace of that name. */
bool authorize_request(struct command_context *ctx, const struct request *request,
                       struct slice name);

/* The same, without an answer. */
bool authorize_may(const struct command_context *ctx, const struct request *request,
                   struct slice name);

/* Checks, over as many turns as that takes, whether the client has the rights that a request takes
 * in every namespace that the endpoint reaches beside its own; `next` as in struct namespace_walk.
 * WALK_ENDED: it has them. WALK_FOUND: they are missing in one, and that was answered without
 * naming it. WALK_PAUSED: not known yet. */
enum walk_step authorize_reached(struct command_context *ctx, const struct request *request,
                                 uint32_t *next);

/* Whether a WATCH is about all namespaces. */
bool authorize_names_all(const struct request *request);

/* Whether the client may go on with a WATCH of that namespace; with an empty one, of all. */
bool authorize_watching(struct command_context *ctx, const struct request *request);

/* Answers a request of a client that has not authenticated; NULL: a line that is no request. */
void authorize_refuse_unauthenticated(struct command_context *ctx, const struct request *request);

#endif

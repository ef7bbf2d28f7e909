/*
 * stats.h - the answer to STATS.
 */
#ifndef KVCACHED_DAEMON_REQUEST_STATS_H
#define KVCACHED_DAEMON_REQUEST_STATS_H

#include "daemon/request/command.h"

/* Whichever figures the request asks for, and the END. */
enum outcome stats_answer(struct command_context *ctx, struct command *cmd);

/* --- stats_detail.c: figures of each namespace that the endpoint reaches ------- */

/* STATS_ITEMS, STATS_SLABS, STATS_NAMESPACES, STATS_NUMBERS: resumable, as answers may be
 * long. */
enum outcome stats_by_namespace(struct command_context *ctx, struct command *cmd);

/* --- stats_settings.c and stats_conns.c --------------------------------------- */

/* STATS_SETTINGS: what the daemon was told to do. */
enum outcome stats_settings(struct command_context *ctx, const struct request *request);
/* STATS_CONNS: the connection that asks. */
enum outcome stats_conns(struct command_context *ctx, const struct request *request);

/* --- for all of them ------------------------------------------------------- */

void stats_text(struct command_context *ctx, const struct request *request, const char *name,
                const char *value);
void stats_number(struct command_context *ctx, const struct request *request, const char *name,
                  uint64_t value);

#endif

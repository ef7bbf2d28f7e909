/*
 * stats_lines.h - the lines of an answer to STATS: a name and a value each.
 */
#ifndef KVCACHED_DAEMON_REQUEST_STATS_LINES_H
#define KVCACHED_DAEMON_REQUEST_STATS_LINES_H

#include "daemon/request/command.h"

void stats_text(struct command_context *ctx, const struct request *request, const char *name,
                const char *value);
void stats_number(struct command_context *ctx, const struct request *request, const char *name,
                  uint64_t value);

#endif

/*
 * stats.h - the answer to STATS.
 */
#ifndef KVCACHED_STATS_H
#define KVCACHED_STATS_H

#include "daemon/execute.h"

/* The daemon's figures, a REPLY_STAT each, without the END. */
void stats_daemon(struct executor *executor);

/* A namespace's. STORE_OK, or why there are none: then nothing was answered. */
enum store_status stats_namespace(struct executor *executor, struct slice ns);

#endif

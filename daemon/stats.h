/*
 * stats.h - the answer to STATS.
 */
#ifndef KVCACHED_STATS_H
#define KVCACHED_STATS_H

#include "daemon/execute.h"

/* Whichever figures the request asks for, and the END. */
enum outcome stats_answer(struct executor *by, struct execution *of);

/* --- stats_detail.c: figures of each namespace that the door reaches ------- */

/* STATS_ITEMS, STATS_SLABS, STATS_NAMESPACES: resumable, as answers may be long. */
enum outcome stats_by_namespace(struct executor *by, struct execution *of);

/* --- for both -------------------------------------------------------------- */

void stats_text(struct executor *by, const struct request *request, const char *name,
                const char *value);
void stats_number(struct executor *by, const struct request *request, const char *name,
                  uint64_t value);

#endif

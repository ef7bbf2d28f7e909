/*
 * dump.h - a namespace's records as they are kept in a file: what DUMP replies, behind a line with
 * the time.
 */
#ifndef KVCACHED_SCRIPTS_CLI_DUMP_H
#define KVCACHED_SCRIPTS_CLI_DUMP_H

#include "scripts/cli/loader.h"
#include "scripts/cli/reply.h"

/* The first line, with its end. `time`: milliseconds since 1970. */
void dump_head(struct bytes *head, uint64_t time);
/* Reads the first line, without its end. False: it is none. */
bool dump_read_head(struct slice line, uint64_t *time);

/* The record of a PUT that DUMP has replied, with `age` milliseconds taken off its ttl. False: it
 * is no such reply. */
bool dump_record(const struct reply *reply, uint64_t age, struct loader_record *record);

#endif

/*
 * slow_log.h - the requests that took long: a ring of the last ones for each worker.
 *
 * A worker writes into its own ring and never waits. Any thread reads all rings; an entry that is
 * written over meanwhile is left out.
 */
#ifndef KVCACHED_DAEMON_WATCH_SLOW_LOG_H
#define KVCACHED_DAEMON_WATCH_SLOW_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "protocol/inspect.h"

enum { SLOW_ENTRIES_MAX = 1024 /* of each worker */ };

struct slow_log;

/* The memory is taken as entries come. NULL: no memory. */
struct slow_log *slow_log_create(unsigned workers);
/* Sets *log to NULL; NULL is legal. */
void slow_log_destroy(struct slow_log **log);

/* How many entries are kept, of all workers together; at most SLOW_ENTRIES_MAX. Any thread. */
void slow_log_keep(struct slow_log *log, unsigned entries);

/* Adds an entry, which gets its id here. For the thread of that worker. */
void slow_log_add(struct slow_log *log, unsigned worker, struct slow_request *slow);

/* The newest entries, the oldest of them first: at most `most` of those with an id above `after`.
 * Returns how many there are. Any thread. */
size_t slow_log_read(const struct slow_log *log, uint64_t after, struct slow_request *to,
                     size_t most);

/* The id above which the newest `most` entries lie; 0 for `most`: all that are kept. */
uint64_t slow_log_before(const struct slow_log *log, uint64_t most);

/* Forgets all entries. Any thread. */
void slow_log_reset(struct slow_log *log);

#endif

/*
 * write_stats.h - what a write of a value counts as.
 */
#ifndef KVCACHED_DAEMON_STORE_ACCESS_WRITE_STATS_H
#define KVCACHED_DAEMON_STORE_ACCESS_WRITE_STATS_H

#include "daemon/store/records/namespace.h"
#include "daemon/store/records/thread.h"

/* The number under which a key's namespace is counted; 0: there is none. */
static inline uint32_t write_stats_id(const struct store_key *at)
{
    return at->ns == NULL ? 0 : at->ns->id;
}

/* Counts what became of one request to write a value on these terms. */
void write_stats_write(struct store_thread *thread, uint32_t id, const struct store_terms *terms,
                       enum store_status status);

#endif

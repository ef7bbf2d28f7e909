/*
 * flush.h - flushing a namespace from inside of the store; see store_flush.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_FLUSH_H
#define KVCACHED_DAEMON_STORE_RECORDS_FLUSH_H

#include "daemon/store/records/state.h"

/* Gives the namespace a new generation. False without memory for it. Takes the
 * namespace's lock. `due`: this is the flush that was set for later, which is over then. */
bool flush_namespace(struct store *store, struct namespace *ns, bool due, uint64_t *records);

/* The same with the next store_tick. Under namespaces.lock. */
void flush_soon(struct store *store, struct namespace *ns);

#endif

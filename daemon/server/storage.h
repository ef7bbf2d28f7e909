/*
 * storage.h - the store of the daemon: created or recovered from its file, given its namespaces and
 * limits, and closed in order at the end.
 *
 * Logs what became of the file, and the progress while a large one is read. All calls are for the
 * main thread.
 */
#ifndef KVCACHED_DAEMON_SERVER_STORAGE_H
#define KVCACHED_DAEMON_SERVER_STORAGE_H

#include <stdatomic.h>

#include "conf/conf.h"
#include "daemon/store/store.h"

struct storage {
    struct store *store;
    struct store_thread *store_thread; /* of the main thread */
    const char *file;                  /* in conf, which outlives it; NULL: in memory */
    uint64_t recovered;                /* records that were found at the start */
};

/* EX_OK, or what to exit with: the error has been logged then. Sets the clock (clock_continue), so
 * call it before other threads read it. While a file is read, *percent says how much of it has
 * been. */
int storage_open(struct storage *storage, const struct conf *conf, atomic_uint *percent);

/* Gives the store `memory` bytes, at once or step by step (store_set_memory). False: it keeps what
 * it has, and the reason has been logged. */
bool storage_set_memory(struct storage *storage, uint64_t memory);

/* No other thread may be inside the store. Writes an arena file to its disk, which may take up to
 * minutes. Does nothing to a storage that was not opened. */
void storage_close(struct storage *storage);

#endif

/*
 * storage.h - the store as the daemon has it: made or found again in its file, given its
 * policy, and left in order at the end.
 *
 * It says in the log what became of the file, and while a large one is read, how far it
 * is. For the main thread.
 */
#ifndef KVCACHED_DAEMON_SERVER_STORAGE_H
#define KVCACHED_DAEMON_SERVER_STORAGE_H

#include <stdatomic.h>

#include "conf/conf.h"
#include "daemon/store/store.h"

struct storage {
    struct store *store;
    struct store_thread *store_thread; /* the main thread's */
    const char *file;                  /* in conf, which outlives it; NULL: in memory */
    uint64_t recovered;                /* records that were there at the start */
};

/* EX_OK, or what to exit with: then the log has said why. Sets the clock, so no other thread
 * asks for it yet. *percent becomes how much of a file was read, while it is. */
int storage_open(struct storage *storage, const struct conf *conf, atomic_uint *percent);

/* The store's memory becomes `memory` bytes, at once or by and by (store_set_memory). False: it
 * stays as it was, and the log has said why. */
bool storage_set_memory(struct storage *storage, uint64_t memory);

/* When no other thread is inside. What is in a file is written to where it lies, which takes
 * a while on a disk. Does nothing to one that was not opened. */
void storage_close(struct storage *storage);

#endif

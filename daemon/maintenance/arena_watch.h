/*
 * arena_watch.h - logs failures of the arena's file while the daemon runs, once each.
 *
 * The file system may refuse blocks: then the daemon makes do with the memory that it has, and
 * evicts. It may refuse to take blocks back. And another program may truncate the file, or its disk
 * may fail: a thread that reads the missing part gets SIGBUS, and the daemon ends, with a line in
 * the log.
 */
#ifndef KVCACHED_DAEMON_MAINTENANCE_ARENA_WATCH_H
#define KVCACHED_DAEMON_MAINTENANCE_ARENA_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store.h"

/* What has been logged. All zero at the start. One thread's. */
struct arena_watch {
    uint64_t refused, granted; /* the store's counts at the last check */
    uint64_t refused_at;       /* when a refusal was last seen */
    bool refuses;              /* logged that blocks are refused, and not yet that they are not */
    bool keeps;                /* logged that blocks are not taken back */
};

enum { ARENA_WATCH_LULL_MS = 60000 /* without a refusal: then there is room again */ };

/* Logs what is new. Costs little, so it may be called often. `now` is in milliseconds, of a clock
 * that does not go back. */
void arena_watch_check(struct arena_watch *watch, const struct store_file_stats *figures,
                       uint64_t now);

/* From now on SIGBUS ends the process with a line that names the file. To be called before the file
 * is mapped. After arena_watch_range only faults in that range are logged so. The main thread's. */
void arena_watch_faults(const char *file);
void arena_watch_range(const void *from, size_t length);

#endif

/*
 * arena_watch.h - what befalls the arena's file while the daemon runs, said once.
 *
 * The file system may refuse blocks: then the daemon makes do with the memory that it has, and
 * evicts. It may refuse to take blocks back. And the file may be cut short by another program,
 * or its disk may fail: the thread that needs what is gone gets SIGBUS, and the daemon ends, but
 * not without a line.
 */
#ifndef KVCACHED_DAEMON_MAINTENANCE_ARENA_WATCH_H
#define KVCACHED_DAEMON_MAINTENANCE_ARENA_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store.h"

/* What has been said. All zero at first. */
struct arena_watch {
    uint64_t refused, granted; /* the counts when it last looked */
    uint64_t refused_at;       /* when it last saw a refusal */
    bool refuses;              /* that blocks are refused has been said, and not taken back */
    bool keeps;                /* that they are not taken back has been said */
};

enum { ARENA_WATCH_LULL = 60000 /* ms without a refusal, after which there is room again */ };

/* Says what is new; cheap. From one thread. `now` on any clock that does not go back. */
void arena_watch_look(struct arena_watch *watch, const struct store_file_stats *figures,
                      uint64_t now);

/* From now on SIGBUS ends the process with a line that names the file. To be called before the
 * file is mapped. When it is known where that is, others' faults get no such line. */
void arena_watch_faults(const char *file);
void arena_watch_range(const void *from, size_t length);

#endif

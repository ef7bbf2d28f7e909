/*
 * file_clock.h - whether the store's clock can continue after a restart.
 *
 * An arena file has two clock records, written in turn, so that one is always whole. Both
 * functions work on memory only.
 */
#ifndef KVCACHED_DAEMON_STORE_ARENA_FILE_CLOCK_H
#define KVCACHED_DAEMON_STORE_ARENA_FILE_CLOCK_H

#include <stdint.h>

#include "daemon/store/arena/layout.h"
#include "daemon/store/store.h"

enum file_clock_state {
    FILE_CLOCK_CONTINUES, /* the machine has not been restarted since */
    FILE_CLOCK_BRIDGED,   /* it has, after a clean stop: the wall clock bridges the gap */
    FILE_CLOCK_CRASHED,   /* it has, and what was written before is not known */
    FILE_CLOCK_COPY,      /* the file is a copy of one that was in use */
    FILE_CLOCK_DAMAGED,
};

/*
 * What the two records say of a file with that inode, at `clock`. Sets *offset with the first two
 * of the results, such that the store's clock never goes back. `secret` is the head's. Pure.
 */
enum file_clock_state file_clock_continue(const struct clock_record records[2],
                                          const uint64_t secret[2], const struct store_clock *clock,
                                          uint64_t inode, int64_t *offset);

/* Writes over the older one of the two. stopped, wall: 0 while in use. One thread at a time. */
void file_clock_write(struct clock_record records[2], const uint64_t secret[2],
                      const struct clock_record *fields);

#endif

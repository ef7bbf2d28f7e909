/*
 * log_writer.h - brings lines to their target: directly, or by a thread that may block.
 *
 * During a command or the start of the daemon, each thread writes its lines itself. Once the daemon
 * serves, lines go into a ring (log_ring.h) and the log's own thread writes them; a line that
 * finds the ring full is dropped and counted. When lines can be written again, the log reports
 * how many were lost. So a log that blocks keeps no other thread waiting for longer than a copy
 * takes.
 *
 * There is one in a process, for log.c only. Any thread may call log_writer_put and
 * log_writer_wake; the other functions are the main thread's, where nothing else is said.
 */
#ifndef KVCACHED_DAEMON_BASE_LOG_WRITER_H
#define KVCACHED_DAEMON_BASE_LOG_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/base/log_ring.h"
#include "daemon/base/log_target.h"

struct metrics;

/* Any thread. With `echo` a line that is written directly goes to stderr as well. */
void log_writer_put(const struct log_entry *entry, bool echo);

/* All lines that are written directly may wait for `all_ms` milliseconds altogether; below 0:
 * without limit. */
void log_writer_patience(int all_ms);

/* Takes over the target for further lines. The target before it is closed when it has got the lines
 * put before this call, or at once if it blocks. */
void log_writer_switch_to(const struct log_target *target);

/* Changes the owner of the log's file to a user, if log_target_open has made it. To be called
 * before log_writer_start. False with errno; EPERM: the file existed and is another user's. */
bool log_writer_give(uid_t uid, gid_t gid);

/*
 * Starts the thread. It writes no line before log_writer_hand_over. It calls `tick` between lines,
 * which may log lines itself and returns after how many milliseconds it is to be called again.
 * Lost lines are counted in `metrics`, a set that no other thread writes. False with errno.
 */
bool log_writer_start(uint64_t (*tick)(void), struct metrics *metrics);
void log_writer_hand_over(void);

/* A line that is composed now and written from the handler of a signal: see log.h.
 * log_writer_prepared takes no lock, since any thread may hold it. */
void log_writer_prepare(const struct log_entry *entry);
void log_writer_prepared(void);

/* Makes the thread call `tick` soon. Any thread. */
void log_writer_wake(void);

/*
 * Gives the thread `wait_ms` milliseconds to write what is in the ring, and ends it. A thread that
 * is still blocked then is abandoned, and further lines are dropped: the process is about to end.
 * Otherwise lines are written directly again, to stderr. Legal without a thread.
 */
void log_writer_stop(uint64_t wait_ms);

#endif

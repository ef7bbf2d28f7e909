/*
 * log_writer.h - from a line to its target: at once, or by a thread that may be kept waiting.
 *
 * While a command or a start is under way a line is written by the thread that says it. Once
 * the daemon serves, a line goes into a ring (log_ring.h) and a thread of its own writes it; a
 * line that finds the ring full is dropped and counted. When lines can be written again the log
 * says how many were lost. So a log that stands still keeps no other thread waiting for longer
 * than a copy takes.
 *
 * The process has one; what is here is for log.c.
 */
#ifndef KVCACHED_DAEMON_BASE_LOG_WRITER_H
#define KVCACHED_DAEMON_BASE_LOG_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/base/log_ring.h"
#include "daemon/base/log_target.h"

struct metrics;

/* Any thread. With `echo` a line that is written at once goes to stderr as well. */
void log_writer_put(const struct log_entry *entry, bool echo);

/* For all lines that are written at once, together: so many milliseconds may be spent on waiting
 * for room. Below 0: as long as it takes. */
void log_writer_patience(int all_ms);

/* The target for the lines to come, which it takes over. One that stands still is left at once,
 * another one when it has the lines that were said before. */
void log_writer_turn_to(const struct log_target *target);

/* Gives the log's file to a user, if it was made here. False with errno; EPERM: it was not, and is
 * another user's. Before the thread. */
bool log_writer_give(uid_t uid, gid_t gid);

/*
 * Starts the thread. It has nothing to do before log_writer_hand_over. `tick` is called there
 * between lines; it may say some, and returns how many milliseconds later it is to be called
 * again. Lost lines are counted in `metrics`, a set that no other thread changes. False with
 * errno.
 */
bool log_writer_start(uint64_t (*tick)(void), struct metrics *metrics);
void log_writer_hand_over(void);

/* A line that is made ready now, and leaves from a handler of a signal: see log.h. It takes no
 * lock, since any thread may have it. */
void log_writer_prepare(const struct log_entry *entry);
void log_writer_prepared(void);

/* `tick` is to be called soon. Any thread. */
void log_writer_wake(void);

/*
 * Gives the thread so many milliseconds to write what waits, and ends it. If it is still kept
 * waiting then, it is left behind and further lines are dropped: the process ends with it. Else
 * lines are written at once again, to stderr. Good where there is no thread.
 */
void log_writer_stop(uint64_t wait_ms);

#endif

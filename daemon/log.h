/*
 * log.h - one line to the log, from any thread.
 *
 * A line leaves in one write, so that lines of several threads never mix. What
 * goes into it is escaped as a whole: control characters, bytes above 126 and
 * the backslash itself come out as \n, \xNN and \\, so that nothing which came
 * over a wire can forge a line or speak to a terminal.
 *
 * The log is the one thing here that is not an argument: a process has one, it
 * must work in the first line of main and in the depths of an error path, and
 * passing it along would put it into every signature of the daemon.
 */
#ifndef KVCACHED_LOG_H
#define KVCACHED_LOG_H

#include <stdbool.h>
#include <sys/types.h>
#include <syslog.h>

/*
 * Levels are syslog's: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG.
 * LOG_INFO is for what happens to single connections, LOG_DEBUG for what helps
 * only those who read the source.
 */
void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_line(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)  log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_DEBUG, __VA_ARGS__)

/* Whether a line of that level would be kept: for what is costly to say. */
bool log_wants(int level);

/*
 * Before log_open, lines of level LOG_NOTICE and above go to stderr bare, as a
 * command's messages do.
 *
 * `to` is "stderr", "syslog" or the path of a file, which is made if it is not
 * there. Called again it changes over, and opens a file of the same name anew.
 * False, with errno, when the file cannot be opened: then nothing has changed.
 */
bool log_open(const char *to, int level);

/* While a daemon starts, whoever started it looks at stderr: warnings and errors
 * are said there too, wherever the log goes. Off at first. */
void log_echo(bool on);

/* Gives the log's file, if it is one, to the user that the daemon becomes. */
void log_give(uid_t uid, gid_t gid);

void log_close(void);

/*
 * A line that is made ready now and leaves later, from a handler of a signal that came from the
 * thread's own doing (SIGBUS) while it was not in here. It has no date. Where the log is a file
 * or stderr, it leaves in one write and nothing else is called; syslog gets it as usual, for
 * which the process has a few seconds.
 */
void log_prepare(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_prepared(void);

#endif

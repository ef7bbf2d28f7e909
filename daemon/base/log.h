/*
 * log.h - one line to the log, from any thread.
 *
 * No thread that serves waits for the log: see log_writer.h. What may stand in a line, and in
 * which form, is said in log_target.h.
 *
 * The log is the one thing here that is not an argument: a process has one, it
 * must work in the first line of main and in the depths of an error path, and
 * passing it along would put it into every signature of the daemon.
 */
#ifndef KVCACHED_DAEMON_BASE_LOG_H
#define KVCACHED_DAEMON_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <syslog.h>

struct metrics;

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

/* --- lines that strangers can bring about ------------------------------------- */

enum { LOG_LIMIT_LINES = 10 }; /* of one kind in one second */

/* A kind of line. Static, and begun with LOG_LIMIT; the rest is the log's. */
struct log_limit {
    const char *what;    /* it says, as a part of a line */
    int level;           /* of the lines held back */
    uint64_t second;     /* the last in which there was one */
    unsigned said, held; /* in that second */
    bool listed;
    struct log_limit *next;
};

#define LOG_LIMIT(text)                                                                            \
    {                                                                                              \
        .what = (text)                                                                             \
    }

/*
 * Whether a line of that kind and level is to be said now. Of each kind there are
 * LOG_LIMIT_LINES in a second; the rest are counted, and when the second is over a line says
 * how many they were. At level LOG_DEBUG none is held back.
 */
bool log_admits(struct log_limit *limit, int level);

/* --- where lines go --------------------------------------------------------------- */

/*
 * Before log_open, lines of level LOG_NOTICE and above go to stderr bare, as a
 * command's messages do, and wait for it as those do.
 *
 * `to` is "stderr", "syslog" or the path of a regular file, which is made if it is not
 * there. Called again it changes over, and opens a file of the same name anew.
 * The file must be this user's: see safe_open.h.
 * False, with errno and *why, when the file cannot be opened: then nothing has changed.
 */
bool log_open(const char *to, int level, uid_t user, const char **why);

/* For a daemon: as long as lines are written by the threads that say them, these wait for about
 * a second in all, and what cannot be written then is lost. */
void log_hurry(void);

/*
 * While a daemon starts, its stderr is what is looked at: from log_echo on, warnings and
 * errors are said there too, wherever the log goes. With log_start there is a thread; it writes
 * all lines from log_serve on, when the start is over, and there is no more echo. What is lost
 * is counted in `metrics`, which is the log's alone until log_close. log_start is false with
 * errno. No fork after it.
 */
void log_echo(void);
bool log_start(struct metrics *metrics);
void log_serve(void);

/* Gives the log's file, if it was not there before, to the user that the daemon becomes; or warns
 * that the file is not that user's. */
void log_give(uid_t uid, gid_t gid);

/* The end has begun. What waits in the log has a second from now on, or a tenth of one from
 * log_close on. */
void log_ending(void);

/* Good for a second call. Where the log cannot be written in time the process has to end now. */
void log_close(void);

/*
 * A line that is made ready now and leaves later, from a handler of a signal that came from the
 * thread's own doing (SIGBUS) while it was not in here. It has no date. It leaves in one write;
 * where that would have to wait, as on a pipe that is not read, the line is lost.
 */
void log_prepare(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_prepared(void);

#endif

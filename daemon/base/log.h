/*
 * log.h - writes lines to the log, from any thread.
 *
 * No thread that serves clients waits for the log: see log_writer.h. log_target.h describes the
 * forms of a line and how its text is escaped.
 *
 * The log is the one global here instead of an argument: a process has one, it must work in the
 * first line of main and deep in an error path, and passing it along would put it into every
 * signature of the daemon.
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
 * LOG_INFO is for events of single connections, LOG_DEBUG for what is of use only beside the
 * source. A line names what happened, to what, and what to do about it.
 */
void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_line(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)  log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_DEBUG, __VA_ARGS__)

/* Whether a line of that level would be written: for lines that are costly to compose. */
bool log_wants(int level);

/* From now on the calling thread's errors are also given to `take`, as they are logged, without
 * line ends; NULL: not any more. */
void log_tap(void (*take)(void *context, const char *line), void *context);

/* --- lines that any client can cause ------------------------------------------ */

enum {
    LOG_LIMIT_LINES = 10,     /* of one kind in a second */
    LOG_SELDOM_SECONDS = 600, /* for one line of a kind that monitoring causes all day */
};

/* A kind of line. Static, and initialized by LOG_LIMIT or LOG_LIMIT_SELDOM; the log owns the other
 * members. */
struct log_limit {
    const char *what;      /* for "WHAT: and 120 more" */
    unsigned lines;        /* that are logged in a window */
    unsigned seconds;      /* of a window, which begins with its first line */
    int level;             /* of the lines held back */
    uint64_t ends;         /* the first second after the window */
    unsigned logged, held; /* lines in the window */
    bool listed;
    struct log_limit *next;
};

#define LOG_LIMIT(text)                                                                            \
    {                                                                                              \
        .what = (text), .lines = LOG_LIMIT_LINES, .seconds = 1                                     \
    }
#define LOG_LIMIT_SELDOM(text)                                                                     \
    {                                                                                              \
        .what = (text), .lines = 1, .seconds = LOG_SELDOM_SECONDS                                  \
    }

/*
 * Whether a line of that kind and level is to be logged now. So many lines of each kind are, in a
 * window; the rest are counted, and a line with their number follows when the window is over.
 * At level LOG_DEBUG none is held back. Any thread.
 */
bool log_admits(struct log_limit *limit, int level);

/* --- where lines go --------------------------------------------------------------- */

/*
 * Before log_open, lines of level LOG_NOTICE and above go to stderr without time and level, as
 * the messages of a command do, and wait until stderr takes them.
 *
 * `to` is "stderr", "syslog" or the path of a regular file, which is made if it does not exist.
 * A further call switches to another target, and opens a file of the same name again. safe_open.h
 * says which files are accepted for `user`. False with errno and *why, which is not to be freed:
 * the file cannot be opened, and the log is as it was.
 */
bool log_open(const char *to, int level, uid_t user, const char **why);

/* For a daemon: as long as each thread writes its lines itself, these wait for about a second
 * altogether; a line that cannot be written then is lost. */
void log_hurry(void);

/*
 * While a daemon starts, an administrator looks at its stderr: from log_echo on, warnings and
 * errors go there too, whatever the target. log_start starts the log's thread; no fork may
 * follow. From log_serve on, when the start is over, that thread writes all lines, and the echo
 * ends. Lost lines are counted in `metrics`, which belongs to the log until log_close. log_start
 * returns false with errno.
 */
void log_echo(void);
bool log_start(struct metrics *metrics);
void log_serve(void);

/* Changes the owner of the log's file, if log_open has made it, to the user that the daemon
 * becomes. Warns if the file existed and belongs to another user. */
void log_give(uid_t uid, gid_t gid);

/* The daemon begins to stop: lines that wait in the log have a second from now on, and at least a
 * tenth of a second from log_close on. */
void log_ending(void);

/* Writes what waits and ends the thread. A second call is legal. If the log could not be written in
 * time, the process must end now. */
void log_close(void);

/*
 * log_prepare composes a line; log_prepared writes it, from the handler of a signal that the thread
 * itself has raised (SIGBUS) outside of the log. The line has no date. It is written at once, or
 * lost where the target is not ready, such as a pipe that is not read.
 */
void log_prepare(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_prepared(void);

#endif

/*
 * log.c - levels, and the rate limit of lines that clients can cause.
 *
 * No function here fails but those that open the log: a line that cannot be written is lost and
 * counted.
 */
#include "daemon/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "daemon/base/clock.h"
#include "daemon/base/log_writer.h"

enum {
    HURRY_MS = 1000,       /* see log_hurry */
    END_MS = 1000,         /* from log_ending on, until the log is closed */
    END_LEAST_MS = 100,    /* from log_close on */
    IDLE_MS = 3600 * 1000, /* between two calls of tick while no line is held back */
};

static struct {
    atomic_int level;
    atomic_bool echo;
    uint64_t ending;          /* when log_ending was called, by clock_precise; 0: not yet. The main
                                 thread's */
    pthread_mutex_t lock;     /* for the list, and for every struct log_limit */
    struct log_limit *limits; /* those that hold lines back */
} the_log = {.level = LOG_NOTICE, .lock = PTHREAD_MUTEX_INITIALIZER};

bool log_wants(int level)
{
    return level <= atomic_load_explicit(&the_log.level, memory_order_relaxed);
}

static _Thread_local struct {
    void (*take)(void *context, const char *line);
    void *context;
} tap;

void log_line(int level, const char *format, ...)
{
    struct log_entry entry;
    int saved = errno;
    va_list arguments;
    if (!log_wants(level)) {
        return;
    }
    entry.level = level;
    clock_gettime(CLOCK_REALTIME, &entry.time);
    va_start(arguments, format);
    int length = vsnprintf(entry.text, sizeof entry.text, format, arguments);
    va_end(arguments);
    entry.length = length < 0                      ? 0
                   : (size_t)length < LOG_TEXT_MAX ? (size_t)length
                                                   : LOG_TEXT_MAX - 1;
    entry.text[entry.length] = '\0';
    log_writer_put(&entry, level <= LOG_WARNING && atomic_load(&the_log.echo));
    if (level <= LOG_ERR && tap.take != NULL) {
        tap.take(tap.context, entry.text);
    }
    errno = saved;
}

void log_tap(void (*take)(void *context, const char *line), void *context)
{
    tap.take = take;
    tap.context = context;
}

/* --- limits --------------------------------------------------------------------- */

static uint64_t now_ms(void)
{
    return clock_precise() / 1000000;
}

/* Takes a limit whose window is over out of the list, as a copy. False: there is none. */
static bool take_past(uint64_t second, struct log_limit *copy)
{
    struct log_limit **link = &the_log.limits;
    while (*link != NULL && (*link)->ends > second) {
        link = &(*link)->next;
    }
    if (*link == NULL) {
        return false;
    }
    struct log_limit *limit = *link;
    *copy = *limit;
    *link = limit->next;
    limit->listed = false;
    limit->held = 0;
    return true;
}

/* Logs how many lines were held back in windows that are over in this second. */
static void report_held(uint64_t second)
{
    struct log_limit past;
    bool found;
    do {
        pthread_mutex_lock(&the_log.lock);
        found = take_past(second, &past);
        pthread_mutex_unlock(&the_log.lock);
        if (found) {
            log_line(past.level, "%s: and %u more", past.what, past.held);
        }
    } while (found);
}

/* With the lock. Returns whether this line is the first to be held back since the last report. */
static bool hold_back(struct log_limit *limit, int level)
{
    limit->held++;
    limit->level = level;
    if (limit->listed) {
        return false;
    }
    limit->listed = true;
    limit->next = the_log.limits;
    the_log.limits = limit;
    return true;
}

bool log_admits(struct log_limit *limit, int level)
{
    uint64_t second = now_ms() / 1000;
    bool first = false;
    if (!log_wants(level) || level >= LOG_DEBUG) {
        return log_wants(level);
    }
    pthread_mutex_lock(&the_log.lock);
    if (limit->ends <= second && !limit->listed) {
        limit->ends = second + limit->seconds;
        limit->logged = 0;
    }
    bool admitted = limit->ends > second && limit->logged < limit->lines;
    if (admitted) {
        limit->logged++;
    } else {
        first = hold_back(limit, level);
    }
    pthread_mutex_unlock(&the_log.lock);
    if (first) {
        log_writer_wake();
    }
    return admitted;
}

/* With the lock: the first second in which a window with held lines is over; at most `second`. */
static uint64_t first_end(uint64_t second)
{
    for (const struct log_limit *limit = the_log.limits; limit != NULL; limit = limit->next) {
        second = limit->ends < second ? limit->ends : second;
    }
    return second;
}

/* Called by the thread between lines; returns when to call again, in milliseconds. */
static uint64_t tick(void)
{
    uint64_t now = now_ms();
    report_held(now / 1000);
    pthread_mutex_lock(&the_log.lock);
    uint64_t end = 1000 * first_end(now / 1000 + IDLE_MS / 1000);
    pthread_mutex_unlock(&the_log.lock);
    return end > now ? end - now : 0;
}

/* --- where lines go ----------------------------------------------------------------- */

bool log_open(const char *to, int level, uid_t user, const char **why)
{
    struct log_target target;
    if (!log_target_open(&target, to, user, why)) {
        return false;
    }
    log_writer_switch_to(&target);
    atomic_store_explicit(&the_log.level, level, memory_order_relaxed);
    return true;
}

void log_hurry(void)
{
    log_writer_patience(HURRY_MS);
}

void log_echo(void)
{
    atomic_store(&the_log.echo, true);
}

bool log_start(struct metrics *metrics)
{
    return log_writer_start(tick, metrics);
}

void log_serve(void)
{
    atomic_store(&the_log.echo, false);
    log_writer_hand_over();
}

/* --- a line from a handler of a signal --------------------------------------------- */

void log_prepare(int level, const char *format, ...)
{
    struct log_entry entry = {.level = level};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(entry.text, sizeof entry.text, format, arguments);
    va_end(arguments);
    log_writer_prepare(&entry);
}

void log_prepared(void)
{
    log_writer_prepared();
}

/* --- the user, and the end ----------------------------------------------------------- */

void log_give(uid_t uid, gid_t gid)
{
    if (!log_writer_give(uid, gid)) {
        log_warning("log: the file does not belong to the user that kvcached becomes, so a reload "
                    "may fail to open it: chown it to that user: %m");
    }
}

void log_ending(void)
{
    the_log.ending = clock_precise();
}

void log_close(void)
{
    uint64_t gone = the_log.ending == 0 ? 0 : (clock_precise() - the_log.ending) / 1000000;
    the_log.ending = 0;
    report_held(UINT64_MAX);
    log_writer_stop(gone < END_MS - END_LEAST_MS ? END_MS - gone : END_LEAST_MS);
    atomic_store(&the_log.echo, false);
    atomic_store_explicit(&the_log.level, LOG_NOTICE, memory_order_relaxed);
}

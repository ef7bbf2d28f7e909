/*
 * log_writer.c - see log_writer.h.
 *
 * The target belongs to the thread while lines go through the ring: the thread uses it without the
 * lock, and no other thread closes it. So a descriptor on which the thread blocks is never reused
 * for a connection. A new target is left in `next`, for the thread to take.
 */
#include "daemon/base/log_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/metrics.h"
#include "daemon/base/thread.h"

enum { SLICE_MS = 100 }; /* the longest wait for a target before `next` and `mode` are checked */

enum mode {
    DIRECT, /* the calling thread writes the line, with the lock held */
    BY_THREAD,
    ABANDONED, /* the thread was blocked at the end: nothing more is written */
};

static struct {
    pthread_mutex_t lock; /* for everything but the target while BY_THREAD */
    enum mode mode;
    struct log_target target;
    int patience;            /* ms that are left; see log_writer_patience */
    uint64_t unreported;     /* lines lost since the log last reported losses */
    uint64_t uncounted;      /* lines lost before there were metrics */
    struct metrics *metrics; /* NULL: none yet */
    bool failed;             /* the last line could not be written */
    struct log_ring ring;
    struct log_target next; /* if `switching` */
    bool switching;
    uint64_t switch_at; /* lines of ring.put before the switch: they go to the old target */
    bool has_thread, stopping, ended, woken;
    pthread_t thread;
    pthread_cond_t work, end; /* there is something to do; the thread has ended */
    uint64_t (*tick)(void);
} writer = {.lock = PTHREAD_MUTEX_INITIALIZER,
            .target = {.form = LOG_FORM_BARE, .fd = STDERR_FILENO},
            .patience = -1};

/* --- lines that are lost ------------------------------------------------------ */

/* The lock is held in all functions of this file, where nothing else is said. */
static void count_lost(uint64_t lines)
{
    writer.unreported += lines;
    if (writer.metrics != NULL) {
        metrics_add(writer.metrics, METRIC_LOG_LOST, lines);
    } else {
        writer.uncounted += lines;
    }
}

/* Composes the line that reports lost lines. */
static void report_lost(struct log_entry *entry, uint64_t lines)
{
    entry->level = LOG_WARNING;
    clock_gettime(CLOCK_REALTIME, &entry->time);
    entry->length = (size_t)snprintf(
        entry->text, sizeof entry->text,
        "log: %" PRIu64 " lines lost: the target of log.to is full or blocked: check it", lines);
}

/* --- directly ------------------------------------------------------------------- */

static bool write_directly(struct log_target *target, const struct log_entry *entry)
{
    uint64_t begun = clock_precise();
    bool done = log_target_write(target, entry, writer.patience) == LOG_WRITTEN;
    if (writer.patience > 0) {
        uint64_t took = (clock_precise() - begun) / 1000000;
        writer.patience = took < (uint64_t)writer.patience ? writer.patience - (int)took : 0;
    }
    return done;
}

static void put_directly(const struct log_entry *entry, bool echo)
{
    struct log_entry lost;
    if (!write_directly(&writer.target, entry)) {
        count_lost(1);
    } else if (writer.unreported > 0) {
        report_lost(&lost, writer.unreported);
        writer.unreported = write_directly(&writer.target, &lost) ? 0 : writer.unreported;
    }
    if (echo && writer.target.fd != STDERR_FILENO) {
        struct log_target bare = log_target_bare();
        write_directly(&bare, entry);
    }
}

/* --- through the ring ------------------------------------------------------------ */

/* A report of lost lines goes in first, so that it is where they are missing. */
static void put_into_ring(const struct log_entry *entry)
{
    struct log_entry lost;
    if (writer.unreported > 0) {
        report_lost(&lost, writer.unreported);
        if (!log_ring_put(&writer.ring, &lost)) {
            count_lost(1);
            return;
        }
        writer.unreported = 0;
    }
    if (!log_ring_put(&writer.ring, entry)) {
        count_lost(1);
    }
    pthread_cond_signal(&writer.work);
}

/* The lock is not held. */
void log_writer_put(const struct log_entry *entry, bool echo)
{
    pthread_mutex_lock(&writer.lock);
    if (writer.mode == DIRECT) {
        put_directly(entry, echo);
    } else if (writer.mode == BY_THREAD) {
        put_into_ring(entry);
    }
    pthread_mutex_unlock(&writer.lock);
}

/* --- the thread -------------------------------------------------------------------- */

static void switch_target(void)
{
    log_target_close(&writer.target);
    writer.target = writer.next;
    writer.switching = false;
}

static bool next_line(struct log_entry *entry)
{
    if (writer.switching && writer.ring.got >= writer.switch_at) {
        switch_target();
    }
    if (log_ring_get(&writer.ring, entry)) {
        return true;
    }
    if (writer.unreported > 0 && !writer.failed) {
        report_lost(entry, writer.unreported);
        writer.unreported = 0;
        return true;
    }
    return false;
}

/* Releases the lock while it writes. */
static void write_out(const struct log_entry *entry)
{
    enum log_written written;
    do {
        pthread_mutex_unlock(&writer.lock);
        written = log_target_write(&writer.target, entry, SLICE_MS);
        pthread_mutex_lock(&writer.lock);
        if (written == LOG_STUCK && writer.switching) {
            switch_target();
        }
    } while (written == LOG_STUCK && writer.mode == BY_THREAD);
    writer.failed = written != LOG_WRITTEN;
    if (writer.failed) {
        count_lost(1);
    }
}

static void sleep_for(uint64_t ms)
{
    const struct timespec until = thread_timespec(clock_precise() + ms * 1000000);
    pthread_cond_timedwait(&writer.work, &writer.lock, &until);
}

/* Releases the lock while it calls `tick`, and while it sleeps. */
static void idle(void)
{
    writer.woken = false;
    pthread_mutex_unlock(&writer.lock);
    uint64_t ms = writer.tick();
    pthread_mutex_lock(&writer.lock);
    if (writer.ring.used == 0 && !writer.woken && !writer.stopping && !writer.switching) {
        sleep_for(ms);
    }
}

static void *run(void *context)
{
    struct log_entry entry;
    (void)context;
    pthread_setname_np(pthread_self(), "log");
    pthread_mutex_lock(&writer.lock);
    while (writer.mode != ABANDONED) {
        if (writer.mode == BY_THREAD && next_line(&entry)) {
            write_out(&entry);
        } else if (writer.stopping) {
            break;
        } else {
            idle();
        }
    }
    writer.ended = true;
    pthread_cond_signal(&writer.end);
    pthread_mutex_unlock(&writer.lock);
    return NULL;
}

/* --- for other threads; called without the lock ----------------------------------------- */

void log_writer_patience(int all_ms)
{
    pthread_mutex_lock(&writer.lock);
    writer.patience = all_ms;
    pthread_mutex_unlock(&writer.lock);
}

void log_writer_switch_to(const struct log_target *target)
{
    pthread_mutex_lock(&writer.lock);
    if (writer.switching) { /* the thread has not taken it yet */
        log_target_close(&writer.next);
    }
    writer.next = *target;
    writer.switching = true;
    writer.switch_at = writer.ring.put;
    if (writer.mode == DIRECT) {
        switch_target();
    }
    pthread_cond_signal(&writer.work);
    pthread_mutex_unlock(&writer.lock);
}

bool log_writer_give(uid_t uid, gid_t gid)
{
    struct stat found;
    pthread_mutex_lock(&writer.lock);
    bool is_file = writer.target.form == LOG_FORM_DATED && writer.target.fd != STDERR_FILENO;
    bool done = true;
    if (is_file && writer.target.made) {
        done = fchown(writer.target.fd, uid, gid) == 0;
    } else if (is_file) {
        errno = EPERM;
        done = fstat(writer.target.fd, &found) == 0 && found.st_uid == uid;
    }
    pthread_mutex_unlock(&writer.lock);
    return done;
}

static bool make_conditions(void)
{
    errno = thread_cond_init(&writer.work);
    if (errno != 0) {
        return false;
    }
    errno = thread_cond_init(&writer.end);
    if (errno != 0) {
        pthread_cond_destroy(&writer.work);
        return false;
    }
    return true;
}

bool log_writer_start(uint64_t (*tick)(void), struct metrics *metrics)
{
    if (!make_conditions()) {
        return false;
    }
    pthread_mutex_lock(&writer.lock);
    writer.tick = tick;
    writer.stopping = writer.ended = false;
    writer.metrics = metrics;
    errno = thread_start(&writer.thread, run, NULL);
    writer.has_thread = errno == 0;
    if (writer.has_thread) {
        metrics_add(metrics, METRIC_LOG_LOST, writer.uncounted);
        writer.uncounted = 0;
    } else {
        writer.metrics = NULL;
    }
    pthread_mutex_unlock(&writer.lock);
    return writer.has_thread;
}

void log_writer_hand_over(void)
{
    pthread_mutex_lock(&writer.lock);
    if (writer.has_thread) {
        writer.mode = BY_THREAD;
        writer.woken = true;
        pthread_cond_signal(&writer.work);
    }
    pthread_mutex_unlock(&writer.lock);
}

void log_writer_wake(void)
{
    pthread_mutex_lock(&writer.lock);
    writer.woken = true;
    if (writer.has_thread) {
        pthread_cond_signal(&writer.work);
    }
    pthread_mutex_unlock(&writer.lock);
}

/* Whether the thread has ended in time. */
static bool await_end(uint64_t wait_ms)
{
    uint64_t deadline = clock_precise() + wait_ms * 1000000;
    const struct timespec until = thread_timespec(deadline);
    writer.stopping = true;
    pthread_cond_signal(&writer.work);
    while (!writer.ended && clock_precise() < deadline) {
        pthread_cond_timedwait(&writer.end, &writer.lock, &until);
    }
    return writer.ended;
}

/* What an abandoned thread may still use lasts as long as the process. */
void log_writer_stop(uint64_t wait_ms)
{
    pthread_mutex_lock(&writer.lock);
    bool ran = writer.has_thread;
    bool ended = ran ? await_end(wait_ms) : writer.mode != ABANDONED;
    writer.mode = ended ? DIRECT : ABANDONED;
    writer.has_thread = false;
    writer.metrics = NULL;
    pthread_mutex_unlock(&writer.lock);
    if (ran && ended) {
        pthread_join(writer.thread, NULL);
        pthread_cond_destroy(&writer.work);
        pthread_cond_destroy(&writer.end);
    } else if (ran) {
        pthread_detach(writer.thread);
    }
    if (ended) {
        const struct log_target bare = log_target_bare();
        log_writer_switch_to(&bare);
    }
}

/* --- a line from a handler of a signal ---------------------------------------------- */

static struct log_prepared prepared;

void log_writer_prepare(const struct log_entry *entry)
{
    log_target_prepare(&prepared, entry);
}

void log_writer_prepared(void)
{
    log_target_write_prepared(&writer.target, &prepared);
}

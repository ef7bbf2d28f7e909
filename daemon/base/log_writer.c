/*
 * log_writer.c - see log_writer.h.
 *
 * The target belongs to the thread while lines go through the ring: it is used without the
 * lock, and only the thread closes it. So a descriptor that the thread is kept waiting for is
 * never given to a connection. A new target is laid down beside, for the thread to take.
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

enum { SLICE_MS = 100 }; /* so long it waits for room before it looks round */

enum mode {
    AT_ONCE, /* the thread that says a line writes it, with the lock */
    BY_THREAD,
    LEFT_BEHIND, /* the thread did not come back: nothing more is written */
};

static struct {
    pthread_mutex_t lock; /* for everything but a target BY_THREAD */
    enum mode mode;
    struct log_target target;
    int patience;            /* ms; see log_writer_patience */
    uint64_t unsaid;         /* lines lost, of which the log has not spoken */
    uint64_t uncounted;      /* lines lost before there were metrics */
    struct metrics *metrics; /* NULL: none */
    bool failed;             /* the last line could not be written */
    struct log_ring ring;
    struct log_target next; /* where it is to turn to */
    bool turns;             /* `next` is one */
    uint64_t turns_at;      /* so many lines of the ring belong to the target before */
    bool runs, stopping, ended, woken;
    pthread_t thread;
    pthread_cond_t wakeup, over; /* there is something to do; the thread has ended */
    uint64_t (*tick)(void);
} writer = {.lock = PTHREAD_MUTEX_INITIALIZER,
            .target = {.form = LOG_FORM_BARE, .fd = STDERR_FILENO},
            .patience = -1};

/* --- lines that are lost ------------------------------------------------------ */

/* The lock is held, here and in all that follows but where it is said. */
static void lose(uint64_t lines)
{
    writer.unsaid += lines;
    if (writer.metrics != NULL) {
        metrics_add(writer.metrics, METRIC_LOG_LOST, lines);
    } else {
        writer.uncounted += lines;
    }
}

/* The line that speaks of them. */
static void confess(struct log_entry *entry, uint64_t lines)
{
    entry->level = LOG_WARNING;
    clock_gettime(CLOCK_REALTIME, &entry->time);
    entry->length =
        (size_t)snprintf(entry->text, sizeof entry->text,
                         "log: %" PRIu64 " lines lost, which could not be written", lines);
}

/* --- at once ------------------------------------------------------------------- */

static bool write_at_once(struct log_target *target, const struct log_entry *entry)
{
    uint64_t begun = clock_precise();
    bool done = log_target_write(target, entry, writer.patience) == LOG_WRITTEN;

    if (writer.patience > 0) {
        uint64_t took = (clock_precise() - begun) / 1000000;
        writer.patience = took < (uint64_t)writer.patience ? writer.patience - (int)took : 0;
    }
    return done;
}

static void say_at_once(const struct log_entry *entry, bool echo)
{
    struct log_entry lost;

    if (!write_at_once(&writer.target, entry)) {
        lose(1);
    } else if (writer.unsaid > 0) {
        confess(&lost, writer.unsaid);
        writer.unsaid = write_at_once(&writer.target, &lost) ? 0 : writer.unsaid;
    }
    if (echo && writer.target.fd != STDERR_FILENO) {
        struct log_target bare = log_target_bare();
        write_at_once(&bare, entry);
    }
}

/* --- through the ring ------------------------------------------------------------ */

/* What was lost is said where it was lost. */
static void say_by_thread(const struct log_entry *entry)
{
    struct log_entry lost;

    if (writer.unsaid > 0) {
        confess(&lost, writer.unsaid);
        if (!log_ring_put(&writer.ring, &lost)) {
            lose(1);
            return;
        }
        writer.unsaid = 0;
    }
    if (!log_ring_put(&writer.ring, entry)) {
        lose(1);
    }
    pthread_cond_signal(&writer.wakeup);
}

/* The lock is not held. */
void log_writer_put(const struct log_entry *entry, bool echo)
{
    pthread_mutex_lock(&writer.lock);
    if (writer.mode == AT_ONCE) {
        say_at_once(entry, echo);
    } else if (writer.mode == BY_THREAD) {
        say_by_thread(entry);
    }
    pthread_mutex_unlock(&writer.lock);
}

/* --- the thread -------------------------------------------------------------------- */

static void turn(void)
{
    log_target_close(&writer.target);
    writer.target = writer.next;
    writer.turns = false;
}

static bool take(struct log_entry *entry)
{
    if (writer.turns && writer.ring.got >= writer.turns_at) {
        turn();
    }
    if (log_ring_get(&writer.ring, entry)) {
        return true;
    }
    if (writer.unsaid > 0 && !writer.failed) {
        confess(entry, writer.unsaid);
        writer.unsaid = 0;
        return true;
    }
    return false;
}

/* Gives the lock while it writes. */
static void write_out(const struct log_entry *entry)
{
    enum log_written written;

    do {
        pthread_mutex_unlock(&writer.lock);
        written = log_target_write(&writer.target, entry, SLICE_MS);
        pthread_mutex_lock(&writer.lock);
        if (written == LOG_STUCK && writer.turns) {
            turn();
        }
    } while (written == LOG_STUCK && writer.mode == BY_THREAD);
    writer.failed = written != LOG_WRITTEN;
    if (writer.failed) {
        lose(1);
    }
}

static void sleep_for(uint64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t nanoseconds = (uint64_t)until.tv_nsec + ms % 1000 * 1000000;
    until.tv_sec += (time_t)(ms / 1000 + nanoseconds / 1000000000);
    until.tv_nsec = (long)(nanoseconds % 1000000000);
    pthread_cond_timedwait(&writer.wakeup, &writer.lock, &until);
}

/* Gives the lock while it calls, and while it sleeps. */
static void rest(void)
{
    writer.woken = false;
    pthread_mutex_unlock(&writer.lock);
    uint64_t ms = writer.tick();
    pthread_mutex_lock(&writer.lock);
    if (writer.ring.used == 0 && !writer.woken && !writer.stopping && !writer.turns) {
        sleep_for(ms);
    }
}

static void *run(void *context)
{
    struct log_entry entry;
    (void)context;

    pthread_setname_np(pthread_self(), "log");
    pthread_mutex_lock(&writer.lock);
    while (writer.mode != LEFT_BEHIND) {
        if (writer.mode == BY_THREAD && take(&entry)) {
            write_out(&entry);
        } else if (writer.stopping) {
            break;
        } else {
            rest();
        }
    }
    writer.ended = true;
    pthread_cond_signal(&writer.over);
    pthread_mutex_unlock(&writer.lock);
    return NULL;
}

/* --- the other side; the lock is not held ---------------------------------------------- */

void log_writer_patience(int all_ms)
{
    pthread_mutex_lock(&writer.lock);
    writer.patience = all_ms;
    pthread_mutex_unlock(&writer.lock);
}

void log_writer_turn_to(const struct log_target *target)
{
    pthread_mutex_lock(&writer.lock);
    if (writer.turns) { /* the thread has not come to it yet */
        log_target_close(&writer.next);
    }
    writer.next = *target;
    writer.turns = true;
    writer.turns_at = writer.ring.put;
    if (writer.mode == AT_ONCE) {
        turn();
    }
    pthread_cond_signal(&writer.wakeup);
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

static bool make_wakeups(void)
{
    errno = thread_cond_init(&writer.wakeup);
    if (errno != 0) {
        return false;
    }
    errno = thread_cond_init(&writer.over);
    if (errno != 0) {
        pthread_cond_destroy(&writer.wakeup);
        return false;
    }
    return true;
}

bool log_writer_start(uint64_t (*tick)(void), struct metrics *metrics)
{
    if (!make_wakeups()) {
        return false;
    }
    pthread_mutex_lock(&writer.lock);
    writer.tick = tick;
    writer.stopping = writer.ended = false;
    writer.metrics = metrics;
    errno = thread_start(&writer.thread, run, NULL);
    writer.runs = errno == 0;
    if (writer.runs) {
        metrics_add(metrics, METRIC_LOG_LOST, writer.uncounted);
        writer.uncounted = 0;
    } else {
        writer.metrics = NULL;
    }
    pthread_mutex_unlock(&writer.lock);
    return writer.runs;
}

void log_writer_hand_over(void)
{
    pthread_mutex_lock(&writer.lock);
    if (writer.runs) {
        writer.mode = BY_THREAD;
        writer.woken = true;
        pthread_cond_signal(&writer.wakeup);
    }
    pthread_mutex_unlock(&writer.lock);
}

void log_writer_wake(void)
{
    pthread_mutex_lock(&writer.lock);
    writer.woken = true;
    if (writer.runs) {
        pthread_cond_signal(&writer.wakeup);
    }
    pthread_mutex_unlock(&writer.lock);
}

/* Whether it has ended in time. */
static bool await_end(uint64_t wait_ms)
{
    uint64_t deadline = clock_precise() + wait_ms * 1000000;
    const struct timespec until = {.tv_sec = (time_t)(deadline / 1000000000),
                                   .tv_nsec = (long)(deadline % 1000000000)};

    writer.stopping = true;
    pthread_cond_signal(&writer.wakeup);
    while (!writer.ended && clock_precise() < deadline) {
        pthread_cond_timedwait(&writer.over, &writer.lock, &until);
    }
    return writer.ended;
}

/* What a thread that is left behind may still use is there as long as the process. */
void log_writer_stop(uint64_t wait_ms)
{
    pthread_mutex_lock(&writer.lock);
    bool ran = writer.runs;
    bool ended = ran ? await_end(wait_ms) : writer.mode != LEFT_BEHIND;
    writer.mode = ended ? AT_ONCE : LEFT_BEHIND;
    writer.runs = false;
    writer.metrics = NULL;
    pthread_mutex_unlock(&writer.lock);
    if (ran && ended) {
        pthread_join(writer.thread, NULL);
        pthread_cond_destroy(&writer.wakeup);
        pthread_cond_destroy(&writer.over);
    } else if (ran) {
        pthread_detach(writer.thread);
    }
    if (ended) {
        const struct log_target bare = log_target_bare();
        log_writer_turn_to(&bare);
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

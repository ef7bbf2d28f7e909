/*
 * watchdog.c - checks all heartbeats, CHECKS times in each interval.
 */
#include "daemon/server/watchdog.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>

#include "daemon/base/clock.h"
#include "daemon/base/heartbeat.h"
#include "daemon/base/log.h"
#include "daemon/base/thread.h"
#include "daemon/os/service_manager.h"

enum {
    CHECKS = 4, /* in each interval, so that one may be late */
    /* A heartbeat goes up once in HEARTBEAT_MS, and may be late on a busy machine. So a shorter
     * silence means nothing, however short the interval is. */
    PATIENCE_MIN_MS = 3 * HEARTBEAT_MS,
};

struct pulse {
    uint64_t count;
    uint64_t changed; /* when it last went up, by clock_now */
    bool silent;      /* and that has been logged */
};

struct watchdog {
    struct event *timer;
    uint64_t patience; /* milliseconds of silence that are no failure */
    const struct threads *threads;
    struct pulse pulses[]; /* of the workers, their handshakers, and the housekeeper */
};

static unsigned pulses_of(const struct threads *threads)
{
    return 2 * threads->count + 1;
}

static uint64_t count_of(const struct watchdog *watchdog, unsigned i)
{
    const struct threads *threads = watchdog->threads;
    if (i < threads->count) {
        return worker_heartbeat(threads->workers[i]);
    }
    return i < 2 * threads->count
               ? worker_handshaker_heartbeat(threads->workers[i - threads->count])
               : housekeeper_heartbeat(threads->housekeeper);
}

static void log_stuck(const struct watchdog *watchdog, unsigned i, uint64_t silence)
{
    unsigned workers = watchdog->threads->count;
    if (i < workers) {
        log_error("worker %u has been stuck for %ju ms", i, (uintmax_t)silence);
    } else if (i < 2 * workers) {
        log_error("the TLS handshake thread of worker %u has been stuck for %ju ms", i - workers,
                  (uintmax_t)silence);
    } else {
        log_error("the housekeeper has been stuck for %ju ms", (uintmax_t)silence);
    }
}

static bool beats(struct watchdog *watchdog, unsigned i, uint64_t now)
{
    struct pulse *pulse = &watchdog->pulses[i];
    uint64_t count = count_of(watchdog, i);
    if (count != pulse->count) {
        *pulse = (struct pulse){.count = count, .changed = now};
        return true;
    }
    uint64_t silence = now - pulse->changed;
    if (silence <= watchdog->patience) {
        return true;
    }
    if (!pulse->silent) {
        log_stuck(watchdog, i, silence);
        pulse->silent = true;
    }
    return false;
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct watchdog *watchdog = context;
    uint64_t now = clock_now();
    bool all = true;
    (void)fd;
    (void)what;
    for (unsigned i = 0; i < pulses_of(watchdog->threads); i++) {
        all = beats(watchdog, i, now) && all;
    }
    if (all) {
        notify_alive();
    }
}

struct watchdog *watchdog_create(struct event_base *base, uint64_t interval,
                                 const struct threads *threads)
{
    struct watchdog *watchdog =
        calloc(1, sizeof *watchdog + pulses_of(threads) * sizeof(struct pulse));
    uint64_t period = interval / CHECKS + 1;
    const struct timeval wait = thread_timeval(period);
    if (watchdog == NULL) {
        return NULL;
    }
    watchdog->patience = interval / 2 > PATIENCE_MIN_MS ? interval / 2 : PATIENCE_MIN_MS;
    watchdog->threads = threads;
    for (unsigned i = 0; i < pulses_of(threads); i++) {
        watchdog->pulses[i] = (struct pulse){.changed = clock_now()};
    }
    watchdog->timer = event_new(base, -1, EV_PERSIST, on_timer, watchdog);
    if (watchdog->timer == NULL || event_add(watchdog->timer, &wait) != 0) {
        watchdog_destroy(&watchdog);
    }
    return watchdog;
}

void watchdog_destroy(struct watchdog **owned)
{
    struct watchdog *watchdog = *owned;
    *owned = NULL;
    if (watchdog == NULL) {
        return;
    }
    if (watchdog->timer != NULL) {
        event_free(watchdog->timer);
    }
    free(watchdog);
}

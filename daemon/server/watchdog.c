/*
 * watchdog.c - checks all heartbeats, CHECKS times in each interval.
 */
#include "daemon/server/watchdog.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/thread.h"
#include "daemon/os/service_manager.h"
#include "daemon/server/health.h"

enum { CHECKS = 4 /* in each interval, so that one may be late */ };

struct watchdog {
    struct event *timer;
    uint64_t patience; /* milliseconds of silence that are no failure */
    struct health *health;
    bool silent[]; /* of each thread, and that has been logged */
};

static bool beats(struct watchdog *watchdog, unsigned i, uint64_t now)
{
    uint64_t silence = health_silence(watchdog->health, i, now);
    bool is_silent = silence > watchdog->patience;
    if (is_silent && !watchdog->silent[i]) {
        char name[HEALTH_NAME_MAX];
        health_name(watchdog->health, i, name);
        log_error("%s has been stuck for %ju ms", name, (uintmax_t)silence);
    }
    watchdog->silent[i] = is_silent;
    return !is_silent;
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct watchdog *watchdog = context;
    uint64_t now = clock_now();
    bool all = true;
    (void)fd;
    (void)what;
    for (unsigned i = 0; i < health_count(watchdog->health); i++) {
        all = beats(watchdog, i, now) && all;
    }
    if (all) {
        notify_alive();
    }
}

struct watchdog *watchdog_create(struct event_base *base, uint64_t interval,
                                 const struct threads *threads)
{
    struct health *health = health_create(threads);
    struct watchdog *watchdog =
        health == NULL ? NULL : calloc(1, sizeof *watchdog + health_count(health) * sizeof(bool));
    uint64_t period = interval / CHECKS + 1;
    const struct timeval wait = thread_timeval(period);
    if (watchdog == NULL) {
        health_destroy(&health);
        return NULL;
    }
    watchdog->patience =
        interval / 2 > HEALTH_PATIENCE_MIN_MS ? interval / 2 : HEALTH_PATIENCE_MIN_MS;
    watchdog->health = health;
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
    health_destroy(&watchdog->health);
    free(watchdog);
}

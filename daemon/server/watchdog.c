/*
 * watchdog.c - one look at all heartbeats, a few times in each interval.
 */
#include "daemon/server/watchdog.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/os/service_manager.h"
#include "daemon/server/health.h"

enum { LOOKS = 4 /* in each interval: one may be late */ };

struct watchdog {
    struct event *timer;
    uint64_t patience; /* milliseconds of silence that are forgiven */
    struct health *health;
    bool silent[]; /* that has been logged of a thread */
};

static bool beats(struct watchdog *watchdog, unsigned i, uint64_t now)
{
    uint64_t silence = health_silence(watchdog->health, i, now);
    bool is_silent = silence > watchdog->patience;

    if (is_silent && !watchdog->silent[i]) {
        char name[HEALTH_NAME_MAX];
        health_name(watchdog->health, i, name);
        log_error("%s: stuck for %ju ms", name, (uintmax_t)silence);
    }
    watchdog->silent[i] = is_silent;
    return !is_silent;
}

static void look(evutil_socket_t fd, short what, void *context)
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
    uint64_t period = interval / LOOKS + 1;
    const struct timeval wait = {.tv_sec = (time_t)(period / 1000),
                                 .tv_usec = (suseconds_t)(period % 1000 * 1000)};

    if (watchdog == NULL) {
        health_destroy(&health);
        return NULL;
    }
    watchdog->patience =
        interval / 2 > HEALTH_PATIENCE_MIN_MS ? interval / 2 : HEALTH_PATIENCE_MIN_MS;
    watchdog->health = health;
    watchdog->timer = event_new(base, -1, EV_PERSIST, look, watchdog);
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

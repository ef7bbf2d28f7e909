/*
 * housekeeper.c - slices of housekeeping, with a rest after each.
 *
 *      idle --- the interval is over, or poked ---> slice
 *      slice ---> rest, as long as the slice took
 *      rest --- is over, and more to do or poked meanwhile ---> slice
 *           --- is over, otherwise ---> idle
 *
 * The rest after every slice keeps the promise that requests come first, also under constant
 * poking: a poke never ends a rest.
 *
 * Owns the thread, its event base and its store thread. It decides when to work; the store decides
 * what to do.
 */
#include "daemon/maintenance/housekeeper.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/heartbeat.h"
#include "daemon/base/log.h"
#include "daemon/base/thread.h"
#include "daemon/base/wakeup.h"
#include "daemon/maintenance/arena_watch.h"
#include "daemon/maintenance/eviction_watch.h"
#include "daemon/maintenance/malloc_trim.h"
#include "daemon/store/store.h"

enum {
    /* Records to be visited in a slice: about 0.1 ms, though a single step may take longer. A
     * request on the same processor may wait meanwhile, until the kernel schedules its worker. */
    SLICE_EFFORT = 512,
    REST_MIN_US = 100,   /* a shorter timer costs more than it spares */
    REST_MAX_US = 20000, /* also after a slice that was interrupted for long */
    /* Namespaces to be looked at for evictions in a slice: some 10 us. */
    EVICTION_EFFORT = 256,
    NICENESS = 5,
};

struct housekeeper {
    struct event_base *base;
    struct event *timer; /* the interval while idle, the rest after a slice */
    struct wakeup wakeup;
    struct heartbeat heartbeat;
    struct malloc_trim trim;
    const struct store *store;
    struct store_thread *store_thread;
    struct arena_watch watch;
    struct eviction_watch eviction_watch;
    uint32_t eviction_next; /* the namespace at which its round goes on; 0: at the first */
    pthread_t thread;
    bool has_thread;
    bool resting; /* the timer is set for the end of a rest */
    bool more;    /* the last slice did not finish its work */
    /* Written by any thread. */
    atomic_bool poked;
    atomic_bool stopping;
    _Atomic uint64_t interval; /* milliseconds */
};

static void wait_us(struct housekeeper *housekeeper, uint64_t us)
{
    const struct timeval delay = {.tv_sec = (time_t)(us / 1000000),
                                  .tv_usec = (suseconds_t)(us % 1000000)};
    event_add(housekeeper->timer, &delay);
}

static void idle(struct housekeeper *housekeeper)
{
    housekeeper->resting = false;
    wait_us(housekeeper, 1000 * atomic_load(&housekeeper->interval));
}

/* What a round of the eviction watch passes on. */
struct round {
    struct eviction_watch *watch;
    uint64_t now;
};

static void note_evicted(void *context, const struct store_evicted *evicted)
{
    const struct round *round = context;
    eviction_watch_note(round->watch, evicted, round->now);
}

/* Goes on with a round, or begins the next one when it is due. */
static void watch_evictions(struct housekeeper *housekeeper, uint64_t memory, uint64_t now)
{
    struct round round = {&housekeeper->eviction_watch, now};
    if (housekeeper->eviction_next == 0 && !eviction_watch_is_due(round.watch, now)) {
        return;
    }
    store_enter(housekeeper->store_thread);
    bool done = store_evicted_step(housekeeper->store_thread, &housekeeper->eviction_next,
                                   EVICTION_EFFORT, now, note_evicted, &round);
    store_leave(housekeeper->store_thread);
    if (done) {
        eviction_watch_end(round.watch, memory, now);
    }
}

static void watch(struct housekeeper *housekeeper, uint64_t now)
{
    struct store_file_stats figures;
    store_file_stats(housekeeper->store, &figures);
    if (figures.file != NULL) {
        arena_watch_check(&housekeeper->watch, &figures, now);
    }
    watch_evictions(housekeeper, figures.memory_limit, now);
}

static void slice(struct housekeeper *housekeeper)
{
    uint64_t start = clock_precise();
    uint64_t now = clock_now();
    atomic_store(&housekeeper->poked, false);
    store_enter(housekeeper->store_thread);
    housekeeper->more = store_housekeep(housekeeper->store_thread, now, SLICE_EFFORT);
    store_leave(housekeeper->store_thread);
    malloc_trim_run(&housekeeper->trim, now);
    watch(housekeeper, now);

    uint64_t rest = (clock_precise() - start) / 1000;
    rest = rest < REST_MIN_US ? REST_MIN_US : rest > REST_MAX_US ? REST_MAX_US : rest;
    housekeeper->resting = true;
    wait_us(housekeeper, rest);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct housekeeper *housekeeper = context;
    (void)fd;
    (void)what;
    if (!housekeeper->resting || housekeeper->more || atomic_load(&housekeeper->poked)) {
        slice(housekeeper);
    } else {
        idle(housekeeper);
    }
}

/* Another thread has changed one of the shared members: checks all of them. */
static void on_wakeup(evutil_socket_t fd, short what, void *context)
{
    struct housekeeper *housekeeper = context;
    (void)fd;
    (void)what;
    wakeup_clear(&housekeeper->wakeup);
    if (atomic_load(&housekeeper->stopping)) {
        event_base_loopbreak(housekeeper->base);
    } else if (housekeeper->resting) {
        return; /* on_timer checks them at the end of the rest */
    } else if (atomic_load(&housekeeper->poked)) {
        slice(housekeeper);
    } else {
        idle(housekeeper);
    }
}

static void *run(void *context)
{
    struct housekeeper *housekeeper = context;
    if (!thread_set_background("housekeeper", NICENESS)) {
        log_debug("housekeeper: its priority cannot be lowered: %m");
    }
    idle(housekeeper);
    event_base_dispatch(housekeeper->base);
    return NULL;
}

static bool start_thread(struct housekeeper *housekeeper)
{
    errno = thread_start(&housekeeper->thread, run, housekeeper);
    housekeeper->has_thread = errno == 0;
    return housekeeper->has_thread;
}

static bool make_events(struct housekeeper *housekeeper)
{
    /* Rests may be shorter than a millisecond, the resolution of epoll, and begin at the end of the
     * slice, not at the time that the base has cached before it. */
    housekeeper->base = thread_base(EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NO_CACHE_TIME);
    if (housekeeper->base == NULL) {
        return false;
    }
    errno = ENOMEM;
    housekeeper->timer = event_new(housekeeper->base, -1, 0, on_timer, housekeeper);
    return housekeeper->timer != NULL &&
           wakeup_init(&housekeeper->wakeup, housekeeper->base, on_wakeup, housekeeper) &&
           heartbeat_init(&housekeeper->heartbeat, housekeeper->base);
}

struct housekeeper *housekeeper_create(struct store *store, uint64_t interval)
{
    struct housekeeper *housekeeper = calloc(1, sizeof *housekeeper);
    if (housekeeper == NULL) {
        return NULL;
    }
    atomic_init(&housekeeper->interval, interval);
    housekeeper->store = store;
    housekeeper->store_thread = store_thread_create(store);
    if (housekeeper->store_thread == NULL) {
        errno = ENOMEM;
    } else if (make_events(housekeeper) && start_thread(housekeeper)) {
        return housekeeper;
    }
    int why = errno;
    housekeeper_destroy(&housekeeper);
    errno = why;
    return NULL;
}

void housekeeper_destroy(struct housekeeper **owned)
{
    struct housekeeper *housekeeper = *owned;
    *owned = NULL;
    if (housekeeper == NULL) {
        return;
    }
    if (housekeeper->has_thread) {
        atomic_store(&housekeeper->stopping, true);
        wakeup_signal(&housekeeper->wakeup);
        pthread_join(housekeeper->thread, NULL);
    }
    heartbeat_deinit(&housekeeper->heartbeat);
    wakeup_deinit(&housekeeper->wakeup);
    if (housekeeper->timer != NULL) {
        event_free(housekeeper->timer);
    }
    if (housekeeper->base != NULL) {
        event_base_free(housekeeper->base);
    }
    if (housekeeper->store_thread != NULL) {
        store_thread_destroy(&housekeeper->store_thread);
    }
    free(housekeeper);
}

void housekeeper_poke(struct housekeeper *housekeeper)
{
    if (!atomic_load_explicit(&housekeeper->poked, memory_order_relaxed) &&
        !atomic_exchange(&housekeeper->poked, true)) {
        wakeup_signal(&housekeeper->wakeup);
    }
}

void housekeeper_reconfigure(struct housekeeper *housekeeper, uint64_t interval)
{
    atomic_store(&housekeeper->interval, interval);
    wakeup_signal(&housekeeper->wakeup);
}

uint64_t housekeeper_heartbeat(const struct housekeeper *housekeeper)
{
    return heartbeat_count(&housekeeper->heartbeat);
}

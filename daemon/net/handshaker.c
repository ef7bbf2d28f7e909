/*
 * handshaker.c - handshakes: how they go on, and whose ends.
 *
 * A handshake is a connection whose peer still has to greet. They are seated in the order in which
 * they came, so the first is the one whose time is over first.
 */
#include "daemon/net/handshaker.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

#include "daemon/base/clock.h"
#include "daemon/base/heartbeat.h"
#include "daemon/base/log.h"
#include "daemon/base/thread.h"
#include "daemon/base/wakeup.h"
#include "daemon/net/close_reason.h"
#include "daemon/net/peer.h"

enum { NICENESS = 10 }; /* requests come first, and so do secrets and the housekeeper */

struct handshake {
    TAILQ_ENTRY(handshake) link;
    struct handshaker *handshaker;
    struct handoff *handoff;
    struct event event;
    short watched;  /* what its event waits for */
    uint64_t since; /* when it sat down */
};

TAILQ_HEAD(handshakes, handshake);

enum { STARTED_AT_ONCE = 16 }; /* then who is ready has a step first */

/* What others leave for the thread; under the wakeup's lock. */
struct mail {
    struct handoffs handoffs;
    unsigned leavers; /* so many of the oldest shall go */
    bool stop;
};

struct handshaker {
    struct handshaker_options options;
    struct metrics *metrics;
    struct event_base *base;
    struct handshakes handshakes; /* the oldest first */
    unsigned count;               /* of them */
    _Atomic uint64_t oldest;
    struct event deadline;   /* of the oldest */
    struct handoffs arrived; /* out of the mail, and not seated yet */
    atomic_uint waiting;     /* those, and what is in the mail */
    unsigned leavers;        /* so many of the oldest shall go */
    struct event again;      /* others sit down */
    struct mail mail;
    struct wakeup wakeup;
    struct heartbeat heartbeat;
    pthread_t thread;
    bool runs; /* the thread was started */
};

/* --- seats -------------------------------------------------------------------- */

/* The first may be another one. */
static void look_at_first(struct handshaker *handshaker)
{
    struct handshake *first = TAILQ_FIRST(&handshaker->handshakes);
    atomic_store_explicit(&handshaker->oldest, first == NULL ? HANDSHAKER_EMPTY : first->since,
                          memory_order_relaxed);
    if (first != NULL && !event_pending(&handshaker->deadline, EV_TIMEOUT, NULL)) {
        uint64_t spent = clock_now() - first->since;
        uint64_t left = spent < GREETING_MS ? GREETING_MS - spent : 0;
        struct timeval wait = thread_timeval(left);
        event_add(&handshaker->deadline, &wait);
    }
}

static void count_unproven(struct handshaker *handshaker, int change)
{
    atomic_fetch_add_explicit(handshaker->options.unproven, (unsigned)change, memory_order_relaxed);
}

/* The handshake goes; its handoff is the caller's. */
static struct handoff *detach(struct handshake *handshake)
{
    struct handshaker *handshaker = handshake->handshaker;
    struct handoff *handoff = handshake->handoff;
    TAILQ_REMOVE(&handshaker->handshakes, handshake, link);
    handshaker->count--;
    count_unproven(handshaker, -1);
    if (handshake->watched != 0) {
        event_del(&handshake->event);
    }
    free(handshake);
    look_at_first(handshaker);
    return handoff;
}

static void drop(struct handshake *handshake, enum conn_close why)
{
    struct handshaker *handshaker = handshake->handshaker;
    struct handoff *handoff = detach(handshake);
    close_reason_record(handshaker->metrics, handoff->transport.fd, handoff->endpoint, why);
    handoff_close(&handoff, handshaker->options.instance);
}

/* --- a step ------------------------------------------------------------------- */

static void on_ready(evutil_socket_t fd, short what, void *context);

/* May close it. */
static void wait_for_socket(struct handshake *handshake)
{
    const struct transport *transport = &handshake->handoff->transport;
    short what = (transport->wants & TRANSPORT_READ_WRITES) != 0 ? EV_WRITE : EV_READ;
    if (handshake->watched == what) {
        return;
    }
    if (handshake->watched != 0) {
        event_del(&handshake->event);
    }
    handshake->watched = what;
    event_assign(&handshake->event, handshake->handshaker->base, transport->fd,
                 (short)(what | EV_PERSIST), on_ready, handshake);
    if (event_add(&handshake->event, NULL) != 0) {
        handshake->watched = 0;
        drop(handshake, CONN_CLOSE_NO_MEMORY);
    }
}

static void say(const struct handshake *handshake, int level, const char *what, const char *more)
{
    static struct log_limit limit = LOG_LIMIT("no TLS handshake");

    if (log_admits(&limit, level)) {
        char peer[PEER_NAME_MAX];
        peer_name(handshake->handoff->transport.fd, peer, sizeof peer);
        log_line(level, "%s: %s: %s%s", handshake->handoff->endpoint->name, peer, what, more);
    }
}

static void succeed(struct handshake *handshake, const struct transport_greeting *greeting)
{
    struct handshaker *handshaker = handshake->handshaker;
    metrics_add(handshaker->metrics, METRIC_TLS_HANDSHAKES, 1);
    metrics_add(handshaker->metrics, METRIC_TLS_RESUMED, greeting->resumed);
    say(handshake, LOG_DEBUG, greeting->resumed ? "resumed a session of " : "greeted with ",
        greeting->version);
    say(handshake, LOG_DEBUG, "its cipher is ", greeting->cipher);
    handshaker->options.greeted(detach(handshake), handshaker->options.context);
}

static void fail(struct handshake *handshake, const struct transport_greeting *greeting)
{
    metrics_add(handshake->handshaker->metrics, METRIC_TLS_HANDSHAKE_FAILURES, 1);
    say(handshake, LOG_INFO, "no TLS handshake: ", greeting->failure);
    drop(handshake, CONN_CLOSE_HANDSHAKE_FAILED);
}

static void step(struct handshake *handshake)
{
    struct transport *transport = &handshake->handoff->transport;
    struct transport_greeting greeting = {.failure = NULL};
    switch (transport->ops->greet(transport, &greeting)) {
    case TRANSPORT_OK:
        succeed(handshake, &greeting);
        break;
    case TRANSPORT_AGAIN:
        wait_for_socket(handshake);
        break;
    case TRANSPORT_EOF:
        drop(handshake, CONN_CLOSE_PEER); /* it looked whether somebody listens */
        break;
    case TRANSPORT_FAILED:
        fail(handshake, &greeting);
        break;
    }
}

static void on_ready(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    step(context);
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
    struct handshaker *handshaker = context;
    struct handshake *first;
    (void)fd;
    (void)what;

    while ((first = TAILQ_FIRST(&handshaker->handshakes)) != NULL &&
           clock_now() - first->since >= GREETING_MS) {
        metrics_add(handshaker->metrics, METRIC_TLS_HANDSHAKE_FAILURES, 1);
        drop(first, CONN_CLOSE_HANDSHAKE_TIMEOUT);
    }
    look_at_first(handshaker);
}

/* --- arriving ----------------------------------------------------------------- */

/* False: there is nobody. */
static bool drop_oldest(struct handshaker *handshaker, enum conn_close why)
{
    struct handshake *oldest = TAILQ_FIRST(&handshaker->handshakes);
    if (oldest != NULL) {
        drop(oldest, why);
    }
    return oldest != NULL;
}

static void start_handshake(struct handshaker *handshaker, struct handoff *handoff)
{
    struct handshake *handshake = calloc(1, sizeof *handshake);
    if (handshake == NULL || !transport_tls(&handoff->transport, handoff->endpoint->tls)) {
        free(handshake);
        count_unproven(handshaker, -1);
        close_reason_record(handshaker->metrics, handoff->transport.fd, handoff->endpoint,
                            CONN_CLOSE_NO_MEMORY);
        handoff_close(&handoff, handshaker->options.instance);
        return;
    }
    handshake->handshaker = handshaker;
    handshake->handoff = handoff;
    handshake->since = clock_now();
    TAILQ_INSERT_TAIL(&handshaker->handshakes, handshake, link);
    bool crowded = ++handshaker->count > HANDSHAKES_MAX;
    look_at_first(handshaker);
    if (crowded) {
        drop_oldest(handshaker, CONN_CLOSE_HANDSHAKE_OVERLOAD);
    }
    wait_for_socket(handshake);
}

/* As many as were asked for; who has not sat down yet may be one of them. */
static void make_room(struct handshaker *handshaker)
{
    while (handshaker->leavers > 0 && drop_oldest(handshaker, CONN_CLOSE_REPLACED)) {
        handshaker->leavers--;
    }
    if (STAILQ_EMPTY(&handshaker->arrived)) {
        handshaker->leavers = 0;
    }
}

static void start_some(struct handshaker *handshaker)
{
    static const struct timeval after_poll = {0, 0};
    struct handoff *handoff;
    for (int i = 0; i < STARTED_AT_ONCE && (handoff = STAILQ_FIRST(&handshaker->arrived)); i++) {
        STAILQ_REMOVE_HEAD(&handshaker->arrived, next);
        start_handshake(handshaker, handoff);
        atomic_fetch_sub_explicit(&handshaker->waiting, 1, memory_order_relaxed);
    }
    if (!STAILQ_EMPTY(&handshaker->arrived)) {
        event_add(&handshaker->again, &after_poll);
    }
    make_room(handshaker);
}

static void on_again(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    start_some(context);
}

static void on_wakeup(evutil_socket_t fd, short what, void *context)
{
    struct handshaker *handshaker = context;
    struct mail *mail = &handshaker->mail;
    (void)fd;
    (void)what;

    wakeup_receive(&handshaker->wakeup);
    STAILQ_CONCAT(&handshaker->arrived, &mail->handoffs);
    handshaker->leavers += mail->leavers;
    bool stop = mail->stop;
    mail->leavers = 0;
    wakeup_unlock(&handshaker->wakeup);

    start_some(handshaker);
    if (stop) {
        event_base_loopbreak(handshaker->base);
    }
}

static void *run(void *context)
{
    struct handshaker *handshaker = context;
    char name[16];
    snprintf(name, sizeof name, "handshaker-%u", handshaker->options.id);
    if (!thread_set_background(name, NICENESS)) {
        log_debug("%s keeps its priority: %m", name);
    }
    if (event_base_loop(handshaker->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0) {
        log_error("%s: its event loop failed: %m", name);
    }
    while (drop_oldest(handshaker, CONN_CLOSE_STOPPING)) {
    }
    return NULL;
}

/* --- everybody else's side ---------------------------------------------------- */

bool handshaker_has_room(const struct handshaker *handshaker)
{
    return atomic_load_explicit(&handshaker->waiting, memory_order_relaxed) < HANDSHAKER_WAITING;
}

void handshaker_adopt(struct handshaker *handshaker, struct handoff *handoff)
{
    atomic_fetch_add_explicit(&handshaker->waiting, 1, memory_order_relaxed);
    count_unproven(handshaker, 1);
    wakeup_lock(&handshaker->wakeup);
    STAILQ_INSERT_TAIL(&handshaker->mail.handoffs, handoff, next);
    wakeup_send(&handshaker->wakeup);
}

uint64_t handshaker_oldest(const struct handshaker *handshaker)
{
    uint64_t oldest = atomic_load_explicit(&handshaker->oldest, memory_order_relaxed);
    bool some_wait = atomic_load_explicit(&handshaker->waiting, memory_order_relaxed) > 0;
    return oldest == HANDSHAKER_EMPTY && some_wait ? HANDSHAKER_EMPTY - 1 : oldest;
}

void handshaker_make_room(struct handshaker *handshaker)
{
    wakeup_lock(&handshaker->wakeup);
    handshaker->mail.leavers++;
    wakeup_send(&handshaker->wakeup);
}

void handshaker_stop(struct handshaker *handshaker)
{
    wakeup_lock(&handshaker->wakeup);
    handshaker->mail.stop = true;
    wakeup_send(&handshaker->wakeup);
}

uint64_t handshaker_heartbeat(const struct handshaker *handshaker)
{
    return heartbeat_count(&handshaker->heartbeat);
}

/* --- beginning and end -------------------------------------------------------- */

/* Everything but the thread. False with errno. */
static bool prepare(struct handshaker *handshaker)
{
    handshaker->base = thread_base(0);
    if (handshaker->base == NULL) {
        return false;
    }
    evtimer_assign(&handshaker->deadline, handshaker->base, on_deadline, handshaker);
    evtimer_assign(&handshaker->again, handshaker->base, on_again, handshaker);
    return wakeup_init(&handshaker->wakeup, handshaker->base, on_wakeup, handshaker) &&
           heartbeat_init(&handshaker->heartbeat, handshaker->base);
}

static int start(struct handshaker *handshaker)
{
    int error = thread_start(&handshaker->thread, run, handshaker);
    handshaker->runs = error == 0;
    return error;
}

struct handshaker *handshaker_create(const struct handshaker_options *options)
{
    struct handshaker *handshaker = calloc(1, sizeof *handshaker);
    if (handshaker == NULL) {
        return NULL;
    }
    handshaker->options = *options;
    handshaker->metrics = &options->instance->metrics[options->instance->threads + options->id];
    TAILQ_INIT(&handshaker->handshakes);
    atomic_init(&handshaker->oldest, HANDSHAKER_EMPTY);
    STAILQ_INIT(&handshaker->mail.handoffs);
    STAILQ_INIT(&handshaker->arrived);
    int error = prepare(handshaker) ? start(handshaker) : errno;
    if (error != 0) {
        handshaker_destroy(&handshaker);
        errno = error;
    }
    return handshaker;
}

void handshaker_destroy(struct handshaker **place)
{
    struct handshaker *handshaker = *place;
    *place = NULL;
    if (handshaker == NULL) {
        return;
    }
    if (handshaker->runs) {
        handshaker_stop(handshaker);
        pthread_join(handshaker->thread, NULL);
    }
    /* Those that came when it had ended, or was about to. */
    handoffs_close(&handshaker->arrived, handshaker->options.instance);
    handoffs_close(&handshaker->mail.handoffs, handshaker->options.instance);
    heartbeat_deinit(&handshaker->heartbeat);
    wakeup_deinit(&handshaker->wakeup);
    if (handshaker->base != NULL) {
        event_base_free(handshaker->base);
    }
    free(handshaker);
}

/*
 * handshaker.c - TLS handshakes: started, continued, and dropped when they take too long.
 *
 * Connections arrive in a mailbox, wait in a queue and become entries of the list of handshakes.
 * The list is in order of arrival, so the first entry is the oldest and the first to time out.
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

enum {
    NICENESS = 10,   /* requests, the check of secrets and the housekeeper go first */
    STARTS_MAX = 16, /* in one pass of the event loop, so that handshakes under way go on */
};

struct handshake {
    TAILQ_ENTRY(handshake) link;
    struct handshaker *handshaker;
    struct handoff *handoff;
    struct event event;
    short watched;    /* what its event waits for; 0: it is not registered */
    uint64_t started; /* by clock_now() */
};

TAILQ_HEAD(handshakes, handshake);

/* What other threads ask for; under the wakeup's lock. */
struct mailbox {
    struct handoffs handoffs; /* new connections */
    unsigned evictions;       /* how many of the oldest to close */
    bool stop;
};

struct handshaker {
    struct handshaker_options options;
    struct metrics *metrics;
    struct event_base *base;
    struct handshakes handshakes; /* the oldest first */
    unsigned count;               /* of handshakes */
    _Atomic uint64_t oldest;      /* when the first started; HANDSHAKER_EMPTY: there is none */
    struct event deadline;        /* of the first */
    struct handoffs queue;        /* out of the mailbox; their handshakes have not started */
    atomic_uint waiting;          /* connections in the queue and in the mailbox */
    unsigned evictions;           /* how many of the oldest to close */
    struct event start_more;
    struct mailbox mailbox;
    struct wakeup wakeup;
    struct heartbeat heartbeat;
    pthread_t thread;
    bool has_thread;
};

/* --- the list ----------------------------------------------------------------- */

/* To be called when the first entry may be another one. */
static void follow_first(struct handshaker *handshaker)
{
    struct handshake *first = TAILQ_FIRST(&handshaker->handshakes);
    atomic_store_explicit(&handshaker->oldest, first == NULL ? HANDSHAKER_EMPTY : first->started,
                          memory_order_relaxed);
    if (first != NULL && !event_pending(&handshaker->deadline, EV_TIMEOUT, NULL)) {
        uint64_t spent = clock_now() - first->started;
        uint64_t left = spent < HANDSHAKE_MS ? HANDSHAKE_MS - spent : 0;
        struct timeval wait = thread_timeval(left);
        event_add(&handshaker->deadline, &wait);
    }
}

static void count_unauthenticated(struct handshaker *handshaker, int change)
{
    atomic_fetch_add_explicit(handshaker->options.unauthenticated, (unsigned)change,
                              memory_order_relaxed);
}

/* Frees the handshake. The connection is the caller's. */
static struct handoff *detach(struct handshake *handshake)
{
    struct handshaker *handshaker = handshake->handshaker;
    struct handoff *handoff = handshake->handoff;
    TAILQ_REMOVE(&handshaker->handshakes, handshake, link);
    handshaker->count--;
    count_unauthenticated(handshaker, -1);
    if (handshake->watched != 0) {
        event_del(&handshake->event);
    }
    free(handshake);
    follow_first(handshaker);
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

/* Closes the connection if there is no memory. */
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

static void log_handshake(const struct handshake *handshake, int level, const char *what,
                          const char *more)
{
    static struct log_limit limit = LOG_LIMIT("TLS handshakes failed");
    if (log_admits(&limit, level)) {
        char peer[PEER_NAME_MAX];
        peer_name(handshake->handoff->transport.fd, peer, sizeof peer);
        log_line(level, "%s: %s: %s%s", handshake->handoff->endpoint->name, peer, what, more);
    }
}

static void succeed(struct handshake *handshake, const struct transport_handshake *result)
{
    struct handshaker *handshaker = handshake->handshaker;
    metrics_add(handshaker->metrics, METRIC_TLS_HANDSHAKES, 1);
    metrics_add(handshaker->metrics, METRIC_TLS_RESUMED, result->resumed);
    log_handshake(handshake, LOG_DEBUG,
                  result->resumed ? "TLS session resumed, " : "TLS handshake done, ",
                  result->version);
    log_handshake(handshake, LOG_DEBUG, "TLS cipher ", result->cipher);
    handshaker->options.done(detach(handshake), handshaker->options.context);
}

static void fail(struct handshake *handshake, const struct transport_handshake *result)
{
    metrics_add(handshake->handshaker->metrics, METRIC_TLS_HANDSHAKE_FAILURES, 1);
    log_handshake(handshake, LOG_INFO, "TLS handshake failed: ", result->failure);
    drop(handshake, CONN_CLOSE_HANDSHAKE_FAILED);
}

static void step(struct handshake *handshake)
{
    struct transport *transport = &handshake->handoff->transport;
    struct transport_handshake result = {.failure = NULL};
    switch (transport->ops->handshake(transport, &result)) {
    case TRANSPORT_OK:
        succeed(handshake, &result);
        break;
    case TRANSPORT_AGAIN:
        wait_for_socket(handshake);
        break;
    case TRANSPORT_EOF:
        drop(handshake, CONN_CLOSE_PEER); /* it sent nothing, as port scans do */
        break;
    case TRANSPORT_FAILED:
        fail(handshake, &result);
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
           clock_now() - first->started >= HANDSHAKE_MS) {
        metrics_add(handshaker->metrics, METRIC_TLS_HANDSHAKE_FAILURES, 1);
        drop(first, CONN_CLOSE_HANDSHAKE_TIMEOUT);
    }
    follow_first(handshaker);
}

/* --- starting ----------------------------------------------------------------- */

/* False: there is none. */
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
        count_unauthenticated(handshaker, -1);
        close_reason_record(handshaker->metrics, handoff->transport.fd, handoff->endpoint,
                            CONN_CLOSE_NO_MEMORY);
        handoff_close(&handoff, handshaker->options.instance);
        return;
    }
    handshake->handshaker = handshaker;
    handshake->handoff = handoff;
    handshake->started = clock_now();
    TAILQ_INSERT_TAIL(&handshaker->handshakes, handshake, link);
    handshaker->count++;
    follow_first(handshaker);
    if (handshaker->count > HANDSHAKES_MAX) {
        drop_oldest(handshaker, CONN_CLOSE_HANDSHAKE_OVERLOAD);
    }
    wait_for_socket(handshake);
}

/* Closes as many as were asked for. Where fewer have started, the rest of the queue is closed as
 * soon as their handshakes start. */
static void evict_some(struct handshaker *handshaker)
{
    while (handshaker->evictions > 0 && drop_oldest(handshaker, CONN_CLOSE_REPLACED)) {
        handshaker->evictions--;
    }
    if (STAILQ_EMPTY(&handshaker->queue)) {
        handshaker->evictions = 0;
    }
}

static void start_some(struct handshaker *handshaker)
{
    static const struct timeval after_poll = {0, 0};
    struct handoff *handoff;
    for (int i = 0; i < STARTS_MAX && (handoff = STAILQ_FIRST(&handshaker->queue)); i++) {
        STAILQ_REMOVE_HEAD(&handshaker->queue, next);
        start_handshake(handshaker, handoff);
        atomic_fetch_sub_explicit(&handshaker->waiting, 1, memory_order_relaxed);
    }
    if (!STAILQ_EMPTY(&handshaker->queue)) {
        event_add(&handshaker->start_more, &after_poll);
    }
    evict_some(handshaker);
}

static void on_start_more(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    start_some(context);
}

static void on_wakeup(evutil_socket_t fd, short what, void *context)
{
    struct handshaker *handshaker = context;
    struct mailbox *mailbox = &handshaker->mailbox;
    (void)fd;
    (void)what;
    wakeup_receive(&handshaker->wakeup);
    STAILQ_CONCAT(&handshaker->queue, &mailbox->handoffs);
    handshaker->evictions += mailbox->evictions;
    bool stop = mailbox->stop;
    mailbox->evictions = 0;
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
        log_debug("%s: its priority cannot be lowered: %m", name);
    }
    if (event_base_loop(handshaker->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0) {
        log_error(
            "%s: its event loop failed, no TLS connection of its worker can be made any more: "
            "restart the daemon: %m",
            name);
    }
    while (drop_oldest(handshaker, CONN_CLOSE_STOPPING)) {
    }
    return NULL;
}

/* --- for other threads -------------------------------------------------------- */

bool handshaker_has_room(const struct handshaker *handshaker)
{
    return atomic_load_explicit(&handshaker->waiting, memory_order_relaxed) < HANDSHAKER_WAITING;
}

void handshaker_adopt(struct handshaker *handshaker, struct handoff *handoff)
{
    atomic_fetch_add_explicit(&handshaker->waiting, 1, memory_order_relaxed);
    count_unauthenticated(handshaker, 1);
    wakeup_lock(&handshaker->wakeup);
    STAILQ_INSERT_TAIL(&handshaker->mailbox.handoffs, handoff, next);
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
    handshaker->mailbox.evictions++;
    wakeup_send(&handshaker->wakeup);
}

void handshaker_stop(struct handshaker *handshaker)
{
    wakeup_lock(&handshaker->wakeup);
    handshaker->mailbox.stop = true;
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
    evtimer_assign(&handshaker->start_more, handshaker->base, on_start_more, handshaker);
    return wakeup_init(&handshaker->wakeup, handshaker->base, on_wakeup, handshaker) &&
           heartbeat_init(&handshaker->heartbeat, handshaker->base);
}

static int start(struct handshaker *handshaker)
{
    int error = thread_start(&handshaker->thread, run, handshaker);
    handshaker->has_thread = error == 0;
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
    STAILQ_INIT(&handshaker->mailbox.handoffs);
    STAILQ_INIT(&handshaker->queue);
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
    if (handshaker->has_thread) {
        handshaker_stop(handshaker);
        pthread_join(handshaker->thread, NULL);
    }
    /* Connections that arrived as the thread ended. */
    handoffs_close(&handshaker->queue, handshaker->options.instance);
    handoffs_close(&handshaker->mailbox.handoffs, handshaker->options.instance);
    heartbeat_deinit(&handshaker->heartbeat);
    wakeup_deinit(&handshaker->wakeup);
    if (handshaker->base != NULL) {
        event_base_free(handshaker->base);
    }
    free(handshaker);
}

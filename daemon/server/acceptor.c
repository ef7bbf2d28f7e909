/*
 * acceptor.c - accepts connections, counts them, rejects those above the limit, and dispatches the
 * others to the workers.
 *
 * Running out of descriptors must end nothing. accept() then fails and leaves the connection in
 * the listen backlog, so the listener stays readable and the event loop would spin. So one spare
 * descriptor is kept: it is closed, the connection is accepted in its place, told why it is
 * rejected, and closed, and the spare one is opened again. Where even that fails (the whole machine
 * is short), accepting pauses for PAUSE_MS.
 *
 * A connection above max_connections is not rejected if it can replace one that is lingering or
 * unauthenticated: see timeouts.h. The worker with most of those closes one. Until it has, there
 * are more connections than the limit, by REPLACEMENTS_MAX at most.
 */
#include "daemon/server/acceptor.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/metrics.h"
#include "daemon/net/handoff.h"

enum {
    ACCEPTS_MAX = 64,      /* connections of one listener in one loop iteration */
    LAST_CALL_MAX = 4096,  /* connections; the usual bound of a listen backlog */
    BACK_OFF_MS = 5,       /* until a TLS listener is polled again when all handshakers are full */
    PAUSE_MS = 100,        /* for which nothing is accepted when descriptors or memory are short */
    QUIET_MS = 5000,       /* until the same message is logged again */
    REPLACEMENTS_MAX = 64, /* connections above the limit, until they have replaced another */
};

/* A listener that is polled. */
struct accept_event {
    struct acceptor *acceptor;
    const struct listener *listener;
    struct event *readable;
    struct event *retry; /* pending while the listener is not polled: see back_off */
};

struct acceptor {
    struct event_base *base;
    struct instance *instance;
    struct metrics *metrics; /* the set of this thread: the last one */
    const struct threads *threads;
    unsigned next; /* worker; round robin */
    struct event *pause;
    int spare_fd;             /* -1: it could not be opened again yet */
    uint64_t limit_log_quiet; /* nothing is logged until then, on clock_now */
    uint64_t error_log_quiet;
    size_t event_count;
    struct accept_event events[];
};

/* --- rate-limited log --------------------------------------------------------- */

/* Whether it is time to log a message again. A flood of connections must not flood the log. */
static bool may_log(uint64_t *quiet)
{
    uint64_t now = clock_now();
    if (now < *quiet) {
        return false;
    }
    *quiet = now + QUIET_MS;
    return true;
}

/* --- rejecting ----------------------------------------------------------- */

static void reject(struct acceptor *acceptor, int fd, const struct endpoint *endpoint)
{
    metrics_add(acceptor->metrics, METRIC_REJECTED_CONNECTIONS, 1);
    handoff_say_full(fd, endpoint);
    close(fd);
}

/* --- counting ----------------------------------------------------------- */

/* Connections above max_connections; below 0: further ones are allowed. */
static long long over_limit(const struct instance *instance)
{
    return (long long)atomic_load_explicit(&instance->connections, memory_order_relaxed) -
           atomic_load_explicit(&instance->max_connections, memory_order_relaxed);
}

/* Only this thread adds, so the limit cannot be passed between over_limit and here. */
static void count_connection(struct instance *instance)
{
    atomic_fetch_add_explicit(&instance->connections, 1, memory_order_relaxed);
}

/* --- running out of descriptors ----------------------------------------- */

static void open_spare_fd(struct acceptor *acceptor)
{
    if (acceptor->spare_fd < 0) {
        acceptor->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
}

static void pause_accepting(struct acceptor *acceptor)
{
    const struct timeval delay = {.tv_usec = PAUSE_MS * 1000};
    for (size_t i = 0; i < acceptor->event_count; i++) {
        event_del(acceptor->events[i].readable);
    }
    metrics_add(acceptor->metrics, METRIC_LISTEN_DISABLED, 1);
    atomic_store(&acceptor->instance->paused, true);
    event_add(acceptor->pause, &delay);
}

static void on_pause_over(evutil_socket_t fd, short what, void *context)
{
    struct acceptor *acceptor = context;
    (void)fd;
    (void)what;
    open_spare_fd(acceptor);
    atomic_store(&acceptor->instance->paused, false);
    for (size_t i = 0; i < acceptor->event_count; i++) {
        event_add(acceptor->events[i].readable, NULL);
    }
}

/* Accepts and rejects the connection at the head of the backlog. False: accepting has to pause. */
static bool accept_with_spare(struct acceptor *acceptor, const struct listener *listener)
{
    if (acceptor->spare_fd < 0) {
        return false;
    }
    close(acceptor->spare_fd);
    acceptor->spare_fd = -1;
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        reject(acceptor, fd, &listener->endpoint);
    }
    open_spare_fd(acceptor);
    return fd >= 0 && acceptor->spare_fd >= 0;
}

/* --- accepting ---------------------------------------------------------- */

/* Round robin. For a TLS endpoint, workers with a full handshaker are skipped. */
static struct worker *next_worker(struct acceptor *acceptor, const struct endpoint *endpoint)
{
    const struct threads *threads = acceptor->threads;
    struct worker *worker;
    unsigned tried = 0;
    do {
        worker = threads->workers[acceptor->next];
        acceptor->next = (acceptor->next + 1) % threads->count;
    } while (endpoint->tls != NULL && !worker_can_handshake(worker) && ++tried < threads->count);
    return worker;
}

static bool any_can_handshake(const struct acceptor *acceptor)
{
    bool any = false;
    for (unsigned i = 0; i < acceptor->threads->count; i++) {
        any |= worker_can_handshake(acceptor->threads->workers[i]);
    }
    return any;
}

static void on_retry(evutil_socket_t fd, short what, void *context)
{
    struct accept_event *accept_event = context;
    (void)fd;
    (void)what;
    event_add(accept_event->readable, NULL);
}

/* Stops polling this listener for BACK_OFF_MS; the other ones are not affected. */
static void back_off(struct accept_event *accept_event)
{
    const struct timeval wait = {.tv_usec = BACK_OFF_MS * 1000};
    if (event_add(accept_event->retry, &wait) == 0) {
        event_del(accept_event->readable);
    }
}

/* The worker with the highest count. NULL: all are 0. */
static struct worker *worker_with_most(const struct acceptor *acceptor,
                                       unsigned (*count_of)(const struct worker *worker))
{
    struct worker *found = NULL;
    unsigned most = 0;
    for (unsigned i = 0; i < acceptor->threads->count; i++) {
        unsigned some = count_of(acceptor->threads->workers[i]);
        if (some > most) {
            most = some;
            found = acceptor->threads->workers[i];
        }
    }
    return found;
}

/* The worker that can close a connection in favour of a new one. NULL: none can. */
static struct worker *worker_to_replace_in(const struct acceptor *acceptor)
{
    struct worker *worker = worker_with_most(acceptor, worker_lingering);
    return worker != NULL ? worker : worker_with_most(acceptor, worker_replaceable);
}

static void hand_over(struct accept_event *accept_event, struct worker *worker, int fd,
                      bool replaces_unauthenticated)
{
    struct instance *instance = accept_event->acceptor->instance;
    /* Counted before the worker has it: a request for STATS may follow at once. */
    metrics_add(accept_event->acceptor->metrics, METRIC_TOTAL_CONNECTIONS, 1);
    count_connection(instance);
    if (!worker_accept(worker, fd, &accept_event->listener->endpoint, replaces_unauthenticated)) {
        instance_connection_closed(instance);
        reject(accept_event->acceptor, fd, &accept_event->listener->endpoint);
    }
}

static void log_limit_reached(struct accept_event *accept_event, const char *consequence)
{
    struct acceptor *acceptor = accept_event->acceptor;
    if (may_log(&acceptor->limit_log_quiet)) {
        log_warning("max_connections (%u) reached: %s %s",
                    atomic_load(&acceptor->instance->max_connections), consequence,
                    accept_event->listener->endpoint.name);
    }
}

static void dispatch_connection(struct accept_event *accept_event, int fd)
{
    struct acceptor *acceptor = accept_event->acceptor;
    long long over = over_limit(acceptor->instance);
    if (over < 0) {
        hand_over(accept_event, next_worker(acceptor, &accept_event->listener->endpoint), fd,
                  false);
        return;
    }
    struct worker *worker = over < REPLACEMENTS_MAX ? worker_to_replace_in(acceptor) : NULL;
    if (worker != NULL) {
        log_limit_reached(accept_event, "unauthenticated connections are replaced by new ones on");
        hand_over(accept_event, worker, fd, true);
    } else {
        log_limit_reached(accept_event, "rejecting connections on");
        reject(acceptor, fd, &accept_event->listener->endpoint);
    }
}

enum accept_result {
    ACCEPTED,
    SKIPPED, /* the connection failed; the next one may do */
    DRAINED, /* the backlog is empty */
    STUCK    /* descriptors or memory are short */
};

static enum accept_result accept_one(struct accept_event *accept_event)
{
    int fd = accept4(accept_event->listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        dispatch_connection(accept_event, fd);
        return ACCEPTED;
    }
    switch (errno) {
    case EAGAIN:
        return DRAINED;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return STUCK;
    default: /* an error of the connection itself: see accept(2) */
        return SKIPPED;
    }
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct accept_event *accept_event = context;
    struct acceptor *acceptor = accept_event->acceptor;
    (void)fd;
    (void)what;
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        if (accept_event->listener->endpoint.tls != NULL && !any_can_handshake(acceptor)) {
            back_off(accept_event);
            return;
        }
        enum accept_result result = accept_one(accept_event);
        if (result == DRAINED) {
            return;
        }
        if (result != STUCK) {
            continue;
        }
        if (may_log(&acceptor->error_log_quiet)) {
            log_error("cannot accept connections on %s: %s", accept_event->listener->endpoint.name,
                      strerror(errno));
        }
        if (!accept_with_spare(acceptor, accept_event->listener)) {
            pause_accepting(acceptor);
            return;
        }
    }
}

void acceptor_last_call(struct acceptor *acceptor)
{
    for (size_t i = 0; i < acceptor->event_count; i++) {
        struct accept_event *accept_event = &acceptor->events[i];
        enum accept_result result = accept_event->listener->inherited ? DRAINED : ACCEPTED;
        for (int n = 0; n < LAST_CALL_MAX && (result == ACCEPTED || result == SKIPPED); n++) {
            result = accept_one(accept_event);
        }
    }
}

/* --- life --------------------------------------------------------------- */

static bool add_event(struct acceptor *acceptor, const struct listener *listener)
{
    struct accept_event *accept_event = &acceptor->events[acceptor->event_count];
    accept_event->acceptor = acceptor;
    accept_event->listener = listener;
    accept_event->readable =
        event_new(acceptor->base, listener->fd, EV_READ | EV_PERSIST, on_readable, accept_event);
    accept_event->retry = event_new(acceptor->base, -1, 0, on_retry, accept_event);
    acceptor->event_count++;
    if (accept_event->readable == NULL || accept_event->retry == NULL) {
        return false;
    }
    return event_add(accept_event->readable, NULL) == 0;
}

static bool start(struct acceptor *acceptor, const struct listeners *listeners)
{
    open_spare_fd(acceptor);
    if (acceptor->spare_fd < 0) {
        return false;
    }
    errno = ENOMEM;
    acceptor->pause = event_new(acceptor->base, -1, 0, on_pause_over, acceptor);
    bool done = acceptor->pause != NULL;
    for (size_t i = 0; done && i < listeners->count; i++) {
        done = listeners->all[i].endpoint.is_http || add_event(acceptor, &listeners->all[i]);
    }
    return done;
}

struct acceptor *acceptor_create(const struct acceptor_options *options)
{
    struct acceptor *acceptor =
        calloc(1, sizeof *acceptor + options->listeners->count * sizeof(struct accept_event));
    if (acceptor == NULL) {
        return NULL;
    }
    acceptor->base = options->base;
    acceptor->instance = options->instance;
    acceptor->metrics = &options->instance->metrics[options->instance->metrics_sets - 1];
    acceptor->threads = options->threads;
    acceptor->spare_fd = -1;
    if (!start(acceptor, options->listeners)) {
        int why = errno;
        acceptor_destroy(&acceptor);
        errno = why;
    }
    return acceptor;
}

static void free_event(struct event *event)
{
    if (event != NULL) {
        event_free(event);
    }
}

void acceptor_destroy(struct acceptor **owned)
{
    struct acceptor *acceptor = *owned;
    *owned = NULL;
    if (acceptor == NULL) {
        return;
    }
    for (size_t i = 0; i < acceptor->event_count; i++) {
        free_event(acceptor->events[i].readable);
        free_event(acceptor->events[i].retry);
    }
    free_event(acceptor->pause);
    if (acceptor->spare_fd >= 0) {
        close(acceptor->spare_fd);
    }
    free(acceptor);
}

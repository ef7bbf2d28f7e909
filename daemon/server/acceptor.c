/*
 * acceptor.c - new connections: counted, refused above the limit, handed round.
 *
 * Running out of descriptors must end nothing. accept() then fails and leaves
 * the connection in the queue, so the listener stays readable and a loop would
 * spin. So one descriptor is held in reserve: it is let go, the connection is
 * accepted with it, told why it cannot stay, and closed, and the reserve is
 * taken again. Where even that fails (the whole machine is short), accepting
 * pauses for a moment.
 *
 * At the limit a connection is not refused where it can take the place of one that has said
 * all, or has not said who it is: see timeouts.h. The worker that has most of those makes
 * room then, and until it has there are more than the limit, EXCHANGES_MAX at most.
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
#include "daemon/net/handoff_reject.h"

enum {
    TURN_MAX = 64,        /* connections of one listener in one turn of the loop */
    LAST_CALL_MAX = 4096, /* connections; as many as a backlog may hold */
    REST_MS = 5,          /* how long those that have to greet wait for a handshaker */
    PAUSE_MS = 100,       /* how long nothing is accepted when that cannot work */
    QUIET_MS = 5000,      /* the same complaint is not logged again for so long */
    EXCHANGES_MAX = 64,   /* connections above the limit, while room is made for them */
};

/* A listener that is being waited at. */
struct post {
    struct acceptor *acceptor;
    const struct listener *listener;
    struct event *event;
    struct event *rest; /* until it is waited at again */
};

struct acceptor {
    struct event_base *base;
    struct instance *instance;
    struct metrics *metrics; /* this thread's set: the last one */
    const struct threads *threads;
    unsigned next; /* whose turn it is */
    struct event *pause;
    int reserve;             /* -1: it could not be taken again yet */
    uint64_t too_many_quiet; /* complaints are held back until then, on clock_now */
    uint64_t cannot_quiet;
    size_t post_count;
    struct post posts[];
};

/* --- complaints --------------------------------------------------------- */

/* Whether it is time to say it again. A flood must not become a flood of lines. */
static bool may_complain(uint64_t *quiet)
{
    uint64_t now = clock_now();

    if (now < *quiet) {
        return false;
    }
    *quiet = now + QUIET_MS;
    return true;
}

/* --- refusing ----------------------------------------------------------- */

static void refuse(struct acceptor *acceptor, int fd, const struct endpoint *endpoint)
{
    metrics_add(acceptor->metrics, METRIC_REJECTED_CONNECTIONS, 1);
    handoff_say_full(fd, endpoint);
    close(fd);
}

/* --- counting ----------------------------------------------------------- */

/* How many there are beyond the last that the limit allows; below 0: room. */
static long long surplus(const struct instance *instance)
{
    return (long long)atomic_load_explicit(&instance->connections, memory_order_relaxed) -
           atomic_load_explicit(&instance->max_connections, memory_order_relaxed);
}

/* Only this thread adds, so nothing is passed between looking and counting. */
static void count(struct instance *instance)
{
    atomic_fetch_add_explicit(&instance->connections, 1, memory_order_relaxed);
}

/* --- running out of descriptors ----------------------------------------- */

static void take_reserve(struct acceptor *acceptor)
{
    if (acceptor->reserve < 0) {
        acceptor->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
}

static void pause_accepting(struct acceptor *acceptor)
{
    const struct timeval delay = {.tv_usec = PAUSE_MS * 1000};

    for (size_t i = 0; i < acceptor->post_count; i++) {
        event_del(acceptor->posts[i].event);
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

    take_reserve(acceptor);
    atomic_store(&acceptor->instance->paused, false);
    for (size_t i = 0; i < acceptor->post_count; i++) {
        event_add(acceptor->posts[i].event, NULL);
    }
}

/* True when the connection at the head of the queue was dealt with. */
static bool spend_reserve(struct acceptor *acceptor, const struct listener *listener)
{
    if (acceptor->reserve < 0) {
        return false;
    }
    close(acceptor->reserve);
    acceptor->reserve = -1;
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        refuse(acceptor, fd, &listener->endpoint);
    }
    take_reserve(acceptor);
    return fd >= 0 && acceptor->reserve >= 0;
}

/* --- accepting ---------------------------------------------------------- */

/* In turn, but for those whose handshaker is behind. */
static struct worker *whose_turn(struct acceptor *acceptor, const struct endpoint *endpoint)
{
    const struct threads *threads = acceptor->threads;
    struct worker *worker;
    unsigned tried = 0;

    do {
        worker = threads->workers[acceptor->next];
        acceptor->next = (acceptor->next + 1) % threads->count;
    } while (endpoint->tls != NULL && !worker_has_room(worker) && ++tried < threads->count);
    return worker;
}

static bool somebody_greets(const struct acceptor *acceptor)
{
    bool somebody = false;

    for (unsigned i = 0; i < acceptor->threads->count; i++) {
        somebody |= worker_has_room(acceptor->threads->workers[i]);
    }
    return somebody;
}

static void on_rest_over(evutil_socket_t fd, short what, void *context)
{
    struct post *post = context;
    (void)fd;
    (void)what;

    event_add(post->event, NULL);
}

/* The others go on meanwhile. */
static void rest(struct post *post)
{
    const struct timeval wait = {.tv_usec = REST_MS * 1000};

    if (event_add(post->rest, &wait) == 0) {
        event_del(post->event);
    }
}

/* NULL: none has any. */
static struct worker *whose_are_most(const struct acceptor *acceptor,
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

/* The worker that can make room; NULL: none can. */
static struct worker *who_makes_room(const struct acceptor *acceptor)
{
    struct worker *worker = whose_are_most(acceptor, worker_lingering);

    return worker != NULL ? worker : whose_are_most(acceptor, worker_replaceable);
}

static void hand_over(struct post *post, struct worker *worker, int fd,
                      bool replaces_unauthenticated)
{
    struct instance *instance = post->acceptor->instance;

    /* Counted before the worker has it: it may be asked for the figure at once. */
    metrics_add(post->acceptor->metrics, METRIC_TOTAL_CONNECTIONS, 1);
    count(instance);
    if (!worker_adopt(worker, fd, &post->listener->endpoint, replaces_unauthenticated)) {
        instance_connection_closed(instance);
        refuse(post->acceptor, fd, &post->listener->endpoint);
    }
}

static void complain_of_too_many(struct post *post, const char *consequence)
{
    struct acceptor *acceptor = post->acceptor;

    if (may_complain(&acceptor->too_many_quiet)) {
        log_warning("max_connections (%u) reached: %s %s",
                    atomic_load(&acceptor->instance->max_connections), consequence,
                    post->listener->endpoint.name);
    }
}

static void welcome(struct post *post, int fd)
{
    struct acceptor *acceptor = post->acceptor;
    long long over = surplus(acceptor->instance);

    if (over < 0) {
        hand_over(post, whose_turn(acceptor, &post->listener->endpoint), fd, false);
        return;
    }
    struct worker *worker = over < EXCHANGES_MAX ? who_makes_room(acceptor) : NULL;
    if (worker != NULL) {
        complain_of_too_many(post, "who has not said who he is makes room for connections on");
        hand_over(post, worker, fd, true);
    } else {
        complain_of_too_many(post, "refusing connections on");
        refuse(acceptor, fd, &post->listener->endpoint);
    }
}

enum outcome {
    ACCEPTED,
    SKIPPED, /* this one is gone; the next may do */
    DRAINED, /* nobody waits */
    STUCK    /* it cannot work now */
};

static enum outcome accept_one(struct post *post)
{
    int fd = accept4(post->listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0) {
        welcome(post, fd);
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
    default: /* errors of the connection itself come out here: see accept(2) */
        return SKIPPED;
    }
}

static void on_waiting(evutil_socket_t fd, short what, void *context)
{
    struct post *post = context;
    struct acceptor *acceptor = post->acceptor;
    (void)fd;
    (void)what;

    for (int i = 0; i < TURN_MAX; i++) {
        if (post->listener->endpoint.tls != NULL && !somebody_greets(acceptor)) {
            rest(post);
            return;
        }
        enum outcome outcome = accept_one(post);
        if (outcome == DRAINED) {
            return;
        }
        if (outcome != STUCK) {
            continue;
        }
        if (may_complain(&acceptor->cannot_quiet)) {
            log_error("cannot accept connections on %s: %s", post->listener->endpoint.name,
                      strerror(errno));
        }
        if (!spend_reserve(acceptor, post->listener)) {
            pause_accepting(acceptor);
            return;
        }
    }
}

void acceptor_last_call(struct acceptor *acceptor)
{
    for (size_t i = 0; i < acceptor->post_count; i++) {
        struct post *post = &acceptor->posts[i];
        enum outcome outcome = post->listener->taken ? DRAINED : ACCEPTED;
        for (int n = 0; n < LAST_CALL_MAX && (outcome == ACCEPTED || outcome == SKIPPED); n++) {
            outcome = accept_one(post);
        }
    }
}

/* --- life --------------------------------------------------------------- */

static bool add_post(struct acceptor *acceptor, const struct listener *listener)
{
    struct post *post = &acceptor->posts[acceptor->post_count];

    post->acceptor = acceptor;
    post->listener = listener;
    post->event = event_new(acceptor->base, listener->fd, EV_READ | EV_PERSIST, on_waiting, post);
    post->rest = event_new(acceptor->base, -1, 0, on_rest_over, post);
    acceptor->post_count++;
    if (post->event == NULL || post->rest == NULL) {
        return false;
    }
    return event_add(post->event, NULL) == 0;
}

static bool start(struct acceptor *acceptor, const struct listeners *listeners)
{
    take_reserve(acceptor);
    if (acceptor->reserve < 0) {
        return false;
    }
    errno = ENOMEM;
    acceptor->pause = event_new(acceptor->base, -1, 0, on_pause_over, acceptor);
    bool done = acceptor->pause != NULL;
    for (size_t i = 0; done && i < listeners->count; i++) {
        done = listeners->all[i].endpoint.is_http || add_post(acceptor, &listeners->all[i]);
    }
    return done;
}

struct acceptor *acceptor_create(const struct acceptor_options *options)
{
    struct acceptor *acceptor =
        calloc(1, sizeof *acceptor + options->listeners->count * sizeof(struct post));

    if (acceptor == NULL) {
        return NULL;
    }
    acceptor->base = options->base;
    acceptor->instance = options->instance;
    acceptor->metrics = &options->instance->metrics[options->instance->metrics_sets - 1];
    acceptor->threads = options->threads;
    acceptor->reserve = -1;
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
    for (size_t i = 0; i < acceptor->post_count; i++) {
        free_event(acceptor->posts[i].event);
        free_event(acceptor->posts[i].rest);
    }
    free_event(acceptor->pause);
    if (acceptor->reserve >= 0) {
        close(acceptor->reserve);
    }
    free(acceptor);
}

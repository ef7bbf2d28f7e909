/*
 * handshaker.c - handshakes: how they go on, and whose ends.
 *
 * A guest is a connection whose peer still has to greet. They are seated in the order in which
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

enum { NICENESS = 10 }; /* requests come first, and so do secrets and the housekeeper */

struct guest {
    TAILQ_ENTRY(guest) seat;
    struct reception *reception;
    struct parcel *parcel;
    struct event event;
    short watched;  /* what its event waits for */
    uint64_t since; /* when it sat down */
};

TAILQ_HEAD(guests, guest);

enum { SEATED_AT_ONCE = 16 }; /* then who is ready has a step first */

/* What others leave for the thread; under the wakeup's lock. */
struct mail {
    struct parcels parcels;
    unsigned leavers; /* so many of the oldest shall go */
    bool stop;
};

struct reception {
    struct reception_options options;
    struct metrics *metrics;
    struct event_base *base;
    struct guests guests; /* the oldest first */
    unsigned count;       /* of them */
    _Atomic uint64_t oldest;
    struct event deadline;  /* of the oldest */
    struct parcels arrived; /* out of the mail, and not seated yet */
    atomic_uint waiting;    /* those, and what is in the mail */
    unsigned leavers;       /* so many of the oldest shall go */
    struct event again;     /* others sit down */
    struct mail mail;
    struct wakeup wakeup;
    struct heartbeat heartbeat;
    pthread_t thread;
    bool runs; /* the thread was started */
};

/* --- seats -------------------------------------------------------------------- */

/* The first may be another one. */
static void look_at_first(struct reception *reception)
{
    struct guest *first = TAILQ_FIRST(&reception->guests);
    atomic_store_explicit(&reception->oldest, first == NULL ? RECEPTION_EMPTY : first->since,
                          memory_order_relaxed);
    if (first != NULL && !event_pending(&reception->deadline, EV_TIMEOUT, NULL)) {
        uint64_t spent = clock_now() - first->since;
        uint64_t left = spent < GREETING_MS ? GREETING_MS - spent : 0;
        struct timeval wait = {.tv_sec = (time_t)(left / 1000),
                               .tv_usec = (suseconds_t)(left % 1000 * 1000)};
        event_add(&reception->deadline, &wait);
    }
}

static void count_unproven(struct reception *reception, int change)
{
    atomic_fetch_add_explicit(reception->options.unproven, (unsigned)change, memory_order_relaxed);
}

/* The guest goes; its parcel is the caller's. */
static struct parcel *stand_up(struct guest *guest)
{
    struct reception *reception = guest->reception;
    struct parcel *parcel = guest->parcel;
    TAILQ_REMOVE(&reception->guests, guest, seat);
    reception->count--;
    count_unproven(reception, -1);
    if (guest->watched != 0) {
        event_del(&guest->event);
    }
    free(guest);
    look_at_first(reception);
    return parcel;
}

static void turn_away(struct guest *guest, enum conn_close why)
{
    struct reception *reception = guest->reception;
    struct parcel *parcel = stand_up(guest);
    closing_note(reception->metrics, parcel->transport.fd, parcel->door, why);
    parcel_close(&parcel, reception->options.instance);
}

/* --- a step ------------------------------------------------------------------- */

static void on_ready(evutil_socket_t fd, short what, void *context);

/* May close it. */
static void wait_for_socket(struct guest *guest)
{
    const struct transport *transport = &guest->parcel->transport;
    short what = (transport->wants & TRANSPORT_READ_WRITES) != 0 ? EV_WRITE : EV_READ;
    if (guest->watched == what) {
        return;
    }
    if (guest->watched != 0) {
        event_del(&guest->event);
    }
    guest->watched = what;
    event_assign(&guest->event, guest->reception->base, transport->fd, (short)(what | EV_PERSIST),
                 on_ready, guest);
    if (event_add(&guest->event, NULL) != 0) {
        guest->watched = 0;
        turn_away(guest, CONN_CLOSE_NO_MEMORY);
    }
}

static void say(const struct guest *guest, int level, const char *what, const char *more)
{
    static struct log_limit limit = LOG_LIMIT("no TLS handshake");

    if (log_admits(&limit, level)) {
        char peer[TRANSPORT_PEER_MAX];
        transport_peer(guest->parcel->transport.fd, peer, sizeof peer);
        log_line(level, "%s: %s: %s%s", guest->parcel->door->name, peer, what, more);
    }
}

static void succeed(struct guest *guest, const struct transport_greeting *greeting)
{
    struct reception *reception = guest->reception;
    metrics_add(reception->metrics, METRIC_TLS_HANDSHAKES, 1);
    metrics_add(reception->metrics, METRIC_TLS_RESUMED, greeting->resumed);
    say(guest, LOG_DEBUG, greeting->resumed ? "resumed a session of " : "greeted with ",
        greeting->version);
    say(guest, LOG_DEBUG, "its cipher is ", greeting->cipher);
    reception->options.greeted(stand_up(guest), reception->options.context);
}

static void fail(struct guest *guest, const struct transport_greeting *greeting)
{
    metrics_add(guest->reception->metrics, METRIC_TLS_HANDSHAKE_FAILURES, 1);
    say(guest, LOG_INFO, "no TLS handshake: ", greeting->failure);
    turn_away(guest, CONN_CLOSE_HANDSHAKE);
}

static void step(struct guest *guest)
{
    struct transport *transport = &guest->parcel->transport;
    struct transport_greeting greeting = {.failure = NULL};
    switch (transport->ops->greet(transport, &greeting)) {
    case TRANSPORT_OK:
        succeed(guest, &greeting);
        break;
    case TRANSPORT_AGAIN:
        wait_for_socket(guest);
        break;
    case TRANSPORT_EOF:
        turn_away(guest, CONN_CLOSE_PEER); /* it looked whether somebody listens */
        break;
    case TRANSPORT_FAILED:
        fail(guest, &greeting);
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
    struct reception *reception = context;
    struct guest *first;
    (void)fd;
    (void)what;

    while ((first = TAILQ_FIRST(&reception->guests)) != NULL &&
           clock_now() - first->since >= GREETING_MS) {
        metrics_add(reception->metrics, METRIC_TLS_HANDSHAKE_FAILURES, 1);
        turn_away(first, CONN_CLOSE_SLOW);
    }
    look_at_first(reception);
}

/* --- arriving ----------------------------------------------------------------- */

/* False: there is nobody. */
static bool turn_away_oldest(struct reception *reception, enum conn_close why)
{
    struct guest *oldest = TAILQ_FIRST(&reception->guests);
    if (oldest != NULL) {
        turn_away(oldest, why);
    }
    return oldest != NULL;
}

static void sit_down(struct reception *reception, struct parcel *parcel)
{
    struct guest *guest = calloc(1, sizeof *guest);
    if (guest == NULL || !transport_tls(&parcel->transport, parcel->door->tls)) {
        free(guest);
        count_unproven(reception, -1);
        closing_note(reception->metrics, parcel->transport.fd, parcel->door, CONN_CLOSE_NO_MEMORY);
        parcel_close(&parcel, reception->options.instance);
        return;
    }
    guest->reception = reception;
    guest->parcel = parcel;
    guest->since = clock_now();
    TAILQ_INSERT_TAIL(&reception->guests, guest, seat);
    bool crowded = ++reception->count > GREETINGS_MAX;
    look_at_first(reception);
    if (crowded) {
        turn_away_oldest(reception, CONN_CLOSE_CROWDED);
    }
    wait_for_socket(guest);
}

/* As many as were asked for; who has not sat down yet may be one of them. */
static void make_room(struct reception *reception)
{
    while (reception->leavers > 0 && turn_away_oldest(reception, CONN_CLOSE_REPLACED)) {
        reception->leavers--;
    }
    if (STAILQ_EMPTY(&reception->arrived)) {
        reception->leavers = 0;
    }
}

static void seat_some(struct reception *reception)
{
    static const struct timeval after_poll = {0, 0};
    struct parcel *parcel;
    for (int i = 0; i < SEATED_AT_ONCE && (parcel = STAILQ_FIRST(&reception->arrived)); i++) {
        STAILQ_REMOVE_HEAD(&reception->arrived, next);
        sit_down(reception, parcel);
        atomic_fetch_sub_explicit(&reception->waiting, 1, memory_order_relaxed);
    }
    if (!STAILQ_EMPTY(&reception->arrived)) {
        event_add(&reception->again, &after_poll);
    }
    make_room(reception);
}

static void on_again(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    seat_some(context);
}

static void on_wakeup(evutil_socket_t fd, short what, void *context)
{
    struct reception *reception = context;
    struct mail *mail = &reception->mail;
    (void)fd;
    (void)what;

    wakeup_receive(&reception->wakeup);
    STAILQ_CONCAT(&reception->arrived, &mail->parcels);
    reception->leavers += mail->leavers;
    bool stop = mail->stop;
    mail->leavers = 0;
    wakeup_unlock(&reception->wakeup);

    seat_some(reception);
    if (stop) {
        event_base_loopbreak(reception->base);
    }
}

static void *run(void *context)
{
    struct reception *reception = context;
    char name[16];
    snprintf(name, sizeof name, "reception-%u", reception->options.id);
    thread_set_background(name, NICENESS);
    if (event_base_loop(reception->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0) {
        log_error("%s: its event loop failed: %m", name);
    }
    while (turn_away_oldest(reception, CONN_CLOSE_STOPPING)) {
    }
    return NULL;
}

/* --- everybody else's side ---------------------------------------------------- */

bool reception_has_room(const struct reception *reception)
{
    return atomic_load_explicit(&reception->waiting, memory_order_relaxed) < RECEPTION_WAITING;
}

void reception_adopt(struct reception *reception, struct parcel *parcel)
{
    atomic_fetch_add_explicit(&reception->waiting, 1, memory_order_relaxed);
    count_unproven(reception, 1);
    wakeup_lock(&reception->wakeup);
    STAILQ_INSERT_TAIL(&reception->mail.parcels, parcel, next);
    wakeup_send(&reception->wakeup);
}

uint64_t reception_oldest(const struct reception *reception)
{
    uint64_t oldest = atomic_load_explicit(&reception->oldest, memory_order_relaxed);
    bool some_wait = atomic_load_explicit(&reception->waiting, memory_order_relaxed) > 0;
    return oldest == RECEPTION_EMPTY && some_wait ? RECEPTION_EMPTY - 1 : oldest;
}

void reception_make_room(struct reception *reception)
{
    wakeup_lock(&reception->wakeup);
    reception->mail.leavers++;
    wakeup_send(&reception->wakeup);
}

void reception_stop(struct reception *reception)
{
    wakeup_lock(&reception->wakeup);
    reception->mail.stop = true;
    wakeup_send(&reception->wakeup);
}

uint64_t reception_heartbeat(const struct reception *reception)
{
    return heartbeat_count(&reception->heartbeat);
}

/* --- beginning and end -------------------------------------------------------- */

/* Everything but the thread. False with errno. */
static bool prepare(struct reception *reception)
{
    reception->base = thread_base(0);
    if (reception->base == NULL) {
        return false;
    }
    evtimer_assign(&reception->deadline, reception->base, on_deadline, reception);
    evtimer_assign(&reception->again, reception->base, on_again, reception);
    return wakeup_init(&reception->wakeup, reception->base, on_wakeup, reception) &&
           heartbeat_init(&reception->heartbeat, reception->base);
}

static int start(struct reception *reception)
{
    int error = thread_start(&reception->thread, run, reception);
    reception->runs = error == 0;
    return error;
}

struct reception *reception_create(const struct reception_options *options)
{
    struct reception *reception = calloc(1, sizeof *reception);
    if (reception == NULL) {
        return NULL;
    }
    reception->options = *options;
    reception->metrics = &options->instance->metrics[options->instance->threads + options->id];
    TAILQ_INIT(&reception->guests);
    atomic_init(&reception->oldest, RECEPTION_EMPTY);
    STAILQ_INIT(&reception->mail.parcels);
    STAILQ_INIT(&reception->arrived);
    int error = prepare(reception) ? start(reception) : errno;
    if (error != 0) {
        reception_destroy(&reception);
        errno = error;
    }
    return reception;
}

void reception_destroy(struct reception **place)
{
    struct reception *reception = *place;
    *place = NULL;
    if (reception == NULL) {
        return;
    }
    if (reception->runs) {
        reception_stop(reception);
        pthread_join(reception->thread, NULL);
    }
    /* Those that came when it had ended, or was about to. */
    parcels_close(&reception->arrived, reception->options.instance);
    parcels_close(&reception->mail.parcels, reception->options.instance);
    heartbeat_deinit(&reception->heartbeat);
    wakeup_deinit(&reception->wakeup);
    if (reception->base != NULL) {
        event_base_free(reception->base);
    }
    free(reception);
}

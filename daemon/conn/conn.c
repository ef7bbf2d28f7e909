/*
 * conn.c - the life of a connection: opened, waiting, closed.
 *
 * What it does when its socket is ready is in conn_io.c.
 *
 * A connection that ends while its peer may still be sending lingers: if a
 * socket is closed with bytes unread, the kernel resets it, and the reset may
 * overtake the reply that says what was wrong. So it says that it is done, and
 * reads and drops what comes, until the peer has gone or LINGER_MS have passed.
 *
 * A connection that waits for the authenticator reads nothing, but sees its peer go, and takes its
 * login along. A peer that has only said its last, which is how most go, may still want
 * the answer: it has PARTING_MS.
 */
#include "daemon/conn/conn.h"

#include <poll.h>

#include "daemon/base/clock.h"
#include "daemon/conn/conn_io.h"
#include "daemon/conn/conn_state.h"
#include "daemon/conn/pressure.h"
#include "daemon/conn/scheduler.h"
#include "daemon/conn/timeouts.h"

enum { LINGER_MS = 2000, PARTING_MS = 1000 };

size_t conn_size(void)
{
    return sizeof(struct conn);
}

/* --- closing -------------------------------------------------------------- */

static void say_why(const struct conn *conn, enum conn_close why)
{
    close_reason_record(conn->crew->metrics, conn->transport.fd, conn->endpoint, why);
}

void conn_account(struct conn *conn, bool owes)
{
    conn->crew->owing += (unsigned)owes - (unsigned)conn->owes;
    conn->owes = owes;
}

static void stop_parting(struct conn *conn)
{
    conn->crew->parting -= conn->parts;
    conn->parts = false;
}

/* What it holds of the crew, its seat apart. */
static void give_back(struct conn *conn)
{
    if (conn->pipeline != NULL) {
        pipeline_destroy(&conn->pipeline, conn->crew);
    }
    conn_account(conn, false);
    pressure_leave(conn);
    identity_deinit(&conn->identity);
    strangers_leave(conn);
    stop_parting(conn);
}

static void count_lingering(struct crew *crew, int change)
{
    atomic_fetch_add_explicit(&crew->lingering, (unsigned)change, memory_order_relaxed);
}

static void end_loop_if_done(struct crew *crew)
{
    if (crew->draining && TAILQ_EMPTY(&crew->seated) && TAILQ_EMPTY(&crew->lingers)) {
        event_base_loopbreak(crew->base);
    }
}

void conn_leave(struct conn *conn)
{
    struct crew *crew = conn->crew;
    give_back(conn);
    schedule_leave(conn);
    TAILQ_REMOVE(conn->lingers ? &crew->lingers : &crew->seated, conn, seat);
    if (conn->lingers) {
        count_lingering(crew, -1);
    }
    if (conn->watched != 0) {
        event_del(&conn->event);
    }
    conn->transport.ops->close(&conn->transport);
    pool_put(&crew->conns, conn);
    instance_connection_closed(crew->instance);
    end_loop_if_done(crew);
}

void conn_close(struct conn *conn, enum conn_close why)
{
    say_why(conn, why);
    conn_leave(conn);
}

/* --- waiting -------------------------------------------------------------- */

static void on_ready(evutil_socket_t fd, short what, void *context);
static void on_peer(evutil_socket_t fd, short what, void *context);

bool conn_watch(struct conn *conn, short what)
{
    if (conn->watched == what) {
        return true;
    }
    if (conn->watched != 0) {
        event_del(&conn->event);
    }
    conn->watched = what;
    if (what == 0) {
        return true;
    }
    event_assign(&conn->event, conn->crew->base, conn->transport.fd, (short)(what | EV_PERSIST),
                 what == CONN_WATCH_PEER ? on_peer : on_ready, conn);
    if (event_add(&conn->event, NULL) == 0) {
        return true;
    }
    conn->watched = 0;
    return false;
}

void conn_arm_sweep(struct crew *crew)
{
    bool needed = !TAILQ_EMPTY(&crew->lingers) || !TAILQ_EMPTY(&crew->strangers) ||
                  crew->parting > 0 ||
                  (crew->settings.idle_timeout != 0 && !TAILQ_EMPTY(&crew->seated));
    if (needed && !event_pending(&crew->sweep, EV_TIMEOUT, NULL)) {
        uint64_t grain = crew_grain(crew);
        struct timeval period = {.tv_sec = (time_t)(grain / 1000),
                                 .tv_usec = (suseconds_t)(grain % 1000 * 1000)};
        event_add(&crew->sweep, &period);
    }
}

/* Its seat follows only now and then, so that a busy connection costs no more than a
 * comparison. */
void conn_touch(struct conn *conn)
{
    struct crew *crew = conn->crew;
    conn->active = crew->now;
    if (crew->now - conn->seated >= crew_grain(crew)) {
        TAILQ_REMOVE(&crew->seated, conn, seat);
        TAILQ_INSERT_TAIL(&crew->seated, conn, seat);
        conn->seated = crew->now;
    }
}

/* --- lingering ------------------------------------------------------------ */

void conn_linger(struct conn *conn, enum conn_close why)
{
    struct crew *crew = conn->crew;
    say_why(conn, why);
    give_back(conn);
    count_lingering(crew, 1); /* before its peer hears of it */
    conn->transport.ops->end(&conn->transport);
    TAILQ_REMOVE(&crew->seated, conn, seat);
    TAILQ_INSERT_TAIL(&crew->lingers, conn, seat);
    conn->lingers = true;
    conn->active = crew->now;
    conn_arm_sweep(crew);
    if (conn->ended || crew->draining || !conn_watch(conn, EV_READ)) {
        conn_leave(conn);
    }
}

void conn_swallow(struct conn *conn)
{
    char dropped[16384];
    size_t moved;
    enum transport_status status =
        conn->transport.ops->read(&conn->transport, dropped, sizeof dropped, &moved);
    bool ends = status == TRANSPORT_EOF || status == TRANSPORT_FAILED;
    if (ends || !conn_watch(conn, EV_READ)) { /* nobody watches it, if it was in line for long */
        conn_leave(conn);
    }
}

/* --- parting ---------------------------------------------------------------- */

static void part(struct conn *conn)
{
    struct crew *crew = conn->crew;
    crew->now = clock_now();
    conn->active = crew->now;
    conn->parts = true;
    crew->parting++;
    conn_arm_sweep(crew);
}

/* It waits for the authenticator, and more has come or its peer goes. */
static void on_peer(evutil_socket_t fd, short what, void *context)
{
    struct conn *conn = context;
    struct pollfd peer = {.fd = fd, .events = POLLRDHUP};
    (void)what;

    poll(&peer, 1, 0);
    if ((peer.revents & (POLLHUP | POLLERR)) != 0) {
        conn_close(conn, CONN_CLOSE_PEER);
    } else if ((peer.revents & POLLRDHUP) != 0 && !conn->parts) {
        part(conn);
    }
}

/* Closes those that have had PARTING_MS. */
static void close_parted(struct crew *crew)
{
    struct conn *next, *conn = crew->parting > 0 ? TAILQ_FIRST(&crew->seated) : NULL;
    for (; conn != NULL; conn = next) {
        next = TAILQ_NEXT(conn, seat);
        if (conn->parts && !identity_waits(&conn->identity)) {
            stop_parting(conn);
        } else if (conn->parts && crew->now - conn->active >= PARTING_MS) {
            conn_close(conn, CONN_CLOSE_PEER);
        }
    }
}

/* Its socket is ready. */
static void on_ready(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    schedule_ready(context, what);
}

/* --- for the worker ------------------------------------------------------- */

/* A certificate may say who it is, unasked; and after a reload says it again, if it is still
 * good. */
static void look_at_certificate(struct conn *conn)
{
    char name[REQUEST_NAMESPACE_MAX];
    size_t length = conn->identity.state == IDENTITY_UNAUTHENTICATED
                        ? transport_user(&conn->transport, name, sizeof name)
                        : 0;
    if (length > 0) {
        identity_by_certificate(&conn->identity, &conn->crew->auth, (struct slice){name, length});
    }
}

/* Takes its seat, and waits for the first bytes. May close it: false. */
static bool sit_down(struct conn *conn)
{
    struct crew *crew = conn->crew;
    identity_init(&conn->identity, &crew->auth, conn->transport.fd, crew->now);
    look_at_certificate(conn);
    TAILQ_INSERT_TAIL(&crew->seated, conn, seat);
    strangers_follow(conn);
    conn_arm_sweep(crew);
    if (!conn_watch(conn, EV_READ)) {
        conn_close(conn, CONN_CLOSE_NO_MEMORY);
        return false;
    }
    if (crew->draining || conn->transport.wants != 0) {
        schedule_wait(conn);
    }
    return true;
}

bool conn_open(struct crew *crew, struct transport *transport, const struct endpoint *endpoint)
{
    struct conn *conn = pool_get(&crew->conns);
    if (conn == NULL) {
        transport->ops->close(transport);
        instance_connection_closed(crew->instance);
        metrics_add(crew->metrics, METRIC_CLOSE_NO_MEMORY, 1);
        return false;
    }
    crew->now = clock_now();
    *conn = (struct conn){
        .crew = crew,
        .endpoint = endpoint,
        .transport = *transport,
        .state = PIPELINE_NEEDS_INPUT,
        .active = crew->now,
        .seated = crew->now,
    };
    return sit_down(conn);
}

void conn_sweep(struct crew *crew)
{
    uint64_t timeout = crew->settings.idle_timeout;
    struct conn *conn;
    turn_end_round(crew);
    crew->now = clock_now();
    while (timeout != 0 && (conn = TAILQ_FIRST(&crew->seated)) != NULL &&
           crew->now - conn->active >= timeout) {
        conn_close(conn, CONN_CLOSE_IDLE);
    }
    while ((conn = TAILQ_FIRST(&crew->lingers)) != NULL && crew->now - conn->active >= LINGER_MS) {
        conn_leave(conn);
    }
    strangers_dismiss(crew);
    close_parted(crew);
    conn_arm_sweep(crew);
}

static void on_again(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    schedule_run(context);
}

static void on_round(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    turn_end_round(context);
}

static void on_sweep(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    conn_sweep(context);
}

void conn_serve(struct crew *crew)
{
    evtimer_assign(&crew->again, crew->base, on_again, crew);
    evtimer_assign(&crew->round.ends, crew->base, on_round, crew);
    evtimer_assign(&crew->sweep, crew->base, on_sweep, crew);
    pressure_serve(crew);
}

/* Each is asked anew who it is; the old users go when nobody refers to them any more. */
static void change_users(struct crew *crew, struct users *users)
{
    struct users *before = crew->auth.users;
    struct conn *conn;
    crew->auth.users = users_get(users);
    TAILQ_FOREACH(conn, &crew->seated, seat)
    {
        identity_follow(&conn->identity, &crew->auth, crew->now);
        look_at_certificate(conn);
        strangers_follow(conn);
    }
    users_put(&before);
}

void conn_reconfigure(struct crew *crew, const struct conn_settings *settings, struct users *users)
{
    turn_end_round(crew);
    crew->now = clock_now();
    crew_configure(crew, settings);
    change_users(crew, users);
    event_del(&crew->sweep);
    conn_arm_sweep(crew);
}

void conn_answered(struct login_request *login)
{
    struct identity *identity = identity_answered(login);
    if (identity != NULL) {
        schedule_wait((struct conn *)((char *)identity - offsetof(struct conn, identity)));
    }
}

void conn_drain(struct crew *crew)
{
    struct conn *conn;
    turn_end_round(crew);
    crew->draining = true;
    while ((conn = TAILQ_FIRST(&crew->lingers)) != NULL) {
        conn_leave(conn);
    }
    TAILQ_FOREACH(conn, &crew->seated, seat)
    {
        if (conn->state == PIPELINE_NEEDS_INPUT && !conn->ended) {
            schedule_wait(conn);
        }
    }
    end_loop_if_done(crew);
}

void conn_close_all(struct crew *crew)
{
    struct conn *conn;
    turn_end_round(crew);
    while ((conn = TAILQ_FIRST(&crew->lingers)) != NULL) {
        conn_leave(conn);
    }
    while ((conn = TAILQ_FIRST(&crew->seated)) != NULL) {
        conn_close(conn, CONN_CLOSE_STOPPING);
    }
}

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
    close_reason_record(conn->loop->metrics, conn->transport.fd, conn->endpoint, why);
}

void conn_account(struct conn *conn, bool has_backlog)
{
    conn->loop->backlogged += (unsigned)has_backlog - (unsigned)conn->has_backlog;
    conn->has_backlog = has_backlog;
}

static void stop_parting(struct conn *conn)
{
    conn->loop->parting -= conn->parts;
    conn->parts = false;
}

/* What it holds of the loop, its seat apart. */
static void give_back(struct conn *conn)
{
    if (conn->pipeline != NULL) {
        pipeline_destroy(&conn->pipeline, &conn->loop->workspace);
    }
    conn_account(conn, false);
    pressure_leave(conn);
    identity_deinit(&conn->identity);
    timeouts_leave(conn);
    stop_parting(conn);
}

static void count_lingering(struct loop *loop, int change)
{
    atomic_fetch_add_explicit(&loop->lingering, (unsigned)change, memory_order_relaxed);
}

static void end_loop_if_done(struct loop *loop)
{
    if (loop->draining && TAILQ_EMPTY(&loop->active) && TAILQ_EMPTY(&loop->lingers)) {
        event_base_loopbreak(loop->base);
    }
}

void conn_leave(struct conn *conn)
{
    struct loop *loop = conn->loop;
    give_back(conn);
    run_queue_remove(conn);
    TAILQ_REMOVE(conn->lingers ? &loop->lingers : &loop->active, conn, link);
    if (conn->lingers) {
        count_lingering(loop, -1);
    }
    if (conn->watched != 0) {
        event_del(&conn->event);
    }
    conn->transport.ops->close(&conn->transport);
    pool_put(&loop->conns, conn);
    instance_connection_closed(loop->instance);
    end_loop_if_done(loop);
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
    event_assign(&conn->event, conn->loop->base, conn->transport.fd, (short)(what | EV_PERSIST),
                 what == CONN_WATCH_PEER ? on_peer : on_ready, conn);
    if (event_add(&conn->event, NULL) == 0) {
        return true;
    }
    conn->watched = 0;
    return false;
}

void conn_arm_sweep(struct loop *loop)
{
    bool needed = !TAILQ_EMPTY(&loop->lingers) || !TAILQ_EMPTY(&loop->unauthenticated) ||
                  loop->parting > 0 ||
                  (loop->settings.idle_timeout != 0 && !TAILQ_EMPTY(&loop->active));
    if (needed && !event_pending(&loop->sweep, EV_TIMEOUT, NULL)) {
        uint64_t grain = loop_grain(loop);
        struct timeval period = {.tv_sec = (time_t)(grain / 1000),
                                 .tv_usec = (suseconds_t)(grain % 1000 * 1000)};
        event_add(&loop->sweep, &period);
    }
}

/* Its seat follows only now and then, so that a busy connection costs no more than a
 * comparison. */
void conn_touch(struct conn *conn)
{
    struct loop *loop = conn->loop;
    conn->active = loop->now;
    if (loop->now - conn->listed >= loop_grain(loop)) {
        TAILQ_REMOVE(&loop->active, conn, link);
        TAILQ_INSERT_TAIL(&loop->active, conn, link);
        conn->listed = loop->now;
    }
}

/* --- lingering ------------------------------------------------------------ */

void conn_linger(struct conn *conn, enum conn_close why)
{
    struct loop *loop = conn->loop;
    say_why(conn, why);
    give_back(conn);
    count_lingering(loop, 1); /* before its peer hears of it */
    conn->transport.ops->end(&conn->transport);
    TAILQ_REMOVE(&loop->active, conn, link);
    TAILQ_INSERT_TAIL(&loop->lingers, conn, link);
    conn->lingers = true;
    conn->active = loop->now;
    conn_arm_sweep(loop);
    if (conn->ended || loop->draining || !conn_watch(conn, EV_READ)) {
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
    struct loop *loop = conn->loop;
    loop->now = clock_now();
    conn->active = loop->now;
    conn->parts = true;
    loop->parting++;
    conn_arm_sweep(loop);
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
static void close_parted(struct loop *loop)
{
    struct conn *next, *conn = loop->parting > 0 ? TAILQ_FIRST(&loop->active) : NULL;
    for (; conn != NULL; conn = next) {
        next = TAILQ_NEXT(conn, link);
        if (conn->parts && !identity_waits(&conn->identity)) {
            stop_parting(conn);
        } else if (conn->parts && loop->now - conn->active >= PARTING_MS) {
            conn_close(conn, CONN_CLOSE_PEER);
        }
    }
}

/* Its socket is ready. */
static void on_ready(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    scheduler_ready(context, what);
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
        identity_by_certificate(&conn->identity, &conn->loop->auth, (struct slice){name, length});
    }
}

/* Takes its seat, and waits for the first bytes. May close it: false. */
static bool activate(struct conn *conn)
{
    struct loop *loop = conn->loop;
    identity_init(&conn->identity, &loop->auth, conn->transport.fd, loop->now);
    look_at_certificate(conn);
    TAILQ_INSERT_TAIL(&loop->active, conn, link);
    timeouts_follow(conn);
    conn_arm_sweep(loop);
    if (!conn_watch(conn, EV_READ)) {
        conn_close(conn, CONN_CLOSE_NO_MEMORY);
        return false;
    }
    if (loop->draining || conn->transport.wants != 0) {
        run_queue_add(conn);
    }
    return true;
}

bool conn_open(struct loop *loop, struct transport *transport, const struct endpoint *endpoint)
{
    struct conn *conn = pool_get(&loop->conns);
    if (conn == NULL) {
        transport->ops->close(transport);
        instance_connection_closed(loop->instance);
        metrics_add(loop->metrics, METRIC_CLOSE_NO_MEMORY, 1);
        return false;
    }
    loop->now = clock_now();
    *conn = (struct conn){
        .loop = loop,
        .endpoint = endpoint,
        .transport = *transport,
        .state = PIPELINE_NEEDS_INPUT,
        .active = loop->now,
        .listed = loop->now,
    };
    return activate(conn);
}

void conn_sweep(struct loop *loop)
{
    uint64_t timeout = loop->settings.idle_timeout;
    struct conn *conn;
    conn_io_end_round(loop);
    loop->now = clock_now();
    while (timeout != 0 && (conn = TAILQ_FIRST(&loop->active)) != NULL &&
           loop->now - conn->active >= timeout) {
        conn_close(conn, CONN_CLOSE_IDLE);
    }
    while ((conn = TAILQ_FIRST(&loop->lingers)) != NULL && loop->now - conn->active >= LINGER_MS) {
        conn_leave(conn);
    }
    timeouts_dismiss(loop);
    close_parted(loop);
    conn_arm_sweep(loop);
}

static void on_again(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    scheduler_run(context);
}

static void on_round(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    conn_io_end_round(context);
}

static void on_sweep(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    conn_sweep(context);
}

void conn_serve(struct loop *loop)
{
    evtimer_assign(&loop->again, loop->base, on_again, loop);
    evtimer_assign(&loop->round.ends, loop->base, on_round, loop);
    evtimer_assign(&loop->sweep, loop->base, on_sweep, loop);
    pressure_serve(loop);
}

/* Each is asked anew who it is; the old users go when nobody refers to them any more. */
static void change_users(struct loop *loop, struct users *users)
{
    struct users *before = loop->auth.users;
    struct conn *conn;
    loop->auth.users = users_get(users);
    TAILQ_FOREACH(conn, &loop->active, link)
    {
        identity_follow(&conn->identity, &loop->auth, loop->now);
        look_at_certificate(conn);
        timeouts_follow(conn);
    }
    users_put(&before);
}

void conn_reconfigure(struct loop *loop, const struct conn_settings *settings, struct users *users)
{
    conn_io_end_round(loop);
    loop->now = clock_now();
    loop_configure(loop, settings);
    change_users(loop, users);
    event_del(&loop->sweep);
    conn_arm_sweep(loop);
}

void conn_answered(struct login_request *login)
{
    struct identity *identity = identity_answered(login);
    if (identity != NULL) {
        run_queue_add((struct conn *)((char *)identity - offsetof(struct conn, identity)));
    }
}

void conn_drain(struct loop *loop)
{
    struct conn *conn;
    conn_io_end_round(loop);
    loop->draining = true;
    while ((conn = TAILQ_FIRST(&loop->lingers)) != NULL) {
        conn_leave(conn);
    }
    TAILQ_FOREACH(conn, &loop->active, link)
    {
        if (conn->state == PIPELINE_NEEDS_INPUT && !conn->ended) {
            run_queue_add(conn);
        }
    }
    end_loop_if_done(loop);
}

void conn_close_all(struct loop *loop)
{
    struct conn *conn;
    conn_io_end_round(loop);
    while ((conn = TAILQ_FIRST(&loop->lingers)) != NULL) {
        conn_leave(conn);
    }
    while ((conn = TAILQ_FIRST(&loop->active)) != NULL) {
        conn_close(conn, CONN_CLOSE_STOPPING);
    }
}

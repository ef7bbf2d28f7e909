/*
 * conn.c - a connection's turns.
 *
 * A turn begins when the socket is ready, or when the others have had theirs:
 *
 *     receive   one read
 *     work      the desk answers what is there, within its budget
 *     send      one write of all replies
 *     settle    wait for bytes, for room to write, for the next turn; or close
 *
 * A peer that sends and never reads fills its outbox; then the desk stops, no
 * more is read, and the peer's own writes come to a halt. That bounds the memory
 * of a connection and harms nobody else.
 *
 * A connection that ends while its peer may still be sending lingers: if a
 * socket is closed with bytes unread, the kernel resets it, and the reset may
 * overtake the reply that says what was wrong. So it says that it is done, and
 * reads and drops what comes, until the peer has gone or LINGER_MS have passed.
 */
#include "daemon/conn.h"

#include <syslog.h>

#include "daemon/clock.h"
#include "daemon/desk.h"
#include "daemon/housekeeper.h"
#include "daemon/log.h"
#include "daemon/transport.h"

enum { LINGER_MS = 2000 };

struct conn {
    struct event event;
    struct crew *crew;
    struct desk *desk; /* NULL while there is nothing to do */
    const struct door *door;
    struct transport transport;
    TAILQ_ENTRY(conn) seat; /* in crew->seated or crew->lingers */
    TAILQ_ENTRY(conn) wait; /* in crew->waiting, if `waits` */
    uint64_t active;        /* when it last had a turn, or began to linger */
    uint64_t seated;        /* when it was put at the end of crew->seated */
    enum desk_state state;
    short watched; /* what its event waits for */
    bool waits;
    bool lingers;
    bool ended; /* no more bytes will be read */
};

size_t conn_size(void)
{
    return sizeof(struct conn);
}

/* --- closing -------------------------------------------------------------- */

static const struct close_reason {
    enum metric metric;
    int level;
    const char *text;
} reasons[] = {
#define CLOSE(id, name, level, text) [CONN_CLOSE_##id] = {METRIC_CLOSE_##id, level, text},
#include "daemon/closes.def"
#undef CLOSE
};

static void say_why(const struct conn *conn, enum conn_close why)
{
    const struct close_reason *reason = &reasons[why];
    metrics_add(conn->crew->metrics, reason->metric, 1);
    if (log_wants(reason->level)) {
        char peer[TRANSPORT_PEER_MAX];
        transport_peer(&conn->transport, peer, sizeof peer);
        log_line(reason->level, "%s: %s: %s", conn->door->name, peer, reason->text);
    }
}

/* What it holds of the crew, its seat apart. */
static void give_back(struct conn *conn)
{
    if (conn->desk != NULL) {
        desk_destroy(&conn->desk, conn->crew);
    }
    if (conn->waits) {
        TAILQ_REMOVE(&conn->crew->waiting, conn, wait);
        conn->waits = false;
    }
}

static void end_loop_if_done(struct crew *crew)
{
    if (crew->draining && TAILQ_EMPTY(&crew->seated) && TAILQ_EMPTY(&crew->lingers)) {
        event_base_loopbreak(crew->base);
    }
}

static void leave(struct conn *conn)
{
    struct crew *crew = conn->crew;
    give_back(conn);
    TAILQ_REMOVE(conn->lingers ? &crew->lingers : &crew->seated, conn, seat);
    if (conn->watched != 0) {
        event_del(&conn->event);
    }
    conn->transport.ops->close(&conn->transport);
    pool_put(&crew->conns, conn);
    atomic_fetch_sub_explicit(&crew->facts->connections, 1, memory_order_relaxed);
    end_loop_if_done(crew);
}

static void close_for(struct conn *conn, enum conn_close why)
{
    say_why(conn, why);
    leave(conn);
}

/* --- waiting -------------------------------------------------------------- */

static void on_ready(evutil_socket_t fd, short what, void *context);

/* Waits for these and for nothing else. False: no memory. */
static bool watch(struct conn *conn, short what)
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
                 on_ready, conn);
    if (event_add(&conn->event, NULL) == 0) {
        return true;
    }
    conn->watched = 0;
    return false;
}

/* Goes on when everybody else has been looked at: a timer that is due at once
 * fires after the sockets were polled, an event made active would before. */
static void wait_for_turn(struct conn *conn)
{
    static const struct timeval at_once = {0, 0};
    struct crew *crew = conn->crew;
    if (conn->waits) {
        return;
    }
    if (!event_pending(&crew->again, EV_TIMEOUT, NULL) && event_add(&crew->again, &at_once) != 0) {
        event_active(&crew->again, EV_TIMEOUT, 0);
    }
    conn->waits = true;
    TAILQ_INSERT_TAIL(&crew->waiting, conn, wait);
}

static void arm_sweep(struct crew *crew)
{
    bool needed = !TAILQ_EMPTY(&crew->lingers) ||
                  (crew->settings.idle_timeout != 0 && !TAILQ_EMPTY(&crew->seated));
    if (needed && !event_pending(&crew->sweep, EV_TIMEOUT, NULL)) {
        uint64_t grain = crew_grain(crew);
        struct timeval period = {.tv_sec = (time_t)(grain / 1000),
                                 .tv_usec = (suseconds_t)(grain % 1000 * 1000)};
        event_add(&crew->sweep, &period);
    }
}

/* It had a turn. Its seat follows only now and then, so that a busy
 * connection costs no more than a comparison. */
static void touch(struct conn *conn)
{
    struct crew *crew = conn->crew;
    conn->active = crew->now;
    if (crew->now - conn->seated >= crew_grain(crew)) {
        TAILQ_REMOVE(&crew->seated, conn, seat);
        TAILQ_INSERT_TAIL(&crew->seated, conn, seat);
        conn->seated = crew->now;
    }
}

/* --- a turn --------------------------------------------------------------- */

static void linger(struct conn *conn)
{
    struct crew *crew = conn->crew;
    say_why(conn, CONN_CLOSE_CONFUSED);
    give_back(conn);
    conn->transport.ops->end(&conn->transport);
    TAILQ_REMOVE(&crew->seated, conn, seat);
    TAILQ_INSERT_TAIL(&crew->lingers, conn, seat);
    conn->lingers = true;
    conn->active = crew->now;
    arm_sweep(crew);
    if (conn->ended || crew->draining || !watch(conn, EV_READ)) {
        leave(conn);
    }
}

/* A lingering connection: drops what comes. */
static void swallow(struct conn *conn)
{
    char dropped[16384];
    size_t moved;
    enum transport_status status =
        conn->transport.ops->read(&conn->transport, dropped, sizeof dropped, &moved);
    if (status == TRANSPORT_EOF || status == TRANSPORT_FAILED) {
        leave(conn);
    }
}

/* False: it broke. */
static bool receive(struct conn *conn)
{
    struct crew *crew = conn->crew;
    size_t moved = 0;
    switch (desk_receive(conn->desk, crew, &conn->transport, &moved)) {
    case TRANSPORT_OK:
        metrics_add(crew->metrics, METRIC_BYTES_READ, moved);
        return true;
    case TRANSPORT_AGAIN:
        conn->ended = crew->draining;
        return true;
    case TRANSPORT_EOF:
        conn->ended = true;
        return true;
    case TRANSPORT_FAILED:
        break;
    }
    return false;
}

/* False: it broke. */
static bool flush(struct conn *conn)
{
    struct outbox *outbox = &conn->desk->outbox;
    size_t moved = 0;
    if (outbox_is_empty(outbox)) {
        return true;
    }
    switch (outbox_send(outbox, &conn->transport, &moved)) {
    case TRANSPORT_OK:
        metrics_add(conn->crew->metrics, METRIC_BYTES_WRITTEN, moved);
        return true;
    case TRANSPORT_AGAIN:
        return true;
    case TRANSPORT_EOF:
    case TRANSPORT_FAILED:
        break;
    }
    return false;
}

/* What it waits for next. It may be closed by this. */
static void settle(struct conn *conn)
{
    struct crew *crew = conn->crew;
    bool sent_all = outbox_is_empty(&conn->desk->outbox);
    short what = sent_all ? 0 : EV_WRITE;
    switch (conn->state) {
    case DESK_HUNGRY:
        if (conn->ended && sent_all) {
            close_for(conn, crew->draining ? CONN_CLOSE_STOPPING : CONN_CLOSE_PEER);
            return;
        }
        if (!conn->ended) {
            what |= EV_READ;
        }
        if (!conn->ended && crew->draining) {
            wait_for_turn(conn);
        }
        break;
    case DESK_TIRED:
        metrics_add(crew->metrics, METRIC_CONN_YIELDS, 1);
        wait_for_turn(conn);
        return;
    case DESK_STALLED:
        if (outbox_has_drained(&conn->desk->outbox)) {
            wait_for_turn(conn);
            return;
        }
        if (conn->watched != EV_WRITE) {
            metrics_add(crew->metrics, METRIC_CONN_STALLS, 1);
        }
        break;
    case DESK_QUIT:
        if (sent_all) {
            close_for(conn, CONN_CLOSE_QUIT);
            return;
        }
        break;
    case DESK_CONFUSED:
        if (sent_all) {
            linger(conn);
            return;
        }
        break;
    case DESK_BROWSER:
        close_for(conn, CONN_CLOSE_BROWSER);
        return;
    case DESK_NO_MEMORY:
        close_for(conn, CONN_CLOSE_NO_MEMORY);
        return;
    }
    if (desk_is_clear(conn->desk)) {
        desk_destroy(&conn->desk, crew);
    }
    if (!watch(conn, what)) {
        close_for(conn, CONN_CLOSE_NO_MEMORY);
    }
}

/* Whether the desk has anything to do this turn. */
static bool may_work(const struct conn *conn)
{
    switch (conn->state) {
    case DESK_HUNGRY:
    case DESK_TIRED:
        return true;
    case DESK_STALLED:
        return outbox_has_drained(&conn->desk->outbox);
    default:
        return false;
    }
}

static void turn(struct conn *conn, bool readable, bool writable)
{
    struct crew *crew = conn->crew;
    if (conn->desk == NULL) {
        conn->desk = desk_create(crew, conn->door);
        if (conn->desk == NULL) {
            close_for(conn, CONN_CLOSE_NO_MEMORY);
            return;
        }
    }
    bool whole = !writable || flush(conn);
    if (whole && readable && conn->state == DESK_HUNGRY && !conn->ended) {
        whole = receive(conn);
    }
    if (whole && may_work(conn)) {
        conn->state = desk_work(conn->desk, crew);
    } else {
        crew->now = clock_now();
    }
    if (!whole || !flush(conn)) {
        close_for(conn, CONN_CLOSE_BROKEN);
        return;
    }
    touch(conn);
    if (crew->housekeeper != NULL && store_wants_housekeeping(crew->store)) {
        housekeeper_poke(crew->housekeeper);
    }
    settle(conn);
}

static void on_ready(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    struct conn *conn = context;
    if (conn->lingers) {
        swallow(conn);
    } else if (!conn->waits) {
        turn(conn, (what & EV_READ) != 0, (what & EV_WRITE) != 0);
    }
}

/* --- for the worker ------------------------------------------------------- */

bool conn_open(struct crew *crew, int fd, const struct door *door)
{
    struct transport transport;
    transport_plain(&transport, fd);
    struct conn *conn = pool_get(&crew->conns);
    if (conn == NULL) {
        transport.ops->close(&transport);
        atomic_fetch_sub_explicit(&crew->facts->connections, 1, memory_order_relaxed);
        metrics_add(crew->metrics, METRIC_CLOSE_NO_MEMORY, 1);
        return false;
    }
    crew->now = clock_now();
    *conn = (struct conn){
        .crew = crew,
        .door = door,
        .transport = transport,
        .state = DESK_HUNGRY,
        .active = crew->now,
        .seated = crew->now,
    };
    TAILQ_INSERT_TAIL(&crew->seated, conn, seat);
    arm_sweep(crew);
    if (!watch(conn, EV_READ)) {
        close_for(conn, CONN_CLOSE_NO_MEMORY);
        return false;
    }
    if (crew->draining) {
        wait_for_turn(conn);
    }
    return true;
}

void conn_resume_waiting(struct crew *crew)
{
    /* Those that have to wait once more come behind the last of now. */
    struct conn *last = TAILQ_LAST(&crew->waiting, crew_list);
    struct conn *conn;
    bool more = last != NULL;
    while (more && (conn = TAILQ_FIRST(&crew->waiting)) != NULL) {
        more = conn != last;
        TAILQ_REMOVE(&crew->waiting, conn, wait);
        conn->waits = false;
        turn(conn, crew->draining, false);
    }
}

void conn_sweep(struct crew *crew)
{
    uint64_t timeout = crew->settings.idle_timeout;
    struct conn *conn;
    crew->now = clock_now();
    while (timeout != 0 && (conn = TAILQ_FIRST(&crew->seated)) != NULL &&
           crew->now - conn->active >= timeout) {
        close_for(conn, CONN_CLOSE_IDLE);
    }
    while ((conn = TAILQ_FIRST(&crew->lingers)) != NULL && crew->now - conn->active >= LINGER_MS) {
        leave(conn);
    }
    arm_sweep(crew);
}

void conn_reconfigure(struct crew *crew, const struct conn_settings *settings)
{
    crew->settings = *settings;
    event_del(&crew->sweep);
    arm_sweep(crew);
}

void conn_drain(struct crew *crew)
{
    struct conn *conn;
    crew->draining = true;
    while ((conn = TAILQ_FIRST(&crew->lingers)) != NULL) {
        leave(conn);
    }
    TAILQ_FOREACH(conn, &crew->seated, seat)
    {
        if (conn->state == DESK_HUNGRY && !conn->ended) {
            wait_for_turn(conn);
        }
    }
    end_loop_if_done(crew);
}

void conn_close_all(struct crew *crew)
{
    struct conn *conn;
    while ((conn = TAILQ_FIRST(&crew->lingers)) != NULL) {
        leave(conn);
    }
    while ((conn = TAILQ_FIRST(&crew->seated)) != NULL) {
        close_for(conn, CONN_CLOSE_STOPPING);
    }
}

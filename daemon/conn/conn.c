/*
 * conn.c - what a connection waits for, and how it ends.
 *
 * What it does when its socket is ready is in conn_io.c.
 *
 * A connection that ends while its peer may still be sending lingers: if a socket is closed with
 * bytes unread, the kernel resets it, and the reset may overtake the reply that says what was
 * wrong. So the connection shuts down its sending side, and reads and drops what comes, until the
 * peer closes or LINGER_MS (timeouts.c) have passed.
 *
 * A connection that awaits the authenticator or a cluster reads nothing, but notices when its peer
 * closes, and withdraws its login or its questions then. A peer that has only shut down its sending
 * side may still read the answer: it has HALF_CLOSED_MS (timeouts.c), or the patience of the
 * cluster. Most peers that close look like this at first.
 */
#include "daemon/conn/conn.h"

#include <poll.h>

#include "daemon/base/clock.h"
#include "daemon/conn/conn_memory.h"
#include "daemon/conn/conn_state.h"
#include "daemon/conn/run_queue.h"
#include "daemon/request/inspection.h"
#include "daemon/request/notice.h"

/* --- unauthenticated ------------------------------------------------------ */

static void count_unauthenticated(struct loop *loop, int change)
{
    atomic_fetch_add_explicit(&loop->unauthenticated_count, (unsigned)change, memory_order_relaxed);
}

static void leave_unauthenticated(struct conn *conn)
{
    struct loop *loop = conn->loop;
    if (conn->is_unauthenticated) {
        conn->is_unauthenticated = false;
        TAILQ_REMOVE(&loop->unauthenticated, conn, unauthenticated_link);
        count_unauthenticated(loop, -1);
    }
}

void conn_follow_identity(struct conn *conn)
{
    struct loop *loop = conn->loop;
    bool is_unauthenticated = conn->identity.state == IDENTITY_UNAUTHENTICATED;
    if (is_unauthenticated && !conn->is_unauthenticated) {
        conn->is_unauthenticated = true;
        TAILQ_INSERT_TAIL(&loop->unauthenticated, conn, unauthenticated_link);
        count_unauthenticated(loop, 1);
        loop_arm_sweep(loop);
    } else if (!is_unauthenticated) {
        leave_unauthenticated(conn);
    }
}

/* --- closing -------------------------------------------------------------- */

void conn_notice(const struct conn *conn, enum event_kind kind, const char *reason)
{
    const struct loop *loop = conn->loop;
    if (watch_wants(&loop->instance->watched, EVENT_BIT(kind)) && loop->watch != NULL) {
        notice_connection(loop->watch, kind, &conn->identity, conn->endpoint, reason);
    }
}

static void record_reason(const struct conn *conn, enum conn_close why)
{
    struct loop *loop = conn->loop;
    close_reason_record(loop->metrics, conn->transport.fd, conn->endpoint, why);
    conn_notice(conn, EVENT_CLOSED, close_reason_word(why));
}

void conn_set_backlog(struct conn *conn, bool has_backlog)
{
    conn->loop->backlogged += (unsigned)has_backlog - (unsigned)conn->has_backlog;
    conn->has_backlog = has_backlog;
}

void conn_clear_half_closed(struct conn *conn)
{
    conn->loop->half_closed -= conn->half_closed;
    conn->half_closed = false;
}

/* Releases everything it took from the loop, except its place in the list of active connections. */
static void release(struct conn *conn)
{
    if (conn->pipeline != NULL) {
        pipeline_destroy(&conn->pipeline, &conn->loop->workspace);
    }
    conn_set_backlog(conn, false);
    conn_memory_release(conn);
    inspection_end(&conn->identity);
    identity_deinit(&conn->identity);
    leave_unauthenticated(conn);
    conn_clear_half_closed(conn);
}

static void count_lingering(struct loop *loop, int change)
{
    atomic_fetch_add_explicit(&loop->lingering_count, (unsigned)change, memory_order_relaxed);
}

void conn_destroy(struct conn *conn)
{
    struct loop *loop = conn->loop;
    release(conn);
    run_queue_remove(conn);
    TAILQ_REMOVE(conn->lingers ? &loop->lingering : &loop->active, conn, link);
    if (conn->lingers) {
        count_lingering(loop, -1);
    }
    if (conn->watched != 0) {
        event_del(&conn->event);
    }
    conn->transport.ops->close(&conn->transport);
    pool_put(&loop->conns, conn);
    instance_connection_closed(loop->instance);
    loop_end_if_drained(loop);
}

void conn_close(struct conn *conn, enum conn_close why)
{
    record_reason(conn, why);
    conn_destroy(conn);
}

/* --- waiting -------------------------------------------------------------- */

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
                 what == CONN_WATCH_PEER ? on_peer : conn->loop->on_ready, conn);
    if (event_add(&conn->event, NULL) == 0) {
        return true;
    }
    conn->watched = 0;
    return false;
}

/* Its place in the list is updated once in a sweep's interval, so that a pass costs one comparison
 * here. */
void conn_touch(struct conn *conn)
{
    struct loop *loop = conn->loop;
    conn->last_active = loop->now;
    if (loop->now - conn->listed_at >= loop->sweep_interval) {
        TAILQ_REMOVE(&loop->active, conn, link);
        TAILQ_INSERT_TAIL(&loop->active, conn, link);
        conn->listed_at = loop->now;
    }
}

/* --- lingering ------------------------------------------------------------ */

void conn_linger(struct conn *conn, enum conn_close why)
{
    struct loop *loop = conn->loop;
    record_reason(conn, why);
    release(conn);
    count_lingering(loop, 1); /* before the peer sees the end of the stream */
    conn->transport.ops->end(&conn->transport);
    TAILQ_REMOVE(&loop->active, conn, link);
    TAILQ_INSERT_TAIL(&loop->lingering, conn, link);
    conn->lingers = true;
    conn->last_active = loop->now;
    loop_arm_sweep(loop);
    if (conn->ended || loop->draining || !conn_watch(conn, EV_READ)) {
        conn_destroy(conn);
    }
}

void conn_swallow(struct conn *conn)
{
    char dropped[16384];
    size_t moved;
    enum transport_status status =
        conn->transport.ops->read(&conn->transport, dropped, sizeof dropped, &moved);
    bool ends = status == TRANSPORT_EOF || status == TRANSPORT_FAILED;
    if (ends || !conn_watch(conn, EV_READ)) { /* it may have been queued, and not been watched */
        conn_destroy(conn);
    }
}

/* --- half closed ---------------------------------------------------------------- */

static void note_half_closed(struct conn *conn)
{
    struct loop *loop = conn->loop;
    loop->now = clock_now();
    conn->last_active = loop->now;
    conn->half_closed = true;
    loop->half_closed++;
    loop_arm_sweep(loop);
}

/* It awaits an answer, and its peer has sent more, shut down or closed. */
static void on_peer(evutil_socket_t fd, short what, void *context)
{
    struct conn *conn = context;
    struct pollfd peer = {.fd = fd, .events = POLLRDHUP};
    (void)what;
    poll(&peer, 1, 0);
    if ((peer.revents & (POLLHUP | POLLERR)) != 0) {
        conn_close(conn, CONN_CLOSE_PEER);
    } else if ((peer.revents & POLLRDHUP) != 0 && !conn->half_closed) {
        note_half_closed(conn);
    }
}

/*
 * timeouts.c - see timeouts.h.
 *
 * loop->unauthenticated is in the order in which connections became unauthenticated. A connection
 * keeps its place for as long as it is unauthenticated: a reload makes none younger.
 */
#include "daemon/conn/timeouts.h"

#include "daemon/base/clock.h"
#include "daemon/conn/conn.h"
#include "daemon/conn/conn_io.h"
#include "daemon/conn/conn_state.h"
#include "daemon/net/handshaker.h"
#include "daemon/request/inspection.h"

enum {
    LINGER_MS = 2000,
    HALF_CLOSED_MS = 1000,
    SKIPPED_MAX = 64, /* of the oldest connections, when they await the authenticator */
};

/* Closes unauthenticated connections that are overdue. It spares those that await the
 * authenticator: the delay is the daemon's. */
static void close_unauthenticated(struct loop *loop)
{
    struct conn *conn = TAILQ_FIRST(&loop->unauthenticated);
    while (conn != NULL && identity_is_overdue(&conn->identity, loop->now)) {
        struct conn *next = TAILQ_NEXT(conn, unauthenticated_link);
        if (conn->identity.login == NULL) {
            conn_close(conn, CONN_CLOSE_UNAUTHENTICATED);
        }
        conn = next;
    }
}

/* Whether it awaits the authenticator. A peer that is half closed has most likely hung up, and does
 * not read the answer. */
static bool waits(const struct conn *conn)
{
    return conn->identity.login != NULL && !conn->half_closed;
}

/* Skips connections that await the authenticator, up to SKIPPED_MAX: they have sent a login, where
 * others have sent none. NULL: there is none at all. */
static struct conn *oldest_unauthenticated(const struct loop *loop)
{
    struct conn *conn = TAILQ_FIRST(&loop->unauthenticated);
    for (int i = 0; i < SKIPPED_MAX && conn != NULL && waits(conn); i++) {
        conn = TAILQ_NEXT(conn, unauthenticated_link);
    }
    return conn != NULL && !waits(conn) ? conn : TAILQ_FIRST(&loop->unauthenticated);
}

bool timeouts_make_room(struct loop *loop)
{
    conn_io_end_round(loop); /* the connection to be closed may have begun its pass */
    if (!TAILQ_EMPTY(&loop->lingering)) {
        conn_destroy(TAILQ_FIRST(&loop->lingering));
        return true;
    }
    struct conn *oldest = oldest_unauthenticated(loop);
    uint64_t handshaking_since =
        loop->handshaker == NULL ? HANDSHAKER_EMPTY : handshaker_oldest(loop->handshaker);
    if (oldest != NULL && oldest->identity.unauthenticated_since <= handshaking_since) {
        conn_close(oldest, CONN_CLOSE_REPLACED);
    } else if (handshaking_since != HANDSHAKER_EMPTY) {
        handshaker_make_room(loop->handshaker);
    } else {
        return false;
    }
    return true;
}

static bool awaits_answer(const struct conn *conn)
{
    return conn->pipeline != NULL && pipeline_awaits_answer(conn->pipeline);
}

/* How long that takes is bounded by the patience of the cluster. */
static bool awaits_remote(const struct conn *conn)
{
    return conn->pipeline != NULL && pipeline_awaits_remote(conn->pipeline);
}

/* Closes half-closed connections after HALF_CLOSED_MS. It spares those that await a cluster: their
 * peers may have sent all of their requests, and the delay is not theirs. */
static void close_half_closed(struct loop *loop)
{
    struct conn *next, *conn = loop->half_closed > 0 ? TAILQ_FIRST(&loop->active) : NULL;
    for (; conn != NULL; conn = next) {
        next = TAILQ_NEXT(conn, link);
        if (conn->half_closed && !awaits_answer(conn)) {
            conn_clear_half_closed(conn);
        } else if (conn->half_closed && !awaits_remote(conn) &&
                   loop->now - conn->last_active >= HALF_CLOSED_MS) {
            conn_close(conn, CONN_CLOSE_PEER);
        }
    }
}

/* A connection that watches is not idle, though nothing may happen for long; nor is one that awaits
 * a cluster. */
static void close_idle(struct conn *conn)
{
    if (inspection_watches(&conn->identity) || awaits_remote(conn)) {
        conn_touch(conn);
    } else {
        conn_close(conn, CONN_CLOSE_IDLE);
    }
}

void timeouts_sweep(struct loop *loop)
{
    uint64_t timeout = loop->settings.idle_timeout;
    struct conn *conn;
    conn_io_end_round(loop);
    loop->now = clock_now();
    while (timeout != 0 && (conn = TAILQ_FIRST(&loop->active)) != NULL &&
           loop->now - conn->last_active >= timeout) {
        close_idle(conn);
    }
    while ((conn = TAILQ_FIRST(&loop->lingering)) != NULL &&
           loop->now - conn->last_active >= LINGER_MS) {
        conn_destroy(conn);
    }
    close_unauthenticated(loop);
    close_half_closed(loop);
    loop_arm_sweep(loop);
}

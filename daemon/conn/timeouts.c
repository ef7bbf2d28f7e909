/*
 * timeouts.c - who has to go when, of those that have proved nothing.
 *
 * They stand in loop->strangers in the order in which they became strangers, and stay where
 * they stand as long as they are: a reload makes nobody younger.
 */
#include "daemon/conn/timeouts.h"

#include "daemon/base/clock.h"
#include "daemon/conn/conn.h"
#include "daemon/conn/conn_io.h"
#include "daemon/conn/conn_state.h"
#include "daemon/net/handshaker.h"

/* Of the oldest, so many may wait for the authenticator before one of those goes. */
enum { SKIPPED_MAX = 64 };

enum { LINGER_MS = 2000, HALF_CLOSED_MS = 1000 };

/* Those that wait for the authenticator are not to blame. */
static void dismiss(struct loop *loop)
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

/* A peer that has said its last has most likely gone, and waits for no answer. */
static bool waits(const struct conn *conn)
{
    return conn->identity.login != NULL && !conn->half_closed;
}

/* One that waits for the authenticator has a better right to stay than one that is silent. */
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
    conn_io_end_round(loop); /* it may have begun its turn */
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

/* Closes those that have had HALF_CLOSED_MS. */
static void close_half_closed(struct loop *loop)
{
    struct conn *next, *conn = loop->half_closed > 0 ? TAILQ_FIRST(&loop->active) : NULL;
    for (; conn != NULL; conn = next) {
        next = TAILQ_NEXT(conn, link);
        if (conn->half_closed && !identity_waits(&conn->identity)) {
            conn_clear_half_closed(conn);
        } else if (conn->half_closed && loop->now - conn->last_active >= HALF_CLOSED_MS) {
            conn_close(conn, CONN_CLOSE_PEER);
        }
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
        conn_close(conn, CONN_CLOSE_IDLE);
    }
    while ((conn = TAILQ_FIRST(&loop->lingering)) != NULL &&
           loop->now - conn->last_active >= LINGER_MS) {
        conn_destroy(conn);
    }
    dismiss(loop);
    close_half_closed(loop);
    loop_arm_sweep(loop);
}

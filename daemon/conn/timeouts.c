/*
 * timeouts.c - who has to go when, of those that have proved nothing.
 *
 * They stand in loop->strangers in the order in which they became strangers, and stay where
 * they stand as long as they are: a reload makes nobody younger.
 */
#include "daemon/conn/timeouts.h"

#include "daemon/conn/conn_io.h"
#include "daemon/conn/conn_state.h"
#include "daemon/net/handshaker.h"

/* Of the oldest, so many may wait for the authenticator before one of those goes. */
enum { PASSED_OVER_MAX = 64 };

static void count(struct loop *loop, int change)
{
    atomic_fetch_add_explicit(&loop->unproven, (unsigned)change, memory_order_relaxed);
}

void timeouts_follow(struct conn *conn)
{
    struct loop *loop = conn->loop;
    bool is_unauthenticated = conn->identity.state == IDENTITY_UNAUTHENTICATED;
    if (is_unauthenticated && !conn->is_unauthenticated) {
        conn->is_unauthenticated = true;
        TAILQ_INSERT_TAIL(&loop->unauthenticated, conn, unauthenticated_link);
        count(loop, 1);
        conn_arm_sweep(loop);
    } else if (!is_unauthenticated) {
        timeouts_leave(conn);
    }
}

void timeouts_leave(struct conn *conn)
{
    struct loop *loop = conn->loop;
    if (conn->is_unauthenticated) {
        conn->is_unauthenticated = false;
        TAILQ_REMOVE(&loop->unauthenticated, conn, unauthenticated_link);
        count(loop, -1);
    }
}

/* Those that wait for the authenticator are not to blame. */
void timeouts_dismiss(struct loop *loop)
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
    return conn->identity.login != NULL && !conn->parts;
}

/* One that waits for the authenticator has a better right to stay than one that is silent. */
static struct conn *oldest_unauthenticated(const struct loop *loop)
{
    struct conn *conn = TAILQ_FIRST(&loop->unauthenticated);
    for (int i = 0; i < PASSED_OVER_MAX && conn != NULL && waits(conn); i++) {
        conn = TAILQ_NEXT(conn, unauthenticated_link);
    }
    return conn != NULL && !waits(conn) ? conn : TAILQ_FIRST(&loop->unauthenticated);
}

bool timeouts_make_room(struct loop *loop)
{
    conn_io_end_round(loop); /* it may have begun its turn */
    if (!TAILQ_EMPTY(&loop->lingers)) {
        conn_leave(TAILQ_FIRST(&loop->lingers));
        return true;
    }
    struct conn *oldest = oldest_unauthenticated(loop);
    uint64_t greets_since =
        loop->handshaker == NULL ? HANDSHAKER_EMPTY : handshaker_oldest(loop->handshaker);
    if (oldest != NULL && oldest->identity.unauthenticated_since <= greets_since) {
        conn_close(oldest, CONN_CLOSE_REPLACED);
    } else if (greets_since != HANDSHAKER_EMPTY) {
        handshaker_make_room(loop->handshaker);
    } else {
        return false;
    }
    return true;
}

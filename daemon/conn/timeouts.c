/*
 * timeouts.c - who has to go when, of those that have proved nothing.
 *
 * They stand in crew->strangers in the order in which they became strangers, and stay where
 * they stand as long as they are: a reload makes nobody younger.
 */
#include "daemon/conn/timeouts.h"

#include "daemon/conn/conn_io.h"
#include "daemon/conn/conn_state.h"
#include "daemon/net/handshaker.h"

/* Of the oldest, so many may wait for the authenticator before one of those goes. */
enum { PASSED_OVER_MAX = 64 };

static void count(struct crew *crew, int change)
{
    atomic_fetch_add_explicit(&crew->unproven, (unsigned)change, memory_order_relaxed);
}

void strangers_follow(struct conn *conn)
{
    struct crew *crew = conn->crew;
    bool strange = conn->identity.state == IDENTITY_UNAUTHENTICATED;
    if (strange && !conn->strange) {
        conn->strange = true;
        TAILQ_INSERT_TAIL(&crew->strangers, conn, stranger);
        count(crew, 1);
        conn_arm_sweep(crew);
    } else if (!strange) {
        strangers_leave(conn);
    }
}

void strangers_leave(struct conn *conn)
{
    struct crew *crew = conn->crew;
    if (conn->strange) {
        conn->strange = false;
        TAILQ_REMOVE(&crew->strangers, conn, stranger);
        count(crew, -1);
    }
}

/* Those that wait for the authenticator are not to blame. */
void strangers_dismiss(struct crew *crew)
{
    struct conn *conn = TAILQ_FIRST(&crew->strangers);
    while (conn != NULL && identity_is_overdue(&conn->identity, crew->now)) {
        struct conn *next = TAILQ_NEXT(conn, stranger);
        if (conn->identity.login == NULL) {
            conn_close(conn, CONN_CLOSE_STRANGER);
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
static struct conn *oldest_stranger(const struct crew *crew)
{
    struct conn *conn = TAILQ_FIRST(&crew->strangers);
    for (int i = 0; i < PASSED_OVER_MAX && conn != NULL && waits(conn); i++) {
        conn = TAILQ_NEXT(conn, stranger);
    }
    return conn != NULL && !waits(conn) ? conn : TAILQ_FIRST(&crew->strangers);
}

bool strangers_make_room(struct crew *crew)
{
    turn_end_round(crew); /* it may have begun its turn */
    if (!TAILQ_EMPTY(&crew->lingers)) {
        conn_leave(TAILQ_FIRST(&crew->lingers));
        return true;
    }
    struct conn *oldest = oldest_stranger(crew);
    uint64_t greets_since =
        crew->handshaker == NULL ? HANDSHAKER_EMPTY : handshaker_oldest(crew->handshaker);
    if (oldest != NULL && oldest->identity.unauthenticated_since <= greets_since) {
        conn_close(oldest, CONN_CLOSE_REPLACED);
    } else if (greets_since != HANDSHAKER_EMPTY) {
        handshaker_make_room(crew->handshaker);
    } else {
        return false;
    }
    return true;
}

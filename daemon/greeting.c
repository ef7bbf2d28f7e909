/*
 * greeting.c - handshakes: how they go on, and whose ends.
 *
 * An unfinished one has its seat among crew->greetings.unfinished, the first come first. Each
 * of its steps is a turn in line (schedule.h).
 */
#include "daemon/greeting.h"

#include <syslog.h>

#include "daemon/clock.h"
#include "daemon/conn_state.h"
#include "daemon/log.h"

/* May close it. */
static void wait_for_socket(struct conn *conn)
{
    bool writes = (conn->transport.wants & TRANSPORT_READ_WRITES) != 0;
    if (!conn_watch(conn, writes ? EV_WRITE : EV_READ)) {
        conn_close(conn, CONN_CLOSE_NO_MEMORY);
    }
}

void greeting_begin(struct conn *conn)
{
    struct crew *crew = conn->crew;
    struct greetings *greetings = &crew->greetings;
    TAILQ_INSERT_TAIL(&greetings->unfinished, conn, seat);
    conn->greets = true;
    greetings->count++;
    crew_count_unproven(crew, 1);
    if (crew->draining) {
        conn_close(conn, CONN_CLOSE_STOPPING);
        return;
    }
    if (greetings->count > GREETINGS_MAX) {
        conn_close(TAILQ_FIRST(&greetings->unfinished), CONN_CLOSE_CROWDED);
    }
    wait_for_socket(conn);
}

void greeting_leave(struct conn *conn)
{
    struct greetings *greetings = &conn->crew->greetings;
    TAILQ_REMOVE(&greetings->unfinished, conn, seat);
    conn->greets = false;
    greetings->count--;
    crew_count_unproven(conn->crew, -1);
}

/* --- a step ----------------------------------------------------------------- */

static void say(const struct conn *conn, int level, const char *what, const char *more)
{
    if (log_wants(level)) {
        char peer[TRANSPORT_PEER_MAX];
        transport_peer(conn->transport.fd, peer, sizeof peer);
        log_line(level, "%s: %s: %s%s", conn->door->name, peer, what, more);
    }
}

static void succeed(struct conn *conn, const struct transport_greeting *greeting)
{
    struct metrics *metrics = conn->crew->metrics;
    metrics_add(metrics, METRIC_TLS_RESUMED, greeting->resumed);
    say(conn, LOG_DEBUG, greeting->resumed ? "resumed a session of " : "greeted with ",
        greeting->version);
    say(conn, LOG_DEBUG, "its cipher is ", greeting->cipher);
    greeting_leave(conn);
    conn_greeted(conn);
}

static void fail(struct conn *conn, const struct transport_greeting *greeting)
{
    metrics_add(conn->crew->metrics, METRIC_TLS_HANDSHAKE_FAILURES, 1);
    say(conn, LOG_INFO, "no TLS handshake: ", greeting->failure);
    conn_close(conn, CONN_CLOSE_HANDSHAKE);
}

void greeting_step(struct conn *conn)
{
    struct transport_greeting greeting = {.failure = NULL};
    conn->crew->now = clock_now();
    switch (conn->transport.ops->greet(&conn->transport, &greeting)) {
    case TRANSPORT_OK:
        succeed(conn, &greeting);
        break;
    case TRANSPORT_AGAIN:
        wait_for_socket(conn);
        break;
    case TRANSPORT_EOF:
        conn_close(conn, CONN_CLOSE_PEER); /* it looked whether somebody listens */
        break;
    case TRANSPORT_FAILED:
        fail(conn, &greeting);
        break;
    }
}

/* --- ends -------------------------------------------------------------------- */

void greeting_sweep(struct crew *crew)
{
    struct conn *conn;
    while ((conn = TAILQ_FIRST(&crew->greetings.unfinished)) != NULL &&
           crew->now - conn->active >= GREETING_MS) {
        metrics_add(crew->metrics, METRIC_TLS_HANDSHAKE_FAILURES, 1);
        conn_close(conn, CONN_CLOSE_SLOW);
    }
}

void greeting_end(struct crew *crew)
{
    struct conn *conn;
    while ((conn = TAILQ_FIRST(&crew->greetings.unfinished)) != NULL) {
        conn_close(conn, CONN_CLOSE_STOPPING);
    }
}

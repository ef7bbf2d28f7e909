/*
 * greeting.c - whose handshake makes its next step, and whose ends.
 *
 * An unfinished one has its seat among crew->greetings.unfinished, the first come first. It
 * is woken once by its socket, and then stands in line in crew->greetings.ready until a turn
 * of greetings gets to it; between two such turns the sockets of all others are polled.
 */
#include "daemon/greeting.h"

#include <syslog.h>

#include "daemon/clock.h"
#include "daemon/conn_state.h"
#include "daemon/log.h"

static void stand_in_line(struct conn *conn)
{
    static const struct timeval at_once = {0, 0};
    struct greetings *greetings = &conn->crew->greetings;
    TAILQ_INSERT_TAIL(&greetings->ready, conn, wait);
    conn->in_line = true;
    if (!event_pending(&greetings->turn, EV_TIMEOUT, NULL) &&
        event_add(&greetings->turn, &at_once) != 0) {
        event_active(&greetings->turn, EV_TIMEOUT, 0);
    }
}

static void on_ready(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct conn *conn = context;
    conn->watched = 0; /* an event without EV_PERSIST ends by itself */
    stand_in_line(conn);
}

/* May close it. */
static void wait_for_socket(struct conn *conn)
{
    bool writes = (conn->transport.wants & TRANSPORT_READ_WRITES) != 0;
    short what = writes ? EV_WRITE : EV_READ;
    event_assign(&conn->event, conn->crew->base, conn->transport.fd, what, on_ready, conn);
    if (event_add(&conn->event, NULL) == 0) {
        conn->watched = what;
    } else {
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
    if (conn->in_line) {
        TAILQ_REMOVE(&greetings->ready, conn, wait);
        conn->in_line = false;
    }
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

static void step(struct conn *conn)
{
    struct transport_greeting greeting = {.failure = NULL};
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

void greeting_turn(struct crew *crew)
{
    static const struct timeval at_once = {0, 0};
    struct greetings *greetings = &crew->greetings;
    struct conn *conn;
    crew->now = clock_now();
    for (int i = 0; i < GREETING_STEPS && (conn = TAILQ_FIRST(&greetings->ready)) != NULL; i++) {
        TAILQ_REMOVE(&greetings->ready, conn, wait);
        conn->in_line = false;
        step(conn);
    }
    if (!TAILQ_EMPTY(&greetings->ready) && event_add(&greetings->turn, &at_once) != 0) {
        event_active(&greetings->turn, EV_TIMEOUT, 0);
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

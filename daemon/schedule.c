/*
 * schedule.c - two queues with feedback, as in Corbato's time-sharing system (CTSS, 1962): who
 * does not get done in a short turn goes on behind those who do.
 *
 *     poll ---> the prompt have their turns, in rounds ---> the line has a slice ---> poll
 *
 * Without that, who asks for one record waits until each of those that were ready together
 * with him has been served. Beside ten thousand who ask for everything and read nothing that
 * can be a second; beside eight with pipelines without an end it was half a millisecond for
 * half of all requests, and is a tenth of one now.
 *
 * The poll names whoever is ready again and again, as long as he is. Those in line would be
 * named each time, and to look at thousands of them would take as long as a turn of each; so
 * who is named while in line is not watched any more, until he has had his turn.
 */
#include "daemon/schedule.h"

#include "daemon/clock.h"
#include "daemon/conn_state.h"
#include "daemon/greeting.h"
#include "daemon/turn.h"

/* A timer that is due at once fires after the sockets were polled. */
static void run_after_poll(struct crew *crew)
{
    static const struct timeval at_once = {0, 0};
    if (!event_pending(&crew->again, EV_TIMEOUT, NULL) && event_add(&crew->again, &at_once) != 0) {
        event_active(&crew->again, EV_TIMEOUT, 0);
    }
}

/* An event that is made active fires when all that the last poll found have been dealt with. */
static void run_before_poll(struct crew *crew)
{
    if (!event_pending(&crew->again, EV_TIMEOUT, NULL)) {
        event_active(&crew->again, EV_TIMEOUT, 0);
    }
}

static void get_in_line(struct conn *conn)
{
    conn->waits = true;
    TAILQ_INSERT_TAIL(&conn->crew->waiting, conn, wait);
}

void schedule_leave(struct conn *conn)
{
    if (conn->waits) {
        TAILQ_REMOVE(&conn->crew->waiting, conn, wait);
        conn->waits = false;
    }
}

void schedule_wait(struct conn *conn)
{
    conn->prompt = false;
    if (!conn->waits) {
        run_after_poll(conn->crew);
        get_in_line(conn);
    }
}

void schedule_ready(struct conn *conn, short what)
{
    if (conn->prompt) {
        conn->prompt = false; /* until this turn has shown that it is */
        turn_begin(conn, (what & EV_READ) != 0, (what & EV_WRITE) != 0);
        return;
    }
    conn->ready |= what;
    if (!conn->waits) {
        run_before_poll(conn->crew);
        get_in_line(conn);
    } else {
        conn_watch(conn, 0);
    }
}

static void take_turn(struct conn *conn)
{
    struct crew *crew = conn->crew;
    short ready = conn->ready;
    schedule_leave(conn);
    conn->ready = 0;
    if (conn->greets) {
        greeting_step(conn);
    } else if (conn->lingers) {
        conn_swallow(conn);
    } else {
        turn_begin(conn, crew->draining || (ready & EV_READ) != 0, (ready & EV_WRITE) != 0);
        turn_end_round(crew);
    }
}

void schedule_run(struct crew *crew)
{
    struct conn *conn;
    turn_end_round(crew);
    crew->by.until = clock_precise() + SCHEDULE_SLICE_US * 1000;
    while ((conn = TAILQ_FIRST(&crew->waiting)) != NULL) {
        take_turn(conn);
        if (clock_precise() >= crew->by.until) {
            break;
        }
    }
    crew->by.until = 0;
    if (!TAILQ_EMPTY(&crew->waiting)) {
        run_after_poll(crew);
    }
}

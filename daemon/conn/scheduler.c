/*
 * scheduler.c - queues with feedback, as in Corbato's time-sharing system (CTSS, 1962): who does
 * not get done in a short turn goes on behind those who do.
 *
 *     poll ---> the prompt have their turns, in rounds ---> the lines have a slice ---> poll
 *
 * Without that, who asks for one record waits until each of those that were ready together
 * with him has been served. Beside ten thousand who ask for everything and read nothing that
 * can be a second; beside eight with pipelines without an end it was half a millisecond for
 * half of all requests, and is a tenth of one now.
 *
 * There are two lines. Whoever is new, or was prompt so far, stands in the quick one; whoever
 * has had a turn in line and was not done after it stands in the slow one. Both are served by
 * turns, so a connection that comes while ten thousand need another turn does not wait until
 * each of them has had it. And of the quick line the last is served as often as the first:
 * where ten thousand came at once, who comes after them is served soon, and nobody is left
 * behind.
 *
 * The poll names whoever is ready again and again, as long as he is. Those in line would be
 * named each time, and to look at thousands of them would take as long as a turn of each; so
 * who is named while in line is not watched any more, until he has had his turn.
 */
#include "daemon/conn/scheduler.h"

#include "daemon/base/clock.h"
#include "daemon/conn/conn_io.h"
#include "daemon/conn/conn_state.h"

/* A timer that is due at once fires after the sockets were polled. */
static void run_after_poll(struct loop *loop)
{
    static const struct timeval at_once = {0, 0};
    if (!event_pending(&loop->again, EV_TIMEOUT, NULL) && event_add(&loop->again, &at_once) != 0) {
        event_active(&loop->again, EV_TIMEOUT, 0);
    }
}

/* An event that is made active fires when all that the last poll found have been dealt with. */
static void run_before_poll(struct loop *loop)
{
    if (!event_pending(&loop->again, EV_TIMEOUT, NULL)) {
        event_active(&loop->again, EV_TIMEOUT, 0);
    }
}

static struct loop_list *line_of(const struct conn *conn)
{
    struct lines *lines = &conn->loop->lines;
    return conn->demoted ? &lines->slow : &lines->quick;
}

static void get_in_line(struct conn *conn)
{
    conn->waits = true;
    TAILQ_INSERT_TAIL(line_of(conn), conn, wait);
}

void run_queue_remove(struct conn *conn)
{
    if (conn->waits) {
        TAILQ_REMOVE(line_of(conn), conn, wait);
        conn->waits = false;
    }
}

void run_queue_done(struct conn *conn)
{
    conn->interactive = !conn->waits;
    conn->demoted = conn->waits && conn->demoted; /* its line is where it stands */
}

void run_queue_add(struct conn *conn)
{
    conn->interactive = false;
    if (!conn->waits) {
        run_after_poll(conn->loop);
        get_in_line(conn);
    }
}

void scheduler_ready(struct conn *conn, short what)
{
    if (conn->interactive) {
        conn->interactive = false; /* until this turn has shown that it is */
        conn_io_begin(conn, (what & EV_READ) != 0, (what & EV_WRITE) != 0);
        return;
    }
    conn->ready |= what;
    if (!conn->waits) {
        run_before_poll(conn->loop);
        get_in_line(conn);
    } else {
        conn_watch(conn, 0);
    }
}

static void take_turn(struct conn *conn)
{
    struct loop *loop = conn->loop;
    short ready = conn->ready;
    run_queue_remove(conn);
    conn->ready = 0;
    conn->demoted = true; /* until it gets done in this turn */
    if (conn->lingers) {
        conn_swallow(conn);
    } else {
        conn_io_begin(conn, loop->draining || (ready & EV_READ) != 0, (ready & EV_WRITE) != 0);
        conn_io_end_round(loop);
    }
}

/* NULL: nobody stands in line. */
static struct conn *whose_turn(struct lines *lines)
{
    struct conn *slow = TAILQ_FIRST(&lines->slow);
    if (TAILQ_EMPTY(&lines->quick)) {
        return slow;
    }
    lines->served = (lines->served + 1) % 3;
    if (lines->served == 0 && slow != NULL) {
        return slow;
    }
    return lines->served == 1 ? TAILQ_LAST(&lines->quick, loop_list) : TAILQ_FIRST(&lines->quick);
}

void scheduler_run(struct loop *loop)
{
    struct conn *conn;
    conn_io_end_round(loop);
    loop->workspace.ctx.until = clock_precise() + SCHEDULER_SLICE_US * 1000;
    while ((conn = whose_turn(&loop->lines)) != NULL) {
        take_turn(conn);
        if (clock_precise() >= loop->workspace.ctx.until) {
            break;
        }
    }
    loop->workspace.ctx.until = 0;
    if (!TAILQ_EMPTY(&loop->lines.quick) || !TAILQ_EMPTY(&loop->lines.slow)) {
        run_after_poll(loop);
    }
}

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
#include "daemon/conn/conn.h"
#include "daemon/conn/conn_io.h"
#include "daemon/conn/conn_state.h"
#include "daemon/conn/run_queue.h"

void scheduler_ready(struct conn *conn, short what)
{
    if (conn->interactive) {
        conn->interactive = false; /* until this turn has shown that it is */
        conn_io_begin(conn, (what & EV_READ) != 0, (what & EV_WRITE) != 0);
        return;
    }
    conn->ready |= what;
    if (!conn->is_queued) {
        run_queue_serve_before_poll(conn->loop);
        run_queue_append(conn);
    } else {
        conn_watch(conn, 0);
    }
}

static void serve(struct conn *conn)
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

void scheduler_run(struct loop *loop)
{
    struct conn *conn;
    conn_io_end_round(loop);
    loop->workspace.ctx.until = clock_precise() + SCHEDULER_SLICE_US * 1000;
    while ((conn = run_queue_next(&loop->run_queue)) != NULL) {
        serve(conn);
        if (clock_precise() >= loop->workspace.ctx.until) {
            break;
        }
    }
    loop->workspace.ctx.until = 0;
    if (!TAILQ_EMPTY(&loop->run_queue.high) || !TAILQ_EMPTY(&loop->run_queue.low)) {
        run_queue_serve_after_poll(loop);
    }
}

/*
 * scheduler.c - a multilevel feedback queue, as in Corbato's time-sharing system (CTSS, 1962): a
 * connection that does not finish in a short pass goes on behind those that do.
 *
 *     poll ---> interactive connections, in rounds ---> a slice for the run queue ---> poll
 *
 * Without it a connection that asks for one record waits until every other ready connection has
 * been served: up to a second beside 10,000 that send LIST and never read. Beside eight endless
 * pipelines the median wait was 0.5 ms, and is 0.1 ms now.
 *
 * The run queue has two lists. A connection that is new, or was interactive until now, is in the
 * high list. A connection that has had a pass from the queue and did not finish is demoted to the
 * low list. Both are served in turn: a new connection does not wait until each of 10,000 demoted
 * ones has had a pass. Of the high list the newest is served as often as the oldest: where 10,000
 * came at once, a later one is served soon, and none is left behind.
 *
 * The poll reports a ready socket again and again, as long as it is ready. To handle that for
 * thousands of queued connections would take as long as a pass of each. So a connection that is
 * reported while it is queued is not watched any more until it has had its pass.
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
        conn->interactive = false; /* until this pass is short and finishes */
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
    conn->demoted = true; /* until it finishes in this pass */
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

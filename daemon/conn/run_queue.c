/*
 * run_queue.c - see run_queue.h.
 */
#include "daemon/conn/run_queue.h"

#include "daemon/conn/conn_state.h"

/* A timer that is due at once fires after the sockets were polled. */
void run_queue_run_after_poll(struct loop *loop)
{
    static const struct timeval at_once = {0, 0};
    if (!event_pending(&loop->again, EV_TIMEOUT, NULL) && event_add(&loop->again, &at_once) != 0) {
        event_active(&loop->again, EV_TIMEOUT, 0);
    }
}

/* An event that is made active fires when all that the last poll found have been dealt with. */
void run_queue_run_before_poll(struct loop *loop)
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

void run_queue_append(struct conn *conn)
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
        run_queue_run_after_poll(conn->loop);
        run_queue_append(conn);
    }
}

/* NULL: nobody stands in line. */
struct conn *run_queue_next(struct lines *lines)
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

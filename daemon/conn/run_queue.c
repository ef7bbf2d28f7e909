/*
 * run_queue.c - see run_queue.h.
 */
#include "daemon/conn/run_queue.h"

#include "daemon/conn/conn_state.h"

/* A timer that is due at once fires after the sockets have been polled. */
void run_queue_serve_after_poll(struct loop *loop)
{
    static const struct timeval at_once = {0, 0};
    if (!event_pending(&loop->slice, EV_TIMEOUT, NULL) && event_add(&loop->slice, &at_once) != 0) {
        event_active(&loop->slice, EV_TIMEOUT, 0);
    }
}

/* An event that is made active fires behind the events that the last poll found. */
void run_queue_serve_before_poll(struct loop *loop)
{
    if (!event_pending(&loop->slice, EV_TIMEOUT, NULL)) {
        event_active(&loop->slice, EV_TIMEOUT, 0);
    }
}

static struct loop_list *list_of(const struct conn *conn)
{
    struct run_queue *queue = &conn->loop->run_queue;
    return conn->demoted ? &queue->low : &queue->high;
}

void run_queue_append(struct conn *conn)
{
    conn->is_queued = true;
    TAILQ_INSERT_TAIL(list_of(conn), conn, queue_link);
}

void run_queue_remove(struct conn *conn)
{
    if (conn->is_queued) {
        TAILQ_REMOVE(list_of(conn), conn, queue_link);
        conn->is_queued = false;
    }
}

void run_queue_done(struct conn *conn)
{
    conn->interactive = !conn->is_queued;
    conn->demoted =
        conn->is_queued && conn->demoted; /* else it would be sought in the other list */
}

void run_queue_add(struct conn *conn)
{
    conn->interactive = false;
    if (!conn->is_queued) {
        run_queue_serve_after_poll(conn->loop);
        run_queue_append(conn);
    }
}

/* The high list twice, its newest and its oldest connection, then the low list once. */
struct conn *run_queue_next(struct run_queue *queue)
{
    struct conn *low = TAILQ_FIRST(&queue->low);
    if (TAILQ_EMPTY(&queue->high)) {
        return low;
    }
    queue->served = (queue->served + 1) % 3;
    if (queue->served == 0 && low != NULL) {
        return low;
    }
    return queue->served == 1 ? TAILQ_LAST(&queue->high, loop_list) : TAILQ_FIRST(&queue->high);
}

/*
 * conn_memory.c - how much memory each connection holds, and which ones wait for some.
 */
#include "daemon/conn/conn_memory.h"

#include "daemon/conn/conn_state.h"

enum {
    SMALLEST_CLASS = 32 << 10, /* bytes, up to which a connection is of the lowest class */
    TLS_BUFFERS = 36 << 10,    /* bytes that OpenSSL holds for one that is in the midst of it */
};

/* --- how much each holds --------------------------------------------------------- */

static int class_of(size_t bytes)
{
    int class = 0;
    for (size_t most = SMALLEST_CLASS; most < bytes && class < HELD_CLASSES - 1; most *= 2) {
        class ++;
    }
    return class;
}

static size_t buffers_of(const struct conn *conn)
{
    bool encrypts = conn->transport.ops->handshake != NULL;
    return pipeline_memory(conn->pipeline) + (encrypts ? TLS_BUFFERS : 0);
}

/* It holds so much from now on; 0: nothing. */
static void put_among_holders(struct conn *conn, size_t held)
{
    struct loop *loop = conn->loop;
    struct instance *instance = loop->instance;
    if (conn->holds) {
        int class = class_of(conn->held);
        TAILQ_REMOVE(&loop->pressure.holders[class], conn, holding);
        atomic_fetch_sub_explicit(&instance->holders[class], 1, memory_order_relaxed);
    }
    if (held > 0) {
        int class = class_of(held);
        TAILQ_INSERT_TAIL(&loop->pressure.holders[class], conn, holding);
        atomic_fetch_add_explicit(&instance->holders[class], 1, memory_order_relaxed);
    }
    atomic_fetch_add_explicit(&instance->buffers, held - conn->held, memory_order_relaxed);
    conn->holds = held > 0;
    conn->held = held;
}

bool conn_memory_is_exceeded(const struct loop *loop)
{
    size_t bound = loop->settings.buffers;
    return bound != 0 &&
           atomic_load_explicit(&loop->instance->buffers, memory_order_relaxed) > bound;
}

/* Whatever moves pushes the time on, but never beyond the grace from now. */
static bool push_due(struct conn *conn)
{
    uint64_t now = conn->loop->now;
    uint64_t due = conn->due + conn->moved * 1000 / PRESSURE_RATE;
    uint64_t most = now + PRESSURE_GRACE_MS;
    bool keeps_up = !conn->holds || due >= most;
    conn->due = keeps_up ? most : due;
    conn->moved = 0;
    if (conn->pipeline != NULL && !reply_queue_is_empty(&conn->pipeline->replies)) {
        conn->queued = transport_queued(conn->transport.fd);
        conn->queued_since = now;
    }
    return keeps_up;
}

void conn_memory_follow(struct conn *conn)
{
    struct loop *loop = conn->loop;
    size_t held = conn->pipeline == NULL ? 0 : buffers_of(conn);
    bool moves = (conn->moved > 0 || !conn->holds) && push_due(conn);
    if (held == conn->held && !moves) {
        return;
    }
    put_among_holders(conn, held);
    if (held == 0) {
        return;
    }
    if (conn_memory_is_exceeded(loop)) {
        event_active(&loop->pressure.look, EV_TIMEOUT, 0);
    } else {
        loop_arm(&loop->pressure.look, PRESSURE_LOOK_MS);
    }
}

/* --- waiting for memory ----------------------------------------------------------- */

void conn_memory_wait(struct conn *conn)
{
    struct loop *loop = conn->loop;
    if (!conn->crowded) {
        conn->crowded = true;
        TAILQ_INSERT_TAIL(&loop->pressure.crowd, conn, crowd);
        metrics_add(loop->metrics, METRIC_CONN_MEMORY_WAITS, 1);
        loop_arm(&loop->pressure.retry, PRESSURE_RETRY_MS);
    }
}

void conn_memory_stop_waiting(struct conn *conn)
{
    if (conn->crowded) {
        conn->crowded = false;
        TAILQ_REMOVE(&conn->loop->pressure.crowd, conn, crowd);
    }
}

void conn_memory_leave(struct conn *conn)
{
    if (conn->holds) {
        put_among_holders(conn, 0);
    }
    conn_memory_stop_waiting(conn);
}

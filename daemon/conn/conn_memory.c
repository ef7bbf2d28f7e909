/*
 * conn_memory.c - see conn_memory.h.
 */
#include "daemon/conn/conn_memory.h"

#include "daemon/conn/conn_state.h"

enum {
    SMALLEST_CLASS = 32 << 10, /* bytes; the upper bound of the lowest class */
    TLS_BUFFERS =
        36 << 10, /* bytes that OpenSSL holds for a connection in the middle of a record */
};

/* --- how much a connection holds --------------------------------------------------- */

static int class_of(size_t bytes)
{
    int size_class = 0;
    for (size_t most = SMALLEST_CLASS; most < bytes && size_class < HELD_CLASSES - 1; most *= 2) {
        size_class++;
    }
    return size_class;
}

static size_t buffers_of(const struct conn *conn)
{
    bool encrypts = conn->transport.ops->handshake != NULL;
    return pipeline_memory(conn->pipeline) + (encrypts ? TLS_BUFFERS : 0);
}

/* It holds so many bytes from now on, and moves to the end of their class; 0: to none. */
static void set_held(struct conn *conn, size_t held)
{
    struct loop *loop = conn->loop;
    struct instance *instance = loop->instance;
    if (conn->holds_memory) {
        int size_class = class_of(conn->held);
        TAILQ_REMOVE(&loop->pressure.holders[size_class], conn, holder_link);
        atomic_fetch_sub_explicit(&instance->holders[size_class], 1, memory_order_relaxed);
    }
    if (held > 0) {
        int size_class = class_of(held);
        TAILQ_INSERT_TAIL(&loop->pressure.holders[size_class], conn, holder_link);
        atomic_fetch_add_explicit(&instance->holders[size_class], 1, memory_order_relaxed);
    }
    atomic_fetch_add_explicit(&instance->buffers, held - conn->held, memory_order_relaxed);
    conn->holds_memory = held > 0;
    conn->held = held;
}

bool conn_memory_exceeds_limit(const struct loop *loop)
{
    size_t bound = loop->settings.buffers;
    return bound != 0 &&
           atomic_load_explicit(&loop->instance->buffers, memory_order_relaxed) > bound;
}

/* Advances `due` by the bytes that moved, but not beyond PRESSURE_GRACE_MS from now. Whether the
 * peer keeps up. */
static bool advance_due(struct conn *conn)
{
    uint64_t now = conn->loop->now;
    uint64_t due = conn->due + conn->bytes_moved * 1000 / PRESSURE_RATE;
    uint64_t most = now + PRESSURE_GRACE_MS;
    bool keeps_up = !conn->holds_memory || due >= most;
    conn->due = keeps_up ? most : due;
    conn->bytes_moved = 0;
    if (conn->pipeline != NULL && !reply_queue_is_empty(&conn->pipeline->replies)) {
        conn->unsent = (uint32_t)transport_queued(conn->transport.fd);
        conn->unsent_since = now;
    }
    return keeps_up;
}

void conn_memory_update(struct conn *conn)
{
    struct loop *loop = conn->loop;
    size_t held = conn->pipeline == NULL ? 0 : buffers_of(conn);
    bool moves = (conn->bytes_moved > 0 || !conn->holds_memory) && advance_due(conn);
    if (held == conn->held && !moves) {
        return;
    }
    set_held(conn, held);
    if (held == 0) {
        return;
    }
    if (conn_memory_exceeds_limit(loop)) {
        event_active(&loop->pressure.scan, EV_TIMEOUT, 0);
    } else {
        loop_arm(&loop->pressure.scan, PRESSURE_SCAN_MS);
    }
}

/* --- waiting for memory ----------------------------------------------------------- */

void conn_memory_wait(struct conn *conn)
{
    struct loop *loop = conn->loop;
    if (!conn->awaits_memory) {
        conn->awaits_memory = true;
        TAILQ_INSERT_TAIL(&loop->pressure.waiters, conn, waiter_link);
        metrics_add(loop->metrics, METRIC_CONN_MEMORY_WAITS, 1);
        loop_arm(&loop->pressure.retry, PRESSURE_RETRY_MS);
    }
}

void conn_memory_stop_waiting(struct conn *conn)
{
    if (conn->awaits_memory) {
        conn->awaits_memory = false;
        TAILQ_REMOVE(&conn->loop->pressure.waiters, conn, waiter_link);
    }
}

void conn_memory_release(struct conn *conn)
{
    if (conn->holds_memory) {
        set_held(conn, 0);
    }
    conn_memory_stop_waiting(conn);
}

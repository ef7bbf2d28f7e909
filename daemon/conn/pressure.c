/*
 * pressure.c - see pressure.h.
 *
 * Each loop sees its own connections only. What it knows of the others' is what the store is short
 * of, and how much memory all buffers take (instance.h). To choose the same connections as one
 * thread with a view of all would:
 *
 *   - a loop begins with connections that are behind by PRESSURE_PATIENCE_MS, and halves that with
 *     every scan for as long as requests wait for memory
 *   - of the connections with the largest buffers it closes one only if no other loop has a
 *     connection of a higher class
 */
#include "daemon/conn/pressure.h"

#include "daemon/base/clock.h"
#include "daemon/conn/conn.h"
#include "daemon/conn/conn_io.h"
#include "daemon/conn/conn_memory.h"
#include "daemon/conn/conn_state.h"
#include "daemon/conn/run_queue.h"

enum {
    VICTIMS_MAX = 32, /* connections that give way after one scan */
    RETRIES_MAX = 64, /* waiters that try again at once */
    CALM_SCANS = 16,  /* while no memory is short, 1 scan of so many looks for abandoned uploads */
};

/* --- memory of the store ---------------------------------------------------------- */

/* The connections that are furthest behind, the furthest first. */
struct victims {
    struct conn *conns[VICTIMS_MAX];
    unsigned count;
    bool pressed; /* a stuck connection holds memory that requests wait for */
};

static void victims_add(struct victims *victims, struct conn *conn)
{
    unsigned at = victims->count;
    if (victims->count == VICTIMS_MAX) {
        if (victims->conns[--at]->due <= conn->due) {
            return;
        }
    } else {
        victims->count++;
    }
    for (; at > 0 && victims->conns[at - 1]->due > conn->due; at--) {
        victims->conns[at] = victims->conns[at - 1];
    }
    victims->conns[at] = conn;
}

/* Milliseconds by which the peer is behind; 0: it is not, or the daemon has to act first. */
static uint64_t lateness(const struct conn *conn)
{
    bool stuck = !conn->is_queued && !conn->awaits_memory && conn->pipeline != NULL;
    uint64_t now = conn->loop->now;
    return stuck && now > conn->due ? now - conn->due : 0;
}

/* Whether the peer takes bytes from the socket fast enough; advances `due` if so. A socket buffers
 * more than the peer has room for, and becomes writable only when much of that is gone. So a peer
 * to which nothing can be written may still be reading. */
static bool peer_reads(struct conn *conn)
{
    uint64_t now = conn->loop->now;
    size_t queued = transport_queued(conn->transport.fd);
    size_t taken = queued < conn->unsent ? conn->unsent - queued : 0;
    uint64_t passed = now - conn->unsent_since;
    bool keeps_up = taken > 0 && taken * 1000 >= passed * PRESSURE_RATE;
    if (keeps_up) {
        conn->unsent = (uint32_t)queued;
        conn->unsent_since = now;
        conn->due = now + PRESSURE_GRACE_MS;
    }
    return keeps_up;
}

static bool is_abandoned(const struct conn *conn, uint64_t late)
{
    return late >= PRESSURE_ABANDONED_MS && upload_arrives(&conn->pipeline->upload);
}

static void consider(struct victims *victims, struct conn *conn,
                     const struct store_pressure *pressure)
{
    uint64_t late = lateness(conn);
    if (late == 0 || (!is_abandoned(conn, late) && !pipeline_presses(conn->pipeline, pressure))) {
        return;
    }
    victims->pressed = true;
    bool reads = !reply_queue_is_empty(&conn->pipeline->replies) && peer_reads(conn);
    if (!reads && (late >= conn->loop->pressure.patience || is_abandoned(conn, late))) {
        victims_add(victims, conn);
    }
}

/* Ends its upload; closes it if it has none. */
static void evict(struct conn *conn)
{
    struct loop *loop = conn->loop;
    if (!upload_arrives(&conn->pipeline->upload)) {
        conn_close(conn, CONN_CLOSE_SLOW_READER);
        return;
    }
    metrics_add(loop->metrics, METRIC_UPLOADS_ENDED, 1);
    pipeline_give_up_upload(conn->pipeline, &loop->workspace);
    conn->due = loop->now + PRESSURE_GRACE_MS;
    run_queue_add(conn);
}

static void relieve_store(struct loop *loop)
{
    struct store_pressure pressure;
    struct victims victims = {.count = 0, .pressed = false};
    struct conn *conn;
    store_pressure(loop->store, loop->now, &pressure);
    if (pressure.calm && ++loop->pressure.calm_scans % CALM_SCANS != 0) {
        loop->pressure.patience = PRESSURE_PATIENCE_MS;
        return;
    }
    for (int size_class = 0; size_class < HELD_CLASSES; size_class++) {
        TAILQ_FOREACH(conn, &loop->pressure.holders[size_class], holder_link)
        {
            consider(&victims, conn, &pressure);
        }
    }
    for (unsigned i = 0; i < victims.count; i++) {
        conn = victims.conns[i];
        if (is_abandoned(conn, lateness(conn)) || pipeline_presses(conn->pipeline, &pressure)) {
            evict(conn);
        }
    }
    loop->pressure.patience = victims.pressed ? loop->pressure.patience / 2 : PRESSURE_PATIENCE_MS;
}

/* --- buffers ----------------------------------------------------------------------- */

/* A connection of the highest class that any loop has. NULL: this loop has none of that class. */
static struct conn *largest_holder(struct loop *loop)
{
    for (int size_class = HELD_CLASSES - 1; size_class >= 0; size_class--) {
        struct conn *conn = TAILQ_FIRST(&loop->pressure.holders[size_class]);
        if (conn != NULL ||
            atomic_load_explicit(&loop->instance->holders[size_class], memory_order_relaxed) > 0) {
            return conn;
        }
    }
    return NULL;
}

static void relieve_buffers(struct loop *loop)
{
    struct conn *conn;
    while (conn_memory_exceeds_limit(loop) && (conn = largest_holder(loop)) != NULL) {
        conn_close(conn, CONN_CLOSE_BUFFERS);
    }
}

/* --- events --------------------------------------------------------------------------- */

static bool is_empty(const struct loop *loop)
{
    for (int size_class = 0; size_class < HELD_CLASSES; size_class++) {
        if (!TAILQ_EMPTY(&loop->pressure.holders[size_class])) {
            return false;
        }
    }
    return true;
}

void pressure_relieve(struct loop *loop)
{
    conn_io_end_round(loop); /* some connections may have begun their passes */
    loop->now = clock_now();
    relieve_buffers(loop);
    if (loop->now - loop->pressure.scanned >= PRESSURE_SCAN_MS) {
        loop->pressure.scanned = loop->now;
        store_enter(loop->store_thread);
        relieve_store(loop);
        store_leave(loop->store_thread);
    }
    if (!is_empty(loop)) {
        loop_arm(&loop->pressure.scan, PRESSURE_SCAN_MS);
    }
}

static void on_retry(evutil_socket_t fd, short what, void *context)
{
    struct loop *loop = context;
    struct conn *conn;
    (void)fd;
    (void)what;
    for (int i = 0; i < RETRIES_MAX && (conn = TAILQ_FIRST(&loop->pressure.waiters)) != NULL; i++) {
        conn_memory_stop_waiting(conn);
        run_queue_add(conn);
    }
    if (!TAILQ_EMPTY(&loop->pressure.waiters)) { /* retries of thousands would take all the time */
        loop_arm(&loop->pressure.retry, PRESSURE_RETRY_MS);
    }
}

static void on_scan(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    pressure_relieve(context);
}

void pressure_serve(struct loop *loop)
{
    loop->pressure.patience = PRESSURE_PATIENCE_MS;
    evtimer_assign(&loop->pressure.scan, loop->base, on_scan, loop);
    evtimer_assign(&loop->pressure.retry, loop->base, on_retry, loop);
}

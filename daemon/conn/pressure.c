/*
 * pressure.c - what connections hold, and which have to let go of it; see pressure.h.
 *
 * Each loop sees to its own connections and knows little of the others': the store says what is
 * short, and instance.h how much all buffers take. So that the same ones go as if one thread saw
 * all, a loop begins with those that are behind by PRESSURE_PATIENCE_MS, and halves that with every
 * look for as long as others wait; and of those that hold most it closes only where no other loop
 * has any that hold twice as much.
 */
#include "daemon/conn/pressure.h"

#include "daemon/base/clock.h"
#include "daemon/conn/conn.h"
#include "daemon/conn/conn_io.h"
#include "daemon/conn/conn_memory.h"
#include "daemon/conn/conn_state.h"
#include "daemon/conn/run_queue.h"

enum {
    VICTIMS_MAX = 32, /* that give way after one look */
    RETRIES_MAX = 64, /* of those that wait, at once */
    CALM_SCANS = 16,  /* in calm times only one of so many is for hopeless uploads */
};

/* --- giving way for others' values -------------------------------------------------- */

/* Those that are behind most, the last first. */
struct victims {
    struct conn *conns[VICTIMS_MAX];
    unsigned count;
    bool pressed; /* there is one whose memory others wait for */
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

/* By how much it is behind; 0: it is not, or the next move is not its peer's. */
static uint64_t lateness(const struct conn *conn)
{
    bool stuck = !conn->is_queued && !conn->awaits_memory && conn->pipeline != NULL;
    uint64_t now = conn->loop->now;
    return stuck && now > conn->due ? now - conn->due : 0;
}

/* The socket takes more than its peer has room for, and asks for more only when much of that is
 * gone. So a slow reader is stuck only if the socket does not give out what it holds either. */
static bool peer_reads(struct conn *conn)
{
    uint64_t now = conn->loop->now;
    size_t queued = transport_queued(conn->transport.fd);
    size_t taken = queued < conn->unsent ? conn->unsent - queued : 0;
    uint64_t passed = now - conn->unsent_since;
    bool keeps_up = taken > 0 && taken * 1000 >= passed * PRESSURE_RATE;
    if (keeps_up) {
        conn->unsent = queued;
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

/* An upload is ended; a reader is closed. */
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

/* --- giving way for others' buffers ------------------------------------------------- */

/* Of the highest class that there is in any loop; NULL: this one has none of it. */
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
    conn_io_end_round(loop); /* some may have begun their turns */
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
    if (!TAILQ_EMPTY(&loop->pressure.waiters)) { /* thousands would do nothing else */
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

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
#include "daemon/conn/conn_io.h"
#include "daemon/conn/conn_state.h"
#include "daemon/conn/scheduler.h"

enum {
    SMALLEST_CLASS = 32 << 10, /* bytes, up to which a connection is of the lowest class */
    CHOSEN_MAX = 32,           /* that give way after one look */
    RETRIES_MAX = 64,          /* of those that wait, at once */
    HOPELESS_LOOKS = 16,       /* in calm times only one of so many is for hopeless uploads */
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

static void arm(struct event *event, unsigned milliseconds)
{
    struct timeval after = {.tv_sec = 0, .tv_usec = (suseconds_t)milliseconds * 1000};
    if (!event_pending(event, EV_TIMEOUT, NULL)) {
        event_add(event, &after);
    }
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

static bool too_much_is_held(const struct loop *loop)
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

void pressure_follow(struct conn *conn)
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
    if (too_much_is_held(loop)) {
        event_active(&loop->pressure.look, EV_TIMEOUT, 0);
    } else {
        arm(&loop->pressure.look, PRESSURE_LOOK_MS);
    }
}

/* --- waiting for memory ----------------------------------------------------------- */

void pressure_wait(struct conn *conn)
{
    struct loop *loop = conn->loop;
    if (!conn->crowded) {
        conn->crowded = true;
        TAILQ_INSERT_TAIL(&loop->pressure.crowd, conn, crowd);
        metrics_add(loop->metrics, METRIC_CONN_MEMORY_WAITS, 1);
        arm(&loop->pressure.retry, PRESSURE_RETRY_MS);
    }
}

static void wait_no_more(struct conn *conn)
{
    if (conn->crowded) {
        conn->crowded = false;
        TAILQ_REMOVE(&conn->loop->pressure.crowd, conn, crowd);
    }
}

void pressure_leave(struct conn *conn)
{
    if (conn->holds) {
        put_among_holders(conn, 0);
    }
    wait_no_more(conn);
}

static void on_retry(evutil_socket_t fd, short what, void *context)
{
    struct loop *loop = context;
    struct conn *conn;
    (void)fd;
    (void)what;
    for (int i = 0; i < RETRIES_MAX && (conn = TAILQ_FIRST(&loop->pressure.crowd)) != NULL; i++) {
        wait_no_more(conn);
        run_queue_add(conn);
    }
    if (!TAILQ_EMPTY(&loop->pressure.crowd)) { /* thousands would do nothing else */
        arm(&loop->pressure.retry, PRESSURE_RETRY_MS);
    }
}

/* --- giving way for others' values -------------------------------------------------- */

/* Those that are behind most, the last first. */
struct chosen {
    struct conn *conns[CHOSEN_MAX];
    unsigned count;
    bool pressed; /* there is one whose memory others wait for */
};

static void choose(struct chosen *chosen, struct conn *conn)
{
    unsigned at = chosen->count;
    if (chosen->count == CHOSEN_MAX) {
        if (chosen->conns[--at]->due <= conn->due) {
            return;
        }
    } else {
        chosen->count++;
    }
    for (; at > 0 && chosen->conns[at - 1]->due > conn->due; at--) {
        chosen->conns[at] = chosen->conns[at - 1];
    }
    chosen->conns[at] = conn;
}

/* By how much it is behind; 0: it is not, or the next move is not its peer's. */
static uint64_t lateness(const struct conn *conn)
{
    bool stuck = !conn->waits && !conn->crowded && conn->pipeline != NULL;
    uint64_t now = conn->loop->now;
    return stuck && now > conn->due ? now - conn->due : 0;
}

/* The socket takes more than its peer has room for, and asks for more only when much of that is
 * gone. So a slow reader is stuck only if the socket does not give out what it holds either. */
static bool drains(struct conn *conn)
{
    uint64_t now = conn->loop->now;
    size_t queued = transport_queued(conn->transport.fd);
    size_t taken = queued < conn->queued ? conn->queued - queued : 0;
    uint64_t passed = now - conn->queued_since;
    bool keeps_up = taken > 0 && taken * 1000 >= passed * PRESSURE_RATE;
    if (keeps_up) {
        conn->queued = queued;
        conn->queued_since = now;
        conn->due = now + PRESSURE_GRACE_MS;
    }
    return keeps_up;
}

static bool is_hopeless(const struct conn *conn, uint64_t late)
{
    return late >= PRESSURE_HOPELESS_MS && upload_arrives(&conn->pipeline->upload);
}

static void look_at(struct chosen *chosen, struct conn *conn, const struct store_pressure *pressure)
{
    uint64_t late = lateness(conn);
    if (late == 0 || (!is_hopeless(conn, late) && !pipeline_presses(conn->pipeline, pressure))) {
        return;
    }
    chosen->pressed = true;
    bool reads = !reply_queue_is_empty(&conn->pipeline->replies) && drains(conn);
    if (!reads && (late >= conn->loop->pressure.patience || is_hopeless(conn, late))) {
        choose(chosen, conn);
    }
}

/* An upload is ended; a reader is closed. */
static void give_way(struct conn *conn)
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
    struct chosen chosen = {.count = 0, .pressed = false};
    struct conn *conn;
    store_pressure(loop->store, loop->now, &pressure);
    if (pressure.calm && ++loop->pressure.calm_looks % HOPELESS_LOOKS != 0) {
        loop->pressure.patience = PRESSURE_PATIENCE_MS;
        return;
    }
    for (int class = 0; class < HELD_CLASSES; class ++) {
        TAILQ_FOREACH(conn, &loop->pressure.holders[class], holding)
        {
            look_at(&chosen, conn, &pressure);
        }
    }
    for (unsigned i = 0; i < chosen.count; i++) {
        conn = chosen.conns[i];
        if (is_hopeless(conn, lateness(conn)) || pipeline_presses(conn->pipeline, &pressure)) {
            give_way(conn);
        }
    }
    loop->pressure.patience = chosen.pressed ? loop->pressure.patience / 2 : PRESSURE_PATIENCE_MS;
}

/* --- giving way for others' buffers ------------------------------------------------- */

/* Of the highest class that there is in any loop; NULL: this one has none of it. */
static struct conn *greatest(struct loop *loop)
{
    for (int class = HELD_CLASSES - 1; class >= 0; class --) {
        struct conn *conn = TAILQ_FIRST(&loop->pressure.holders[class]);
        if (conn != NULL ||
            atomic_load_explicit(&loop->instance->holders[class], memory_order_relaxed) > 0) {
            return conn;
        }
    }
    return NULL;
}

static void relieve_buffers(struct loop *loop)
{
    struct conn *conn;
    while (too_much_is_held(loop) && (conn = greatest(loop)) != NULL) {
        conn_close(conn, CONN_CLOSE_BUFFERS);
    }
}

/* --- events --------------------------------------------------------------------------- */

static bool holds_nothing(const struct loop *loop)
{
    for (int class = 0; class < HELD_CLASSES; class ++) {
        if (!TAILQ_EMPTY(&loop->pressure.holders[class])) {
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
    if (loop->now - loop->pressure.looked >= PRESSURE_LOOK_MS) {
        loop->pressure.looked = loop->now;
        store_enter(loop->store_thread);
        relieve_store(loop);
        store_leave(loop->store_thread);
    }
    if (!holds_nothing(loop)) {
        arm(&loop->pressure.look, PRESSURE_LOOK_MS);
    }
}

static void on_look(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    pressure_relieve(context);
}

void pressure_serve(struct loop *loop)
{
    loop->pressure.patience = PRESSURE_PATIENCE_MS;
    evtimer_assign(&loop->pressure.look, loop->base, on_look, loop);
    evtimer_assign(&loop->pressure.retry, loop->base, on_retry, loop);
}

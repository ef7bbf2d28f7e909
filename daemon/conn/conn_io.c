/*
 * conn_io.c - a connection's I/O passes, and the rounds in which they happen.
 *
 * scheduler.c decides when a pass begins. A pass:
 *
 *     receive    one read
 *     prepare    parse the bytes, and prefetch the index lines of their keys
 *     work       the pipeline executes the requests, within its budget
 *     continue   further reads, while a large value fills the space that the store gives
 *     send       one write of all replies
 *     settle     wait for bytes, for space to write or for the next pass; or close
 *
 * Interactive connections that become ready together have their passes in a round: all of them
 * receive and prepare before the first one works. A record lies at a random place in memory, and so
 * does its index line. While the bytes of one connection are read, the processor fetches the lines
 * for the one before, and the kernel's code for reading is not evicted from the caches by that for
 * sending. With 50 connections that send 1 request at a time, a request costs about a tenth less
 * than with passes one by one.
 *
 * A peer that sends and never reads fills its reply queue. Then the pipeline stops, no more is
 * read, and the peer's own writes block. That bounds the memory of a connection, and other
 * connections do not notice.
 */
#include "daemon/conn/conn_io.h"

#include "daemon/base/clock.h"
#include "daemon/conn/conn.h"
#include "daemon/conn/conn_memory.h"
#include "daemon/conn/conn_state.h"
#include "daemon/conn/run_queue.h"
#include "daemon/maintenance/housekeeper.h"
#include "daemon/request/inspection.h"
#include "daemon/request/remote.h"

enum {
    READS_MAX = 4,          /* further reads in a pass, of a MiB at most each */
    WRITE_MIN = 16 << 10,   /* bytes of one write */
    WRITE_MAX = 256 << 10,  /* bytes of one write */
    WRITTEN_ALL = 32 << 20, /* bytes in the kernel for all backlogged connections together */
};

/* False: the transport failed. */
static inline bool receive(struct conn *conn)
{
    struct loop *loop = conn->loop;
    size_t moved = 0;
    enum transport_status status =
        pipeline_receive(conn->pipeline, &loop->workspace, &conn->transport, &moved);
    if (status == TRANSPORT_OK) {
        metrics_add(loop->metrics, METRIC_BYTES_READ, moved);
        conn->received += moved;
        if (reply_queue_is_empty(&conn->pipeline->replies)) { /* else the peer has to read first */
            conn->bytes_moved += moved;
        }
        return true;
    }
    conn->ended = status == TRANSPORT_EOF || (status == TRANSPORT_AGAIN && loop->draining);
    return status != TRANSPORT_FAILED;
}

/* Bytes of a write. The kernel keeps bytes that a peer does not take, and bounds them for all
 * connections of the machine together. At the bound it drops packets of any connection, which then
 * waits for hundreds of milliseconds. So the more connections are backlogged, the less each of them
 * may write. */
static size_t write_limit(const struct loop *loop)
{
    if (loop->backlogged < WRITTEN_ALL / WRITE_MAX) {
        return WRITE_MAX;
    }
    size_t share = WRITTEN_ALL / (loop->backlogged + 1);
    return share < WRITE_MIN ? WRITE_MIN : share;
}

/* False: the transport failed. */
static bool flush(struct conn *conn)
{
    struct reply_queue *replies = &conn->pipeline->replies;
    size_t moved = 0;
    if (reply_queue_is_empty(replies)) {
        return true;
    }
    switch (reply_queue_send(replies, &conn->transport, write_limit(conn->loop), &moved)) {
    case TRANSPORT_OK:
        metrics_add(conn->loop->metrics, METRIC_BYTES_WRITTEN, moved);
        conn->sent += moved;
        conn->bytes_moved += moved;
        return true;
    case TRANSPORT_AGAIN:
        return true;
    case TRANSPORT_EOF:
    case TRANSPORT_FAILED:
        break;
    }
    return false;
}

/* Replaces the events in *what by the events that it needs: a TLS read may have to write.
 * False: the transport has bytes already, and the connection is queued for its next pass. */
static bool heed_transport(struct conn *conn, short *what)
{
    unsigned wants = conn->transport.wants;
    short instead = 0;
    if ((*what & EV_READ) != 0) {
        if ((wants & TRANSPORT_PENDING) != 0) {
            run_queue_add(conn);
            return false;
        }
        instead |= (wants & TRANSPORT_READ_WRITES) != 0 ? EV_WRITE : EV_READ;
    }
    if ((*what & EV_WRITE) != 0) {
        instead |= (wants & TRANSPORT_WRITE_READS) != 0 ? EV_READ : EV_WRITE;
    }
    *what = instead;
    return true;
}

/* How a connection is closed after its pipeline has ended. */
static const struct ending {
    bool drains;  /* replies are sent first */
    bool lingers; /* the peer may still be sending: see conn_linger */
    enum conn_close why;
} endings[] = {
    [PIPELINE_QUIT] = {.drains = true, .why = CONN_CLOSE_QUIT},
    [PIPELINE_KILLED] = {.drains = true, .why = CONN_CLOSE_KILLED},
    [PIPELINE_DESYNCED] = {.drains = true, .lingers = true, .why = CONN_CLOSE_PROTOCOL_ERROR},
    [PIPELINE_HTTP] = {.drains = true, .lingers = true, .why = CONN_CLOSE_HTTP},
    [PIPELINE_REDIS] = {.drains = true, .lingers = true, .why = CONN_CLOSE_REDIS},
    [PIPELINE_TLS_HELLO] = {.why = CONN_CLOSE_HELLO},
    [PIPELINE_NO_MEMORY] = {.why = CONN_CLOSE_NO_MEMORY},
};

/* Closes it, or lets it linger. False: replies have to be sent first. */
static bool conclude(struct conn *conn, bool sent_all)
{
    const struct ending *ending = &endings[conn->state];
    if (ending->drains && !sent_all) {
        return false;
    }
    if (ending->lingers) {
        conn_linger(conn, ending->why);
    } else {
        conn_close(conn, ending->why);
    }
    return true;
}

/* The pipeline needs more bytes: adds EV_READ to what is waited for, if more may come. False: it is
 * closed, or lingers. */
static bool settle_input(struct conn *conn, bool sent_all, short *what)
{
    struct loop *loop = conn->loop;
    bool may_send = identity_allowance(&conn->identity) > 0;
    if (!may_send && sent_all) {
        conn_linger(conn, CONN_CLOSE_UNAUTHENTICATED);
        return false;
    }
    if (conn->ended && sent_all) {
        conn_close(conn, loop->draining ? CONN_CLOSE_STOPPING : CONN_CLOSE_PEER);
        return false;
    }
    if (!conn->ended && may_send) {
        *what |= EV_READ;
    }
    if (!conn->ended && loop->draining) {
        run_queue_add(conn);
    }
    return true;
}

/* The pipeline can go on when the peer has taken replies. False: it has taken enough by now. */
static bool settle_output_full(struct conn *conn)
{
    if (reply_queue_has_drained(&conn->pipeline->replies)) {
        run_queue_add(conn);
        return false;
    }
    if (conn->watched != EV_WRITE) {
        metrics_add(conn->loop->metrics, METRIC_CONN_STALLS, 1);
    }
    return true;
}

/* Waits for these events, or for what the transport needs instead. Gives the pipeline back if
 * nothing is under way. May close it. */
static void wait_for(struct conn *conn, short what)
{
    if (conn->transport.wants != 0 && !heed_transport(conn, &what)) {
        return;
    }
    if (conn->state == PIPELINE_AWAITS_ANSWER && what == 0) {
        /* Most answers come before the next bytes: what is watched stays until those do. */
        what = conn->watched == EV_READ && !conn->woken_early ? EV_READ : CONN_WATCH_PEER;
    }
    if (pipeline_rest(&conn->pipeline, &conn->loop->workspace) &&
        conn->state == PIPELINE_NEEDS_INPUT) {
        run_queue_done(conn);
    }
    if (conn->pipeline != NULL || conn->holds_memory) {
        conn_memory_update(conn);
    }
    if (!conn_watch(conn, what)) {
        conn_close(conn, CONN_CLOSE_NO_MEMORY);
    }
}

/* Decides what it waits for next. May close it. */
static void settle(struct conn *conn)
{
    bool sent_all = reply_queue_is_empty(&conn->pipeline->replies);
    bool waits = true;
    short what = sent_all ? 0 : EV_WRITE;
    conn_set_backlog(conn, !sent_all);
    switch (conn->state) {
    case PIPELINE_NEEDS_INPUT:
        waits = settle_input(conn, sent_all, &what);
        break;
    case PIPELINE_YIELDED:
        metrics_add(conn->loop->metrics, METRIC_CONN_YIELDS, 1);
        run_queue_add(conn);
        return;
    case PIPELINE_OUTPUT_FULL:
        waits = settle_output_full(conn);
        break;
    case PIPELINE_AWAITS_ANSWER:
        break;
    case PIPELINE_AWAITS_MEMORY:
        conn_memory_wait(conn);
        break;
    case PIPELINE_QUIT:
    case PIPELINE_KILLED:
    case PIPELINE_DESYNCED:
    case PIPELINE_HTTP:
    case PIPELINE_REDIS:
    case PIPELINE_TLS_HELLO:
    case PIPELINE_NO_MEMORY:
        waits = !conclude(conn, sent_all);
        break;
    }
    if (waits) {
        wait_for(conn, what);
    }
}

/* The same in a state in which it is not the rule. */
static bool __attribute__((noinline)) may_work_on(const struct conn *conn)
{
    switch (conn->state) {
    case PIPELINE_YIELDED:
        return true;
    case PIPELINE_OUTPUT_FULL:
        return reply_queue_has_drained(&conn->pipeline->replies);
    case PIPELINE_AWAITS_ANSWER:
        return !pipeline_awaits_answer(conn->pipeline);
    case PIPELINE_AWAITS_MEMORY:
        return !conn->awaits_memory;
    default:
        return false;
    }
}

/* Whether the pipeline has anything to do in this pass. */
static inline bool may_work(const struct conn *conn)
{
    return conn->state == PIPELINE_NEEDS_INPUT || may_work_on(conn);
}

/* --- a pass --------------------------------------------------------------- */

/* Reads and parses. False: the connection is closed. */
static bool begin_pass(struct conn *conn, bool readable, bool writable)
{
    struct loop *loop = conn->loop;
    if (conn->pipeline == NULL) {
        conn->pipeline = pipeline_create(&loop->workspace, conn->endpoint, &conn->identity);
        if (conn->pipeline == NULL) {
            conn_close(conn, CONN_CLOSE_NO_MEMORY);
            return false;
        }
    }
    conn->woken_early = conn->state == PIPELINE_AWAITS_ANSWER && readable;
    bool intact = !writable || flush(conn);
    bool reads = readable || conn->transport.wants != 0;
    if (intact && reads && conn->state == PIPELINE_NEEDS_INPUT && !conn->ended) {
        intact = receive(conn);
    }
    if (!intact) {
        conn_close(conn, CONN_CLOSE_IO_ERROR);
        return false;
    }
    if (may_work(conn)) {
        loop->round.requests += pipeline_prepare(conn->pipeline, &loop->workspace);
    }
    return true;
}

/* Leaves the loop with the time that the pipeline has read. */
static void work(struct conn *conn)
{
    struct loop *loop = conn->loop;
    conn->state = pipeline_work(conn->pipeline, &loop->workspace);
    loop->now = loop->workspace.ctx.now;
    if (loop->now == 0) {
        loop->now = clock_now();
    }
}

static bool may_continue_upload(const struct conn *conn)
{
    return conn->state == PIPELINE_NEEDS_INPUT && !conn->ended &&
           pipeline_expects_more(conn->pipeline);
}

/* Reads on while more of a large value may have arrived. It goes to several blocks of the store,
 * and each would wait for the passes of all other connections. False: the transport failed. */
static bool continue_upload(struct conn *conn)
{
    const struct command_context *ctx = &conn->loop->workspace.ctx;
    for (int reads = 0; reads < READS_MAX && may_continue_upload(conn); reads++) {
        if (reads > 0 && !command_has_time(ctx)) {
            break;
        }
        if (!receive(conn)) {
            return false;
        }
        work(conn);
    }
    return true;
}

static void end_pass(struct conn *conn)
{
    struct loop *loop = conn->loop;
    if (may_work(conn)) {
        work(conn);
    } else {
        loop->now = clock_now();
    }
    conn_follow_identity(conn); /* before the reply to AUTH is sent */
    if (!continue_upload(conn) || !flush(conn)) {
        conn_close(conn, CONN_CLOSE_IO_ERROR);
        return;
    }
    conn_touch(conn);
    settle(conn);
}

/* --- rounds --------------------------------------------------------------- */

void conn_io_end_round(struct loop *loop)
{
    struct round *round = &loop->round;
    if (!round->open) {
        return;
    }
    loop->workspace.ctx.now = 0;
    if (round->requests > 1) { /* for a single request there is nothing to overlap with */
        for (unsigned i = 0; i < round->count; i++) {
            pipeline_fetch(round->conns[i]->pipeline, &loop->workspace);
        }
    }
    for (unsigned i = 0; i < round->count; i++) {
        end_pass(round->conns[i]);
    }
    if (round->began != 0) { /* each of them waited for all */
        histogram_add(&loop->metrics->turns, clock_precise() - round->began, round->count);
    }
    round->open = false;
    round->count = round->requests = 0;
    store_leave(loop->store_thread);
    if (loop->workspace.ctx.remote != NULL) {
        cluster_flush(loop->workspace.ctx.remote->cluster); /* what all of them ask, at once */
    }
    if (loop->housekeeper != NULL && store_wants_housekeeping(loop->store)) {
        housekeeper_poke(loop->housekeeper);
    }
}

/* Whether the last poll has found more that is ready. */
static bool others_are_ready(const struct loop *loop)
{
    return event_base_get_num_events(loop->base, EVENT_BASE_COUNT_ACTIVE) > 0;
}

/* An event that is made active fires behind those that are active already. So the round ends when
 * all ready connections of the last poll have begun their passes. For a connection that is alone it
 * ends at once: the event would cost a tenth of its request. */
static void open_round(struct loop *loop)
{
    loop->round.open = true;
    loop->round.began = loop->settings.latency ? clock_precise() : 0;
    store_enter(loop->store_thread);
    loop->round.is_alone = !others_are_ready(loop);
    if (!loop->round.is_alone) {
        event_active(&loop->round.ends, EV_TIMEOUT, 0);
    }
}

void conn_io_begin(struct conn *conn, bool readable, bool writable)
{
    struct loop *loop = conn->loop;
    struct round *round = &loop->round;
    if (!round->open) {
        open_round(loop);
    }
    if (begin_pass(conn, readable, writable)) {
        round->conns[round->count++] = conn;
    }
    if (round->is_alone || round->count == ROUND_CONNS || round->requests >= ROUND_REQUESTS) {
        conn_io_end_round(loop);
    }
}

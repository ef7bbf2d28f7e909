/*
 * conn_state.h - struct conn, for the files that make up a connection and for their tests.
 *
 * From top to bottom, each file using only those below it:
 *
 *     clients.c       describes and kills connections for those that look into the daemon
 *     connections.c   opens connections, closes all of them, and has the callbacks of the events
 *     timeouts.c      closes connections that are overdue
 *     pressure.c      closes connections when memory is short
 *     scheduler.c     decides which connection has a pass next
 *     conn_io.c       a pass: read, execute, write, decide what to wait for
 *     conn.c          what a connection waits for, and its end: lingering, closing
 *     run_queue.c     the connections that wait for a pass
 *     conn_memory.c   the connections that hold memory or wait for it
 *     loop.c          what the connections of one thread have in common
 */
#ifndef KVCACHED_DAEMON_CONN_CONN_STATE_H
#define KVCACHED_DAEMON_CONN_CONN_STATE_H

#include "daemon/conn/loop.h"
#include "daemon/net/transport.h"
#include "daemon/request/pipeline.h"

/* Times are in milliseconds on clock_now(). */
struct conn {
    struct event event;
    struct loop *loop;
    struct pipeline *pipeline; /* NULL while there is nothing to do */
    const struct endpoint *endpoint;
    struct transport transport;
    struct identity identity;
    TAILQ_ENTRY(conn) link;                 /* in loop->active or loop->lingering */
    TAILQ_ENTRY(conn) queue_link;           /* in a list of loop->run_queue, if `is_queued` */
    TAILQ_ENTRY(conn) unauthenticated_link; /* in loop->unauthenticated, if so */
    TAILQ_ENTRY(conn) holder_link;          /* in loop->pressure.holders, if `holds_memory` */
    TAILQ_ENTRY(conn) waiter_link;          /* in loop->pressure.waiters, if `awaits_memory` */
    uint64_t bytes_moved;                   /* to and from the peer, since `due` was advanced */
    uint64_t due;            /* by when the peer should have taken or sent something */
    uint64_t received, sent; /* bytes, since it was opened */
    uint32_t unsent;         /* bytes in the socket's send queue when bytes moved last, */
    uint64_t unsent_since;   /* and when that was */
    size_t held;             /* bytes of buffers that conn_memory.c counts */
    uint64_t last_active;    /* when it last had a pass, began to linger, or was half closed */
    uint64_t listed_at;      /* when it was put at the end of loop->active */
    enum pipeline_state state : 8;
    short watched; /* the events that it waits for */
    short ready;   /* the events that have come while it `is_queued` */
    bool is_queued;
    bool interactive; /* idle, and its last pass was short and finished: see scheduler.h */
    bool demoted;     /* its last pass from the run queue did not finish: see scheduler.h */
    bool woken_early; /* bytes have come while it awaits an answer */
    bool has_backlog; /* replies that its peer does not take */
    bool is_unauthenticated;
    bool holds_memory; /* buffers, between its passes */
    bool awaits_memory;
    bool lingers;
    bool ended;       /* no more bytes will be read */
    bool half_closed; /* it awaits an answer, and its peer has shut down its sending side; counted
                         in loop->half_closed */
};

#endif

/*
 * conn_state.h - what the files that make up a connection share of it.
 *
 * From top to bottom, each file using only those below it:
 *
 *     connections.c   opens connections and closes all of them; the callbacks of the loop's events
 *     timeouts.c, pressure.c, scheduler.c
 *                     close those whose time is over; have some give way when memory is short; say
 *                     which has its turn
 *     conn_io.c       a turn: reads, works, sends, decides what is waited for
 *     conn.c          what a connection waits for, and its end: lingering, closing
 *     run_queue.c, conn_memory.c
 *                     the lists of those that wait for a turn, hold memory, or wait for memory
 *     loop.c          what the connections of one thread have in common
 */
#ifndef KVCACHED_DAEMON_CONN_CONN_STATE_H
#define KVCACHED_DAEMON_CONN_CONN_STATE_H

#include "daemon/conn/loop.h"
#include "daemon/net/transport.h"
#include "daemon/request/pipeline.h"

struct conn {
    struct event event;
    struct loop *loop;
    struct pipeline *pipeline; /* NULL while there is nothing to do */
    const struct endpoint *endpoint;
    struct transport transport;
    struct identity identity;
    TAILQ_ENTRY(conn) link;                 /* in loop->seated or loop->lingering */
    TAILQ_ENTRY(conn) queue_link;           /* in a line of loop->run_queue, if `waits` */
    TAILQ_ENTRY(conn) unauthenticated_link; /* in loop->strangers, if `strange` */
    TAILQ_ENTRY(conn) holder_link;          /* in loop->pressure.holders, if `holds` */
    TAILQ_ENTRY(conn) waiter_link;          /* in loop->pressure.waiters, if `crowded` */
    uint64_t bytes_moved;                   /* bytes, since pressure.c last looked */
    uint64_t due;          /* by when its peer should have taken or sent something */
    size_t unsent;         /* bytes that its socket held when something moved last, */
    uint64_t unsent_since; /* and when that was */
    size_t held;           /* bytes of buffers that it counts with */
    uint64_t last_active;  /* when it last had a turn, or began to linger or part */
    uint64_t listed_at;    /* when it was put at the end of loop->seated */
    enum pipeline_state state;
    short watched; /* what its event waits for */
    short ready;   /* what its socket was ready for, while it `waits` */
    bool is_queued;
    bool interactive; /* idle, and its last turn was short and left nothing open: see scheduler.h */
    bool demoted;     /* its last turn in line was not enough: likewise */
    bool has_backlog; /* replies, which its peer does not take */
    bool is_unauthenticated;
    bool holds_memory;  /* buffers, between its turns */
    bool awaits_memory; /* waits for memory */
    bool lingers;
    bool ended;       /* no more bytes will be read */
    bool half_closed; /* waits for the authenticator, and its peer has said its last:
                   loop->half_closed counts it */
};

#endif

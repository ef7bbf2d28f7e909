/*
 * conn_state.h - what the files that make up a connection share of it.
 *
 * conn.c owns its life: opening, lingering, closing; timeouts.c its end for want of a name,
 * pressure.c that for want of memory.
 * scheduler.c says when it has its turn, and conn_io.c moves its bytes. Nobody else includes this,
 * but for the test of scheduler.c.
 */
#ifndef KVCACHED_DAEMON_CONN_CONN_STATE_H
#define KVCACHED_DAEMON_CONN_CONN_STATE_H

#include "daemon/conn/conn.h"
#include "daemon/net/close_reason.h"
#include "daemon/net/transport.h"
#include "daemon/request/pipeline.h"

/* Of conn_watch: that more comes or the peer goes, each time once and not as long as it is so. */
enum { CONN_WATCH_PEER = EV_READ | EV_ET };

struct conn {
    struct event event;
    struct loop *loop;
    struct pipeline *pipeline; /* NULL while there is nothing to do */
    const struct endpoint *endpoint;
    struct transport transport;
    struct identity identity;
    TAILQ_ENTRY(conn) link;                 /* in loop->seated or loop->lingers */
    TAILQ_ENTRY(conn) wait;                 /* in a line of loop->lines, if `waits` */
    TAILQ_ENTRY(conn) unauthenticated_link; /* in loop->strangers, if `strange` */
    TAILQ_ENTRY(conn) holding;              /* in loop->pressure.holders, if `holds` */
    TAILQ_ENTRY(conn) crowd;                /* in loop->pressure.crowd, if `crowded` */
    uint64_t moved;                         /* bytes, since pressure.c last looked */
    uint64_t due;          /* by when its peer should have taken or sent something */
    size_t queued;         /* bytes that its socket held when something moved last, */
    uint64_t queued_since; /* and when that was */
    size_t held;           /* bytes of buffers that it counts with */
    uint64_t active;       /* when it last had a turn, or began to linger or part */
    uint64_t listed;       /* when it was put at the end of loop->seated */
    enum pipeline_state state;
    short watched; /* what its event waits for */
    short ready;   /* what its socket was ready for, while it `waits` */
    bool waits;
    bool interactive; /* idle, and its last turn was short and left nothing open: see scheduler.h */
    bool demoted;     /* its last turn in line was not enough: likewise */
    bool has_backlog; /* replies, which its peer does not take */
    bool is_unauthenticated;
    bool holds;   /* buffers, between its turns */
    bool crowded; /* waits for memory */
    bool lingers;
    bool ended; /* no more bytes will be read */
    bool parts; /* waits for the authenticator, and its peer has said its last: loop->parting counts
                   it */
};

/* Says why, and is gone. */
void conn_close(struct conn *conn, enum conn_close why);

/* The same for one that lingers, which has said why. */
void conn_leave(struct conn *conn);

/* Says why, and reads and drops what still comes. May close it. */
void conn_linger(struct conn *conn, enum conn_close why);

/* Waits for these events and for nothing else. False: no memory. */
bool conn_watch(struct conn *conn, short what);

/* Whether it has replies that its peer does not take: the loop counts those. */
void conn_account(struct conn *conn, bool has_backlog);

/* One that lingers: drops what has come. May close it. */
void conn_swallow(struct conn *conn);

/* Somebody of the loop may be overdue one day. */
void conn_arm_sweep(struct loop *loop);

/* It had a turn. */
void conn_touch(struct conn *conn);

#endif

/*
 * conn_state.h - what conn.c and turn.c share of a connection.
 *
 * conn.c owns its life: opening, waiting, lingering, closing. turn.c moves its bytes.
 * Nobody else includes this.
 */
#ifndef KVCACHED_CONN_STATE_H
#define KVCACHED_CONN_STATE_H

#include "daemon/conn.h"
#include "daemon/desk.h"
#include "daemon/transport.h"

struct conn {
    struct event event;
    struct crew *crew;
    struct desk *desk; /* NULL while there is nothing to do */
    const struct door *door;
    struct transport transport;
    struct pass pass;
    TAILQ_ENTRY(conn) seat;     /* in crew->seated or crew->lingers */
    TAILQ_ENTRY(conn) wait;     /* in crew->waiting, if `waits` */
    TAILQ_ENTRY(conn) stranger; /* in crew->strangers, if `strange` */
    uint64_t active;            /* when it last had a turn, or began to linger */
    uint64_t seated;            /* when it was put at the end of crew->seated */
    enum desk_state state;
    short watched; /* what its event waits for */
    bool waits;
    bool strange;
    bool lingers;
    bool ended; /* no more bytes will be read */
};

/* Says why, and is gone. */
void conn_close(struct conn *conn, enum conn_close why);

/* Says why, and reads and drops what still comes. May close it. */
void conn_linger(struct conn *conn, enum conn_close why);

/* Waits for these events and for nothing else. False: no memory. */
bool conn_watch(struct conn *conn, short what);

/* Goes on when everybody else has been looked at. */
void conn_wait_for_turn(struct conn *conn);

/* Its pass may have changed: it is among the strangers, behind all others, or not. */
void conn_note_stranger(struct conn *conn);

/* It had a turn. */
void conn_touch(struct conn *conn);

#endif

/*
 * conn.h - a connection: what it waits for, and how it ends.
 *
 * All calls are for the thread of the loop that the connection belongs to.
 */
#ifndef KVCACHED_DAEMON_CONN_CONN_H
#define KVCACHED_DAEMON_CONN_CONN_H

#include <event2/event.h>
#include <stdbool.h>

#include "daemon/net/close_reason.h"
#include "protocol/inspect.h"

struct conn;

/* Of conn_watch: the peer sends or closes. Edge-triggered: each change is reported once. */
enum { CONN_WATCH_PEER = EV_READ | EV_ET };

/* Waits for these libevent events and for no others; 0: for none. False: no memory. */
bool conn_watch(struct conn *conn, short what);

/* Tells watchers that it was opened, or closed for that reason. */
void conn_notice(const struct conn *conn, enum event_kind kind, const char *reason);

/* Records the reason, closes and frees it. */
void conn_close(struct conn *conn, enum conn_close why);

/* Records the reason, shuts down the sending side, then reads and drops what the peer still sends,
 * until the peer closes or timeouts.c ends it. May close it. */
void conn_linger(struct conn *conn, enum conn_close why);

/* Drops the bytes that a lingering connection has received. May close it. */
void conn_swallow(struct conn *conn);

/* Closes and frees a connection after its reason has been recorded: a lingering one. */
void conn_destroy(struct conn *conn);

/* It had a pass: moves it towards the end of loop->active. */
void conn_touch(struct conn *conn);

/* Whether it has replies that its peer does not take: loop->backlogged counts those. */
void conn_set_backlog(struct conn *conn, bool has_backlog);

/* Its identity may have changed: enters it at the end of loop->unauthenticated, or removes it. */
void conn_follow_identity(struct conn *conn);

/* Its login was answered: loop->half_closed does not count it any more. */
void conn_clear_half_closed(struct conn *conn);

#endif

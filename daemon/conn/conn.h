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

struct conn;

/* Of conn_watch: that more comes or the peer goes, each time once and not as long as it is so. */
enum { CONN_WATCH_PEER = EV_READ | EV_ET };

/* Says why, and is gone. */
void conn_close(struct conn *conn, enum conn_close why);

/* The same for one that lingers, which has said why. */
void conn_destroy(struct conn *conn);

/* Says why, and reads and drops what still comes. May close it. */
void conn_linger(struct conn *conn, enum conn_close why);

/* Waits for these events and for nothing else. False: no memory. */
bool conn_watch(struct conn *conn, short what);

/* Whether it has replies that its peer does not take: the loop counts those. */
void conn_set_backlog(struct conn *conn, bool has_backlog);

/* One that lingers: drops what has come. May close it. */
void conn_swallow(struct conn *conn);

/* It had a turn. */
void conn_touch(struct conn *conn);

/* Its identity may have changed: it is one of those that have not said who they are, behind all
 * others, or is one no more. */
void conn_follow_identity(struct conn *conn);

/* It waits for the authenticator no more: loop->half_closed does not count it. */
void conn_clear_half_closed(struct conn *conn);

#endif

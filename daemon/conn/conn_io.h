/*
 * conn_io.h - a connection's turns, and the rounds in which they are taken.
 *
 * All calls are for the thread of the loop.
 */
#ifndef KVCACHED_DAEMON_CONN_CONN_IO_H
#define KVCACHED_DAEMON_CONN_CONN_IO_H

#include <stdbool.h>

#include "daemon/conn/loop.h"

/* Begins a connection's turn, which may close it. It ends with the round. */
void conn_io_begin(struct conn *conn, bool readable, bool writable);

/* Ends the turns that have begun. The loop's round.ends calls it, and so does whoever is
 * about to look at all connections. */
void conn_io_end_round(struct loop *loop);

#endif

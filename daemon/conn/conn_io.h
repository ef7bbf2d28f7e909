/*
 * conn_io.h - a connection's I/O passes, and the rounds in which they happen.
 *
 * All calls are for the thread of the loop.
 */
#ifndef KVCACHED_DAEMON_CONN_CONN_IO_H
#define KVCACHED_DAEMON_CONN_CONN_IO_H

#include <stdbool.h>

#include "daemon/conn/loop.h"

/* Begins a pass, which ends with the round. May close the connection. */
void conn_io_begin(struct conn *conn, bool readable, bool writable);

/* Ends the passes that have begun. The event loop->round.ends calls it; so must a function that is
 * about to walk over connections or to close them. May close connections. */
void conn_io_end_round(struct loop *loop);

#endif

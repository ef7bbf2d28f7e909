/*
 * conn_memory.h - how much memory each connection holds between its passes, and which connections
 * wait for memory.
 *
 * Only counts: pressure.h decides which connections give way when memory is short.
 *
 * All calls are for the thread of the loop.
 */
#ifndef KVCACHED_DAEMON_CONN_CONN_MEMORY_H
#define KVCACHED_DAEMON_CONN_CONN_MEMORY_H

#include <stdbool.h>

struct conn;
struct loop;

/* Counts what it holds after a pass. For a connection that has a pipeline, or had one when this was
 * called last. */
void conn_memory_update(struct conn *conn);

/* It is about to be closed, or to linger: it holds nothing and waits for nothing. */
void conn_memory_release(struct conn *conn);

/* Its request needs memory that is not free: it has another pass within PRESSURE_RETRY_MS, or
 * later if many wait. */
void conn_memory_wait(struct conn *conn);

/* Removes it from the waiters. Does nothing to a connection that does not wait. */
void conn_memory_stop_waiting(struct conn *conn);

/* Whether the buffers of all connections of the process exceed the option `buffers`. */
bool conn_memory_exceeds_limit(const struct loop *loop);

#endif

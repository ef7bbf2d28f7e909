/*
 * conn_memory.h - how much memory each connection holds between its turns, and which connections
 * wait for some.
 *
 * Only keeps the books: which connections give way when memory is short is in pressure.h.
 *
 * All calls are for the thread of the loop.
 */
#ifndef KVCACHED_DAEMON_CONN_CONN_MEMORY_H
#define KVCACHED_DAEMON_CONN_CONN_MEMORY_H

#include <stdbool.h>

struct conn;
struct loop;

/* It had a turn: what it holds may have changed. For one that has a pipeline, or had one when this
 * was called last. */
void conn_memory_update(struct conn *conn);

/* It holds nothing, and waits for nothing. */
void conn_memory_release(struct conn *conn);

/* What it asked for cannot be had for now: it has another turn soon. */
void conn_memory_wait(struct conn *conn);

/* It waits no more; nothing happens to one that does not wait. */
void conn_memory_stop_waiting(struct conn *conn);

/* Whether all connections of the process together hold more than the option `buffers` allows. */
bool conn_memory_exceeds_limit(const struct loop *loop);

#endif

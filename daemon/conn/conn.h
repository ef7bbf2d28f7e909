/*
 * conn.h - a connection: when its bytes are read, and when its replies leave.
 *
 * All calls are for the thread of the loop that the connection belongs to.
 */
#ifndef KVCACHED_DAEMON_CONN_CONN_H
#define KVCACHED_DAEMON_CONN_CONN_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/conn/loop.h"
#include "daemon/net/endpoint.h"
#include "daemon/net/transport.h"

/* Bytes of a connection: for the loop's pool. */
size_t conn_size(void);

/*
 * Takes over a transport whose peer has greeted, if it has to. It is counted in
 * instance->connections; closing it takes it off. False when there is no memory: then it is
 * closed already. `endpoint` is where it came in and must outlive the connection.
 */
bool conn_open(struct loop *loop, struct transport *transport, const struct endpoint *endpoint);

/* Closes those whose time is over. */
void conn_sweep(struct loop *loop);

/* From now on the loop's events see to its connections. Once, after loop_init. */
void conn_serve(struct loop *loop);

/* New settings, for the connections that are open too. A reference to `users` is taken. */
void conn_reconfigure(struct loop *loop, const struct conn_settings *settings, struct users *users);

/* The authenticator has answered a login of this loop: its connection goes on. */
void conn_answered(struct login_request *login);

/*
 * From now on, what has arrived is answered and sent, and then every connection
 * closes by itself. When none is left, then or at once, the event loop is told
 * to end.
 */
void conn_drain(struct loop *loop);

void conn_close_all(struct loop *loop);

#endif

/*
 * connections.h - all connections of a loop, for the worker that owns it.
 *
 * All calls are for the thread of the loop.
 */
#ifndef KVCACHED_DAEMON_CONN_CONNECTIONS_H
#define KVCACHED_DAEMON_CONN_CONNECTIONS_H

#include <stdbool.h>

struct conn_settings;
struct endpoint;
struct login_request;
struct loop;
struct transport;
struct users;

/*
 * Takes over a transport whose peer has greeted, if it has to. It is counted in
 * instance->connections; closing it takes it off. False when there is no memory: then it is
 * closed already. `endpoint` is where it came in and must outlive the connection.
 */
bool connections_open(struct loop *loop, struct transport *transport,
                      const struct endpoint *endpoint);

/* From now on the loop's events see to its connections. Once, after loop_init. */
void connections_serve(struct loop *loop);

/* New settings, for the connections that are open too. A reference to `users` is taken. */
void connections_reconfigure(struct loop *loop, const struct conn_settings *settings,
                             struct users *users);

/* The authenticator has answered a login of this loop: its connection goes on. */
void connections_answered(struct login_request *login);

/*
 * From now on, what has arrived is answered and sent, and then every connection
 * closes by itself. When none is left, then or at once, the event loop is told
 * to end.
 */
void connections_drain(struct loop *loop);

void connections_close_all(struct loop *loop);

#endif

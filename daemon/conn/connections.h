/*
 * connections.h - all connections of a loop, for the worker that owns it.
 *
 * All calls are for the thread of the loop.
 */
#ifndef KVCACHED_DAEMON_CONN_CONNECTIONS_H
#define KVCACHED_DAEMON_CONN_CONNECTIONS_H

#include <stdbool.h>

#include "daemon/watch/client_query.h"

struct conn_settings;
struct endpoint;
struct identity;
struct login_request;
struct loop;
struct reload_request;
struct transport;
struct users;

/* Makes the pool of connections, and the events of the loop call the functions of this room. Once,
 * after loop_init. */
void connections_serve(struct loop *loop);

/*
 * Takes over a transport; a TLS handshake must be done. The connection has been counted
 * in instance->connections; closing it takes it off. `endpoint` must outlive it. False when there
 * is no memory: the transport is closed then, and the connection taken off.
 */
bool connections_open(struct loop *loop, struct transport *transport,
                      const struct endpoint *endpoint);

/* Applies new settings and users to open connections too. Takes a reference to `users`. */
void connections_reconfigure(struct loop *loop, const struct conn_settings *settings,
                             struct users *users);

/* The authenticator has answered a login of this loop: its connection goes on. */
void connections_answered(struct login_request *login);
/* The same of the main thread and a RELOAD. */
void connections_reloaded(struct reload_request *request);

/* Nodes of the cluster have answered what the connection of this identity waits for: it goes on in
 * the round that is open, or in a new one. May close connections. */
void connections_resume(struct identity *identity);
/* Counts the memory of that connection, which has grown since its last pass. */
void connections_grew(struct identity *identity);

/* A worker has answered a query of this loop: its connection goes on, if there is still one. */
void connections_return_query(struct client_query *query);

/* Lets the connections go on that watch, and for which events have come. */
void connections_wake_watchers(struct loop *loop);

/* Answers what has arrived, sends the replies, and lets every connection close then. Ends the event
 * loop when none is left, which may be at once. */
void connections_drain(struct loop *loop);

/* Closes all at once, and drops replies that were not sent. */
void connections_close_all(struct loop *loop);

#endif

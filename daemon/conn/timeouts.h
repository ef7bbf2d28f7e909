/*
 * timeouts.h - connections that are closed because of their age: idle, lingering, half closed and
 * unauthenticated ones.
 *
 * A connection is unauthenticated only where users are configured, and for UNAUTHENTICATED_MS at
 * most (identity.h). It has less time when max_connections is reached: a new connection then
 * replaces the oldest one, so that clients without a secret cannot keep out those that have one.
 * Handshakes under way (handshaker.h) count as unauthenticated. The order of replacement is:
 *
 *     1. lingering connections: all replies have been sent
 *     2. unauthenticated connections and handshakes, oldest first
 *     3. unauthenticated connections that await the authenticator
 *
 * A half-closed connection that awaits the authenticator belongs to 2: most such peers have hung
 * up and do not read the answer.
 *
 * All calls are for the thread of the loop.
 */
#ifndef KVCACHED_DAEMON_CONN_TIMEOUTS_H
#define KVCACHED_DAEMON_CONN_TIMEOUTS_H

#include <stdbool.h>

struct loop;

/* Closes the connections that are overdue. For the event loop->sweep. */
void timeouts_sweep(struct loop *loop);

/* Closes one connection or handshake, in the order above. False: there is none. */
bool timeouts_make_room(struct loop *loop);

#endif

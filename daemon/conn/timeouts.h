/*
 * timeouts.h - connections that have not said yet who they are.
 *
 * There are such only where there are users. They have UNAUTHENTICATED_MS, and where
 * max_connections is reached not even that: one that is new takes the place of the oldest
 * that has proved nothing, so that nobody without a secret can keep those out who have one.
 * Connections that still greet (handshaker.h) have proved nothing either. Those that linger,
 * whatever they had proved, have said all, and go first. Those that wait for the authenticator go
 * last, unless the peer has said its last: most such peers have hung up, and the authenticator's
 * answer is for none.
 *
 * All calls are for the thread of the loop.
 */
#ifndef KVCACHED_DAEMON_CONN_TIMEOUTS_H
#define KVCACHED_DAEMON_CONN_TIMEOUTS_H

#include <stdbool.h>

struct loop;

/* Closes those whose time is over. */
void timeouts_sweep(struct loop *loop);

/* Closes the oldest that lingers, or else the oldest that has proved nothing. False: there is
 * none. */
bool timeouts_make_room(struct loop *loop);

#endif

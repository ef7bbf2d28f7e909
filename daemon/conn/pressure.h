/*
 * pressure.h - which connections give way when memory is short.
 *
 * A connection holds memory between its turns when its peer does not do its part: replies that
 * are not taken lie in buffers or pin values in the store, and a value that does not arrive
 * keeps what has come of it. An honest peer is done with that in a moment. So there are three
 * kinds of give and take:
 *
 *     pinned values       the store bounds them. Where the bound is reached, requests wait, and
 *                         connections that pin values there are closed, those that were stuck
 *                         for longest first
 *     unfinished values   likewise; the value is answered with an error, and the connection
 *                         stays
 *     buffers             of all connections together are bounded by the option of that name:
 *                         those that hold most are closed
 *
 * A peer is stuck when it is PRESSURE_GRACE_MS behind a rate of PRESSURE_RATE. So one that takes
 * a byte now and then is stuck as well.
 *
 * All calls are for the thread of the loop.
 */
#ifndef KVCACHED_DAEMON_CONN_PRESSURE_H
#define KVCACHED_DAEMON_CONN_PRESSURE_H

struct loop;

enum {
    PRESSURE_PATIENCE_MS = 8000,   /* so long behind that it gives way as soon as memory is short */
    PRESSURE_ABANDONED_MS = 30000, /* an upload so long behind is ended, short or not */
};

/* Has those give way that must. May close connections. */
void pressure_relieve(struct loop *loop);

/* From now on the loop's events call it. Once, after loop_init. */
void pressure_serve(struct loop *loop);

#endif

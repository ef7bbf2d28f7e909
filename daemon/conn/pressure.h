/*
 * pressure.h - which connections give way when memory is short.
 *
 * A connection holds memory between its passes when its peer is slow: replies that the peer does
 * not take lie in buffers or pin values in the store, and a value that is uploaded keeps the part
 * that has arrived. A well-behaved peer needs that memory for a moment only. Three kinds of memory
 * are bounded:
 *
 *     pinned values       by the store. When the bound is reached, requests wait, and connections
 *                         that pin values there are closed, those stuck for longest first
 *     unfinished values   by the store, too. The upload is ended with an error, and the connection
 *                         stays open
 *     buffers             of all connections together, by the option of that name. The connections
 *                         that hold most are closed
 *
 * A peer is stuck when it is PRESSURE_GRACE_MS (loop.h) behind a rate of PRESSURE_RATE. So a peer
 * that takes a byte now and then is stuck as well.
 *
 * All calls are for the thread of the loop.
 */
#ifndef KVCACHED_DAEMON_CONN_PRESSURE_H
#define KVCACHED_DAEMON_CONN_PRESSURE_H

struct loop;

enum {
    PRESSURE_PATIENCE_MS = 8000,   /* a peer this far behind gives way once memory is short */
    PRESSURE_ABANDONED_MS = 30000, /* an upload this far behind is ended in any case */
};

/* Ends the uploads and closes the connections that have to give way. For the event
 * loop->pressure.scan. */
void pressure_relieve(struct loop *loop);

/* Makes the events of loop->pressure call the functions of this file. Once, after loop_init. */
void pressure_serve(struct loop *loop);

#endif

/*
 * scheduler.h - which connection has a pass, and when.
 *
 * A connection whose last pass was short and finished is interactive: it has another short pass as
 * soon as it is ready. All other ready connections wait in the run queue: those that are new, ask
 * for much, send in pieces or do not read. Between two polls the run queue gets one slice of time
 * (SCHEDULER_SLICE_US), however many wait in it; what a pass does not finish goes on in the next.
 *
 * So a small request waits about one slice, whatever the load. A single busy connection loses
 * nothing: it gets slice after slice.
 *
 * All calls are for the thread of the loop.
 */
#ifndef KVCACHED_DAEMON_CONN_SCHEDULER_H
#define KVCACHED_DAEMON_CONN_SCHEDULER_H

struct conn;
struct loop;

enum { SCHEDULER_SLICE_US = 100 };

/* Its socket is ready for these libevent events: it has its pass, or is queued. May close
 * connections. */
void scheduler_ready(struct conn *conn, short what);

/* Serves the run queue for one slice. For the event loop->slice. May close connections. */
void scheduler_run(struct loop *loop);

#endif

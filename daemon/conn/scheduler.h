/*
 * scheduler.h - which connection has its turn, and when.
 *
 * Those whose last turn was short and left nothing open are prompt: as soon as they are ready
 * they have a short turn again. All others wait in line: whoever is new, asks for much, sends
 * in pieces or does not read. Between two looks at the sockets those in line get one slice of
 * time, however many they are; what a turn does not get done in it, goes on in the next.
 *
 * So who asks for a little waits about for a slice, whatever the others do, and where nobody
 * is in need of it nothing is lost: a line of one gets one slice after the other.
 *
 * All calls are for the thread of the loop.
 */
#ifndef KVCACHED_DAEMON_CONN_SCHEDULER_H
#define KVCACHED_DAEMON_CONN_SCHEDULER_H

struct conn;
struct loop;

enum { SCHEDULER_SLICE_US = 100 };

/* Its socket is ready for these events: it has its turn, or gets in line for it. May close
 * connections. */
void scheduler_ready(struct conn *conn, short what);

/* Those in line have a slice. For the event loop->slice. May close connections. */
void scheduler_run(struct loop *loop);

#endif

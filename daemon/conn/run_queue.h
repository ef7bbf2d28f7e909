/*
 * run_queue.h - connections that wait for their turn.
 *
 * Only the lists, and when the next of them has its turn; scheduler.c takes them out and serves
 * them.
 *
 * All calls are for the thread of the loop.
 */
#ifndef KVCACHED_DAEMON_CONN_RUN_QUEUE_H
#define KVCACHED_DAEMON_CONN_RUN_QUEUE_H

struct conn;
struct run_queue;
struct loop;

/* It can go on whatever becomes of its socket: it gets in line. */
void run_queue_add(struct conn *conn);

/* Its turn was short and left nothing open. */
void run_queue_done(struct conn *conn);

/* It is closed: it leaves the line. */
void run_queue_remove(struct conn *conn);

/* It gets in line, where it is not yet. Somebody else sees to it that the line is served. */
void run_queue_append(struct conn *conn);

/* The next to be served, which stays in line; NULL: nobody stands in line. */
struct conn *run_queue_next(struct run_queue *queue);

/* loop->slice fires when the sockets have been polled once more. */
void run_queue_serve_after_poll(struct loop *loop);

/* loop->slice fires when all that the last poll found has been dealt with. */
void run_queue_serve_before_poll(struct loop *loop);

#endif

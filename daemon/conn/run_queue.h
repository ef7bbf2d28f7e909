/*
 * run_queue.h - connections that are ready and wait for a pass.
 *
 * Two lists, and the order in which they are served; scheduler.c takes connections out and serves
 * them.
 *
 * All calls are for the thread of the loop.
 */
#ifndef KVCACHED_DAEMON_CONN_RUN_QUEUE_H
#define KVCACHED_DAEMON_CONN_RUN_QUEUE_H

struct conn;
struct loop;
struct run_queue;

/* It can go on whatever events its socket has: it is queued, and is not interactive. Does nothing
 * more to a connection that is queued already. */
void run_queue_add(struct conn *conn);

/* Its pass was short and finished: it is interactive, unless it is queued. */
void run_queue_done(struct conn *conn);

/* Takes it out, if it is queued. */
void run_queue_remove(struct conn *conn);

/* Puts a connection that is not queued at the end of its list. The caller calls one of the
 * run_queue_serve functions. */
void run_queue_append(struct conn *conn);

/* The next to be served, which stays in its list. NULL: the queue is empty. */
struct conn *run_queue_next(struct run_queue *queue);

/* Makes loop->slice fire after the next poll. */
void run_queue_serve_after_poll(struct loop *loop);

/* Makes loop->slice fire once all events of the last poll have been handled. */
void run_queue_serve_before_poll(struct loop *loop);

#endif

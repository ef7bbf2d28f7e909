/*
 * greeting.h - connections whose peers still have to greet: TLS handshakes.
 *
 * A handshake takes the processor up to a millisecond, as long as hundreds of requests, and
 * anybody can ask for one. So handshakes are bounded in time and in number, and their steps
 * stand in line with all else that takes long: one of them uses up a slice of time, and those
 * that are in are not held up.
 *
 * All calls are for the thread of the crew.
 */
#ifndef KVCACHED_GREETING_H
#define KVCACHED_GREETING_H

struct conn;
struct crew;

enum {
    GREETING_MS = 5000,   /* from accept to the end of the handshake */
    GREETINGS_MAX = 1024, /* unfinished ones of a crew; the oldest goes for one more */
};

/* A connection that was just opened waits for its peer. May close it, or another one. */
void greeting_begin(struct conn *conn);

/* It leaves the ones that greet, because it has greeted or is closed. */
void greeting_leave(struct conn *conn);

/* Its turn. May close it. */
void greeting_step(struct conn *conn);

/* Closes those whose time is over. */
void greeting_sweep(struct crew *crew);

/* Closes all, as the daemon stops. */
void greeting_end(struct crew *crew);

#endif

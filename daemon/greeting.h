/*
 * greeting.h - connections whose peers still have to greet: TLS handshakes.
 *
 * A handshake takes the processor up to a millisecond, as long as hundreds of requests, and
 * anybody can ask for one. So handshakes are bounded: in time, in number, and in how many of
 * their steps are made before the crew looks at its other connections again. What is beyond
 * waits, and those that are in are not held up.
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
    GREETING_STEPS = 2,   /* at a time: about one handshake */
};

/* A connection that was just opened waits for its peer. May close it, or another one. */
void greeting_begin(struct conn *conn);

/* It leaves the ones that greet, because it has greeted or is closed. */
void greeting_leave(struct conn *conn);

/* Some steps of those that are ready. For the event greetings.turn. */
void greeting_turn(struct crew *crew);

/* Closes those whose time is over. */
void greeting_sweep(struct crew *crew);

/* Closes all, as the daemon stops. */
void greeting_end(struct crew *crew);

#endif

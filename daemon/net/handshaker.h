/*
 * handshaker.h - the thread that does TLS handshakes for one worker.
 *
 * A handshake takes the processor up to a millisecond, as long as hundreds of requests, it cannot
 * be interrupted, and any peer can ask for one. So no worker does it: where a TLS endpoint is
 * configured, each worker has a handshaker, a thread of low priority. A connection stays there
 * until its handshake is done, and is then handed to the worker for good. Handshakes are bounded
 * in time and in number.
 *
 * All functions but create and destroy may be called from any thread.
 */
#ifndef KVCACHED_DAEMON_NET_HANDSHAKER_H
#define KVCACHED_DAEMON_NET_HANDSHAKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/instance.h"
#include "daemon/net/handoff.h"

enum {
    HANDSHAKE_MS = 5000,     /* from the start of a handshake to its end */
    HANDSHAKES_MAX = 1024,   /* unfinished ones; one more closes the oldest */
    HANDSHAKER_WAITING = 64, /* connections whose handshake has not started: see has_room */
};

struct handshaker;

struct handshaker_options {
    unsigned id;                  /* of its worker; picks its set of metrics */
    struct instance *instance;    /* must outlive it */
    atomic_uint *unauthenticated; /* counts its connections too; must outlive it */
    /* Takes over a connection whose handshake is done; on the handshaker's thread. */
    void (*done)(struct handoff *handoff, void *context);
    void *context;
};

/* Starts the thread. NULL with errno. */
struct handshaker *handshaker_create(const struct handshaker_options *options);

/* Takes over a connection and does its handshake. */
void handshaker_adopt(struct handshaker *handshaker, struct handoff *handoff);

/* Whether fewer than HANDSHAKER_WAITING connections are queued. If not, leave new ones in the
 * listen backlog: accepting a connection that is evicted before its handshake starts costs an
 * accept and a close for nothing. */
bool handshaker_has_room(const struct handshaker *handshaker);

#define HANDSHAKER_EMPTY UINT64_MAX

/* When the oldest handshake started, by clock_now(). HANDSHAKER_EMPTY - 1, later than any time: all
 * connections are still queued. HANDSHAKER_EMPTY: there is no connection. */
uint64_t handshaker_oldest(const struct handshaker *handshaker);

/* Closes the connection with the oldest handshake, to make room for another connection. */
void handshaker_make_room(struct handshaker *handshaker);

/* A number that goes up at least once a second while the thread's event loop runs. */
uint64_t handshaker_heartbeat(const struct handshaker *handshaker);

/* Closes all connections with unfinished handshakes and ends the thread, without waiting for it. */
void handshaker_stop(struct handshaker *handshaker);

/* Stops the thread, waits for it and frees all. Sets *handshaker to NULL; NULL is legal. */
void handshaker_destroy(struct handshaker **handshaker);

#endif

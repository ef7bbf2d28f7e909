/*
 * handshaker.h - the thread in which peers greet: TLS handshakes.
 *
 * A handshake takes the processor up to a millisecond, as long as hundreds of requests, it
 * cannot be cut, and anybody can ask for one. So no worker does it: each has a handshaker where
 * TLS is spoken, which lets workers go first. There a connection stays until its peer has
 * greeted, and then it is handed to the worker for life. Handshakes are bounded in time and in
 * number.
 */
#ifndef KVCACHED_DAEMON_NET_HANDSHAKER_H
#define KVCACHED_DAEMON_NET_HANDSHAKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/instance.h"
#include "daemon/net/handoff.h"

enum {
    GREETING_MS = 5000,      /* from accept to the end of the handshake */
    HANDSHAKES_MAX = 1024,   /* unfinished ones; the oldest goes for one more */
    HANDSHAKER_WAITING = 64, /* more should not be brought to the endpoint */
};

struct handshaker;

struct handshaker_options {
    unsigned id;               /* of its worker; picks its set of metrics */
    struct instance *instance; /* must outlive it */
    atomic_uint *unproven;     /* counts those that greet; must outlive it */
    void (*greeted)(struct handoff *handoff, void *context); /* on its thread: takes it over */
    void *context;
};

/* Starts the thread. NULL with errno. */
struct handshaker *handshaker_create(const struct handshaker_options *options);

/* Any thread: a connection whose peer has to greet is the handshaker's from now on. */
void handshaker_adopt(struct handshaker *handshaker, struct handoff *handoff);

/* Any thread: whether it keeps up with those that come. Where it does not, let them wait in the
 * kernel's queue: who is let in, only to be pushed out by the next before anybody has looked at
 * him, has cost what a handshake is to be spared for. */
bool handshaker_has_room(const struct handshaker *handshaker);

/* Any thread: since when its oldest greets, by clock_now(), or later than anybody else where
 * nobody has sat down yet; HANDSHAKER_EMPTY: nobody is there. */
uint64_t handshaker_oldest(const struct handshaker *handshaker);

#define HANDSHAKER_EMPTY UINT64_MAX

/* Any thread: the oldest that greets is closed for somebody else. */
void handshaker_make_room(struct handshaker *handshaker);

/* Any thread: a number that goes up at least once a second while the thread turns. */
uint64_t handshaker_heartbeat(const struct handshaker *handshaker);

/* Any thread: closes all that greet, and ends. */
void handshaker_stop(struct handshaker *handshaker);

/* Stops it, waits for the thread and frees it. Sets *handshaker to NULL; good for NULL. */
void handshaker_destroy(struct handshaker **handshaker);

#endif

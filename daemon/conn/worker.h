/*
 * worker.h - a thread with an event base and the connections that it owns.
 *
 * A connection stays with one worker for life, so nothing about a connection
 * is ever locked. The only way in from another thread is the worker's mailbox:
 * the calls below, which return at once and take effect when the worker next
 * looks.
 */
#ifndef KVCACHED_DAEMON_CONN_WORKER_H
#define KVCACHED_DAEMON_CONN_WORKER_H

#include <stdbool.h>

#include "daemon/base/instance.h"
#include "daemon/conn/settings.h"
#include "daemon/net/endpoint.h"
#include "daemon/store/store.h"

struct housekeeper;
struct worker;

struct worker_options {
    unsigned id;                         /* 0 .. instance->threads - 1; picks its set of metrics */
    struct store *store;                 /* must outlive the worker */
    struct instance *instance;           /* must outlive the worker */
    struct housekeeper *housekeeper;     /* must outlive the worker; poked after a
                                            turn in which the store wanted it. NULL:
                                            nobody is */
    struct conn_settings settings;       /* copied */
    struct users *users;                 /* a reference is taken */
    bool tls;                            /* TLS is spoken somewhere: it has a handshaker */
    struct authenticator *authenticator; /* must outlive the worker's thread */
};

/*
 * Starts the thread, with every signal blocked. NULL with errno set when a
 * thread, a descriptor or memory cannot be had.
 */
struct worker *worker_create(const struct worker_options *options);

/*
 * Hands over an accepted connection: the descriptor is the worker's from here
 * on, and has been counted in instance->connections, which the worker takes back
 * when it closes. It need not be non-blocking yet. `endpoint` is where it came in and
 * must outlive the worker. `replaces_unauthenticated`: there is no room for it but that of another
 * connection, which is closed for it (timeouts_make_room); where there is none any
 * more, it is refused. Where TLS is spoken it goes to the worker's handshaker first. False
 * when there is no memory: the descriptor and the count are still the caller's.
 */
bool worker_accept(struct worker *worker, int fd, const struct endpoint *endpoint,
                   bool replaces_unauthenticated);

/* Any thread: whether its handshaker keeps up with those that have to greet. */
bool worker_can_handshake(const struct worker *worker);

/* Any thread: how many of its connections have said all and wait for their peers to go, and
 * are not to go yet for one on its way. */
unsigned worker_lingering(const struct worker *worker);

/* The same of these and of those that have not said who they are, or still greet. */
unsigned worker_replaceable(const struct worker *worker);

/* New settings and users, for the connections that are open too. A reference to `users` is
 * taken. */
void worker_reconfigure(struct worker *worker, const struct conn_settings *settings,
                        struct users *users);

/* Waits until the worker goes by what worker_reconfigure said last. False: it has not done
 * so within WORKER_PATIENCE_MS. */
bool worker_await(struct worker *worker);

enum { WORKER_PATIENCE_MS = 2000 };

/*
 * Asks it to end: what has arrived is answered, replies are sent as far as the
 * peers take them within WORKER_DRAIN_MS, connections are closed, the thread
 * ends. Stop all workers first, then destroy them.
 */
void worker_stop(struct worker *worker);

enum { WORKER_DRAIN_MS = 800 };

/* Any thread: a number that goes up at least once a second while the thread
 * turns; for the watchdog. */
uint64_t worker_heartbeat(const struct worker *worker);

/* Likewise for its handshaker; where it has none, its own. */
uint64_t worker_handshaker_heartbeat(const struct worker *worker);

/* Stops it where that has not been asked yet, and waits for the thread to end. The authenticator
 * may still answer it then. */
void worker_join(struct worker *worker);

/* Joins it where that has not been done yet, and frees everything; the authenticator must be gone,
 * or have answered all. Sets *worker to NULL. */
void worker_destroy(struct worker **worker);

#endif

/*
 * worker.h - a thread with an event base and the connections that it owns.
 *
 * A connection stays with one worker for life, so nothing about a connection is ever locked.
 * Other threads reach a worker through its mailbox only: the calls below, which return at once and
 * take effect when the worker next empties it.
 */
#ifndef KVCACHED_DAEMON_CONN_WORKER_H
#define KVCACHED_DAEMON_CONN_WORKER_H

#include <stdbool.h>

#include "daemon/base/instance.h"
#include "daemon/conn/settings.h"
#include "daemon/net/endpoint.h"
#include "daemon/store/store.h"

struct client_query;
struct cluster_options;
struct cluster_state;
struct housekeeper;
struct reload_queue;
struct worker;

struct worker_options {
    unsigned id;                     /* 0 .. instance->threads - 1; picks its set of metrics */
    struct store *store;             /* must outlive the worker */
    struct instance *instance;       /* must outlive the worker */
    struct housekeeper *housekeeper; /* must outlive the worker; poked after a round in which
                                        the store wanted housekeeping. NULL: none */
    struct conn_settings settings;   /* copied */
    struct users *users;             /* a reference is taken */
    struct reload_queue *reloads;    /* takes RELOAD; must outlive the worker. NULL: it is
                                        refused */
    const struct cluster_options *cluster; /* to which it has its own connections; its base and
                                              metrics are the worker's to set; NULL: none */
    bool tls;                              /* TLS is spoken somewhere: it has a handshaker */
    struct authenticator *authenticator;   /* must outlive the worker's thread */
};

/*
 * Starts the thread, with every signal blocked. NULL with errno set when a
 * thread, a descriptor or memory cannot be had.
 */
struct worker *worker_create(const struct worker_options *options);

/*
 * Hands over an accepted connection. The descriptor belongs to the worker from here on; it need not
 * be non-blocking yet. The caller has counted the connection in instance->connections, and the
 * worker takes it off when it closes. `endpoint` must outlive the worker.
 * `replaces_unauthenticated`: it was accepted above max_connections. The worker closes another
 * connection in its favour (timeouts_make_room), or rejects it if there is none. On a TLS endpoint
 * the handshake comes first (handshaker.h). False when there is no memory: the descriptor and the
 * count still belong to the caller. Any thread.
 */
bool worker_accept(struct worker *worker, int fd, const struct endpoint *endpoint,
                   bool replaces_unauthenticated);

/* Any thread: whether its handshaker takes further connections (handshaker.h). */
bool worker_can_handshake(const struct worker *worker);

/* Any thread: how many lingering connections it has, without those that a connection on its way
 * will replace. */
unsigned worker_lingering(const struct worker *worker);

/* Any thread: how many lingering and unauthenticated connections and handshakes it has, without
 * those that a connection on its way will replace. */
unsigned worker_replaceable(const struct worker *worker);

/* Any thread: applies new settings and users, to open connections too. Takes a reference to
 * `users`. */
void worker_reconfigure(struct worker *worker, const struct conn_settings *settings,
                        struct users *users);

/* Any thread but the worker's: waits until the last worker_reconfigure is in force. False: it is
 * not within WORKER_PATIENCE_MS. */
bool worker_await(struct worker *worker);

enum { WORKER_PATIENCE_MS = 2000 };

/* Any thread: has the worker answer a query about its connections. The query is the worker's until
 * it calls query->answered, on its thread; a worker that ends before that frees it. */
void worker_ask(struct worker *worker, struct client_query *query);

/* Any thread: what the worker knows of the cluster, which it must have been created with. */
void worker_read_cluster(const struct worker *worker, struct cluster_state *state);

/* Any thread: asks the worker to end. It answers what has arrived, sends replies for
 * WORKER_DRAIN_MS at most, closes all connections, and its thread ends. Stop all workers before
 * joining the first, so that they end together. */
void worker_stop(struct worker *worker);

enum { WORKER_DRAIN_MS = 800 };

/* Any thread: a number that goes up at least once a second while the thread runs; for the
 * watchdog. */
uint64_t worker_heartbeat(const struct worker *worker);

/* The same for its handshaker; its own if it has none. */
uint64_t worker_handshaker_heartbeat(const struct worker *worker);

/* Stops the worker, if that has not been asked yet, and waits for its thread to end. The
 * authenticator may still answer its logins afterwards. */
void worker_join(struct worker *worker);

/* Joins the worker, if that has not been done yet, and frees everything. The authenticator must be
 * destroyed by then, or have answered all logins of this worker, and every RELOAD must be answered.
 * Sets *worker to NULL. */
void worker_destroy(struct worker **worker);

#endif

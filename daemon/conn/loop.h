/*
 * loop.h - what the connections of one worker have in common.
 *
 * The event base, the store thread, pools of blocks for buffers, and the lists of connections
 * that are ready, silent, unauthenticated, lingering or short of memory. Nothing here is locked: a
 * loop and all its connections belong to one thread. The members that other threads read are
 * marked.
 */
#ifndef KVCACHED_DAEMON_CONN_LOOP_H
#define KVCACHED_DAEMON_CONN_LOOP_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "daemon/base/instance.h"
#include "daemon/base/metrics.h"
#include "daemon/base/pool.h"
#include "daemon/conn/settings.h"
#include "daemon/request/workspace.h"
#include "daemon/store/store.h"

struct conn;
struct housekeeper;
struct handshaker;
TAILQ_HEAD(loop_list, conn);

/* Connections that have begun their passes and will end them together; see conn_io.c. A long
 * pipeline hides its cache misses itself and takes much memory, so a few of them fill a round. */
enum { ROUND_CONNS = 64, ROUND_REQUESTS = 64 };

struct round {
    struct conn *conns[ROUND_CONNS];
    unsigned count;
    unsigned requests; /* of these connections, parsed and not yet executed */
    uint64_t began;    /* clock_precise() when it opened; 0: it is not timed */
    bool open;         /* the store is entered */
    bool is_alone;     /* the connection that opened it, so that it ends with that */
    struct event ends; /* made active when the round opens */
};

/* Connections that are ready and not interactive, oldest first; see scheduler.c. */
struct run_queue {
    struct loop_list high; /* new, or interactive until now */
    struct loop_list low;  /* demoted: their last pass from the queue did not finish */
    unsigned served;       /* passes, modulo 3: which end of which list is next */
};

/* Connections by how much memory they hold between their passes: a class for each doubling. */
enum { HELD_CLASSES = INSTANCE_HELD_CLASSES };

enum {
    PRESSURE_GRACE_MS = 2000, /* a peer this far behind PRESSURE_RATE is stuck */
    PRESSURE_RATE = 32 << 10, /* bytes a second */
    PRESSURE_SCAN_MS = 100,   /* between two scans of all holders */
    PRESSURE_RETRY_MS = 5,    /* after which some of the waiters try again */
};

/* Connections that hold memory and may have to give it back; see pressure.c. */
struct pressure {
    struct loop_list holders[HELD_CLASSES]; /* by buffers; the last that moved bytes is last */
    struct loop_list waiters;               /* for memory, oldest first */
    uint64_t scanned;                       /* when all holders were scanned last */
    unsigned calm_scans;                    /* scans while no store memory was short */
    uint64_t patience;                      /* ms beyond `due` after which a holder gives way */
    struct event scan;                      /* pending while there are holders */
    struct event retry;                     /* pending while there are waiters */
};

/* Times are in milliseconds on clock_now(). */
struct loop {
    struct event_base *base;
    struct store *store;
    struct store_thread *store_thread;
    struct metrics *metrics;
    struct instance *instance;
    struct housekeeper *housekeeper; /* or NULL */
    struct watch_source *watch;      /* or NULL: nothing can be watched */
    struct handshaker *handshaker;   /* or NULL: no endpoint has TLS */
    struct conn_settings settings;   /* see loop_configure */
    struct auth_context auth;        /* holds a reference to its users */
    uint64_t now;                    /* when the last pass read the clock */
    uint64_t sweep_interval;         /* between two sweeps, and the precision of the order of
                                        `active` */

    struct workspace workspace; /* of the pipelines */
    struct pool conns;

    struct loop_list active;          /* all but the lingering ones, longest silent first */
    struct loop_list lingering;       /* see conn_linger; oldest first */
    struct loop_list unauthenticated; /* oldest first */
    /* Any thread reads these three. */
    atomic_uint lingering_count;       /* connections in `lingering` */
    atomic_uint replacements;          /* connections on their way that replace one of this loop */
    atomic_uint unauthenticated_count; /* connections in `unauthenticated`, and handshakes */
    struct run_queue run_queue;
    unsigned half_closed; /* connections that await an answer, after their peers have shut down
                             their sending side */
    unsigned backlogged;  /* connections with replies that their peers do not take */
    struct round round;
    struct pressure pressure;
    event_callback_fn on_ready; /* the callback of conn_watch; connections_serve sets it */
    struct event slice;         /* the run queue gets its slice of time */
    struct event sweep;         /* pending while a connection may become overdue */
    bool draining;              /* bytes that have not arrived by now are not waited for */
};

/* Makes its store thread and its event base. `store` and `instance` must outlive it; `id` picks its
 * set of metrics. False with errno: loop_deinit is legal then. */
bool loop_init(struct loop *loop, struct store *store, struct instance *instance, unsigned id);
/* Its connections must be closed. */
void loop_deinit(struct loop *loop);

/* Applies the settings, which are copied, to all connections from now on. */
void loop_configure(struct loop *loop, const struct conn_settings *settings);

/* Makes `timer` fire after so many milliseconds. Does nothing while it is pending. */
void loop_arm(struct event *timer, uint64_t milliseconds);

/* Arms the sweep if a connection of the loop may become overdue. */
void loop_arm_sweep(struct loop *loop);

/* Ends the event loop if it drains and the last connection is gone. */
void loop_end_if_drained(struct loop *loop);

#endif

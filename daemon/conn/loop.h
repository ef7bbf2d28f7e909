/*
 * loop.h - what the connections of one worker have in common.
 *
 * Blocks for their buffers, the store thread into the store, the lists that say whose
 * turn it is and who has been silent for longest. Nothing here is locked: a
 * loop and all its connections are one thread's.
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

/* Connections whose turns have begun and will be ended together; see conn_io.c. Long
 * pipelines hide their waits themselves, and their pipelines are large: few make a round. */
enum { ROUND_CONNS = 64, ROUND_REQUESTS = 64 };

struct round {
    struct conn *conns[ROUND_CONNS];
    unsigned count;
    unsigned requests; /* that they have before them */
    bool open;         /* the store is entered */
    struct event ends; /* made active when it opens */
};

/* Connections that wait for their turn, the first first; see scheduler.c. */
struct run_queue {
    struct loop_list high; /* new, or prompt until now */
    struct loop_list low;  /* their last turn in line was not enough */
    unsigned served;       /* turns, modulo 3: which end of which line is next */
};

/* How much connections hold between their turns: a class for each doubling. */
enum { HELD_CLASSES = INSTANCE_HELD_CLASSES };

enum {
    PRESSURE_GRACE_MS = 2000,
    PRESSURE_RATE = 32 << 10, /* bytes a second */
    PRESSURE_SCAN_MS = 100,   /* between two looks at those that hold something */
    PRESSURE_RETRY_MS = 5,    /* after which some of those that wait for memory try again */
};

/* Those that hold memory and may have to give way; see pressure.c. */
struct pressure {
    struct loop_list holders[HELD_CLASSES]; /* by buffers; those that have moved last, last */
    struct loop_list waiters;               /* wait for memory, the first first */
    uint64_t scanned;                       /* when pressure.c last looked at all of them */
    unsigned calm_scans;                    /* of which few have to look at each */
    uint64_t patience;                      /* ms beyond `due` after which one gives way */
    struct event scan;                      /* fires now and then, while there are holders */
    struct event retry;                     /* those that wait are to try again */
};

struct loop {
    struct event_base *base;
    struct store *store;
    struct store_thread *store_thread;
    struct metrics *metrics;
    struct instance *instance;
    struct housekeeper *housekeeper; /* or NULL */
    struct handshaker *handshaker;   /* or NULL: nobody has to greet */
    struct conn_settings settings;   /* see loop_configure */
    struct auth_context auth;        /* its users are a reference */
    uint64_t now;                    /* when the last turn read the clock */

    struct workspace workspace; /* of the pipelines */
    struct pool conns;

    struct loop_list active;          /* all but those that linger; the longest silent first */
    struct loop_list lingering;       /* said all, wait for the peer to go; the first first */
    struct loop_list unauthenticated; /* have not said who they are; the first first */
    /* Any thread reads these. */
    atomic_uint lingering_count;       /* how many `lingers` has */
    atomic_uint replacements;          /* connections on their way for which another has to go */
    atomic_uint unauthenticated_count; /* strangers, and those in the handshaker */
    struct run_queue run_queue;
    unsigned half_closed; /* connections that wait for the authenticator, and whose peers have said
                         their last */
    unsigned backlogged;  /* connections that have replies which their peers do not take */
    struct round round;
    struct pressure pressure;
    event_callback_fn on_ready; /* what conn_watch has called; connections_serve sets it */
    struct event slice;         /* those in line have their slice */
    struct event sweep;         /* fires now and then, while somebody might be overdue */
    bool draining;              /* what has not arrived by now is not waited for */
};

/* Makes its store thread and its base. False with errno; loop_deinit is legal then. */
bool loop_init(struct loop *loop, struct store *store, struct instance *instance, unsigned id);
/* Its connections must be closed. */
void loop_deinit(struct loop *loop);

/* What connections shall go by from now on. */
void loop_configure(struct loop *loop, const struct conn_settings *settings);

/* Milliseconds between two sweeps, and how exact the order of `seated` is. */
uint64_t loop_sweep_interval(const struct loop *loop);

/* Has `timer` fire in so many milliseconds, if it is not going to fire already. */
void loop_arm(struct event *timer, uint64_t milliseconds);

/* Somebody of the loop may be overdue one day. */
void loop_arm_sweep(struct loop *loop);

/* Tells the event loop to end, if it drains and the last connection is gone. */
void loop_end_if_drained(struct loop *loop);

#endif

/*
 * instance.h - what the daemon can say about itself.
 *
 * STATS, VERSION and the limit on connections need things that belong to no
 * worker. The server fills this in before the first worker starts, and it
 * outlives the last one. Only what is marked atomic changes after that.
 */
#ifndef KVCACHED_DAEMON_BASE_INSTANCE_H
#define KVCACHED_DAEMON_BASE_INSTANCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/base/metrics.h"

/* Of connections, by the memory of their buffers: see pressure.c. */
enum { INSTANCE_HELD_CLASSES = 6 };

/* Sets of metrics of a daemon with so many workers. */
#define INSTANCE_SETS_OF(threads)     (2 * (threads) + 3)
#define INSTANCE_SET_OF_LOG(threads)  (2 * (threads))
#define INSTANCE_SET_OF_HTTP(threads) (2 * (threads) + 1)

struct instance {
    const char *version; /* "x.y.z" */
    pid_t pid;
    uint64_t started;   /* clock_now() at the start */
    unsigned threads;   /* workers */
    const char *arena;  /* where the records lie: "memory" or "file" */
    bool tls;           /* was built in */
    uint64_t recovered; /* records that were there at the start */

    /* A set for each worker, one for the handshaker of each, one for the log, one for the
     * HTTP thread, and the last for the thread that accepts: see INSTANCE_SETS_OF. The server
     * allocates them (aligned: aligned_alloc). */
    struct metrics *metrics;
    size_t metrics_sets;
    struct metrics forgotten; /* what was counted before they were reset; any thread */

    atomic_uint connections;     /* open ones: the acceptor adds, and whoever closes
                                    one takes it off */
    atomic_uint max_connections; /* changes with a reload */
    atomic_size_t buffers;       /* bytes that connections hold between their turns */
    /* How many of them hold about how much. */
    atomic_uint holders[INSTANCE_HELD_CLASSES];
    atomic_bool reload_refused; /* the last one */
    _Atomic uint64_t loaded;    /* when the configuration in force was read, by clock_wall() */
    atomic_bool paused;         /* no connection is accepted for a moment: none can be */
};

/* A connection is closed. Its peer may look at the count as soon as it hears of that. */
static inline void instance_connection_closed(struct instance *instance)
{
    atomic_fetch_sub_explicit(&instance->connections, 1, memory_order_relaxed);
}

#endif

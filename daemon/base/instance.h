/*
 * instance.h - the state of the process that all its threads share.
 *
 * STATS, VERSION and the limit on connections need data that belongs to no single worker. The
 * server fills it in before the first worker starts, and it outlives the last one. Only the
 * members marked atomic, and the counters, change after that.
 */
#ifndef KVCACHED_DAEMON_BASE_INSTANCE_H
#define KVCACHED_DAEMON_BASE_INSTANCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/base/metrics.h"

struct client_desk;
struct cluster_desk;
struct slow_log;
struct watch;

/* Classes of connections, by the memory that their buffers hold. */
enum { INSTANCE_HELD_CLASSES = 6 };

/* The number of sets of metrics with so many workers, and the indices of two of them. */
#define INSTANCE_SETS_OF(threads)     (2 * (threads) + 3)
#define INSTANCE_SET_OF_LOG(threads)  (2 * (threads))
#define INSTANCE_SET_OF_HTTP(threads) (2 * (threads) + 1)

struct conf_in_use;

struct instance {
    const char *version; /* "x.y.z" */
    pid_t pid;
    uint64_t started;         /* clock_now() at the start */
    unsigned threads;         /* workers */
    const char *arena;        /* where the records are: "memory" or "file" */
    const char *memcache_at;  /* the names of the listeners of memcached's protocol, with ", "
                                 between two; NULL or empty: there are none. The server's */
    bool tls;                 /* built in */
    uint64_t recovered;       /* records recovered at the start */
    struct conf_in_use *conf; /* of the server */

    /* For clients that look into the daemon. The pointers may be NULL in tests. */
    atomic_uint watched; /* kinds of events that are watched: on a cache line that hardly changes,
                            since every request looks at it */
    struct watch *watch;
    struct slow_log *slow_log;
    struct client_desk *clients;

    /* NULL: no worker has connections to a cluster. The server's, set before anything is served. */
    const struct cluster_desk *cluster;

    /* One set for each worker, then one for the handshaker of each, one for the log, one for the
     * HTTP thread, and one for the thread that accepts: see INSTANCE_SETS_OF. The server allocates
     * them with aligned_alloc. */
    struct metrics *metrics;
    size_t metrics_sets;
    struct metrics forgotten; /* the sums when the counters were last reset; any thread */

    _Atomic uint64_t last_connection; /* the id of the newest one */
    atomic_uint connections;     /* open ones: the acceptor adds, a thread that closes subtracts */
    atomic_uint max_connections; /* changed by a reload */
    atomic_size_t buffers;       /* bytes that connections hold while they wait */
    atomic_uint holders[INSTANCE_HELD_CLASSES]; /* connections of each class */
    atomic_bool reload_refused;                 /* the last one */
    _Atomic uint64_t loaded; /* when the configuration in force was read, by clock_wall() */
    atomic_bool paused;      /* accepting is suspended: descriptors or memory have run out */
};

/* To be called before a connection is closed: its peer may read the count as soon as it sees the
 * close. */
static inline void instance_connection_closed(struct instance *instance)
{
    atomic_fetch_sub_explicit(&instance->connections, 1, memory_order_relaxed);
}

#endif

/*
 * threads.h - all the threads of the daemon together: workers, housekeeper and authenticator.
 */
#ifndef KVCACHED_DAEMON_SERVER_THREADS_H
#define KVCACHED_DAEMON_SERVER_THREADS_H

#include <stdbool.h>

#include "conf/conf.h"
#include "daemon/auth/authenticator.h"
#include "daemon/base/cluster_desk.h"
#include "daemon/base/instance.h"
#include "daemon/conn/worker.h"
#include "daemon/maintenance/housekeeper.h"
#include "daemon/watch/client_query.h"

struct threads {
    struct housekeeper *housekeeper;
    struct authenticator *authenticator;
    struct worker **workers;
    unsigned count; /* of workers */
    struct client_desk desk;
    struct cluster_desk cluster_desk; /* the instance's, where there is a cluster */
    struct slow_log *slow_log;        /* the instance's */
};

/* Starts instance->threads workers, the housekeeper and the authenticator. `store`, `instance` and
 * `reloads` must outlive them; `cluster` is NULL where there is none. False when one could not
 * start: it has been logged, and threads_end has to be called to end the others. */
bool threads_start(struct threads *threads, const struct conf *conf, struct users *users,
                   const struct cluster_options *cluster, struct store *store,
                   struct instance *instance, struct reload_queue *reloads);

/* Applies a reloaded configuration to all threads. It is in force when this returns; a worker for
 * which it is not yet is logged. */
void threads_reconfigure(struct threads *threads, const struct conf *conf, struct users *users);

/* Lets the workers drain, waits for all threads to end, and frees them. Legal for a zeroed
 * struct. */
void threads_end(struct threads *threads);

#endif

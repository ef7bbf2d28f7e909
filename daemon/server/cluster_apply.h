/*
 * cluster_apply.h - makes the options of the workers' connections to a cluster of struct conf.
 *
 * Main thread.
 */
#ifndef KVCACHED_DAEMON_SERVER_CLUSTER_APPLY_H
#define KVCACHED_DAEMON_SERVER_CLUSTER_APPLY_H

#include <stdbool.h>

#include "conf/conf.h"
#include "daemon/cluster/cluster.h"

struct cluster_apply {
    struct cluster_options options; /* without what is a worker's own; no nodes: no cluster */
    char *secret;                   /* own */
};

/* Reads the files that the configuration names, which must outlive it. False: it has been logged.
 */
bool cluster_apply_open(struct cluster_apply *apply, const struct conf *conf);
/* The workers must have ended. Legal for a zeroed struct. */
void cluster_apply_close(struct cluster_apply *apply);

/* What workers are to be created with; NULL: there is no cluster. */
const struct cluster_options *cluster_apply_options(const struct cluster_apply *apply);

#endif

/*
 * slots_reply.h - reads the reply to CLUSTER SLOTS.
 *
 * It is an array of ranges, each an array: first slot, last slot, the master, and its replicas. A
 * node is an array as well: host, port, and what newer versions add.
 */
#ifndef KVCACHED_DAEMON_CLUSTER_SLOTS_REPLY_H
#define KVCACHED_DAEMON_CLUSTER_SLOTS_REPLY_H

#include "daemon/cluster/cluster.h"

enum { SLOTS_REPLICAS_MAX = 8 /* of a master that are looked at */ };

struct slots_node {
    struct slice host; /* empty: the address that was asked */
    uint16_t port;
};

struct slots_range {
    unsigned first, last;
    struct slots_node master;
    struct slots_node replicas[SLOTS_REPLICAS_MAX];
    size_t replica_count;
};

/* Whether it is such an array; then slots_read succeeds for each of its elements. */
bool slots_check(const struct cluster_reply *reply);
/* A range; false: it is none. The slices are of the reply. A master whose address the node does not
 * know has a port of 0; replicas of that kind are left out. */
bool slots_read(const struct cluster_reply *element, struct slots_range *range);

/* Whether the bytes may be a host's name or address. */
bool slots_is_host(struct slice host);

#endif

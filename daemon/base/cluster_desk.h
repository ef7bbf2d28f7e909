/*
 * cluster_desk.h - how any thread learns the state of the cluster, as all workers together see it.
 *
 * Each worker has connections of its own to the nodes, so each has a state of its own
 * (daemon/cluster). The sum is made when it is asked for.
 */
#ifndef KVCACHED_DAEMON_BASE_CLUSTER_DESK_H
#define KVCACHED_DAEMON_BASE_CLUSTER_DESK_H

struct cluster_state;

struct cluster_desk {
    /* Any thread, without waiting. Masters, replicas and slots: those that at least one worker
     * knows. Masters that are ready: those that are so for every worker, at most. Questions under
     * way: of all workers. */
    void (*read)(void *context, struct cluster_state *state);
    void *context;
};

#endif

/*
 * topology.h - which node owns a slot, and which ones copy it; topology_refresh.h asks for it.
 *
 * A node that redirects a question is believed at once, for that slot.
 *
 * Each node that is told of has a link. Those of the configuration that the cluster does not name
 * so have one only while no other node is ready.
 */
#ifndef KVCACHED_DAEMON_CLUSTER_TOPOLOGY_H
#define KVCACHED_DAEMON_CLUSTER_TOPOLOGY_H

#include <event2/event_struct.h>

#include "daemon/cluster/cluster.h"
#include "daemon/cluster/link.h"
#include "daemon/cluster/slots_reply.h"

enum {
    TOPOLOGY_NODES_MAX = 512,
    TOPOLOGY_NO_NODE = UINT16_MAX,
};

enum node_doubt {
    NODE_TRUSTED,
    NODE_DOUBTED,
    NODE_ASKED_ABOUT, /* the same, and the slots were asked for since its link is ready */
};

struct node {
    struct link *link; /* NULL: it is of the configuration, and not needed */
    char *host;
    uint16_t port;
    bool configured; /* its name is in the configuration */
    bool listed;     /* the cluster names it */
    bool owns;       /* it owns slots */
    bool replica;
    uint8_t doubt;                         /* enum node_doubt */
    uint64_t gone_since;                   /* ms; 0: its link is ready */
    uint64_t named;                        /* ms, when the cluster named it last */
    uint16_t replicas[SLOTS_REPLICAS_MAX]; /* numbers */
    unsigned char replica_count, next_replica;
};

struct topology_listener {
    void (*changed)(void *context); /* another view of the cluster */
    void *context;
};

struct topology {
    struct links *links;
    struct topology_listener listener;
    struct node *nodes[TOPOLOGY_NODES_MAX]; /* by their numbers, with gaps */
    unsigned node_end;                      /* all numbers are below */
    uint16_t owners[CLUSTER_SLOTS];         /* numbers, or TOPOLOGY_NO_NODE */
    uint16_t importers[CLUSTER_SLOTS];      /* to which a slot moves, as ASK said last */
    unsigned slots_owned;
    uint64_t uncovered_since; /* ms, since when a slot has no owner; 0: all have */
    /* CLUSTER SLOTS, which is asked of one node at a time. */
    struct link_request request;
    bool asking;
    unsigned asked; /* number of the node that was asked last */
    uint64_t told;  /* ms, when it was answered last; 0: never */
    uint64_t wakes; /* ms, when the timer fires */
    struct event timer;
};

/* `nodes`: as in cluster_options. False with errno: no memory, or EINVAL: the name of a node cannot
 * be read. After that, and for a zeroed struct, topology_deinit is legal. */
bool topology_init(struct topology *topology, struct links *links, const char *const *nodes,
                   size_t count, const struct topology_listener *listener);
void topology_deinit(struct topology *topology);

/* The node of that number; NULL: there is none any more. */
struct node *topology_node(const struct topology *topology, unsigned number);

/* NULL: no node owns the slot, as far as is known. */
struct node *topology_owner(const struct topology *topology, unsigned slot);
/* A replica of the node with a ready link, each in turn; NULL: there is none. */
struct node *topology_replica(struct topology *topology, struct node *node, uint64_t now);

/* The number of the node at an address that a redirection named, whose link is made if need be; an
 * empty host is that of `from`. TOPOLOGY_NO_NODE: no memory, or too many nodes. */
unsigned topology_find(struct topology *topology, struct slice host, uint16_t port,
                       const struct link *from);
/* The slot is that node's. */
void topology_moved(struct topology *topology, unsigned slot, unsigned number);
/* The slot moves to that node. */
void topology_moves(struct topology *topology, unsigned slot, unsigned number);
/* The number of the node to which the slot moves, or TOPOLOGY_NO_NODE. */
unsigned topology_importer(const struct topology *topology, unsigned slot);

/* What a node has answered to CLUSTER SLOTS. False: it makes no sense, and nothing has changed. */
bool topology_apply(struct topology *topology, const struct cluster_reply *reply,
                    const struct link *from);

/* Lets go of what the cluster does not name, and takes up what the configuration names where
 * nothing else answers. */
void topology_tidy(struct topology *topology);

/* All but `under_way`. */
void topology_state(const struct topology *topology, struct cluster_state *state);

#endif

/*
 * verdict.h - what a node's error means for the question.
 */
#ifndef KVCACHED_DAEMON_CLUSTER_VERDICT_H
#define KVCACHED_DAEMON_CLUSTER_VERDICT_H

#include "daemon/cluster/cluster.h"

enum verdict {
    VERDICT_REPLY,     /* the caller's: the cluster's working does not explain it */
    VERDICT_MOVED,     /* another node owns the slot */
    VERDICT_ASK,       /* another node has it already, but does not own the slot yet */
    VERDICT_AGAIN,     /* the slot moves, and keys of the command are on both sides */
    VERDICT_LATER,     /* the node does not answer for the slot now */
    VERDICT_NO_SCRIPT, /* it wants the text of the script */
};

/* With VERDICT_MOVED and VERDICT_ASK. */
struct redirection {
    unsigned slot;
    struct slice host; /* of the reply; empty: that of the node that has answered */
    uint16_t port;
};

enum verdict verdict_of(const struct cluster_reply *reply, struct redirection *redirection);

#endif

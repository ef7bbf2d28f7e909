/*
 * link_dial.h - from a name to a node that has answered PING.
 */
#ifndef KVCACHED_DAEMON_CLUSTER_LINK_DIAL_H
#define KVCACHED_DAEMON_CLUSTER_LINK_DIAL_H

#include "daemon/cluster/link_state.h"

/* Of a link that waits. The timer is set to when it must be ready. */
void link_dial(struct link *link);

/* Sends a command of the link's own, whose reply does not matter but to the link. */
void link_dial_ping(struct link *link);

#endif

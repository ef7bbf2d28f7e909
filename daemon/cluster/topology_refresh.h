/*
 * topology_refresh.h - when the cluster is asked who owns which slot, and which node is.
 *
 * Any node tells by CLUSTER SLOTS; the nodes of the configuration are asked until one of them has.
 * It is asked again every few seconds, after a redirection or a broken link, every 100 ms while a
 * master is gone, and every 500 ms while a master has no replica that is ready, and others have.
 *
 * A node that had slots when its link broke may have stood still, and not know yet that its replica
 * was promoted. When it answers again it is doubted: it gets no question before a node that was
 * asked since then has told the slots. That is another node, as long as another one is ready.
 */
#ifndef KVCACHED_DAEMON_CLUSTER_TOPOLOGY_REFRESH_H
#define KVCACHED_DAEMON_CLUSTER_TOPOLOGY_REFRESH_H

#include "daemon/cluster/topology.h"

/* Asks for the first time soon. */
void topology_refresh_begin(struct topology *topology);
/* After topology_deinit; legal if it was not begun. */
void topology_refresh_end(struct topology *topology);

/* Asks soon, since something is not as it was thought to be. */
void topology_refresh(struct topology *topology);

/* To be called by the listener of the links. */
void topology_ready(struct topology *topology, struct link *link);
void topology_broke(struct topology *topology, struct link *link);

#endif

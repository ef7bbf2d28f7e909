/*
 * handoff_reject.h - what becomes of a connection for which there is no room.
 */
#ifndef KVCACHED_DAEMON_NET_HANDOFF_REJECT_H
#define KVCACHED_DAEMON_NET_HANDOFF_REJECT_H

#include "daemon/net/endpoint.h"

/* Tells the peer that there are too many, where that can be said at once. The socket is to be
 * closed then. */
void handoff_say_full(int fd, const struct endpoint *endpoint);

#endif

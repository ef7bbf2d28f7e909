/*
 * clients.h - the connections of a loop, for clients that look into the daemon: CLIENTS and KILL.
 *
 * For the thread of the loop.
 */
#ifndef KVCACHED_DAEMON_CONN_CLIENTS_H
#define KVCACHED_DAEMON_CONN_CLIENTS_H

#include "daemon/watch/client_query.h"

struct loop;

/* Answers the query: describes connections, or closes one. Connections that are in a handshake are
 * not among them. */
void clients_answer(struct loop *loop, struct client_query *query);

#endif

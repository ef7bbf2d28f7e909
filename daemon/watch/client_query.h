/*
 * client_query.h - a question to a worker about its connections: which there are, or to close one.
 *
 * A connection is known to its worker alone, so the question goes there as a message, and comes
 * back with the answer. A query has one owner at a time: the asker, then the worker, then the
 * asker again. The members `asker` and `done` are the asking thread's all the time.
 */
#ifndef KVCACHED_DAEMON_WATCH_CLIENT_QUERY_H
#define KVCACHED_DAEMON_WATCH_CLIENT_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "protocol/inspect.h"

enum client_query_kind {
    CLIENT_QUERY_LIST,
    CLIENT_QUERY_KILL,
};

/* Connections for each part of a list: as many as are described at once. */
enum { CLIENT_QUERY_PART = 128 };

struct client_query {
    TAILQ_ENTRY(client_query) next;
    enum client_query_kind kind;
    uint64_t id; /* KILL: of the connection */
    /* LIST: the connections of which the id, modulo `parts`, is `part`. Where `parts` is 0, the
     * worker sets it, by how many connections it has, and answers part 0. So each connection that
     * is open all the time is listed exactly once. */
    uint64_t part, parts;
    /* The answer. */
    bool found;             /* KILL: it has closed it */
    struct client *clients; /* LIST: `count` of them; freed with the query. NULL: none */
    size_t count;
    /* Called by the worker with the answer, on its thread: the query is the asker's again. */
    void (*answered)(struct client_query *query);
    void *context;
    void *asker; /* NULL: does not wait any more */
    bool done;
};

TAILQ_HEAD(client_queries, client_query);

/* How workers are asked. */
struct client_desk {
    unsigned workers;
    void (*ask)(void *context, unsigned worker, struct client_query *query);
    void *context;
};

/* NULL: no memory. */
struct client_query *client_query_create(enum client_query_kind kind);
/* Sets *query to NULL; NULL is legal. */
void client_query_destroy(struct client_query **query);

/* Drops the answer, for the query to be asked again. */
void client_query_clear(struct client_query *query);

#endif

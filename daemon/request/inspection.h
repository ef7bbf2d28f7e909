/*
 * inspection.h - what a connection needs that looks into the daemon: what it watches, and what it
 * has asked of a worker. Few connections do, so it is made when the first such request comes, and
 * is freed with the connection.
 *
 * A connection that watches: the lines of events go into the reply queue as long as that is not
 * full, so that a peer which does not read them holds no more memory than one that does not read
 * replies. Requests of the connection are carried out as ever; an event never comes within a reply.
 *
 * For the thread of the connection.
 */
#ifndef KVCACHED_DAEMON_REQUEST_INSPECTION_H
#define KVCACHED_DAEMON_REQUEST_INSPECTION_H

#include "daemon/request/command.h"

struct inspection {
    struct watcher *watcher;    /* NULL: it does not watch */
    struct client_query *query; /* at a worker, or back from there with `done`; NULL: none */
    uint64_t told;              /* events */
    size_t ns_length;           /* of what is watched; 0: all namespaces */
    char ns[REQUEST_NAMESPACE_MAX];
};

/* The connection's, which is made if there is none. NULL: no memory. */
struct inspection *inspection_of(struct identity *identity);
/* Leaves what is watched, and frees it. Does nothing where there is none. */
void inspection_end(struct identity *identity);

static inline bool inspection_watches(const struct identity *identity)
{
    return identity->inspection != NULL && identity->inspection->watcher != NULL;
}

/* Whether a worker has been asked, and has not answered yet. */
static inline bool inspection_waits(const struct identity *identity)
{
    const struct inspection *inspection = identity->inspection;
    return inspection != NULL && inspection->query != NULL && !inspection->query->done;
}

/* Frees the query; or, where a worker has it, lets its return free it. */
void inspection_end_query(struct inspection *inspection);

/* Writes events into the reply queue, for one turn at most, if the connection watches. Whether
 * there are more. Ends the watching where the client has lost the right, and says so. */
bool inspection_watch(struct command_context *ctx);

#endif

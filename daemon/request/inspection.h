/*
 * inspection.h - what a connection needs that looks into the daemon: what it watches, and what it
 * has asked of a worker.
 *
 * A connection that watches: the lines of events go into the reply queue as long as that is not
 * full, so that a peer which does not read them holds no more memory than one that does not read
 * replies. Requests of the connection are carried out as ever; an event never comes within a reply.
 *
 * For the thread of the context.
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

static inline void inspection_init(struct inspection *inspection)
{
    inspection->watcher = NULL;
    inspection->query = NULL;
}

static inline bool inspection_watches(const struct inspection *inspection)
{
    return inspection->watcher != NULL;
}

/* Whether a worker has been asked, and has not answered yet. */
static inline bool inspection_waits(const struct inspection *inspection)
{
    return inspection->query != NULL && !inspection->query->done;
}

/* Frees the query; or, where a worker has it, lets its return free it. */
void inspection_end_query(struct inspection *inspection);

void inspection_end_watching(struct inspection *inspection);

/* Writes events into the reply queue, for one turn at most. Whether there are more. Ends the
 * watching where the client has lost the right, and says so. */
bool inspection_watch(struct inspection *inspection, struct command_context *ctx);

#endif

/*
 * reload_request.h - RELOAD on its way from a worker to the main thread and back.
 *
 * A request has one owner at a time: the command that makes it, the main thread from
 * reload_queue_submit on, and the worker again once it was answered. Meanwhile its command keeps a
 * pointer, to abandon it: then the worker frees it when it comes back.
 */
#ifndef KVCACHED_DAEMON_REQUEST_RELOAD_REQUEST_H
#define KVCACHED_DAEMON_REQUEST_RELOAD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "daemon/base/wakeup.h"

struct identity;
struct reload_asker;

struct reload_request {
    STAILQ_ENTRY(reload_request) next; /* of the owner */
    const struct reload_asker *asker;  /* where it goes back to */
    /* Of the worker's thread alone. */
    struct identity *identity; /* of the connection that waits; NULL: it is gone */
    bool answered;
    size_t told; /* bytes of `text` that are among the replies */
    /* The answer, written by the main thread before it gives the request back. */
    enum { RELOAD_DONE, RELOAD_REFUSED, RELOAD_STOPPING } result;
    char *text; /* DONE: what has changed. REFUSED: the mistakes, whole lines. NULL: no memory */
};
STAILQ_HEAD(reload_requests, reload_request);

/* The main thread's mailbox. A worker that is not told of one refuses RELOAD. */
struct reload_queue {
    struct wakeup wakeup;
    struct reload_requests all; /* under the wakeup's lock, as `closed` */
    bool closed;                /* the daemon stops */
};

/* A worker, for its requests. */
struct reload_asker {
    struct reload_queue *queue; /* or NULL */
    /* Takes an answered request over. Called on the main thread. */
    void (*answered)(struct reload_request *request);
    void *context; /* of `answered` */
};

/* Makes a request of that connection and submits it. NULL: no memory, or *stopping. */
struct reload_request *reload_request_submit(const struct reload_asker *asker,
                                             struct identity *identity, bool *stopping);

/* On the worker's thread: its command does not wait any more. Sets *request to NULL. */
void reload_request_abandon(struct reload_request **request);

/* On the worker's thread: it has come back. The identity that waits, or NULL where it is gone. */
struct identity *reload_request_returned(struct reload_request *request);

/* --- for the main thread ------------------------------------------------------------ */

/* `woken` is called in that base when there are requests. False with errno. */
bool reload_queue_init(struct reload_queue *queue, struct event_base *base, event_callback_fn woken,
                       void *context);
/* After all workers have ended. Legal for a zeroed struct. */
void reload_queue_deinit(struct reload_queue *queue);

/* For `woken`: moves all requests to the end of the list. */
void reload_queue_take(struct reload_queue *queue, struct reload_requests *to);
/* The same, and from now on none is taken. */
void reload_queue_close(struct reload_queue *queue, struct reload_requests *to);

/* Answers all requests of the list, each with a copy of the text; empties the list. */
void reload_requests_answer(struct reload_requests *requests, int result, const char *text);

#endif

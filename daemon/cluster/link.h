/*
 * link.h - one connection to one node, kept open.
 *
 *     waits -> resolves -> connects -> handshakes (TLS) -> greets -> ready
 *       ^         |            |           |                 |         |
 *       '---------'------------'-----------'-----------------'---------'   broke: 20 .. 500 ms
 *
 * Greeting is AUTH, READONLY where it is a replica's, and PING: only a node that has answered PING
 * is ready, since the kernel accepts connections for a process that was stopped. A ready link that
 * was silent for a second asks PING again.
 *
 * Requests are sent in their order, and replies come in the same order. All that was given to the
 * link since the last flush goes out with one system call. A link whose oldest reply is overdue is
 * closed; so is one whose node sends what is no reply.
 *
 * A struct links is what all links of a thread have in common. All calls are for that thread.
 */
#ifndef KVCACHED_DAEMON_CLUSTER_LINK_H
#define KVCACHED_DAEMON_CLUSTER_LINK_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/uio.h>

#include "protocol/slice.h"

struct cluster_reply;
struct event_base;
struct link;
struct link_request;
struct metrics;
struct tls;

enum {
    LINK_PIECES = 9,       /* of a request */
    LINK_HOST_MAX = 255,   /* bytes */
    LINK_KEEPALIVE = 1000, /* ms of silence after which a ready link asks PING */
};

struct link_request_ops {
    /* A reply, which is the callee's from now on. False: it is nonsense, and the link is to be
     * closed. Where it was the last reply of the request, the link does not know it any more. */
    bool (*replied)(struct link *link, struct link_request *request, struct cluster_reply *reply);
    /* The link broke. `sent`: all of the request has gone out. The link does not know it any
     * more. */
    void (*lost)(struct link *link, struct link_request *request, bool sent);
};

/* One or more commands that go out together. The owner of the request fills in all but `next` and
 * `sent`, and it and its bytes last until its last reply or until it is lost. */
struct link_request {
    TAILQ_ENTRY(link_request) next;
    const struct link_request_ops *ops;
    struct iovec pieces[LINK_PIECES];
    unsigned char count;   /* of pieces */
    unsigned char replies; /* that are still to come */
    uint64_t sent;         /* ms, when its last byte was taken; 0: not yet */
};

TAILQ_HEAD(link_requests, link_request);

/* What becomes of links. No function may destroy the link. */
struct link_listener {
    void (*ready)(void *context, struct link *link);
    /* A ready link is not ready any more; its requests were lost before. */
    void (*broke)(void *context, struct link *link);
    /* All replies of one read were given. From the event loop. */
    void (*round)(void *context);
    void *context;
};

struct links_options {
    struct event_base *base;
    struct metrics *metrics;
    struct tls *tls;    /* NULL: plain */
    const char *user;   /* NULL: the default user */
    const char *secret; /* NULL: no AUTH */
    uint64_t deadline;  /* ms, for the oldest reply */
    uint64_t reply_max;
    struct link_listener listener;
};

struct links {
    struct links_options options;
    struct slice auth; /* the command, or nothing */
    char *buffer;      /* for what is read */
    TAILQ_HEAD(, link) unflushed;
    struct event flush;
};

/* The strings are copied. False: no memory. After that, and for a zeroed struct, links_deinit is
 * legal. */
bool links_init(struct links *links, const struct links_options *options);
/* Every link must have been destroyed. */
void links_deinit(struct links *links);
void links_flush(struct links *links);

/* Begins to connect when the event loop polls next. NULL: no memory. */
struct link *link_create(struct links *links, const char *host, uint16_t port, void *owner);
/* Its requests are lost. Sets *link to NULL; NULL is legal. */
void link_destroy(struct link **link);

/* What was given to link_create. */
void *link_owner(const struct link *link);
const char *link_host(const struct link *link);
/* "host:port", or "[host]:port" where the host has colons. */
const char *link_name(const struct link *link);

/* A link that heard nothing for longer than its timer allows is not ready until its node has
 * answered PING: this thread stood still, and the node may have as well. */
bool link_is_ready(const struct link *link, uint64_t now);
/* Nothing is on its way. */
bool link_is_idle(const struct link *link);

/* The node is a replica: it answers reads for its master's slots. */
void link_set_replica(struct link *link, bool replica);

/* Sends with the next flush. For a ready link. */
void link_send(struct link *link, struct link_request *request);
/* Takes back a request of which nothing was sent. False: it is too late. */
bool link_cancel(struct link *link, struct link_request *request);

#endif

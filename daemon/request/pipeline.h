/*
 * pipeline.h - what a connection needs while it has something to do.
 *
 * The receive buffer, the parser's state, the requests under way, the replies that are not sent.
 * An idle connection has none of that: its pipeline goes back to the workspace as soon as it is
 * idle, so that 10,000 idle connections cost no more than their descriptors and timers.
 *
 * A pipeline knows bytes and requests, but no events: its state tells the connection what it
 * waits for.
 *
 * All calls are for the thread of the workspace.
 */
#ifndef KVCACHED_DAEMON_REQUEST_PIPELINE_H
#define KVCACHED_DAEMON_REQUEST_PIPELINE_H

#include "daemon/net/endpoint.h"
#include "daemon/request/batch.h"
#include "daemon/request/recv_buffer.h"
#include "daemon/request/reply_queue.h"
#include "daemon/request/upload.h"

enum pipeline_state {
    PIPELINE_NEEDS_INPUT,   /* needs more bytes */
    PIPELINE_YIELDED,       /* could go on, but others shall have their turn */
    PIPELINE_OUTPUT_FULL,   /* the peer must take replies first */
    PIPELINE_AWAITS_AUTH,   /* for the authenticator to answer */
    PIPELINE_AWAITS_MEMORY, /* for memory: too much of it is pinned, or being uploaded */
    PIPELINE_QUIT,          /* the peer asked to be let go, when all is sent */
    PIPELINE_DESYNCED,      /* to be closed when all is sent: what follows has no meaning */
    PIPELINE_HTTP,          /* to be hung up on */
    PIPELINE_TLS_HELLO,     /* the same, for TLS that is not spoken here */
    PIPELINE_NO_MEMORY,     /* to be closed: replies are missing */
};

struct workspace;

struct pipeline {
    const struct endpoint *endpoint;
    struct identity *identity; /* of its connection */
    enum pipeline_state state;
    struct recv_buffer input;
    size_t wanted; /* bytes of the receive buffer below which parsing makes no sense */
    bool overflew; /* the last read filled all the space it had: there may be more */
    struct parser parser;
    struct batch batch;
    struct upload upload;
    struct reply_queue replies;
};

/* Makes the pools of a workspace that is all zeros. Its context is the caller's to set. */
void pipeline_init_workspace(struct workspace *workspace);
/* Every pipeline must be destroyed. */
void pipeline_deinit_workspace(struct workspace *workspace);

/* NULL: no memory. */
struct pipeline *pipeline_create(struct workspace *workspace, const struct endpoint *endpoint,
                                 struct identity *identity);
/* Abandons what is under way. Sets *pipeline to NULL. */
void pipeline_destroy(struct pipeline **pipeline, struct workspace *workspace);

/* Bytes of memory that it takes now. */
size_t pipeline_memory(const struct pipeline *pipeline);

/* Whether peers that take or send nothing shall give way, for that this pipeline's is one that
 * keeps others waiting. */
bool pipeline_presses(const struct pipeline *pipeline, const struct store_pressure *pressure);

/* Nothing is under way: it could be destroyed, and made anew for the next byte. */
bool pipeline_is_idle(const struct pipeline *pipeline);

/* All that follows happens between store_enter and store_leave of the workspace's store thread. */

/* One read, to where the bytes are wanted. TRANSPORT_FAILED
 * also where there is no memory to read to. */
enum transport_status pipeline_receive(struct pipeline *pipeline, struct workspace *workspace,
                                       struct transport *transport, size_t *moved);

/* More of the value that is being uploaded may have come already. */
static inline bool pipeline_expects_more(const struct pipeline *pipeline)
{
    return pipeline->overflew && upload_is_open(&pipeline->upload);
}

/* Ahead of pipeline_work, where it pays: parses what has come and sets index lines on their
 * way, and says how many requests that were. */
unsigned pipeline_prepare(struct pipeline *pipeline, struct workspace *workspace);
/* The same for their records. */
void pipeline_fetch(struct pipeline *pipeline, struct workspace *workspace);

/* The value that is being uploaded is given up, and that is answered. */
void pipeline_give_up_upload(struct pipeline *pipeline, struct workspace *workspace);

/* Works on what has come for one turn at most. Reads the clock now and then, and before the first
 * command where the context's `now` is 0; afterwards `now` is when it was last read, or 0. */
enum pipeline_state pipeline_work(struct pipeline *pipeline, struct workspace *workspace);

#endif

/*
 * pipeline.h - what a connection needs while it has something to do.
 *
 * The receive buffer, the parser's state, the requests under way, the replies that are not sent.
 * An idle connection has none of that: its pipeline goes back to the workspace as soon as it is
 * idle, so that 10,000 idle connections cost no more than their descriptors and timers. There some
 * rest with their buffers, and the connection that has something to do next takes one as it is.
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

/* What the connection has to wait for, or why it is to be closed. */
enum pipeline_state {
    PIPELINE_NEEDS_INPUT,   /* needs more bytes */
    PIPELINE_YIELDED,       /* could go on, but the turn is over */
    PIPELINE_OUTPUT_FULL,   /* the peer must take replies first */
    PIPELINE_AWAITS_ANSWER, /* of the authenticator, the main thread, another worker or a cluster */
    PIPELINE_AWAITS_MEMORY, /* for memory: too much of it is pinned, or being uploaded */
    PIPELINE_QUIT,          /* the client asked for it to be closed, when all is sent */
    PIPELINE_KILLED,        /* the same, with KILL */
    PIPELINE_DESYNCED,  /* to be closed when all is sent: the bytes that follow cannot be parsed */
    PIPELINE_HTTP,      /* the same: an HTTP request has come */
    PIPELINE_REDIS,     /* the same: a request in Redis's protocol has come */
    PIPELINE_TLS_HELLO, /* to be closed at once: a TLS handshake has come, but the endpoint has no
                           TLS */
    PIPELINE_NO_MEMORY, /* to be closed at once: replies are missing */
};

struct workspace;

struct pipeline {
    const struct endpoint *endpoint;
    struct identity *identity; /* of its connection */
    enum pipeline_state state;
    struct recv_buffer input;
    size_t wanted;      /* bytes that the receive buffer must hold before parsing can go on */
    bool read_was_full; /* the last read filled all the space that it had: more bytes may have come
                         */
    struct parser parser;
    struct batch batch;
    struct upload upload;
    struct reply_queue replies;
    struct pipeline *next; /* of those that rest in the workspace */
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
/* The same, if it is idle. Whether it was. */
bool pipeline_rest(struct pipeline **pipeline, struct workspace *workspace);

/* What it is doing, for CLIENTS. `stalls`: its peer does not take replies. */
enum client_state pipeline_doing(const struct pipeline *pipeline, bool stalls);

/* Bytes of memory that it holds. */
size_t pipeline_memory(const struct pipeline *pipeline);

/* Whether the pipeline keeps writers waiting for memory: a value that it pins or uploads is one of
 * those that `pressure` is about. */
bool pipeline_presses(const struct pipeline *pipeline, const struct store_pressure *pressure);

/* Whether nothing is under way: it could be destroyed, and made anew for the next byte. */
bool pipeline_is_idle(const struct pipeline *pipeline);

/* All that follows happens between store_enter and store_leave of the workspace's store thread. */

/* One read, into the receive buffer or the record that is being uploaded. *moved: bytes.
 * TRANSPORT_FAILED also where there is no memory. */
enum transport_status pipeline_receive(struct pipeline *pipeline, struct workspace *workspace,
                                       struct transport *transport, size_t *moved);

/* Whether more of the value that is being uploaded may have come already. */
static inline bool pipeline_expects_more(const struct pipeline *pipeline)
{
    return pipeline->read_was_full && upload_is_open(&pipeline->upload);
}

/* Of PIPELINE_AWAITS_ANSWER: whether the answer has not come yet. */
bool pipeline_awaits_answer(const struct pipeline *pipeline);
/* The same of a cluster's answer alone. */
bool pipeline_awaits_remote(const struct pipeline *pipeline);

/* Before pipeline_work, where several connections are ready: parses the bytes that have come, and
 * asks the processor to load the index lines of the requests. Returns how many they are. */
unsigned pipeline_prepare(struct pipeline *pipeline, struct workspace *workspace);
/* The same for their records, when the index lines have had time to arrive. */
void pipeline_fetch(struct pipeline *pipeline, struct workspace *workspace);

/* Gives up the value that is being uploaded, and answers that. */
void pipeline_give_up_upload(struct pipeline *pipeline, struct workspace *workspace);

/* Works on what has come for one turn at most. Reads the clock now and then, and before the first
 * command where the context's `now` is 0; afterwards `now` is when it was last read, or 0. */
enum pipeline_state pipeline_work(struct pipeline *pipeline, struct workspace *workspace);

#endif

/*
 * remote.h - requests for namespaces whose records are in a cluster.
 *
 * Such a request takes the same way as any other one, through the same batch and the same replies;
 * in place of the store it asks nodes (daemon/cluster), and waits:
 *
 *     batch_execute -> remote_ask_ahead   asks for the plain requests of the batch, in order, up to
 *                                         the first one that must not overtake another
 *                   -> dispatch_execute   -> remote_execute: the answer is there, and is replied;
 *                                         or OUTCOME_WAITS
 *     an answer     -> remote_wake        -> the connection has its next pass
 *
 *     remote_execute.c   which requests are remote, and which are asked ahead
 *     remote_keys.c      requests of keys: asks, waits, answers in order
 *     remote_commands.c  what a request asks of a node
 *     remote_answers.c   what a node's answer means to the client
 *     remote_upload.c    values that come in parts
 *     remote_walk.c, remote_list.c, remote_flush.c, remote_count.c   whole namespaces
 *     remote.c           what they all stand on: a worker's nodes, and work that waits for them
 *
 * For the thread of the worker, between store_enter and store_leave of its store thread, unless a
 * function says otherwise.
 */
#ifndef KVCACHED_DAEMON_REQUEST_REMOTE_H
#define KVCACHED_DAEMON_REQUEST_REMOTE_H

#include "daemon/cluster/cluster.h"
#include "daemon/request/remote_scripts.h"
#include "daemon/request/verbs.h"

enum { REMOTE_AHEAD = 32 }; /* questions of one connection that are under way at once */

/* What a worker has done with the connection of which this is the identity. */
struct remote_hooks {
    /* Lets it go on; may execute requests. */
    void (*resume)(struct identity *identity);
    /* It holds much more memory than after its last pass. Executes nothing. */
    void (*grew)(struct identity *identity);
};

/* A worker's. */
struct remote {
    struct cluster *cluster;
    struct cluster_script *scripts[REMOTE_SCRIPTS];
    struct remote_hooks hooks;
    unsigned ahead; /* questions that a batch asks ahead: fewer where values are large */
};

/* NULL with errno. */
struct remote *remote_create(const struct cluster_options *options,
                             const struct remote_hooks *hooks);
/* All connections must be closed. Sets *remote to NULL. */
void remote_destroy(struct remote **remote);

/* --- work that waits for answers --------------------------------------------- */

/* The first member of what a command or an upload holds while it waits for nodes. */
struct remote_work {
    struct remote *remote;
    struct identity *identity; /* of its connection */
    bool waits;                /* the connection waits for it */
    const void *awaited;       /* what of it, as remote_wait was told */
    size_t held;               /* bytes: its own, what it has asked, and replies that wait */
    void (*destroy)(struct remote_work *work);
};

/* Of a structure of that size, in which it is first. */
static inline struct remote_work remote_begin(const struct command_context *ctx, size_t size,
                                              void (*destroy)(struct remote_work *work))
{
    return (struct remote_work){
        .remote = ctx->remote, .identity = ctx->identity, .held = size, .destroy = destroy};
}

/* A reply has come, and waits; returns its bytes, which the caller takes off `held` when it is
 * freed. */
size_t remote_hold(struct remote_work *work, const struct cluster_question *question);

/* Frees it with all that it holds, if there is any. Legal at any time. */
static inline void remote_end(struct remote_work **place)
{
    struct remote_work *work = *place;
    if (work != NULL) {
        *place = NULL;
        work->destroy(work);
    }
}

/* The connection goes on when remote_wake is called, which the holder of the work does when what is
 * awaited has come. */
static inline enum outcome remote_wait(struct remote_work *work, const void *awaited)
{
    work->waits = true;
    work->awaited = awaited;
    return OUTCOME_WAITS;
}

/* Lets the connection go on that waits, if one does. The work may be gone afterwards. Called from
 * answers of the cluster, outside of enter and leave too. */
void remote_wake(struct remote_work *work);

static inline bool remote_waits(const struct remote_work *work)
{
    return work != NULL && work->waits;
}

/* Bytes of memory that it holds. */
static inline size_t remote_memory(const struct remote_work *work)
{
    return work != NULL ? work->held : 0;
}

/* --- what the files above share ------------------------------------------------ */

/* A value of so many bytes has come: less is asked ahead where values are large, since their
 * replies wait in memory. */
void remote_adapt_ahead(struct remote *remote, size_t bytes);

/* How far work on a whole namespace has come. */
enum remote_progress {
    REMOTE_READY,
    REMOTE_WAITS,  /* for nodes: to be called again, with the same namespace */
    REMOTE_YIELDS, /* the turn is over: likewise */
    REMOTE_FAILED, /* it was answered */
};

/* Replies with a value that lies in the text of a node's reply, whose memory is taken out of it
 * where the value is not copied. */
void remote_tell_value(struct command_context *ctx, const struct request *request,
                       const struct reply *reply, struct slice value, struct cluster_reply *stored);

/* Answers that the request is not to be had in a namespace whose records are in the cluster. */
void remote_refuse_verb(struct command_context *ctx, const struct request *request,
                        struct slice name);

/* remote_flush.c: unlinks all records of the namespace, over as many turns as that takes; *records:
 * how many. The command's remote work is the flush. */
enum remote_progress remote_flush(struct command_context *ctx, struct command *cmd, struct slice ns,
                                  uint64_t *records);

/* remote_count.c: how many records the namespace has, about; the same way. */
enum remote_progress remote_count(struct command_context *ctx, struct command *cmd, struct slice ns,
                                  uint64_t *records);

/* The outcome of a command whose work has come so far; not for REMOTE_READY. */
static inline enum outcome remote_outcome(enum remote_progress progress)
{
    return progress == REMOTE_WAITS    ? OUTCOME_WAITS
           : progress == REMOTE_YIELDS ? OUTCOME_LATER
                                       : OUTCOME_DONE;
}

#endif

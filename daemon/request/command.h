/*
 * command.h - a request on its way to the store, and what the functions of all verbs share.
 *
 * Most commands are done in one step. A command with a long answer (GET of many keys, LIST, ALL,
 * DUMP, NAMESPACES) stops when the reply queue is full, keeps its place and goes on later, so that
 * no answer is ever held in memory as a whole. A command that takes long, such as a FLUSH of many
 * namespaces, stops when its turn is over.
 *
 * Commands of one connection are carried out strictly one after the other. Only command_locate and
 * command_fetch may run ahead: they change nothing but make the processor load what the command
 * will read.
 *
 * All calls are for the thread of the context, between store_enter and store_leave of its store
 * thread.
 */
#ifndef KVCACHED_DAEMON_REQUEST_COMMAND_H
#define KVCACHED_DAEMON_REQUEST_COMMAND_H

#include "daemon/auth/identity.h"
#include "daemon/base/clock.h"
#include "daemon/base/instance.h"
#include "daemon/base/metrics.h"
#include "daemon/net/endpoint.h"
#include "daemon/request/reply_queue.h"
#include "daemon/store/store.h"
#include "daemon/watch/client_query.h"
#include "daemon/watch/slow_log.h"
#include "daemon/watch/watch.h"
#include "protocol/glob.h"
#include "protocol/request.h"

enum { COMMAND_BATCH_MAX = 32 }; /* commands that are worked on together; see batch.h */

/* How long a request takes; see slow_timer.h. Times are nanoseconds, by clock_precise. */
struct slow_timer {
    uint64_t began;
    uint64_t resumed; /* when its turn began; 0: it is not timed */
    uint64_t worked;  /* in its turns */
    unsigned turns;   /* that are over */
    unsigned keys;    /* that it names, where these are many; else 0 */
};

struct remote;
struct remote_work;

/* What carrying out a command takes from outside; nothing of it is the command's own. */
struct command_context {
    struct store_thread *store_thread;
    struct reply_queue *replies;
    struct metrics *metrics;
    struct instance *instance;
    struct slice default_namespace;          /* what `-` stands for */
    const struct endpoint *endpoint;         /* through which the connection came */
    struct identity *identity;               /* of the connection */
    const struct auth_context *auth;         /* what checks logins */
    const struct reload_asker *reload_asker; /* what takes RELOAD to the main thread */
    uint64_t max_value;                      /* bytes */
    uint64_t idle_timeout;                   /* milliseconds; 0: never */
    uint64_t now;               /* by clock_now, read after the request had come; 0: the clock
                                   must be read */
    unsigned unclocked;         /* about how many requests were executed since it was read */
    bool crowded;               /* the last command has to wait for memory: STORE_CROWDED */
    uint64_t until;             /* by clock_precise: when the turn ends; 0: as soon as it
                                   can */
    unsigned worker;            /* the number of the thread */
    struct watch_source *watch; /* of the thread; NULL: none */
    uint64_t slow_threshold;    /* nanoseconds; 0: no request is slow */
    struct remote *remote;      /* to a cluster; NULL: all records are the store's */
    uint64_t reclaim_began;     /* by clock_precise: when the current write began to make room;
                                   0: it did not, or is not timed */
    void (*answered)(struct client_query *query); /* becomes a query's, as `answered_context` */
    void *answered_context;
};

/* Whether the turn goes on. Reads the clock, so it is to be asked after work that takes much longer
 * than that. */
static inline bool command_has_time(const struct command_context *ctx)
{
    return ctx->until != 0 && clock_precise() < ctx->until;
}

/* What a write has made. */
struct stored {
    uint64_t version;
    uint64_t length; /* bytes of the whole value, where REQUEST_LENGTH asks for it */
};

struct metadump;
struct reload_asker;
struct reload_request;
struct settings;
struct survey;

struct command {
    struct request request; /* its key is the one that is next, its keys those behind */
    struct store_key at;    /* where the key lives; good until store_leave */
    enum store_status located;
    bool begun;
    struct remote_work *remote; /* what it has asked of a cluster; own; NULL: nothing */
    struct slow_timer timer;    /* of a command that is timed */
    union {
        struct { /* LIST, ALL, SURVEY and DUMP, once begun */
            struct store_cursor *cursor;
            struct glob *glob;     /* the command's own; NULL: everything */
            struct survey *survey; /* SURVEY; the command's own, else NULL */
        } listing;
        struct metadump *metadump;     /* METADUMP, once begun; the command's own */
        struct settings *settings;     /* SETTINGS, once begun; the command's own */
        struct reload_request *reload; /* RELOAD, once begun: see reload_request.h */
        uint32_t next;                 /* NAMESPACES and STATS by namespace */
        struct flushing {
            uint64_t when;    /* by the store's clock; 0: now */
            uint64_t records; /* flushed so far */
            uint32_t next;
            bool checked; /* the rights are there */
            bool own;     /* the endpoint's own namespace is flushed */
        } flushing;       /* FLUSH of all that an endpoint reaches, once begun */
        struct {          /* CLIENTS, KILL and STATS of connections, once begun */
            unsigned worker;
            uint64_t part, parts;
            size_t next; /* of the clients in the answer */
        } asking;
        uint64_t slow_after; /* SLOW, once begun: the id of the last one told */
        struct {             /* APPEND and PREPEND, once begun */
            struct store_append *append;
            struct stored stored;
        } appending;
    } place;
};

enum outcome {
    OUTCOME_DONE,   /* answered */
    OUTCOME_LATER,  /* the reply queue is full, the turn is over, or the context is crowded */
    OUTCOME_WAITS,  /* for the authenticator, the main thread (RELOAD), another worker or a
                       cluster */
    OUTCOME_QUIT,   /* the client asks for the connection to be closed */
    OUTCOME_KILLED, /* the same, with KILL */
};

/* --- where a command's key lives ----------------------------------------------- */

/* Makes a parsed request a command: the caller has filled in the request, and nothing else. */
static inline void command_begin(struct command *cmd)
{
    struct request *request = &cmd->request;
    cmd->begun = false;
    cmd->remote = NULL;
    cmd->located = STORE_OK;
    if ((request->options & (REQUEST_WHOLE_KEY | REQUEST_ONE_KEY)) != 0) {
        request->key = request->keys;
        request->keys.length = 0;
    } else if (!request_next_key(&request->keys, &request->key)) {
        request->key.length = 0;
    }
}

/* Before the command is executed, and again after a store_leave. Rights are not looked at, since
 * an earlier command may be a login. */
void command_locate(struct command_context *ctx, struct command *cmd);
static inline void command_fetch(struct store_thread *store_thread, struct command *cmd)
{
    if (cmd->request.key.length > 0 && cmd->located == STORE_OK) {
        store_fetch(store_thread, &cmd->at);
    }
}

/* Locates the key anew, now that the client's rights are known: SPLIT_OWN. */
void command_locate_own(struct command_context *ctx, struct command *cmd);

/* Which declared namespaces are taken off the front of a key that comes without a namespace. */
enum split {
    SPLIT_OWN,      /* those in which the client has a right */
    SPLIT_DECLARED, /* all: the client's rights are not known yet */
};
enum store_status command_locate_key(const struct command_context *ctx,
                                     const struct request *request, struct slice key,
                                     enum split split, struct store_key *at);

/* Whether a key that comes without a namespace begins with a declared one; takes it off then. */
bool command_split_key(const struct command_context *ctx, struct slice *name, struct slice *key);

/* The namespace that a request names; the endpoint's, where it names none. */
struct slice command_namespace(const struct command_context *ctx, const struct request *request);

/* The bits of enum right that the client has in a namespace. */
unsigned command_rights(const struct command_context *ctx, struct slice name);

/* A store_creator: the tag of the user. The context is a struct command_context. */
uint64_t command_creator(void *context);

/* --- what a request means to the store ----------------------------------------- */

void command_terms(const struct request *request, struct store_terms *terms);
/* A ttl as the store takes it: dates become times on its clock. */
struct store_ttl command_lifetime(struct ttl ttl);

/* --- answers ------------------------------------------------------------------- */

/* Answers what the store refused; `name` is the namespace's. */
void command_refuse(struct command_context *ctx, const struct request *request, struct slice name,
                    enum store_status status);
/* Answers that the client has made a mistake. */
void command_refuse_text(struct command_context *ctx, const struct request *request,
                         enum reply_reason reason, struct slice text);
/* Answers that something could not be done, without fault of the client. */
void command_fail_text(struct command_context *ctx, const struct request *request,
                       enum reply_reason reason, struct slice text);
/* Answers any status but STORE_OK. False: it was a refusal, rather than that there is no such
 * record, or another version of it. */
bool command_answer(struct command_context *ctx, const struct request *request, struct slice name,
                    enum store_status status);
/* Answers what became of a write; `stored` is read where it was done. */
void command_stored(struct command_context *ctx, const struct request *request,
                    struct store_key *at, enum store_status status, const struct stored *stored);

/* The version that clients of this protocol are told. */
static inline const char *command_version(const struct command_context *ctx)
{
    const char *version = ctx->replies->protocol->version;
    return version != NULL ? version : ctx->instance->version;
}

/* The time that a record which ends then has left, as replies give it. */
static inline uint64_t command_left(uint64_t expires, uint64_t now)
{
    if (expires == STORE_NEVER) {
        return REPLY_NEVER;
    }
    return store_left(expires, now);
}

#endif

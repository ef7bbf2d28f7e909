/*
 * command.h - a request against the store.
 *
 * A command is a request on its way. Most are done in one step. Those whose
 * answer may be long (GET of many keys, LIST, ALL, NAMESPACES) stop when the
 * reply queue is full, keep their place and go on later, so that no answer is ever
 * held in memory as a whole. So do those that may take long, a FLUSH of many namespaces too,
 * when their turn is over.
 *
 * Commands of one connection are carried out strictly one after the other.
 * Only command_locate and command_fetch may run ahead: they change nothing but
 * make the processor load what the command will look at.
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
#include "protocol/glob.h"
#include "protocol/request.h"

/* What executing takes from outside; nothing of it is the command's own. All
 * calls happen between store_enter and store_leave of its store thread. */
struct command_context {
    struct store_thread *store_thread;
    struct reply_queue *replies;
    struct metrics *metrics;
    struct instance *instance;
    struct slice default_namespace;  /* what `-` stands for */
    const struct endpoint *endpoint; /* where keys live that come without a namespace */
    struct identity *identity;       /* who asks */
    const struct auth_context *auth; /* to whom he may say who he is */
    uint64_t max_value;              /* bytes */
    uint64_t idle_timeout;           /* milliseconds; 0: never */
    uint64_t now;                    /* read after what is answered had come; 0: the clock is
                                        to be looked at */
    unsigned unclocked;              /* about how much was done since it was */
    bool crowded;                    /* what was asked for last has to wait: STORE_CROWDED */
    uint64_t until;                  /* by clock_precise: then others shall have their turn;
                                        0: as soon as may be */
};

/* Whether it is still its turn. To be asked when about as much has been done as looking at the
 * clock is little against. */
static inline bool command_has_time(const struct command_context *ctx)
{
    return ctx->until != 0 && clock_precise() < ctx->until;
}

/* Of a write that was done. */
struct stored {
    uint64_t version;
    uint64_t length; /* of the whole value, where REQUEST_LENGTH asks for it */
};

struct dump;

struct command {
    struct request request; /* its key is the one that is next, its keys those behind */
    struct store_key at;    /* where it is; good until store_leave */
    enum store_status located;
    bool begun;
    union {
        struct { /* LIST and ALL, once begun */
            struct store_cursor *cursor;
            struct glob *glob; /* the command's own; NULL: everything */
        } listing;
        struct dump *dump; /* DUMP, once begun; the command's own */
        uint32_t next;     /* NAMESPACES and STATS by namespace */
        struct flushing {
            uint64_t when;    /* by the store's clock; 0: now */
            uint64_t records; /* flushed so far */
            uint32_t next;
            bool checked; /* it may be done */
        } flushing;       /* FLUSH of all that a endpoint reaches, once begun */
        struct {          /* APPEND and PREPEND, once begun */
            struct store_append *join;
            struct stored stored;
        } joining;
    } place;
};

enum outcome {
    OUTCOME_DONE,  /* answered */
    OUTCOME_LATER, /* the reply queue is full, others shall have their turn, or `crowded` */
    OUTCOME_WAITS, /* for the authenticator */
    OUTCOME_QUIT,  /* the peer wants to go */
};

/* Makes a parsed request a command: request is filled in, the rest is not. */
void command_begin(struct command *cmd);
/* Ends it, wherever it stands; for a command that has begun. */
void command_abandon(struct command *cmd);

/* Before execute, and again after a store_leave. */
void command_locate(struct command_context *ctx, struct command *cmd);
static inline void command_fetch(struct store_thread *store_thread, const struct command *cmd)
{
    if (cmd->request.key.length > 0 && cmd->located == STORE_OK) {
        store_fetch(store_thread, &cmd->at);
    }
}

/* Answers it, or goes on answering it. */
enum outcome command_execute(struct command_context *ctx, struct command *cmd);

/* Whether who asks may do it in the namespace of that name. If not, that is answered. */
bool authorize_request(struct command_context *ctx, const struct request *request,
                       struct slice name);
/* A store_creator: the user, of an context. */
uint64_t command_creator(void *context);
/* What a stranger is answered, whatever the request. */
void authorize_refuse_unauthenticated(struct command_context *ctx, const struct request *request);

/* For a value that is streamed into the store: where it goes, on what terms, and the
 * answer to what became of it. */
enum split {
    SPLIT_OWN, /* as who asks may: the namespace in front of a key is one where it has a right */
    SPLIT_DECLARED, /* whoever asks: the rights are not known yet */
};
enum store_status command_locate_key(const struct command_context *ctx,
                                     const struct request *request, struct slice key,
                                     enum split split, struct store_key *at);
struct store_terms command_terms(const struct request *request);
/* A ttl as the store wants it: dates become times on its clock. */
struct store_ttl command_lifetime(struct ttl ttl);
/* What became of a write; `stored` of one that was done. */
void command_stored(struct command_context *ctx, const struct request *request,
                    struct store_key *at, enum store_status status, const struct stored *stored);

#endif

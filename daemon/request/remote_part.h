/*
 * remote_part.h - what a request asks of the cluster for one key, and what becomes of it.
 *
 * For the thread of the worker.
 */
#ifndef KVCACHED_DAEMON_REQUEST_REMOTE_PART_H
#define KVCACHED_DAEMON_REQUEST_REMOTE_PART_H

#include "daemon/request/remote.h"

enum { REMOTE_QUESTIONS = 2 }; /* for one key at most */

enum remote_part_kind {
    REMOTE_PART_ASKED,
    REMOTE_PART_LOCAL,       /* the key's namespace is the store's: nothing is asked */
    REMOTE_PART_FORBIDDEN,   /* the client has no right to it: likewise */
    REMOTE_PART_REFUSED,     /* by the policy, as `refused` says; what may be asked is that the old
                                record goes */
    REMOTE_PART_UNSUPPORTED, /* nodes cannot do that */
    REMOTE_PART_NO_MEMORY,
};

struct remote_part {
    struct remote_work *work; /* which is woken if it waits for this part */
    struct cluster_question *questions[REMOTE_QUESTIONS];
    enum remote_part_kind kind : 8;
    enum store_status refused : 8;
    uint8_t asked, pending; /* questions */
    bool writes;
    uint16_t slot;
    size_t held;      /* bytes, of its work's */
    uint64_t version; /* of what is written, where the client is told */
    /* Of an upload: memory by malloc that holds the request's value behind `reserved` bytes for its
     * head. Becomes the cluster's when it is asked. */
    char *owned;
    size_t reserved;
};

/* Whether a request of that verb asks for keys, one by one. */
bool remote_part_serves(enum verb verb);

/* Whether the request can change a record. */
bool remote_part_writes(const struct request *request);

/* Asks what the request wants of that key. The part's work, and what it owns, are set. */
void remote_part_ask(struct command_context *ctx, const struct request *request,
                     const struct store_key *at, struct remote_part *part);

/* Answers the request for that key; the part must not be pending, nor local. False: it was refused,
 * which was answered. */
bool remote_part_answer(struct command_context *ctx, const struct request *request,
                        struct store_key *at, struct remote_part *part);

/* Forgets what is still under way. */
void remote_part_end(struct remote_part *part);

#endif

/*
 * question.h - a question as the room holds it, and its bytes.
 *
 * What goes out is made of pieces, so that no byte is copied or encoded a second time where a
 * question is asked again:
 *
 *     [ASKING] [EXISTS guard] [ASKING] *count [EVALSHA digest | EVAL text] arguments [owned]
 * arguments
 *
 * and a reply comes for each of the commands among them.
 */
#ifndef KVCACHED_DAEMON_CLUSTER_QUESTION_H
#define KVCACHED_DAEMON_CLUSTER_QUESTION_H

#include <sys/queue.h>

#include "daemon/cluster/cluster.h"
#include "daemon/cluster/link.h"
#include "daemon/cluster/verdict.h"

enum question_place {
    QUESTION_NOWHERE,
    QUESTION_LINKED,   /* its link has it */
    QUESTION_PARKED,   /* in cluster.parked */
    QUESTION_ANSWERED, /* in cluster.answered: the caller is to be told */
    QUESTION_TOLD,     /* the caller was told */
};

struct question {
    struct cluster_question is; /* the caller's view; first */
    struct cluster *cluster;
    TAILQ_ENTRY(question) next; /* of the parked or the answered */
    enum question_place place;
    struct link *link; /* QUESTION_LINKED */
    struct link_request request;
    uint64_t expires; /* ms: it is not sent any more then */
    uint64_t retry;   /* ms: when a parked one may be sent again at the earliest */
    uint16_t slot;
    uint16_t target; /* number of the node that ASK has named, or TOPOLOGY_NO_NODE */
    unsigned char redirections, losses;
    bool writes, importing, guarded;
    bool asks;      /* ASKING goes before it */
    bool with_text; /* the script's text, instead of its digest */
    bool spares;    /* the master is loading: a replica is asked first */
    bool forgotten; /* by the caller */
    /* Of the replies that came since it was sent. */
    unsigned char came;
    enum verdict guard_said;
    struct redirection guard_to; /* of `guard_reply` */
    struct cluster_reply *guard_reply;
    /* The bytes. */
    const struct cluster_script *script;
    char *owned;
    size_t owned_length;
    size_t guard_end, count_end, split; /* places in `bytes` */
    size_t length;
    char bytes[];
};

/* Takes `owned`, whatever comes of it. NULL: no memory. */
struct question *question_create(const struct cluster_command *command);
void question_destroy(struct question **question);

/* Fills in the request, to be sent as it is meant now. */
void question_compose(struct question *question);

/* Whether the reply of that number, counted from 0, is the guard's. The last one is the command's.
 */
bool question_is_guard(const struct question *question, unsigned number);

#endif

/*
 * cluster.h - questions to a Valkey or Redis Cluster.
 *
 * A question is one command for one slot. Bytes with a slot go in, nodes of a reply come out: this
 * room knows no request, no namespace and no store. Who owns a slot, which replica is promoted and
 * what is copied where is the cluster's business; what is here finds the node that has the slot,
 * follows its redirections and says truthfully what became of a question.
 *
 *     cluster_ask -> slot -> node -> link: one connection to each node, its commands pipelined
 *                 <- answered, in the order of the replies of that node
 *
 * Order. Questions of the same slot reach the same node in the order in which they were asked, but
 * for those that a redirection sends round: a caller that needs an order between two questions of
 * the same slot, one of which writes, waits for the first before it asks the second.
 *
 * Truth. A question that writes is asked once. It is asked again, within the patience, only where
 * the node has refused it without doing it (MOVED, ASK, TRYAGAIN, CLUSTERDOWN, LOADING, READONLY,
 * MASTERDOWN, NOSCRIPT), or where it was not sent yet. Where it was sent and its link broke off
 * before the reply came, its outcome is CLUSTER_UNKNOWN. A question that reads is asked again of
 * the master or of a replica until the patience is over, or until a third link breaks with it.
 *
 * Patience is until when a question is sent: its reply may come half of the patience later. Where
 * a node has been gone for longer than that, questions for it have 20 ms.
 *
 * Deadline. A link on which nothing moves for half of the patience, while its node owes a reply, is
 * closed, and a new link carries no question before its node has answered a PING and another node,
 * asked after that, has told who owns which slot. So a node that was stopped and goes on as if
 * nothing had happened, while its replica was promoted, is not believed.
 *
 * Threads. A struct cluster belongs to the thread of its event base, and all calls are for that
 * thread. Nothing in it is locked, but for the counters, which any thread reads.
 */
#ifndef KVCACHED_DAEMON_CLUSTER_CLUSTER_H
#define KVCACHED_DAEMON_CLUSTER_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/slice.h"

struct cluster;
struct cluster_script;
struct event_base;
struct metrics;
struct tls;

enum {
    CLUSTER_SLOTS = 16384,
    CLUSTER_ARGUMENTS_MAX = 256, /* of a command */
};

/* --- replies ---------------------------------------------------------------- */

enum cluster_reply_type {
    CLUSTER_NIL,
    CLUSTER_STATUS, /* text, as "OK" */
    CLUSTER_ERROR,  /* text, as "ERR what is wrong" */
    CLUSTER_INTEGER,
    CLUSTER_STRING, /* text */
    CLUSTER_ARRAY,  /* elements */
};

/* A node of a reply. `text` is terminated by a zero that does not count. */
struct cluster_reply {
    enum cluster_reply_type type;
    int64_t integer;
    struct slice text; /* of memory of its own, by malloc */
    size_t count;
    struct cluster_reply **elements;
};

/* Takes the memory of the text out of the reply: the caller frees it. */
char *cluster_reply_take_text(struct cluster_reply *reply);

/* --- questions -------------------------------------------------------------- */

enum cluster_outcome {
    CLUSTER_PENDING,   /* not answered yet */
    CLUSTER_ANSWERED,  /* `reply` is the node's: an error among them is one that the cluster's own
                          working does not explain, such as OOM, NOPERM, or a script's */
    CLUSTER_NOT_DONE,  /* no node has taken it within the patience: nothing was changed */
    CLUSTER_UNKNOWN,   /* it was sent, and whether it was done is not known; never of a read */
    CLUSTER_NO_MEMORY, /* it was not sent */
};

/* A command. The slices are copied, all but `owned`. */
struct cluster_command {
    unsigned slot; /* 0 .. CLUSTER_SLOTS - 1 */
    bool writes;   /* it may change something: it is asked once, and of the master */
    /* The command has no key by which a node would see that it is asked for a slot of another
     * node's (CLUSTER GETKEYSINSLOT): an EXISTS of `guard` goes before it over the same link,
     * and what that says of the slot counts for the command. For commands that only read. */
    struct slice guard;
    bool importing; /* with a guard, of a slot that moves: asks the node to which it moves, as
                       question->moves has said; where it moves no more, its owner */
    /* NULL, or a script, for which EVALSHA and its digest stand before the arguments; where the
     * node does not know it, EVAL and its text do. */
    const struct cluster_script *script;
    unsigned count;                /* of arguments, with a script from the number of keys on */
    const struct slice *arguments; /* the first is the command's name, unless there is a script */
    int owned; /* number of the argument whose memory, by malloc, becomes the room's with the
                  call, whatever its outcome; -1: none */
};

struct cluster_question;

/* Called once for each question that was not forgotten, by the event loop of the thread: never from
 * within a function of this header. It may ask, flush, forget and free questions. */
typedef void cluster_answered(struct cluster_question *question, void *context);

/* A question under way or answered. Its members are for reading, once it is answered. */
struct cluster_question {
    enum cluster_outcome outcome;
    struct cluster_reply *reply; /* with CLUSTER_ANSWERED; freed with the question */
    bool moves; /* with a guard: the slot moves to another node just now, as its master said */
    bool from_replica; /* the reply is a replica's: the newest writes may be missing */
    cluster_answered *answered;
    void *context;
};

/* Asks. Never waits, and never answers at once. NULL: there is no memory; nothing was asked. */
struct cluster_question *cluster_ask(struct cluster *cluster, const struct cluster_command *command,
                                     cluster_answered *answered, void *context);

/* Frees the question. One that is not answered yet is forgotten: it is not sent if it was not sent
 * yet, and else its reply is dropped when it comes. Sets *question to NULL. */
void cluster_question_free(struct cluster_question **question);

/* --- slots ------------------------------------------------------------------ */

/* CRC-16/XMODEM, of which the slot of a key's hash tag is the remainder by CLUSTER_SLOTS. `crc`: of
 * the bytes before; 0 at the beginning. */
uint16_t cluster_crc16(uint16_t crc, struct slice bytes);

/* --- scripts ---------------------------------------------------------------- */

/* `text` must outlive it. NULL: no memory. */
struct cluster_script *cluster_script_create(const char *text);
void cluster_script_destroy(struct cluster_script **script);

/* --- the cluster ------------------------------------------------------------ */

struct cluster_options {
    struct event_base *base;
    struct metrics *metrics; /* of the thread */
    const char *const
        *nodes;         /* "host:port", or "[2001:db8::1]:6379"; the cluster tells the others */
    size_t node_count;  /* at least 1 */
    const char *user;   /* NULL: the default user; see `secret` */
    const char *secret; /* NULL: no AUTH */
    struct tls *tls;    /* of tls_create_client; NULL: plain */
    uint64_t patience;  /* milliseconds, at least 20: how long a question may take */
    uint64_t reply_max; /* bytes of a reply beyond which the link is closed */
};

/* Begins to connect. The strings are copied; `tls` must outlive it. NULL with
 * errno; EINVAL: the name of a node is not of that form. */
struct cluster *cluster_create(const struct cluster_options *options);
/* Every question must have been freed. Sets *cluster to NULL. */
void cluster_destroy(struct cluster **cluster);

/* Sends what was asked since the last call: many commands with one write. The owner calls it when
 * it has asked all that a round of its event loop asks; without it they are sent at the latest when
 * the event loop polls next. */
void cluster_flush(struct cluster *cluster);

/* What is known of it, for figures. */
struct cluster_state {
    unsigned masters;       /* that own slots */
    unsigned masters_ready; /* with a link that is ready */
    unsigned replicas;
    unsigned slots;     /* that an owner is known for */
    unsigned under_way; /* questions */
};
/* Any thread: from copies that the thread keeps up to date. */
void cluster_read_state(const struct cluster *cluster, struct cluster_state *state);

#endif

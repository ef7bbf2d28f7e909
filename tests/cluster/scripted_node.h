/*
 * scripted_node.h - a node of a cluster that says what a test wants, in the test's own event loop.
 *
 * It listens on a port of 127.0.0.1 that the kernel picks. PING, AUTH, READONLY, READWRITE, ASKING
 * and CLUSTER SLOTS are answered by themselves, unless the test says otherwise; each other command
 * takes the next of the node's answers, or +OK where there is none.
 */
#ifndef KVCACHED_TESTS_CLUSTER_SCRIPTED_NODE_H
#define KVCACHED_TESTS_CLUSTER_SCRIPTED_NODE_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/net/transport.h"

enum {
    NODE_ANSWERS_MAX = 64,
    NODE_COMMANDS_MAX = 512,
    NODE_COMMAND_SHOWN = 120, /* bytes */
};

/* Answers that are no bytes. */
extern const char node_silence[], node_closes[];

struct node_conn;

struct scripted_node {
    struct event_base *base;
    int fd; /* -1: it is away */
    uint16_t port;
    char name[32]; /* "127.0.0.1:PORT" */
    struct event accepts;
    LIST_HEAD(, node_conn) conns;
    unsigned accepted, pings, refreshes;
    /* What it says: bytes, or one of those above. */
    const char *ping, *auth, *role, *slots;
    const char *answers[NODE_ANSWERS_MAX];
    size_t answer_count, answer_next;
    /* What it was asked, its words with spaces between them, cut to what is shown. Without PING and
     * CLUSTER SLOTS. */
    char commands[NODE_COMMANDS_MAX][NODE_COMMAND_SHOWN];
    size_t command_count;
    size_t longest; /* bytes of an argument */
    bool stopped;   /* it does not read, as after SIGSTOP */
    struct tls *tls;
};

void node_start(struct scripted_node *node, struct event_base *base);
void node_end(struct scripted_node *node);

/* Closes the port and all connections; and opens the same port again. */
void node_go_away(struct scripted_node *node);
void node_come_back(struct scripted_node *node);
/* Closes all connections. */
void node_hang_up(struct scripted_node *node);
/* Reads no more, and goes on with what came meanwhile. */
void node_stop(struct scripted_node *node);
void node_continue(struct scripted_node *node);

/* The next answer to a command; `bytes` must last. */
void node_answers(struct scripted_node *node, const char *bytes);
/* Whether the last commands are these, in this order; the list ends with NULL. */
bool node_was_asked(const struct scripted_node *node, const char *first, ...);
size_t node_times(const struct scripted_node *node, const char *command);
/* Sends bytes that were not asked for. */
void node_says(struct scripted_node *node, const char *bytes);

#endif

/*
 * cluster_fixture.h - a cluster of scripted nodes, and questions to it.
 *
 * The first node is the only one of the configuration. It owns all slots, until the test says
 * otherwise. Everything is in one event loop, which the test runs until what it waits for is so.
 */
#ifndef KVCACHED_TESTS_CLUSTER_CLUSTER_FIXTURE_H
#define KVCACHED_TESTS_CLUSTER_CLUSTER_FIXTURE_H

#include <event2/event.h>

#include "daemon/base/metrics.h"
#include "daemon/cluster/cluster.h"
#include "tests/cluster/scripted_node.h"

enum { FIXTURE_NODES = 4, FIXTURE_PATIENCE = 5000 /* ms: longer than any test needs */ };

/* A question of a test. */
struct asked {
    struct cluster_question *question;
    unsigned told;         /* how often its callback was called */
    unsigned long round;   /* of the event loop, when it was told */
    struct asked *frees;   /* another one, which is freed by its callback */
    const char *asks;      /* a word to ask by its callback, or NULL */
    struct asked *another; /* for that */
};

struct fixture {
    struct event_base *base;
    struct metrics metrics;
    struct scripted_node nodes[FIXTURE_NODES];
    struct cluster_options options;
    struct cluster *cluster;
    unsigned long round; /* of the event loop */
    bool asking;         /* cluster_ask is being called */
};

extern struct fixture fixture;

/* For tcase_add_checked_fixture: the nodes; no cluster yet. */
void fixture_set_up(void);
void fixture_tear_down(void);

/* The reply to CLUSTER SLOTS, good until the test ends. Ranges by triples: the last slot, the
 * number of the master, the number of a replica or -1; the list ends with -1. */
char *fixture_slots(int last, ...);
void fixture_set_slots(const char *slots); /* of all nodes */

/* Makes the cluster, with `options` as they are, and waits until it knows that many slots. */
void fixture_connect(unsigned slots);

void fixture_turn(void); /* the event loop once */
#define fixture_until(condition)                                                                   \
    do {                                                                                           \
        while (!(condition)) {                                                                     \
            fixture_turn();                                                                        \
        }                                                                                          \
    } while (0)

/* A command of words that are separated by spaces, for slot 0. */
struct asked *fixture_read(const char *words);
struct asked *fixture_write(const char *words);
struct asked *fixture_ask(const struct cluster_command *command);
/* Asks with all that is said but the arguments, which are words. */
struct asked *fixture_ask_words(struct cluster_command command, const char *words);

void fixture_wait(const struct asked *asked);
/* Waits, and expects this outcome. */
void fixture_expect(struct asked *asked, enum cluster_outcome outcome);
/* Waits, and expects a reply with this text. */
void fixture_expect_text(struct asked *asked, enum cluster_reply_type type, const char *text);

uint64_t fixture_count(enum metric metric);

#endif

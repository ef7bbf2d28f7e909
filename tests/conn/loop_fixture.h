/*
 * loop_fixture.h - a loop without a thread: its loop makes a pass when the test says so, and its
 * clock stands still but for what the test adds to it.
 *
 * Each look at the precise clock makes a slice of time pass, so that those in a queue have
 * one turn in each pass of the loop, and what has to happen soon is counted in passes, on
 * every machine alike. A program that links loop_fixture.c has no other clock.
 */
#ifndef KVCACHED_TESTS_CONN_LOOP_FIXTURE_H
#define KVCACHED_TESTS_CONN_LOOP_FIXTURE_H

#include "daemon/conn/conn_state.h"
#include "tests/support/instance.h"

struct rig {
    struct loop loop;
    struct instance instance;
    struct metrics metrics[INSTANCE_SETS];
    uint64_t milliseconds; /* what clock_now says */
    uint64_t nanoseconds;  /* what clock_precise said last */
};

extern struct rig rig;

/* One of those that the loop is there for. */
struct peer {
    int fd;            /* or -1 */
    struct conn *conn; /* its other end, until that is closed */
    size_t heard;      /* bytes */
};

void rig_open(void);
/* Closes all connections, and looks whether anything is left of them. */
void rig_close(void);

/* A pass of the loop: a look at the sockets, and what follows from that. */
void rig_pass(void);

void rig_come(struct peer *peer);
void rig_hang_up(struct peer *peer);
/* Says the same many times, in one go. */
void rig_say(const struct peer *peer, const char *text, size_t times);
/* Takes of what has come so far; how many bytes that was. */
size_t rig_hear(struct peer *peer, size_t most);

bool rig_nobody_waits(void);

#endif

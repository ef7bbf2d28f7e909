/*
 * kill_operations.h - the operations that tests/store/crash/kill_points.c cuts short, on
 * kill_fixture.
 */
#ifndef KVCACHED_TESTS_STORE_CRASH_KILL_OPERATIONS_H
#define KVCACHED_TESTS_STORE_CRASH_KILL_OPERATIONS_H

#include "tests/store/fixture.h"

/* What a store holds is one of these. */
enum state { BEFORE, AFTER, EITHER };

struct operation {
    const char *name;
    void (*prepare)(void); /* in a store that was just opened */
    void (*act)(void);
    enum state (*ask)(void); /* in a store that was opened again */
    bool evicts;             /* others may be lost */
};

extern const struct operation kill_operations[];
extern const int kill_operations_count;

extern struct fixture kill_fixture;

/* Once, before all. */
void kill_prepare(void);

/* Records that no operation has anything to do with. */
void kill_put_bystanders(void);
bool kill_bystanders_are_there(void);

#endif

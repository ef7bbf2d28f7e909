/*
 * loop.h - several threads at work on one store, each with a thread of its own,
 * and a housekeeper beside them.
 *
 * The clock is a shared counter that the workers push on, so that no thread ever
 * sleeps. libcheck's assertions are for the main thread: a worker that finds
 * something wrong says so with test_threads_wrong, all stop, and the main thread fails.
 */
#ifndef KVCACHED_TESTS_STORE_THREADS_THREADS_H
#define KVCACHED_TESTS_STORE_THREADS_THREADS_H

#include <pthread.h>

#include "tests/store/fixture.h"

enum {
    CREW_MOST = 16,         /* workers */
    CREW_VALUE_MIN = 8,     /* bytes: the version that all else follows from */
    CREW_VALUE_MAX = 60000, /* bytes */
};

struct test_threads;

struct worker {
    struct test_threads *team;
    struct store_thread *thread;
    pthread_t pthread;
    unsigned number;
    uint64_t random;
    void *own; /* what the test keeps for each */
    char bytes[CREW_VALUE_MAX];
};

typedef void test_threads_work(struct worker *worker);

struct test_threads {
    struct store *store;
    unsigned count; /* of workers */
    test_threads_work *work;
    uint64_t clock;  /* atomic */
    unsigned busy;   /* workers that have not finished; atomic */
    uint64_t most;   /* bytes that may be used, where the memory is changed; 0: it is not */
    bool failed;     /* atomic */
    char wrong[256]; /* what was first found wrong; guarded by `telling` */
    pthread_mutex_t telling;
    pthread_barrier_t barrier;
    struct worker *workers;
};

/* `own_size` bytes of zeros for each worker's own. */
void test_threads_open(struct test_threads *team, struct store *store, unsigned count,
                       size_t own_size);
/* All do their work beside a housekeeper; returns when all have ended. Fails the
 * test when one of them has found something wrong. */
void test_threads_run(struct test_threads *team, test_threads_work *work);
void test_threads_close(struct test_threads *team);

/* --- for workers -------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) void test_threads_wrong(struct test_threads *team,
                                                              const char *format, ...);
bool test_threads_failed(const struct test_threads *team);
uint64_t test_threads_now(const struct test_threads *team);
void test_threads_pass_time(struct test_threads *team, uint64_t milliseconds);
/* All workers meet here. */
void test_threads_meet(struct worker *worker);
uint64_t test_threads_below(struct worker *worker, uint64_t bound);

/* A value that tells its version; its other bytes follow from that and from
 * its place, in worker->bytes. */
struct slice test_threads_value(struct worker *worker, uint64_t place, uint64_t version,
                                size_t length);
/* What a piece of such a value has to be, from byte `from` on. */
void test_threads_fill(char *bytes, uint64_t from, size_t length, uint64_t place, uint64_t version);
/* False when it is not a value of that place; else its version. */
bool test_threads_is_value(struct slice value, uint64_t place, uint64_t *version);
/* The same of a view, which it leaves. */
bool test_threads_is_view(struct worker *worker, const struct store_view *view, uint64_t place,
                          uint64_t *version);

#endif

/*
 * threads_killed.c - many threads write to a store whose arena is a file, and all of them are
 * killed at any moment; again and again, with the same file.
 *
 * Each thread owns a namespace and writes down, in memory that outlives it, what it is about
 * to do to a key, and after that, that it is done. The next process that opens the store must find
 * of each key what was done last, or what was being done. A flush has happened to all keys of its
 * namespace or to none.
 *
 * THREADS and KILLED_ROUNDS say how many, and how often.
 */
#include "tests/store/threads/threads.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/scratch.h"
#include "tests/support/suite.h"

enum {
    KEYS = 400, /* of each thread */
    MEMORY = 96 * FIXTURE_MIB,
    ROUNDS = 100,
    STEPS_LEAST = 50, /* of all threads together, before they are killed */
    STEPS_MORE = 20000,
};

/* A version that was written, or 0: none. */
struct told {
    uint64_t done, begun; /* atomic */
};

struct ledger {
    uint64_t steps; /* atomic */
    uint64_t wrong; /* a status that should not be; atomic */
    uint64_t versions[CREW_MOST];
    uint32_t flushing[CREW_MOST]; /* atomic */
    struct told told[CREW_MOST][KEYS];
};

static struct ledger *ledger; /* shared with the child */
static struct fixture fixture;
static char path[128];

static uint64_t place_of(unsigned owner, unsigned key)
{
    return (uint64_t)owner * KEYS + key + 1;
}

static void name_of(unsigned owner, char name[16])
{
    snprintf(name, 16, "ns%u", owner);
}

/* --- the threads that are killed ---------------------------------------------- */

static size_t some_length(struct worker *worker)
{
    uint64_t dice = test_threads_below(worker, 100);
    uint64_t most = dice == 0 ? CREW_VALUE_MAX : dice < 10 ? 2000 : 200;
    return CREW_VALUE_MIN + (size_t)test_threads_below(worker, most - CREW_VALUE_MIN);
}

static void begin(struct told *told, uint64_t version)
{
    __atomic_store_n(&told->begun, version, __ATOMIC_SEQ_CST);
}

static void done(struct told *told)
{
    __atomic_store_n(&told->done, told->begun, __ATOMIC_SEQ_CST);
}

static void must(bool holds)
{
    if (!holds) {
        __atomic_store_n(&ledger->wrong, 1, __ATOMIC_RELAXED);
    }
}

static void write_one(struct worker *worker, struct store_key *at, unsigned key)
{
    struct told *told = &ledger->told[worker->number][key];
    uint64_t version = ++ledger->versions[worker->number];
    struct slice value =
        test_threads_value(worker, place_of(worker->number, key), version, some_length(worker));
    struct store_terms terms = {.ttl =
                                    test_threads_below(worker, 2) ? TTL_NEVER : TTL_FOR(1u << 30),
                                .noted = test_threads_below(worker, 2)};
    begin(told, version);
    must(store_put(worker->thread, at, &terms, value, test_threads_now(worker->team), NULL) ==
         STORE_OK);
    done(told);
}

static void delete_one(struct worker *worker, struct store_key *at, unsigned key)
{
    struct told *told = &ledger->told[worker->number][key];
    bool there = told->done != 0;
    begin(told, 0);
    must(store_delete(worker->thread, at, NULL, test_threads_now(worker->team)) ==
         (there ? STORE_OK : STORE_NOT_FOUND));
    done(told);
}

static void flush(struct worker *worker, struct slice name)
{
    uint64_t records = 0;
    __atomic_store_n(&ledger->flushing[worker->number], 1, __ATOMIC_SEQ_CST);
    must(store_flush(worker->thread, name, test_threads_now(worker->team), &records) == STORE_OK);
    for (unsigned key = 0; key < KEYS; key++) {
        begin(&ledger->told[worker->number][key], 0);
        done(&ledger->told[worker->number][key]);
    }
    __atomic_store_n(&ledger->flushing[worker->number], 0, __ATOMIC_SEQ_CST);
}

/* Never so little that something has to be evicted. */
static void resize(struct worker *worker)
{
    uint64_t memory = MEMORY / 2 + test_threads_below(worker, 2 * (uint64_t)MEMORY);
    must(store_set_memory(worker->thread, memory) == STORE_RESIZED);
}

static void work_for_ever(struct worker *worker)
{
    char name[16];
    char key_bytes[16];
    struct store_key at;
    name_of(worker->number, name);
    worker->random += __atomic_load_n(&ledger->steps, __ATOMIC_RELAXED);
    for (;;) {
        unsigned key = (unsigned)test_threads_below(worker, KEYS);
        uint64_t dice = test_threads_below(worker, 1000);
        snprintf(key_bytes, sizeof key_bytes, "key-%u", key);
        store_enter(worker->thread);
        must(store_locate(worker->thread, slice_of(name), slice_of(key_bytes), &at) == STORE_OK);
        if (dice < 700) {
            write_one(worker, &at, key);
        } else if (dice < 900) {
            delete_one(worker, &at, key);
        } else if (dice < 997) {
            store_touch(worker->thread, &at, TTL_NEVER, test_threads_now(worker->team));
        } else if (dice < 998) {
            resize(worker);
        } else {
            flush(worker, slice_of(name));
        }
        store_leave(worker->thread);
        test_threads_pass_time(worker->team, 1);
        __atomic_fetch_add(&ledger->steps, 1, __ATOMIC_RELAXED);
    }
}

static void be_killed(unsigned threads)
{
    struct test_threads team;
    fixture_start(&fixture);
    test_threads_open(&team, fixture.store, threads, 1);
    team.clock = fixture.now;
    team.most = 3 * (uint64_t)MEMORY;
    test_threads_run(&team, work_for_ever);
    _exit(EXIT_FAILURE);
}

/* --- the next process --------------------------------------------------------- */

static struct worker reader;

/* 0: it is not there. */
static uint64_t version_there(unsigned owner, unsigned key)
{
    struct store_view view;
    char name[16];
    char key_bytes[16];
    uint64_t version = 0;
    name_of(owner, name);
    snprintf(key_bytes, sizeof key_bytes, "key-%u", key);
    if (fixture_get(&fixture, name, key_bytes, &view) != STORE_OK) {
        return 0;
    }
    bool right = test_threads_is_view(&reader, &view, place_of(owner, key), &version);
    fixture_give_back(&view);
    if (!right) {
        ck_abort_msg("%s %s: wrong bytes", name, key_bytes);
    }
    return version;
}

static bool is_any_there(unsigned owner)
{
    for (unsigned key = 0; key < KEYS; key++) {
        if (version_there(owner, key) != 0) {
            return true;
        }
    }
    return false;
}

static void compare(unsigned owner)
{
    bool is_flushed = ledger->flushing[owner] != 0 && !is_any_there(owner);
    for (unsigned key = 0; key < KEYS; key++) {
        struct told *told = &ledger->told[owner][key];
        uint64_t there = version_there(owner, key);
        if (is_flushed) {
            told->begun = told->done = 0;
        } else if (there != told->done && there != told->begun) {
            ck_abort_msg("ns%u key-%u: version %ju, was told %ju, and %ju was begun", owner, key,
                         (uintmax_t)there, (uintmax_t)told->done, (uintmax_t)told->begun);
        }
        told->done = told->begun = there;
    }
    ledger->flushing[owner] = 0;
}

static void kill_and_compare(unsigned threads, uint64_t steps)
{
    pid_t child = fork();
    if (child == 0) {
        be_killed(threads);
    }
    ck_assert_int_gt(child, 0);
    uint64_t until = ledger->steps + steps;
    int status = 0;
    pid_t ended = 0;
    while (ended == 0 && __atomic_load_n(&ledger->steps, __ATOMIC_RELAXED) < until) {
        usleep(100);
        ended = waitpid(child, &status, WNOHANG);
    }
    ck_assert_int_eq(ended, 0);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_uint_eq(ledger->wrong, 0);
    fixture_start(&fixture);
    ck_assert_int_eq(fixture.found.arena, STORE_ARENA_KEPT);
    ck_assert_uint_eq(fixture.found.damaged_records + fixture.found.damaged_segments +
                          fixture.found.damaged_namespaces + fixture.found.evicted,
                      0);
    fixture_check(&fixture);
    for (unsigned owner = 0; owner < threads; owner++) {
        compare(owner);
    }
    fixture_housekeep(&fixture);
    fixture_crash(&fixture);
}

START_TEST(killed_at_any_moment)
{
    unsigned threads = (unsigned)fixture_setting("THREADS", 6);
    uint64_t rounds = fixture_setting("KILLED_ROUNDS", ROUNDS);
    uint64_t random = fixture_setting("THREADS_SEED", 1);
    ledger = mmap(NULL, sizeof *ledger, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(ledger != MAP_FAILED);
    snprintf(path, sizeof path, "%s", scratch_path("arena"));
    fixture_open_file(&fixture, MEMORY, FIXTURE_MIB, path);
    fixture.threads = 2;
    fixture_crash(&fixture);
    for (uint64_t round = 0; round < rounds; round++) {
        kill_and_compare(threads, STEPS_LEAST + fixture_random(&random) % STEPS_MORE);
    }
    munmap(ledger, sizeof *ledger);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("threads killed");
    TCase *tcase = tcase_create("killed");
    tcase_add_checked_fixture(tcase, scratch_make_in_memory, scratch_remove);
    tcase_set_timeout(tcase, 2 * FIXTURE_TIMEOUT);
    tcase_add_test(tcase, killed_at_any_moment);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

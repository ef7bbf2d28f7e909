/*
 * fixture.h - a store in a box, for tests: one store, one thread, and a clock that
 * stands still until the test moves it.
 *
 * The box wraps every call in store_enter and store_leave and uses box->now as
 * the time, so that a test reads like a list of things that happen. What it
 * finds wrong fails the running test, so it is for the main thread only; what
 * other threads may use (patterns and views) says so and returns a bool.
 */
#ifndef KVCACHED_TESTS_STORE_FIXTURE_H
#define KVCACHED_TESTS_STORE_FIXTURE_H

#include <check.h>

#include "daemon/store/store.h"
#include "tests/support/suite.h"

struct fixture {
    struct store *store;
    struct store_thread *thread;
    uint64_t now;
    uint64_t memory;
    uint64_t excused; /* bytes that were in use when the memory was made less; 0: it is kept */
    uint64_t max_value;
    /* With a file only. */
    const char *file;            /* the caller's */
    struct store_clock clock;    /* but for its uptime, which follows from `now` */
    struct store_recovery found; /* at the last start */
    unsigned threads;            /* that recover; 1 */
    char copy[STORE_COPY_MAX];   /* of the small value that was read last */
};

enum {
    FIXTURE_KIB = 1024,
    FIXTURE_MIB = 1024 * 1024,
    FIXTURE_EFFORT = 4096,
    FIXTURE_TIMEOUT = 300, /* seconds: sanitizers on a busy machine are slow */
};

/* How long a record lives that does not expire. */
#define FIXTURE_NEVER UINT64_MAX

#define TTL_DEFAULT ((struct store_ttl){STORE_TTL_DEFAULT, 0})
#define TTL_NEVER   ((struct store_ttl){STORE_TTL_NEVER, 0})
#define TTL_FOR(ms) ((struct store_ttl){STORE_TTL_FOR, (ms)})
#define TTL_KEEP    ((struct store_ttl){STORE_TTL_KEEP, 0})

/* A plain write. */
#define TERMS(how, time) (&(struct store_terms){.mode = (how), .ttl = (time)})

/* libcheck writes every assertion that holds to a file. Where there are millions
 * of them, only what fails is told. */
#define FIXTURE_THAT(condition)                                                                    \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("not so: %s", #condition);                                                \
    } while (0)
#define FIXTURE_OK(call)                                                                           \
    do {                                                                                           \
        enum store_status status_of_call = (call);                                                 \
        if (status_of_call != STORE_OK)                                                            \
            ck_abort_msg("status %d: %s", (int)status_of_call, #call);                             \
    } while (0)

/* Opens at now = 1000 with a policy that allows every namespace and knows no
 * ttl. Close checks the store, then destroys it. With FIXTURE_ARENA set, which is a
 * directory, the arena is a file there. */
void fixture_open(struct fixture *fixture, uint64_t memory, uint64_t max_value);
void fixture_close(struct fixture *fixture);

/* The same with a file, which may be there. `path` has to stay. */
void fixture_open_file(struct fixture *fixture, uint64_t memory, uint64_t max_value,
                       const char *path);
/* The store goes without a word, as by a kill; every view, write and listing is over. */
void fixture_crash(struct fixture *fixture);
/* It is closed in order. */
void fixture_stop(struct fixture *fixture);
/* It is there again, with the same policy as after fixture_open. box->memory may have been
 * changed meanwhile. */
void fixture_start(struct fixture *fixture);
/* Crash and start; the store is checked before and after. */
void fixture_restart(struct fixture *fixture);
/* Closed in order; then the machine starts again, with so much time on its wall clock. */
void fixture_reboot(struct fixture *fixture, int64_t passed);

/* store_check, and that no more memory is used than allowed. */
void fixture_check(struct fixture *fixture);

/* The store has another memory, which it must take; of less it need not be within that at once,
 * but uses no more than before. */
void fixture_set_memory(struct fixture *fixture, uint64_t memory);
/* Whether no more memory is used than that. */
bool fixture_is_within(struct fixture *fixture);
/* fixture_check, and that no more is used than the memory. */
void fixture_expect_within(struct fixture *fixture);
/* To a smaller memory, and housekeeping until the store is within that. */
void fixture_shrink(struct fixture *fixture, uint64_t memory);

/* Applies `declared` and an open policy in which other namespaces have `ttl`. */
void fixture_declare(struct fixture *fixture, const struct store_namespace_options *declared,
                     size_t count, uint64_t ttl);
/* The same, but other namespaces are refused. */
void fixture_declare_only(struct fixture *fixture, const struct store_namespace_options *declared,
                          size_t count);
/* The policy, in steps between which the housekeeper has a slice of that effort (0: none). */
void fixture_declare_slowly(struct fixture *fixture, const struct store_policy *policy,
                            size_t effort);

/* Housekeeping until there is nothing left to do now. */
void fixture_housekeep(struct fixture *fixture);
/* The same, and so much time passes without requests that free memory is given back. */
void fixture_rest(struct fixture *fixture);
/* Moves the clock on. */
void fixture_wait(struct fixture *fixture, uint64_t milliseconds);
/* Until what is written now with that ttl has just expired: `now` is rounded down. */
void fixture_outlive(struct fixture *fixture, uint64_t ttl);

/* --- one record, named by strings --------------------------------------- */

enum store_status fixture_put(struct fixture *fixture, const char *name, const char *key,
                              struct store_ttl ttl, const char *value);
enum store_status fixture_add(struct fixture *fixture, const char *name, const char *key,
                              struct store_ttl ttl, const char *value);
enum store_status fixture_delete(struct fixture *fixture, const char *name, const char *key);
enum store_status fixture_touch(struct fixture *fixture, const char *name, const char *key,
                                struct store_ttl ttl);
enum store_status fixture_left(struct fixture *fixture, const char *name, const char *key,
                               uint64_t *left);
enum store_status fixture_incr(struct fixture *fixture, const char *name, const char *key,
                               uint64_t by, uint64_t *result);
enum store_status fixture_decr(struct fixture *fixture, const char *name, const char *key,
                               uint64_t by, uint64_t *result);
bool fixture_has(struct fixture *fixture, const char *name, const char *key);
void fixture_expect(struct fixture *fixture, const char *name, const char *key, const char *value);
void fixture_expect_gone(struct fixture *fixture, const char *name, const char *key);
/* The record is there, and store_left says so much; or FIXTURE_NEVER. */
void fixture_expect_left(struct fixture *fixture, const char *name, const char *key, uint64_t left);

/* --- one record, named by bytes ----------------------------------------- */

enum store_status fixture_put_bytes(struct fixture *fixture, struct slice name, struct slice key,
                                    struct store_ttl ttl, struct slice value);
/* A small value is copied into the box, good until the next one, and its view
 * put at once; a pinned one is the caller's to give back. fixture_give_back does
 * the right thing with both. */
enum store_status fixture_get_bytes(struct fixture *fixture, struct slice name, struct slice key,
                                    struct store_view *view);
enum store_status fixture_get(struct fixture *fixture, const char *name, const char *key,
                              struct store_view *view);
void fixture_give_back(struct store_view *view);
void fixture_expect_bytes(struct fixture *fixture, struct slice name, struct slice key,
                          struct slice value);

/* --- values that tell themselves whether they are right -------------------------------------- */

/* Bytes that follow from the seed and their place. Any thread. */
void fixture_pattern(char *bytes, uint64_t from, size_t length, uint64_t seed);
bool fixture_is_pattern(const char *bytes, uint64_t from, size_t length, uint64_t seed);
/* All of a view's bytes, pinned or not. Any thread. */
bool fixture_view_is_pattern(const struct store_view *view, uint64_t seed);

/* Puts a pattern of that length; fixture_put's statuses. */
enum store_status fixture_put_pattern(struct fixture *fixture, const char *name, const char *key,
                                      struct store_ttl ttl, size_t length, uint64_t seed);
void fixture_expect_pattern(struct fixture *fixture, const char *name, const char *key,
                            size_t length, uint64_t seed);

/* Patterns of that length under "key<number>", the number being the seed, which must all be
 * stored. */
void fixture_pour(struct fixture *fixture, const char *name, size_t first, size_t count,
                  size_t length);
/* How many of them are there; those that are must be right. */
size_t fixture_count_alive(struct fixture *fixture, const char *name, size_t first, size_t count,
                           size_t length);

/* So many from number 0 on that memory is full, and half as many again; how many records there
 * are then. */
size_t fixture_fill(struct fixture *fixture, const char *name, size_t length);

/* The same in parts of `part` bytes at most. Leaves no write open. */
enum store_status fixture_stream_pattern(struct fixture *fixture, const char *name, const char *key,
                                         enum store_mode mode, struct store_ttl ttl, size_t length,
                                         size_t part, uint64_t seed);
/* Gives an open write its next bytes, up to `until`. Any status of store_write_space. */
enum store_status fixture_write_pattern(struct fixture *fixture, struct store_write *write,
                                        uint64_t *done, uint64_t until, size_t part, uint64_t seed);
enum store_status fixture_begin(struct fixture *fixture, const char *name, const char *key,
                                enum store_mode mode, struct store_ttl ttl, uint64_t length,
                                struct store_write **write);
enum store_status fixture_commit(struct fixture *fixture, struct store_write **write);
void fixture_abort(struct fixture *fixture, struct store_write **write);

/* --- namespaces and figures --------------------------------------------- */

/* How many records were there. */
uint64_t fixture_flush(struct fixture *fixture, const char *name);
struct store_stats fixture_figures(struct fixture *fixture);
enum store_status fixture_namespace(struct fixture *fixture, const char *name,
                                    struct store_namespace_stats *stats);
/* Items of the namespace; 0 where there is none. */
uint64_t fixture_items(struct fixture *fixture, const char *name);

/* A random number that follows from *state alone. Any thread. */
uint64_t fixture_random(uint64_t *state);

/* An unsigned number from the environment, or `otherwise`. */
uint64_t fixture_setting(const char *name, uint64_t otherwise);

#endif

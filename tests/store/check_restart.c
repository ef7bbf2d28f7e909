/*
 * check_restart.c - a store whose arena is a file ends, in order or not, and
 * is there again: with all that it was told, and nothing that had gone.
 */
#include "tests/store/fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/scratch.h"

enum { MEMORY = 8 * FIXTURE_MIB };

static struct fixture fixture;

static char path[128];

static void make(void)
{
    scratch_make();
    snprintf(path, sizeof path, "%s", scratch_path("arena"));
    fixture_open_file(&fixture, MEMORY, FIXTURE_MIB, path);
}

static void unmake(void)
{
    if (fixture.store != NULL) {
        fixture_close(&fixture);
    }
    scratch_remove();
}

/* --- what stays ------------------------------------------------------------- */

START_TEST(records_are_there_again)
{
    char key[STORE_KEY_MAX];
    fixture_pattern(key, 0, sizeof key, 5);
    FIXTURE_OK(fixture_put(&fixture, "a", "k", TTL_NEVER, "value"));
    FIXTURE_OK(fixture_put(&fixture, "a", "empty", TTL_FOR(5000), ""));
    FIXTURE_OK(fixture_put(&fixture, "b", "k", TTL_NEVER, "another"));
    FIXTURE_OK(fixture_put_bytes(&fixture, slice_of("b"), (struct slice){key, sizeof key},
                                 TTL_FOR(1 << 30), slice_of("long key")));
    FIXTURE_OK(fixture_put_pattern(&fixture, "b", "medium", TTL_NEVER, 5000, 1));
    for (int i = 0; i < 3; i++) {
        fixture_restart(&fixture);
        ck_assert_int_eq(fixture.found.arena, STORE_ARENA_KEPT);
        ck_assert_uint_eq(fixture.found.records, 5);
        ck_assert_uint_eq(fixture.found.namespaces, 2);
        fixture_expect(&fixture, "a", "k", "value");
        fixture_expect(&fixture, "a", "empty", "");
        fixture_expect_left(&fixture, "a", "empty", 5000);
        fixture_expect(&fixture, "b", "k", "another");
        fixture_expect_bytes(&fixture, slice_of("b"), (struct slice){key, sizeof key},
                             slice_of("long key"));
        fixture_expect_pattern(&fixture, "b", "medium", 5000, 1);
    }
}
END_TEST

START_TEST(many_records_are_there_again)
{
    char key[32];
    fixture.threads = (unsigned)_i;
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "key%u", i);
        FIXTURE_OK(fixture_put_pattern(&fixture, i % 2 ? "odd" : "even", key,
                                       i % 3 ? TTL_NEVER : TTL_FOR(1000 + i), 1 + i % 100, i));
    }
    fixture_restart(&fixture);
    ck_assert_uint_eq(fixture.found.records, 20000);
    ck_assert_uint_eq(fixture.found.evicted + fixture.found.damaged_records, 0);
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "key%u", i);
        fixture_expect_pattern(&fixture, i % 2 ? "odd" : "even", key, 1 + i % 100, i);
    }
}
END_TEST

START_TEST(large_records_are_there_again)
{
    FIXTURE_OK(fixture_put_pattern(&fixture, "a", "large", TTL_FOR(100000), 300001, 1));
    FIXTURE_OK(
        fixture_stream_pattern(&fixture, "a", "streamed", STORE_SET, TTL_NEVER, 900000, 7777, 2));
    FIXTURE_OK(fixture_put_pattern(&fixture, "a", "replaced", TTL_NEVER, 200000, 3));
    FIXTURE_OK(fixture_put_pattern(&fixture, "a", "replaced", TTL_NEVER, 100000, 4));
    FIXTURE_OK(fixture_put_pattern(&fixture, "a", "gone", TTL_NEVER, 100000, 5));
    FIXTURE_OK(fixture_delete(&fixture, "a", "gone"));
    for (int i = 0; i < 3; i++) {
        fixture_restart(&fixture);
        ck_assert_uint_eq(fixture.found.records, 3);
        ck_assert_uint_eq(fixture.found.damaged_records + fixture.found.damaged_segments, 0);
        fixture_expect_pattern(&fixture, "a", "large", 300001, 1);
        fixture_expect_left(&fixture, "a", "large", 100000);
        fixture_expect_pattern(&fixture, "a", "streamed", 900000, 2);
        fixture_expect_pattern(&fixture, "a", "replaced", 100000, 4);
        fixture_expect_gone(&fixture, "a", "gone");
    }
    FIXTURE_OK(fixture_touch(&fixture, "a", "large", TTL_FOR(7000)));
    fixture_restart(&fixture);
    fixture_expect_left(&fixture, "a", "large", 7000);
    fixture_outlive(&fixture, 7000);
    fixture_restart(&fixture);
    fixture_expect_gone(&fixture, "a", "large");
    ck_assert_uint_eq(fixture.found.expired, 1);
}
END_TEST

/* --- what went, stays away ---------------------------------------------------- */

START_TEST(what_went_stays_away)
{
    uint64_t sum = 0;
    FIXTURE_OK(fixture_put(&fixture, "a", "deleted", TTL_NEVER, "1"));
    FIXTURE_OK(fixture_put(&fixture, "a", "replaced", TTL_NEVER, "1"));
    FIXTURE_OK(fixture_put(&fixture, "a", "number", TTL_NEVER, "1"));
    FIXTURE_OK(fixture_put(&fixture, "a", "expired", TTL_FOR(10), "1"));
    FIXTURE_OK(fixture_put(&fixture, "flushed", "k", TTL_NEVER, "1"));
    FIXTURE_OK(fixture_put(&fixture, "a", "touched", TTL_FOR(10), "1"));
    FIXTURE_OK(fixture_delete(&fixture, "a", "deleted"));
    FIXTURE_OK(fixture_put(&fixture, "a", "replaced", TTL_NEVER, "2"));
    FIXTURE_OK(fixture_incr(&fixture, "a", "number", 1, &sum));
    FIXTURE_OK(fixture_touch(&fixture, "a", "touched", TTL_FOR(1000)));
    ck_assert_uint_eq(fixture_flush(&fixture, "flushed"), 1);
    fixture_outlive(&fixture, 10);
    for (int i = 0; i < 3; i++) {
        fixture_restart(&fixture);
        ck_assert_uint_eq(fixture.found.records, 3);
        ck_assert_uint_eq(fixture.found.expired, i == 0);
        fixture_expect_gone(&fixture, "a", "deleted");
        fixture_expect_gone(&fixture, "a", "expired");
        fixture_expect_gone(&fixture, "flushed", "k");
        fixture_expect(&fixture, "a", "replaced", "2");
        fixture_expect(&fixture, "a", "number", "2");
        fixture_expect_left(&fixture, "a", "touched", 989);
    }
}
END_TEST

static void tick(uint64_t now)
{
    store_enter(fixture.thread);
    store_tick(fixture.thread, now);
    store_leave(fixture.thread);
}

START_TEST(a_flush_to_come_is_kept)
{
    FIXTURE_OK(fixture_put(&fixture, "a", "k", TTL_NEVER, "1"));
    store_enter(fixture.thread);
    FIXTURE_OK(store_flush_at(fixture.thread, slice_of("a"), fixture.now + 500));
    store_leave(fixture.thread);
    fixture_restart(&fixture);
    fixture_expect(&fixture, "a", "k", "1");
    fixture_wait(&fixture, 500);
    fixture_restart(&fixture);
    tick(fixture.now);
    fixture_expect_gone(&fixture, "a", "k");
    FIXTURE_OK(fixture_put(&fixture, "a", "k", TTL_NEVER, "2"));
    fixture_restart(&fixture);
    tick(fixture.now + 10000);
    fixture_expect(&fixture, "a", "k", "2");
}
END_TEST

START_TEST(what_was_not_committed_leaves_nothing)
{
    struct store_write *write = NULL;
    uint64_t done = 0;
    FIXTURE_OK(fixture_put_pattern(&fixture, "a", "k", TTL_NEVER, 300000, 1));
    FIXTURE_OK(fixture_begin(&fixture, "a", "k", STORE_SET, TTL_NEVER, 600000, &write));
    FIXTURE_OK(fixture_write_pattern(&fixture, write, &done, 500000, 10000, 2));
    uint64_t before = fixture_figures(&fixture).memory_used;
    fixture_crash(&fixture);
    fixture_start(&fixture);
    fixture_expect_pattern(&fixture, "a", "k", 300000, 1);
    ck_assert_uint_lt(fixture_figures(&fixture).memory_used, before - 400000);
    free(write);
}
END_TEST

START_TEST(namespaces_come_and_go)
{
    char name[32];
    for (unsigned round = 0; round < 6; round++) {
        for (unsigned i = 0; i < 200; i++) {
            snprintf(name, sizeof name, "ns%u", i);
            if (round == 0 || (i + round) % 3 == 0) {
                FIXTURE_OK(fixture_put(&fixture, name, "k", TTL_NEVER, name));
            } else if ((i + round) % 3 == 1) {
                fixture_delete(&fixture, name, "k");
            }
        }
        fixture_housekeep(&fixture);
        uint64_t namespaces = fixture_figures(&fixture).namespaces;
        fixture_restart(&fixture);
        ck_assert_uint_eq(fixture.found.namespaces, namespaces);
        for (unsigned i = 0; i < 200; i++) {
            snprintf(name, sizeof name, "ns%u", i);
            if ((i + round) % 3 == 0) {
                fixture_expect(&fixture, name, "k", name);
            } else if (round > 0 && (i + round) % 3 == 1) {
                fixture_expect_gone(&fixture, name, "k");
            }
        }
    }
}
END_TEST

/* --- versions ------------------------------------------------------------------- */

static uint64_t version_of(const char *key)
{
    struct store_key at;
    struct store_view view;
    store_enter(fixture.thread);
    FIXTURE_OK(store_locate(fixture.thread, slice_of("a"), slice_of(key), &at));
    FIXTURE_OK(store_inspect(fixture.thread, &at,
                             &(struct store_terms){.ttl = TTL_KEEP, .tells_version = true},
                             fixture.now, &view));
    store_view_put(&view);
    store_leave(fixture.thread);
    return view.version;
}

START_TEST(versions_are_kept_and_never_given_again)
{
    FIXTURE_OK(fixture_put(&fixture, "a", "small", TTL_NEVER, "1"));
    FIXTURE_OK(fixture_put_pattern(&fixture, "a", "large", TTL_NEVER, 200000, 1));
    uint64_t small = version_of("small");
    uint64_t large = version_of("large");
    fixture_restart(&fixture);
    ck_assert_uint_eq(version_of("small"), small);
    ck_assert_uint_eq(version_of("large"), large);
    FIXTURE_OK(fixture_delete(&fixture, "a", "small"));
    FIXTURE_OK(fixture_delete(&fixture, "a", "large"));
    fixture_housekeep(&fixture);
    fixture_restart(&fixture);
    FIXTURE_OK(fixture_put(&fixture, "a", "small", TTL_NEVER, "1"));
    ck_assert_uint_gt(version_of("small"), small > large ? small : large);
}
END_TEST

START_TEST(a_stale_large_record_stays_stale)
{
    struct store_key at;
    struct store_view view;
    struct store_terms stale = {.ttl = TTL_KEEP};
    struct store_terms look = {.ttl = TTL_KEEP, .contends = true};
    FIXTURE_OK(fixture_put_pattern(&fixture, "a", "large", TTL_NEVER, 200000, 1));
    uint64_t before = version_of("large");
    store_enter(fixture.thread);
    FIXTURE_OK(store_locate(fixture.thread, slice_of("a"), slice_of("large"), &at));
    FIXTURE_OK(store_make_stale(fixture.thread, &at, &stale, fixture.now));
    store_leave(fixture.thread);
    uint64_t between = version_of("large");
    fixture_restart(&fixture);
    uint64_t after = version_of("large");
    ck_assert_uint_ne(after, before);
    ck_assert_uint_ne(after, between);
    store_enter(fixture.thread);
    FIXTURE_OK(store_locate(fixture.thread, slice_of("a"), slice_of("large"), &at));
    FIXTURE_OK(store_inspect(fixture.thread, &at, &look, fixture.now, &view));
    ck_assert(view.stale);
    ck_assert(view.won);
    store_view_put(&view);
    store_leave(fixture.thread);
}
END_TEST

/* --- time ------------------------------------------------------------------------ */

static unsigned looks_left; /* until it is cancelled */

static bool cancel(void *context)
{
    (void)context;
    return looks_left == 0 || looks_left-- == 0;
}

/* At every look in turn. The machine starts again each time, so that the file has to have been
 * left in order. */
START_TEST(reading_can_be_given_up)
{
    struct store_options options = {.memory = MEMORY,
                                    .max_value = FIXTURE_MIB,
                                    .file = path,
                                    .threads = 2,
                                    .cancelled = cancel};
    unsigned given_up = 0;
    for (unsigned i = 0; i < 20000; i++) {
        char key[32];
        snprintf(key, sizeof key, "key%u", i);
        FIXTURE_OK(fixture_put_pattern(&fixture, "n", key, TTL_NEVER, 1 + i % 100, i));
    }
    fixture_stop(&fixture);
    struct store *store = NULL;
    for (; store == NULL; given_up++) {
        looks_left = given_up;
        options.clock = fixture.clock;
        options.clock.boot[0] = (uint8_t)(2 + given_up % 100);
        options.clock.uptime = 500;
        store = store_create(&options);
        ck_assert(store != NULL || errno == ECANCELED);
    }
    ck_assert_uint_gt(given_up, 10);
    store_close(&store, &options.clock);
    fixture.clock = options.clock;
    fixture_start(&fixture);
    ck_assert_int_eq(fixture.found.arena, STORE_ARENA_KEPT);
    ck_assert_uint_eq(fixture.found.records, 20000);
    fixture_expect_pattern(&fixture, "n", "key777", 1 + 777 % 100, 777);
}
END_TEST

START_TEST(a_new_run_of_the_machine_goes_on_by_the_wall_clock)
{
    FIXTURE_OK(fixture_put(&fixture, "a", "k", TTL_FOR(10000), "1"));
    fixture_wait(&fixture, 1000);
    fixture_reboot(&fixture, 4000);
    ck_assert_int_eq(fixture.found.arena, STORE_ARENA_KEPT);
    fixture_expect_left(&fixture, "a", "k", 5002); /* two more, for clocks that are rounded down */
    fixture_reboot(&fixture, -100000);             /* the clock was set back */
    fixture_expect_left(&fixture, "a", "k", 5002);
    fixture_reboot(&fixture, 5000);
    fixture_expect_left(&fixture, "a", "k", 4);
    fixture_outlive(&fixture, 4);
    fixture_expect_gone(&fixture, "a", "k");
}
END_TEST

START_TEST(a_crash_of_the_machine_is_believed_nothing)
{
    FIXTURE_OK(fixture_put(&fixture, "a", "k", TTL_NEVER, "1"));
    fixture_crash(&fixture);
    fixture.clock.boot[0]++;
    fixture_start(&fixture);
    ck_assert_int_eq(fixture.found.arena, STORE_ARENA_DISCARDED);
    ck_assert(fixture.found.why[0] != '\0');
    fixture_expect_gone(&fixture, "a", "k");
    FIXTURE_OK(fixture_put(&fixture, "a", "k", TTL_NEVER, "2"));
    fixture_restart(&fixture);
    fixture_expect(&fixture, "a", "k", "2");
}
END_TEST

/* --- memory ------------------------------------------------------------------------ */

START_TEST(starting_again_costs_no_memory)
{
    char key[32];
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(key, sizeof key, "key%u", i);
        FIXTURE_OK(
            fixture_put(&fixture, "a", key, i % 2 ? TTL_NEVER : TTL_FOR(100000 + 1000 * i), key));
    }
    uint64_t before = fixture_figures(&fixture).memory_used;
    for (int i = 0; i < 20; i++) {
        fixture_restart(&fixture);
        FIXTURE_OK(fixture_put(&fixture, "a", "key1", TTL_NEVER, "again"));
    }
    fixture_housekeep(&fixture);
    ck_assert_uint_le(fixture_figures(&fixture).memory_used, before + 512 * FIXTURE_KIB);
    for (unsigned i = 2; i < 3000; i++) {
        snprintf(key, sizeof key, "key%u", i);
        fixture_expect(&fixture, "a", key, key);
    }
}
END_TEST

static uint64_t blocks(void)
{
    struct stat found;
    ck_assert_int_eq(stat(fixture.file, &found), 0);
    return (uint64_t)found.st_blocks * 512;
}

START_TEST(what_went_gives_its_blocks_back)
{
    char key[32];
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "key%u", i);
        FIXTURE_OK(fixture_put_pattern(&fixture, "a", key, TTL_FOR(1000), 1000, i));
    }
    ck_assert_uint_gt(blocks(), 5000 * 1000);
    fixture_outlive(&fixture, 1000);
    fixture_restart(&fixture);
    ck_assert_uint_lt(blocks(), FIXTURE_MIB);
}
END_TEST

START_TEST(less_memory_evicts_and_more_is_used)
{
    char key[32];
    unsigned there = 0;
    for (unsigned i = 0; i < 5500; i++) {
        snprintf(key, sizeof key, "key%u", i);
        FIXTURE_OK(fixture_put_pattern(&fixture, "a", key, TTL_NEVER, 1000, i));
    }
    fixture_crash(&fixture);
    fixture.memory = STORE_MEMORY_MIN;
    fixture_start(&fixture);
    fixture_check(&fixture);
    ck_assert_uint_gt(fixture.found.evicted, 1500);
    ck_assert_uint_eq(fixture.found.records + fixture.found.evicted, 5500);
    for (unsigned i = 0; i < 5500; i++) {
        snprintf(key, sizeof key, "key%u", i);
        if (fixture_has(&fixture, "a", key)) {
            fixture_expect_pattern(&fixture, "a", key, 1000, i);
            there++;
        }
    }
    ck_assert_uint_eq(there, fixture.found.records);
    ck_assert_uint_gt(there, 2000);
    FIXTURE_OK(fixture_put_pattern(&fixture, "a", "more", TTL_NEVER, 1000, 1));
    fixture_crash(&fixture);
    fixture.memory = 2 * MEMORY;
    fixture_start(&fixture);
    ck_assert_uint_eq(fixture.found.beyond, 0);
    for (unsigned i = 0; i < 12000; i++) {
        snprintf(key, sizeof key, "key%u", i);
        FIXTURE_OK(fixture_put_pattern(&fixture, "b", key, TTL_NEVER, 1000, i));
    }
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
    fixture_restart(&fixture);
    ck_assert_uint_gt(fixture.found.records, 12000);
}
END_TEST

/* Small records, whose index is a large part of the memory and dense when that is full. */
START_TEST(a_full_memory_comes_back_whole)
{
    char key[32];
    for (unsigned i = 0; i < 200000 + 20000 * (unsigned)_i; i++) {
        snprintf(key, sizeof key, "key%u", i);
        FIXTURE_OK(fixture_put_pattern(&fixture, "a", key, TTL_NEVER, 30, i));
        if (i % 1000 == 0) {
            fixture_housekeep(&fixture);
        }
    }
    ck_assert_uint_gt(fixture_figures(&fixture).counters.evictions, 0);
    uint64_t items = fixture_items(&fixture, "a");
    for (int i = 0; i < 3; i++) {
        fixture_restart(&fixture);
        ck_assert_uint_eq(fixture.found.evicted, 0);
        ck_assert_uint_eq(fixture.found.records, items);
    }
}
END_TEST

/* --- creators ----------------------------------------------------------------------------- */

static uint64_t seven(void *context)
{
    (void)context;
    return 7;
}

/* After a restart a creator has the namespaces that it had. */
START_TEST(what_one_has_made_still_counts)
{
    struct store_policy policy = {.undeclared_most = 10, .max_value = fixture.max_value};
    char name[16];
    store_thread_set_creator(fixture.thread, seven, NULL);
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "ns%d", i);
        FIXTURE_OK(fixture_put(&fixture, name, "key", TTL_NEVER, "value"));
    }
    fixture_restart(&fixture);
    fixture_declare_slowly(&fixture, &policy, 0);
    FIXTURE_OK(fixture_put(&fixture, "another", "key", TTL_NEVER, "value"));
    store_thread_set_creator(fixture.thread, seven, NULL);
    ck_assert_int_eq(fixture_put(&fixture, "more", "key", TTL_NEVER, "value"), STORE_TOO_MANY_OWN);
    FIXTURE_OK(fixture_put(&fixture, "ns3", "more", TTL_NEVER, "value"));
}
END_TEST

/* --- the program ----------------------------------------------------------------------- */

int main(void)
{
    Suite *suite = suite_create("store restart");
    TCase *tcase = tcase_create("restart");
    tcase_add_checked_fixture(tcase, make, unmake);
    tcase_set_timeout(tcase, FIXTURE_TIMEOUT);
    tcase_add_test(tcase, records_are_there_again);
    tcase_add_loop_test(tcase, many_records_are_there_again, 0, 4);
    tcase_add_test(tcase, large_records_are_there_again);
    tcase_add_test(tcase, what_went_stays_away);
    tcase_add_test(tcase, a_flush_to_come_is_kept);
    tcase_add_test(tcase, what_was_not_committed_leaves_nothing);
    tcase_add_test(tcase, namespaces_come_and_go);
    tcase_add_test(tcase, versions_are_kept_and_never_given_again);
    tcase_add_test(tcase, a_stale_large_record_stays_stale);
    tcase_add_test(tcase, a_new_run_of_the_machine_goes_on_by_the_wall_clock);
    tcase_add_test(tcase, a_crash_of_the_machine_is_believed_nothing);
    tcase_add_test(tcase, reading_can_be_given_up);
    tcase_add_test(tcase, starting_again_costs_no_memory);
    tcase_add_test(tcase, what_went_gives_its_blocks_back);
    tcase_add_test(tcase, less_memory_evicts_and_more_is_used);
    tcase_add_loop_test(tcase, a_full_memory_comes_back_whole, 0, 5);
    tcase_add_test(tcase, what_one_has_made_still_counts);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

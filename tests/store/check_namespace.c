/*
 * check_namespace.c - namespaces: flushing, figures, policies, how they
 * come and go, and that ten thousand small ones fit.
 */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/store/reclaim/evict.h"

enum { CROWD = 10000, CROWD_RECORDS = 10, BIG = 300000 };

static const uint64_t HOUR = 3600000;

static struct fixture fixture;

static void setup(void)
{
    fixture_open(&fixture, 64 * FIXTURE_MIB, FIXTURE_MIB);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

/* Housekeeping over some time, for what need not be done at once. */
static void let_time_pass(void)
{
    for (int i = 0; i < 20; i++) {
        fixture_outlive(&fixture, 1000);
        fixture_housekeep(&fixture);
    }
}

/* --- flushing ----------------------------------------------------------- */

START_TEST(what_is_flushed_is_gone_and_what_comes_stays)
{
    char key[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "key%d", i);
        FIXTURE_OK(fixture_put(&fixture, "ns", key, i % 2 ? TTL_NEVER : TTL_FOR(HOUR), "old"));
        FIXTURE_OK(fixture_put(&fixture, "other", key, TTL_FOR(HOUR), "other"));
    }
    ck_assert_uint_eq(fixture_flush(&fixture, "ns"), 1000);
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), 0);
    ck_assert_uint_eq(fixture_figures(&fixture).items, 1000);
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "key%d", i);
        fixture_expect_gone(&fixture, "ns", key);
        FIXTURE_OK(fixture_add(&fixture, "ns", key, TTL_NEVER, "new"));
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 1000; i++) {
            snprintf(key, sizeof key, "key%d", i);
            if (i < 500) {
                fixture_expect(&fixture, "ns", key, "new");
            } else {
                fixture_expect_gone(&fixture, "ns", key);
            }
            fixture_expect(&fixture, "other", key, "other");
        }
        fixture_check(&fixture);
        fixture_housekeep(&fixture);
    }
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), 500);
    ck_assert_uint_eq(fixture_flush(&fixture, "ns"), 500);
    ck_assert_uint_eq(fixture_flush(&fixture, "ns"), 0);
}
END_TEST

START_TEST(flushed_again_and_again)
{
    char key[32];
    for (uint64_t round = 1; round <= 3000; round++) {
        uint64_t count = round % 7;
        for (uint64_t i = 0; i < count; i++) {
            snprintf(key, sizeof key, "key%ju", (uintmax_t)i);
            FIXTURE_OK(fixture_put_pattern(&fixture, "ns", key, TTL_FOR(HOUR), 100 + i, round));
        }
        ck_assert_uint_eq(fixture_items(&fixture, "ns"), count);
        ck_assert_uint_eq(fixture_flush(&fixture, "ns"), count);
        ck_assert(!fixture_has(&fixture, "ns", "key0"));
        if (round % 500 == 0) {
            fixture_housekeep(&fixture);
        }
    }
    let_time_pass();
    ck_assert_uint_lt(fixture_figures(&fixture).memory_used, 2 * FIXTURE_MIB);
}
END_TEST

START_TEST(flushing_nothing)
{
    struct store_namespace_stats stats;
    ck_assert_uint_eq(fixture_flush(&fixture, "ghost"), 0);
    ck_assert_int_eq(fixture_namespace(&fixture, "ghost", &stats), STORE_NOT_FOUND);
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_NEVER, "value"));
    FIXTURE_OK(fixture_delete(&fixture, "ns", "key"));
    ck_assert_uint_eq(fixture_flush(&fixture, "ns"), 0);
}
END_TEST

/* A flush forgets at once and leaves all that takes time to the housekeeper: right
 * after it not one segment has been touched. */
START_TEST(flushing_leaves_the_work_behind)
{
    char key[32];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < BIG; i++) {
            snprintf(key, sizeof key, "key%d", i);
            FIXTURE_OK(fixture_put(&fixture, "ns", key, TTL_FOR(HOUR), "value"));
        }
        ck_assert_uint_eq(fixture_items(&fixture, "ns"), BIG);
        uint64_t segments = fixture_figures(&fixture).segments;
        ck_assert_uint_eq(fixture_flush(&fixture, "ns"), BIG);
        ck_assert_uint_eq(fixture_items(&fixture, "ns"), 0);
        ck_assert_uint_eq(fixture_figures(&fixture).segments, segments);
        FIXTURE_OK(fixture_put(&fixture, "ns", "key7", TTL_FOR(HOUR), "again"));
        fixture_housekeep(&fixture);
        ck_assert_uint_eq(fixture_figures(&fixture).segments, 1);
        fixture_expect(&fixture, "ns", "key7", "again");
        ck_assert_uint_eq(fixture_items(&fixture, "ns"), 1);
    }
}
END_TEST

/* --- figures ------------------------------------------------------------ */

START_TEST(each_namespace_is_given_once)
{
    struct store_namespace_stats stats;
    unsigned seen[300] = {0};
    char name[32];
    uint32_t next = 0;
    unsigned number;
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "ns%d", i);
        for (int k = 0; k <= i % 3; k++) {
            FIXTURE_OK(fixture_put(&fixture, name, &"key"[k], TTL_NEVER, "value"));
        }
    }
    store_enter(fixture.thread);
    while (store_namespace_next(fixture.thread, &next, &stats)) {
        ck_assert_int_eq(sscanf(stats.name, "ns%u", &number), 1);
        ck_assert_uint_lt(number, 300);
        ck_assert_uint_eq(stats.items, number % 3 + 1);
        ck_assert_uint_ge(stats.bytes, stats.items * 6);
        ck_assert_uint_eq(stats.counters.sets, stats.items);
        seen[number]++;
    }
    store_leave(fixture.thread);
    for (int i = 0; i < 300; i++) {
        ck_assert_uint_eq(seen[i], 1);
    }
    ck_assert_uint_eq(fixture_figures(&fixture).namespaces, 300);
}
END_TEST

START_TEST(figures_are_the_namespaces_own)
{
    struct store_namespace_options options = {
        .name = slice_of("declared"), .ttl = 5000, .max_ttl = 9000, .memory = 3 * FIXTURE_MIB};
    struct store_namespace_stats stats;
    fixture_declare(&fixture, &options, 1, STORE_NEVER);
    FIXTURE_OK(fixture_namespace(&fixture, "declared", &stats));
    ck_assert_str_eq(stats.name, "declared");
    ck_assert_uint_eq(stats.items, 0);
    ck_assert_uint_eq(stats.bytes, 0);
    ck_assert_uint_eq(stats.quota, 3 * FIXTURE_MIB);
    ck_assert_uint_eq(stats.ttl, 5000);
    ck_assert_uint_eq(stats.max_ttl, 9000);
    FIXTURE_OK(fixture_put_pattern(&fixture, "declared", "key", TTL_DEFAULT, 100000, 1));
    FIXTURE_OK(fixture_put_pattern(&fixture, "other", "key", TTL_FOR(90), 1000, 1));
    FIXTURE_OK(fixture_namespace(&fixture, "declared", &stats));
    ck_assert_uint_eq(stats.items, 1);
    ck_assert_uint_ge(stats.bytes, 100000);
    ck_assert_uint_le(stats.bytes, 102000);
    ck_assert_uint_ge(stats.memory, stats.bytes);
    FIXTURE_OK(fixture_namespace(&fixture, "other", &stats));
    ck_assert_uint_eq(stats.quota, 0);
    ck_assert_uint_eq(stats.ttl, STORE_NEVER);
    ck_assert_uint_eq(stats.items, 1);
    ck_assert_uint_ge(stats.bytes, 1000);
    ck_assert_uint_le(stats.bytes, 1200);
    fixture_outlive(&fixture, 90);
    fixture_housekeep(&fixture);
    ck_assert_uint_eq(fixture_items(&fixture, "other"), 0);
}
END_TEST

/* --- coming and going --------------------------------------------------- */

START_TEST(empty_undeclared_namespaces_go_away)
{
    struct store_namespace_options options = {.name = slice_of("declared")};
    struct store_namespace_stats stats;
    fixture_declare(&fixture, &options, 1, STORE_NEVER);
    for (int round = 0; round < 50; round++) {
        FIXTURE_OK(fixture_put(&fixture, "expires", "key", TTL_FOR(10), "value"));
        FIXTURE_OK(fixture_put(&fixture, "deleted", "key", TTL_NEVER, "value"));
        FIXTURE_OK(fixture_put(&fixture, "flushed", "key", TTL_NEVER, "value"));
        FIXTURE_OK(fixture_put(&fixture, "declared", "key", TTL_FOR(10), "value"));
        FIXTURE_OK(fixture_put(&fixture, "stays", "key", TTL_FOR(10 * HOUR), "value"));
        FIXTURE_OK(fixture_delete(&fixture, "deleted", "key"));
        ck_assert_uint_eq(fixture_flush(&fixture, "flushed"), 1);
        fixture_outlive(&fixture, 10);
        let_time_pass();
        ck_assert_int_eq(fixture_namespace(&fixture, "expires", &stats), STORE_NOT_FOUND);
        ck_assert_int_eq(fixture_namespace(&fixture, "deleted", &stats), STORE_NOT_FOUND);
        ck_assert_int_eq(fixture_namespace(&fixture, "flushed", &stats), STORE_NOT_FOUND);
        FIXTURE_OK(fixture_namespace(&fixture, "declared", &stats));
        fixture_expect(&fixture, "stays", "key", "value");
        ck_assert_uint_eq(fixture_figures(&fixture).namespaces, 2);
        fixture_check(&fixture);
    }
}
END_TEST

/* More names over time than there may be at once. */
START_TEST(names_are_used_again)
{
    char name[32];
    for (int i = 0; i < 200000; i++) {
        snprintf(name, sizeof name, "ns%d", i);
        FIXTURE_OK(fixture_put(&fixture, name, "key", TTL_FOR(10), "value"));
        if (i % 1000 == 999) {
            fixture_outlive(&fixture, 10);
            let_time_pass();
        }
    }
    ck_assert_uint_eq(fixture_figures(&fixture).namespaces, 0);
    ck_assert_uint_eq(fixture_figures(&fixture).items, 0);
}
END_TEST

START_TEST(a_write_that_waits_keeps_its_namespace)
{
    struct store_write *write = NULL;
    uint64_t done = 0;
    FIXTURE_OK(fixture_begin(&fixture, "ns", "key", STORE_SET, TTL_NEVER, 50000, &write));
    FIXTURE_OK(fixture_write_pattern(&fixture, write, &done, 20000, 50000, 1));
    let_time_pass();
    FIXTURE_OK(fixture_put(&fixture, "next", "key", TTL_NEVER, "value"));
    FIXTURE_OK(fixture_write_pattern(&fixture, write, &done, 50000, 50000, 1));
    FIXTURE_OK(fixture_commit(&fixture, &write));
    fixture_expect_pattern(&fixture, "ns", "key", 50000, 1);
    fixture_expect(&fixture, "next", "key", "value");
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), 1);
    ck_assert_uint_eq(fixture_items(&fixture, "next"), 1);
}
END_TEST

static struct store_ttl crowd_ttl(int namespace, int record)
{
    static const uint64_t hours[] = {1, 3, 30, 300};
    if (namespace % 10 != 0) {
        return TTL_FOR(HOUR);
    }
    return record % 5 == 4 ? TTL_NEVER : TTL_FOR(hours[record % 5] * HOUR);
}

enum { KEY_ROOM = 48, VALUE_ROOM = 96 };

static void crowd_record(char key[KEY_ROOM], char value[VALUE_ROOM], int namespace, int record)
{
    snprintf(key, KEY_ROOM, "key-%04d-%07d", record, namespace);
    snprintf(value, VALUE_ROOM, "value %058d", namespace * CROWD_RECORDS + record);
    FIXTURE_THAT(strlen(key) == 16 && strlen(value) == 64);
}

static void expect_crowd(void)
{
    char name[32];
    char key[KEY_ROOM];
    char value[VALUE_ROOM];
    for (int i = 0; i < CROWD; i++) {
        snprintf(name, sizeof name, "namespace-%d", i);
        for (int k = 0; k < CROWD_RECORDS; k++) {
            crowd_record(key, value, i, k);
            fixture_expect(&fixture, name, key, value);
        }
    }
}

START_TEST(ten_thousand_small_ones_fit)
{
    char name[32];
    char key[KEY_ROOM];
    char value[VALUE_ROOM];
    for (int k = 0; k < CROWD_RECORDS; k++) {
        for (int i = 0; i < CROWD; i++) {
            snprintf(name, sizeof name, "namespace-%d", i);
            crowd_record(key, value, i, k);
            FIXTURE_OK(fixture_put(&fixture, name, key, crowd_ttl(i, k), value));
            if (i % 1000 == 0) {
                fixture_housekeep(&fixture);
            }
        }
    }
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
    ck_assert_uint_eq(fixture_figures(&fixture).items, CROWD * CROWD_RECORDS);
    ck_assert_uint_eq(fixture_figures(&fixture).namespaces, CROWD);
    expect_crowd();
    let_time_pass();
    expect_crowd();
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
    fixture_outlive(&fixture, HOUR);
    fixture_housekeep(&fixture);
    ck_assert_uint_eq(fixture_figures(&fixture).items, CROWD / 10 * CROWD_RECORDS / 5 * 4);
}
END_TEST

/* A writer that needs room evicts. Each frame that is emptied leaves dozens of namespaces
 * with nothing in them, and to look at those first would be to go round in vain. */
START_TEST(room_is_made_by_eviction_and_not_by_tidying)
{
    enum { NEW = 2000, A_FRAME = 16 };
    char name[32];
    int made = 0;
    do {
        for (int i = 0; i < NEW; i++) {
            snprintf(name, sizeof name, "ns%d", made++);
            FIXTURE_OK(fixture_put(&fixture, name, "key", TTL_NEVER, "value"));
        }
    } while (fixture_figures(&fixture).counters.evictions == 0);
    uint64_t before = fixture_figures(&fixture).reclaims;
    for (int i = 0; i < NEW; i++) {
        snprintf(name, sizeof name, "ns%d", made + i);
        FIXTURE_OK(fixture_put(&fixture, name, "key", TTL_NEVER, "value"));
    }
    ck_assert_uint_le(fixture_figures(&fixture).reclaims - before, NEW / A_FRAME);
    let_time_pass();
    struct store_stats stats = fixture_figures(&fixture);
    ck_assert_uint_eq(stats.namespaces, stats.items);
}
END_TEST

static int survivors(int from, int to)
{
    char name[32];
    int found = 0;
    for (int i = from; i < to; i++) {
        snprintf(name, sizeof name, "ns%d", i);
        found += fixture_has(&fixture, name, "key");
    }
    return found;
}

static void put_new(int *made, int until)
{
    char name[32];
    for (; *made < until; ++*made) {
        snprintf(name, sizeof name, "ns%d", *made);
        FIXTURE_OK(fixture_put(&fixture, name, "key", TTL_NEVER, "value"));
        if (*made % 1000 == 0) {
            fixture_housekeep(&fixture);
        }
    }
}

/* With more segments than a search looks at it still is the old ones that go, wherever they
 * lie, and none is forgotten. */
START_TEST(eviction_goes_round)
{
    int made = 0, fit;
    while (fixture_figures(&fixture).counters.evictions == 0) {
        put_new(&made, made + 1);
    }
    fit = made;
    ck_assert_uint_gt(fixture_figures(&fixture).segments, 4 * EVICT_SAMPLE);
    put_new(&made, fit + fit / 2);
    ck_assert_int_lt(survivors(0, fit / 4), fit / 4 / 10);
    ck_assert_int_gt(survivors(fit * 3 / 4, fit), fit / 4 * 9 / 10);
    put_new(&made, 3 * fit);
    ck_assert_int_lt(survivors(0, fit), fit / 100); /* some were read just now */
    fixture_check(&fixture);
}
END_TEST

/* Those that were evicted keep their numbers while a thread may still see them. */
START_TEST(how_many_are_going_is_bounded)
{
    enum { MANY = 2 * STORE_NAMESPACES_MAX };
    enum store_status status = STORE_OK;
    struct store_thread *other = store_thread_create(fixture.store);
    char name[32];
    int made = 0;
    ck_assert_ptr_nonnull(other);
    store_enter(other);
    for (; made < MANY && status == STORE_OK; made++) {
        snprintf(name, sizeof name, "ns%d", made);
        status = fixture_put(&fixture, name, "key", TTL_NEVER, "value");
    }
    ck_assert_int_eq(status, STORE_TOO_MANY_NAMESPACES);
    ck_assert_int_gt(made, STORE_NAMESPACES_MAX);
    ck_assert_uint_gt(fixture_figures(&fixture).counters.evictions, 0);
    ck_assert(store_wants_housekeeping(fixture.store));
    store_leave(other);
    store_thread_destroy(&other);
    fixture_housekeep(&fixture);
    FIXTURE_OK(fixture_put(&fixture, name, "key", TTL_NEVER, "value"));
}
END_TEST

START_TEST(how_many_there_may_be_is_bounded)
{
    char name[32];
    for (int i = 0; i < STORE_NAMESPACES_MAX; i++) {
        snprintf(name, sizeof name, "ns%d", i);
        enum store_status status = fixture_put(&fixture, name, "key", TTL_FOR(HOUR), "value");
        if (status != STORE_OK) {
            ck_abort_msg("namespace %d: status %d", i, status);
        }
    }
    struct store_stats stats = fixture_figures(&fixture);
    ck_assert_uint_le(stats.namespaces, STORE_NAMESPACES_MAX);
    if (stats.namespaces == STORE_NAMESPACES_MAX) { /* else some were evicted */
        ck_assert_int_eq(fixture_put(&fixture, "more", "key", TTL_FOR(HOUR), "value"),
                         STORE_TOO_MANY_NAMESPACES);
        FIXTURE_OK(fixture_put(&fixture, name, "more", TTL_FOR(HOUR), "value"));
        fixture_outlive(&fixture, HOUR);
        let_time_pass();
        FIXTURE_OK(fixture_put(&fixture, "more", "key", TTL_FOR(HOUR), "value"));
    }
}
END_TEST

/* --- policies ----------------------------------------------------------- */

START_TEST(only_declared_namespaces)
{
    struct store_namespace_options options[] = {{.name = slice_of("one")},
                                                {.name = slice_of("two"), .ttl = 70}};
    struct store_namespace_stats stats;
    struct store_cursor *cursor = NULL;
    struct store_key at;
    uint64_t records;
    FIXTURE_OK(fixture_put(&fixture, "one", "key", TTL_NEVER, "kept"));
    FIXTURE_OK(fixture_put(&fixture, "three", "key", TTL_NEVER, "goes"));
    fixture_declare_only(&fixture, options, 2);
    fixture_expect(&fixture, "one", "key", "kept");
    FIXTURE_OK(fixture_put(&fixture, "two", "key", TTL_DEFAULT, "new"));
    fixture_expect_left(&fixture, "two", "key", 70);
    store_enter(fixture.thread);
    ck_assert_int_eq(store_locate(fixture.thread, slice_of("three"), slice_of("key"), &at),
                     STORE_UNDECLARED);
    ck_assert_int_eq(store_locate(fixture.thread, slice_of("ghost"), slice_of("key"), &at),
                     STORE_UNDECLARED);
    ck_assert_int_eq(store_flush(fixture.thread, slice_of("three"), fixture.now, &records),
                     STORE_UNDECLARED);
    ck_assert_int_eq(store_cursor_open(fixture.thread, slice_of("three"), &cursor),
                     STORE_UNDECLARED);
    store_leave(fixture.thread);
    ck_assert_int_eq(fixture_namespace(&fixture, "ghost", &stats), STORE_UNDECLARED);
    ck_assert_int_eq(fixture_put(&fixture, "three", "key", TTL_NEVER, "value"), STORE_UNDECLARED);
    let_time_pass();
    ck_assert_uint_eq(fixture_figures(&fixture).items, 1);
    fixture_declare(&fixture, NULL, 0, STORE_NEVER);
    fixture_expect_gone(&fixture, "three", "key");
    FIXTURE_OK(fixture_put(&fixture, "three", "key", TTL_NEVER, "value"));
    fixture_expect(&fixture, "three", "key", "value");
    fixture_expect(&fixture, "one", "key", "kept");
}
END_TEST

START_TEST(no_longer_declared)
{
    struct store_namespace_options options = {
        .name = slice_of("ns"), .ttl = 5000, .memory = 2 * FIXTURE_MIB};
    struct store_namespace_stats stats;
    fixture_declare(&fixture, &options, 1, 700);
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_DEFAULT, "value"));
    fixture_declare(&fixture, NULL, 0, 700);
    fixture_expect(&fixture, "ns", "key", "value");
    fixture_expect_left(&fixture, "ns", "key", 5000);
    FIXTURE_OK(fixture_put(&fixture, "ns", "other", TTL_DEFAULT, "value"));
    fixture_expect_left(&fixture, "ns", "other", 700);
    FIXTURE_OK(fixture_namespace(&fixture, "ns", &stats));
    ck_assert_uint_eq(stats.quota, 0);
    fixture_wait(&fixture, 5000);
    let_time_pass();
    ck_assert_int_eq(fixture_namespace(&fixture, "ns", &stats), STORE_NOT_FOUND);
}
END_TEST

START_TEST(a_new_max_value)
{
    fixture.max_value = 1000;
    FIXTURE_OK(fixture_put_pattern(&fixture, "ns", "old", TTL_NEVER, 5000, 1));
    fixture_declare(&fixture, NULL, 0, STORE_NEVER);
    fixture_expect_pattern(&fixture, "ns", "old", 5000, 1);
    ck_assert_int_eq(fixture_put_pattern(&fixture, "ns", "key", TTL_NEVER, 1001, 1),
                     STORE_TOO_LARGE);
    FIXTURE_OK(fixture_put_pattern(&fixture, "ns", "key", TTL_NEVER, 1000, 1));
    fixture.max_value = FIXTURE_MIB;
    fixture_declare(&fixture, NULL, 0, STORE_NEVER);
    FIXTURE_OK(fixture_put_pattern(&fixture, "ns", "key", TTL_NEVER, 1001, 1));
}
END_TEST

START_TEST(many_policies_in_a_row)
{
    struct store_namespace_options options[40];
    char names[40][16];
    char name[16];
    for (uint64_t round = 0; round < 200; round++) {
        for (size_t i = 0; i < 40; i++) {
            snprintf(names[i], sizeof names[i], "ns%ju", (uintmax_t)(i + round % 30));
            options[i] =
                (struct store_namespace_options){.name = slice_of(names[i]), .ttl = 1000 + round};
        }
        if (round % 2 == 0) {
            fixture_declare(&fixture, options, 40, 500);
        } else {
            fixture_declare_only(&fixture, options, 40);
        }
        for (size_t i = 0; i < 40; i += 3) {
            FIXTURE_OK(fixture_put(&fixture, names[i], "key", TTL_DEFAULT, names[i]));
            fixture_expect_left(&fixture, names[i], "key", 1000 + round);
        }
        fixture_wait(&fixture, 20);
        if (round % 4 == 3) {
            fixture_housekeep(&fixture);
        }
        for (size_t i = 0; i < 40; i += 3) {
            fixture_expect(&fixture, names[i], "key", names[i]);
        }
        snprintf(name, sizeof name, "ns%d", 80);
        ck_assert_int_eq(fixture_put(&fixture, name, "key", TTL_DEFAULT, "value"),
                         round % 2 ? STORE_UNDECLARED : STORE_OK);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store namespace");
    TCase *namespaces = tcase_create("namespaces");
    tcase_add_checked_fixture(namespaces, setup, teardown);
    tcase_set_timeout(namespaces, FIXTURE_TIMEOUT);
    tcase_add_test(namespaces, what_is_flushed_is_gone_and_what_comes_stays);
    tcase_add_test(namespaces, flushed_again_and_again);
    tcase_add_test(namespaces, flushing_nothing);
    tcase_add_test(namespaces, flushing_leaves_the_work_behind);
    tcase_add_test(namespaces, each_namespace_is_given_once);
    tcase_add_test(namespaces, figures_are_the_namespaces_own);
    tcase_add_test(namespaces, empty_undeclared_namespaces_go_away);
    tcase_add_test(namespaces, names_are_used_again);
    tcase_add_test(namespaces, a_write_that_waits_keeps_its_namespace);
    tcase_add_test(namespaces, ten_thousand_small_ones_fit);
    tcase_add_test(namespaces, room_is_made_by_eviction_and_not_by_tidying);
    tcase_add_test(namespaces, eviction_goes_round);
    tcase_add_test(namespaces, how_many_are_going_is_bounded);
    tcase_add_test(namespaces, how_many_there_may_be_is_bounded);
    tcase_add_test(namespaces, only_declared_namespaces);
    tcase_add_test(namespaces, no_longer_declared);
    tcase_add_test(namespaces, a_new_max_value);
    tcase_add_test(namespaces, many_policies_in_a_row);
    suite_add_tcase(suite, namespaces);
    return suite_run(suite);
}

/*
 * check_policy.c - policies: settings come with the namespace, in steps that are short,
 * whether there is memory or not; and how many namespaces there may be beside the declared.
 */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    NAME = 48,
    MANY = 60000, /* as many as a configuration may declare */
    A_STEP = 64,  /* namespaces, at most */
    A_SLICE = 512,
};

static const uint64_t HOUR = 3600000;

static struct fixture fixture;
static char names[STORE_NAMESPACES_MAX][NAME];
static struct store_namespace_options options[STORE_NAMESPACES_MAX];

static void setup(void)
{
    fixture_open(&fixture, 128 * FIXTURE_MIB, FIXTURE_MIB);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

/* What has gone is freed once no thread can see it any more: that takes some slices. */
static void tidy(void)
{
    for (int i = 0; i < 10; i++) {
        fixture_housekeep(&fixture);
    }
}

/* --- what is declared ----------------------------------------------------------- */

/* The settings follow from the number and the round. */
static struct store_policy declare(const char *prefix, size_t count, uint64_t round)
{
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], NAME, "%s%zu", prefix, i);
        options[i] = (struct store_namespace_options){.name = slice_of(names[i]),
                                                      .ttl = 1000 + i + round,
                                                      .max_ttl = 500000 + round,
                                                      .require_ttl = i % 2 == 0};
    }
    return (struct store_policy){
        .declared = options, .declared_count = count, .max_value = fixture.max_value};
}

static void expect_declared(const struct store_policy *policy)
{
    struct store_namespace_stats stats;
    for (size_t i = 0; i < policy->declared_count; i++) {
        FIXTURE_OK(fixture_namespace(&fixture, names[i], &stats));
        FIXTURE_THAT(stats.declared);
        FIXTURE_THAT(stats.ttl == options[i].ttl && stats.max_ttl == options[i].max_ttl);
    }
}

static struct store_policy_result result(void)
{
    return store_policy_result(fixture.thread);
}

static void begin(const struct store_policy *policy)
{
    store_enter(fixture.thread);
    ck_assert(store_policy_begin(fixture.thread, policy));
    store_leave(fixture.thread);
}

static enum store_progress step(void)
{
    store_enter(fixture.thread);
    enum store_progress progress = store_policy_step(fixture.thread, fixture.now);
    store_leave(fixture.thread);
    return progress;
}

static size_t finish(void)
{
    size_t steps = 0;
    while (step() == STORE_GOES_ON) {
        steps++;
    }
    return steps;
}

/* --- settings ------------------------------------------------------------------- */

/* Before the first step, whatever made the namespace. */
START_TEST(a_write_finds_the_new_settings)
{
    FIXTURE_OK(fixture_put(&fixture, "ns1", "old", TTL_NEVER, "value"));
    struct store_policy policy = declare("ns", 4, 0);
    begin(&policy);
    ck_assert_int_eq(fixture_put(&fixture, "ns2", "key", TTL_NEVER, "value"), STORE_TTL_REQUIRED);
    FIXTURE_OK(fixture_put(&fixture, "ns2", "key", TTL_DEFAULT, "value"));
    fixture_expect_left(&fixture, "ns2", "key", 1002);
    FIXTURE_OK(fixture_put(&fixture, "ns3", "key", TTL_NEVER, "value"));
    fixture_expect_left(&fixture, "ns3", "key", 500000);
    finish();
    expect_declared(&policy);
    FIXTURE_OK(fixture_put(&fixture, "ns1", "key", TTL_DEFAULT, "value"));
    fixture_expect_left(&fixture, "ns1", "key", 1001);
    fixture_expect(&fixture, "ns1", "old", "value");
    ck_assert_uint_eq(result().owed, 0);
}
END_TEST

/* What is declared stays so through every step, and what will be is so once it is there. */
START_TEST(nothing_is_undeclared_in_between)
{
    struct store_namespace_stats stats;
    struct store_policy policy = declare("ns", 1000, 0);
    fixture_declare_slowly(&fixture, &policy, A_SLICE);
    for (uint64_t round = 1; round <= 5; round++) {
        size_t before = policy.declared_count;
        policy = declare("ns", before + 1000, round);
        begin(&policy);
        do {
            fixture_housekeep(&fixture);
            for (size_t i = 0; i < policy.declared_count; i += 37) {
                enum store_status status = fixture_namespace(&fixture, names[i], &stats);
                FIXTURE_THAT(status == STORE_OK || (i >= before && status == STORE_NOT_FOUND));
                FIXTURE_THAT(status != STORE_OK || stats.declared);
            }
        } while (step() == STORE_GOES_ON);
        expect_declared(&policy);
    }
}
END_TEST

START_TEST(another_policy_may_come_at_any_step)
{
    struct store_policy policy = declare("one", 300, 0);
    for (size_t steps = 0; steps < 40; steps++) {
        policy = declare(steps % 2 == 0 ? "one" : "two", 300, steps);
        policy.declared_only = steps % 3 == 0;
        begin(&policy);
        for (size_t i = 0; i < steps; i++) {
            step();
        }
    }
    finish();
    expect_declared(&policy);
    tidy();
    ck_assert_uint_eq(fixture_figures(&fixture).namespaces, 300);
}
END_TEST

START_TEST(of_two_of_one_name_the_first_counts)
{
    struct store_policy policy = declare("ns", 3, 0);
    options[2].name = slice_of("ns0");
    fixture_declare_slowly(&fixture, &policy, 0);
    policy.declared_count = 2;
    expect_declared(&policy);
    ck_assert_uint_eq(fixture_figures(&fixture).namespaces, 2);
}
END_TEST

/* --- in steps -------------------------------------------------------------------- */

START_TEST(a_step_is_short)
{
    struct store_policy policy = declare("ns", 10000, 0);
    begin(&policy);
    ck_assert_uint_ge(finish(), 10000 / A_STEP);
    expect_declared(&policy);
    policy = declare("ns", 10000, 1);
    begin(&policy);
    ck_assert_uint_ge(finish(), 2 * 10000 / A_STEP);
    expect_declared(&policy);
}
END_TEST

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A policy takes about as long as a look at each of its namespaces, and not thousands of times
 * as long. */
START_TEST(the_time_is_in_proportion_to_the_names)
{
    for (uint64_t round = 0; round < 3; round++) {
        struct store_policy policy = declare("a name that is long and begins as", MANY, round);
        double begun = cpu_seconds();
        fixture_declare_slowly(&fixture, &policy, 0);
        double applied = cpu_seconds();
        expect_declared(&policy);
        double seen = cpu_seconds();
        ck_assert_msg(applied - begun < 20 * (seen - applied), "%g s, and %g s to look at all",
                      applied - begun, seen - applied);
    }
}
END_TEST

/* --- only declared ones ------------------------------------------------------------ */

/* What was found before it was forbidden may be written to once more; and that goes too. */
START_TEST(a_write_that_is_under_way_is_dropped_with_the_rest)
{
    struct store_thread *other = store_thread_create(fixture.store);
    struct store_key at;
    ck_assert_ptr_nonnull(other);
    FIXTURE_OK(fixture_put(&fixture, "forbidden", "key", TTL_NEVER, "value"));
    FIXTURE_OK(fixture_put(&fixture, "ns0", "key", TTL_FOR(HOUR), "value"));
    store_enter(other);
    FIXTURE_OK(store_locate(other, slice_of("forbidden"), slice_of("late"), &at));
    struct store_policy policy = declare("ns", 2, 0);
    policy.declared_only = true;
    begin(&policy);
    finish();
    ck_assert_int_eq(step(), STORE_WAITS);
    FIXTURE_OK(
        store_put(other, &at, TERMS(STORE_SET, TTL_NEVER), slice_of("value"), fixture.now, NULL));
    ck_assert_int_eq(fixture_put(&fixture, "forbidden", "key", TTL_NEVER, "value"),
                     STORE_UNDECLARED);
    store_leave(other);
    finish();
    ck_assert_int_eq(step(), STORE_DONE);
    fixture_declare(&fixture, NULL, 0, STORE_NEVER);
    fixture_expect_gone(&fixture, "forbidden", "key");
    fixture_expect_gone(&fixture, "forbidden", "late");
    fixture_expect(&fixture, "ns0", "key", "value");
    store_thread_destroy(&other);
}
END_TEST

START_TEST(an_upload_into_what_is_forbidden_is_refused)
{
    struct store_write *write = NULL;
    struct store_write *allowed = NULL;
    uint64_t done = 0, there = 0;
    FIXTURE_OK(fixture_begin(&fixture, "forbidden", "key", STORE_SET, TTL_NEVER, 50000, &write));
    FIXTURE_OK(fixture_write_pattern(&fixture, write, &done, 50000, 50000, 1));
    FIXTURE_OK(fixture_begin(&fixture, "ns1", "key", STORE_SET, TTL_NEVER, 50000, &allowed));
    FIXTURE_OK(fixture_write_pattern(&fixture, allowed, &there, 50000, 50000, 1));
    struct store_policy policy = declare("ns", 2, 0);
    policy.declared_only = true;
    fixture_declare_slowly(&fixture, &policy, A_SLICE);
    ck_assert_int_eq(fixture_commit(&fixture, &write), STORE_UNDECLARED);
    ck_assert_ptr_null(write);
    FIXTURE_OK(fixture_commit(&fixture, &allowed));
    fixture_expect_left(&fixture, "ns1", "key", 500000);
    fixture_declare(&fixture, NULL, 0, STORE_NEVER);
    fixture_expect_gone(&fixture, "forbidden", "key");
    tidy();
    ck_assert_uint_eq(fixture_figures(&fixture).namespaces, 1);
}
END_TEST

/* --- memory is full ----------------------------------------------------------------- */

static void fill(void)
{
    uint64_t before = fixture_figures(&fixture).counters.evictions;
    char key[NAME];
    /* Figures are asked for seldom: they are summed over all namespaces. */
    for (int i = 0; i % 1000 != 0 || fixture_figures(&fixture).counters.evictions < before + 1000;
         i++) {
        snprintf(key, sizeof key, "key%d", i);
        FIXTURE_OK(fixture_put_pattern(&fixture, "ns1", key, TTL_DEFAULT, 1000, 1));
    }
}

START_TEST(room_is_made_for_what_is_declared)
{
    fill();
    for (size_t count = 100; count <= 20000; count += count < 1000 ? 100 : 5000) {
        struct store_policy policy = declare("ns", count, count);
        fixture_declare_slowly(&fixture, &policy, 0);
        ck_assert_uint_eq(result().owed, 0);
        expect_declared(&policy);
        fill();
    }
    FIXTURE_OK(fixture_put(&fixture, "ns7", "key", TTL_DEFAULT, "value"));
    fixture_expect(&fixture, "ns7", "key", "value");
}
END_TEST

enum { HELD = 1000, HELD_SIZE = 200000, HOLDERS = 2 };

struct held {
    size_t views_count, writes_count;
    struct store_view views[HELD];
    struct store_write *writes[HELD];
};

static void keep_values(struct held *held, const char *name)
{
    char key[NAME];
    enum store_status status = STORE_OK;
    while (status == STORE_OK && held->views_count < HELD) {
        snprintf(key, sizeof key, "held%zu", held->views_count);
        FIXTURE_OK(fixture_put_pattern(&fixture, name, key, TTL_NEVER, HELD_SIZE, 1));
        status = fixture_get(&fixture, name, key, &held->views[held->views_count]);
        held->views_count += status == STORE_OK;
    }
    ck_assert_int_eq(status, STORE_CROWDED);
}

static void begin_values(struct held *held, const char *name)
{
    enum store_status status = STORE_OK;
    while (status == STORE_OK && held->writes_count < HELD) {
        struct store_write **write = &held->writes[held->writes_count++];
        uint64_t done = 0;
        FIXTURE_OK(fixture_begin(&fixture, name, "key", STORE_SET, TTL_NEVER, FIXTURE_MIB, write));
        status = fixture_write_pattern(&fixture, *write, &done, FIXTURE_MIB, FIXTURE_MIB, 1);
    }
    ck_assert_int_eq(status, STORE_CROWDED);
}

/* As much as may be: values that are kept, and values that arrive. */
static void hold_all(struct held *held)
{
    char name[NAME];
    for (int i = 0; i < HOLDERS; i++) {
        snprintf(name, sizeof name, "full%d", i);
        keep_values(held, name);
        begin_values(held, name);
    }
}

static void release_all(struct held *held)
{
    for (size_t i = 0; i < held->views_count; i++) {
        fixture_give_back(&held->views[i]);
    }
    for (size_t i = 0; i < held->writes_count; i++) {
        fixture_abort(&fixture, &held->writes[i]);
    }
}

/* They are owed: each has its settings, is told from what is not declared, and is made when
 * there is room again. */
START_TEST(what_nothing_makes_room_for_is_owed)
{
    static struct held held;
    struct store_namespace_stats stats;
    struct store_key at;
    hold_all(&held);
    struct store_policy policy = declare("ns", 40000, 0);
    policy.declared_only = true;
    fixture_declare_slowly(&fixture, &policy, 0);
    ck_assert_uint_gt(result().owed, 0);
    ck_assert_int_eq(result().why, STORE_NO_MEMORY);
    const char *last = names[39999];
    ck_assert_int_eq(fixture_namespace(&fixture, last, &stats), STORE_NOT_FOUND);
    ck_assert_int_eq(fixture_namespace(&fixture, result().first, &stats), STORE_NOT_FOUND);
    ck_assert_int_eq(fixture_put(&fixture, last, "key", TTL_DEFAULT, "value"), STORE_NO_MEMORY);
    ck_assert_int_eq(fixture_put(&fixture, "other", "key", TTL_DEFAULT, "value"), STORE_UNDECLARED);
    fixture_expect_gone(&fixture, last, "key");
    store_enter(fixture.thread);
    ck_assert(store_declares(fixture.thread, slice_of(last)));
    ck_assert(!store_declares(fixture.thread, slice_of("other")));
    ck_assert_int_eq(store_locate(fixture.thread, slice_of("other"), slice_of("key"), &at),
                     STORE_UNDECLARED);
    store_leave(fixture.thread);
    release_all(&held);
    fixture_housekeep(&fixture);
    ck_assert_int_eq(fixture_put(&fixture, names[39998], "key", TTL_NEVER, "value"),
                     STORE_TTL_REQUIRED);
    FIXTURE_OK(fixture_put(&fixture, last, "key", TTL_DEFAULT, "value"));
    fill();
    uint64_t evicted = fixture_figures(&fixture).counters.evictions;
    for (int tries = 0; tries < 100 && result().owed > 0; tries++) {
        store_policy_retry(fixture.thread);
        finish();
        ck_assert_uint_le(fixture_figures(&fixture).counters.evictions - evicted,
                          fixture_figures(&fixture).items / 8); /* a little in each */
        evicted = fixture_figures(&fixture).counters.evictions;
    }
    ck_assert_uint_eq(result().owed, 0);
    expect_declared(&policy);
    FIXTURE_OK(fixture_put(&fixture, last, "key", TTL_DEFAULT, "value"));
}
END_TEST

/* --- how many ------------------------------------------------------------------------ */

static enum store_status put_one(const char *prefix, size_t i)
{
    char name[NAME];
    snprintf(name, sizeof name, "%s%zu", prefix, i);
    return fixture_put(&fixture, name, "key", TTL_NEVER, "value");
}

/* How many of them can be made. */
static size_t make_undeclared(const char *prefix, size_t most, enum store_status *last)
{
    size_t made = 0;
    while (made < most && (*last = put_one(prefix, made)) == STORE_OK) {
        made++;
    }
    return made;
}

START_TEST(numbers_are_kept_for_what_is_declared)
{
    enum store_status status = STORE_OK;
    struct store_policy policy = declare("ns", 10, 0);
    policy.undeclared_most = 1000;
    fixture_declare_slowly(&fixture, &policy, 0);
    ck_assert_uint_eq(make_undeclared("tmp", 2000, &status), 1000);
    ck_assert_int_eq(status, STORE_TOO_MANY_NAMESPACES);
    FIXTURE_OK(fixture_put(&fixture, "tmp7", "another", TTL_NEVER, "value"));
    FIXTURE_OK(fixture_put(&fixture, "ns7", "key", TTL_DEFAULT, "value"));
    policy = declare("ns", STORE_NAMESPACES_MAX - 1000, 1);
    policy.undeclared_most = 1000;
    fixture_declare_slowly(&fixture, &policy, A_SLICE);
    ck_assert_uint_eq(result().owed, 0);
    expect_declared(&policy);
    ck_assert_uint_eq(fixture_flush(&fixture, "tmp7"), 2);
    tidy();
    FIXTURE_OK(put_one("other", 0));
    ck_assert_int_eq(put_one("other", 1), STORE_TOO_MANY_NAMESPACES);
}
END_TEST

/* Those that have gone keep their numbers while a thread may see them, and count until then. */
START_TEST(what_is_going_takes_no_number_of_the_declared)
{
    struct store_thread *other = store_thread_create(fixture.store);
    enum store_status status = STORE_OK;
    size_t made = 0;
    ck_assert_ptr_nonnull(other);
    struct store_policy policy = declare("ns", 10, 0);
    policy.undeclared_most = 1000;
    fixture_declare_slowly(&fixture, &policy, 0);
    store_enter(other);
    for (; status == STORE_OK; made++) {
        status = put_one("tmp", made);
        if (status == STORE_OK) {
            ck_assert_uint_eq(fixture_flush(&fixture, "tmp0"), made == 0);
        }
        fixture_housekeep(&fixture);
    }
    ck_assert_int_eq(status, STORE_TOO_MANY_NAMESPACES);
    ck_assert_uint_eq(made, 1001);
    policy = declare("ns", STORE_NAMESPACES_MAX - 1000, 1);
    policy.undeclared_most = 1000;
    fixture_declare_slowly(&fixture, &policy, 0);
    ck_assert_uint_eq(result().owed, 0);
    store_leave(other);
    store_thread_destroy(&other);
}
END_TEST

/* All of them for as many others: the numbers come back as the old ones go. */
START_TEST(others_in_place_of_all)
{
    for (uint64_t round = 0; round < 4; round++) {
        struct store_policy policy = declare(round % 2 == 0 ? "one" : "two", MANY, round);
        fixture_declare_slowly(&fixture, &policy, 0);
        ck_assert_uint_eq(result().owed, 0);
        expect_declared(&policy);
    }
}
END_TEST

START_TEST(what_finds_no_number_is_owed)
{
    enum store_status status = STORE_OK;
    ck_assert_uint_eq(make_undeclared("tmp", 30000, &status), 30000);
    struct store_policy policy = declare("ns", 40000, 0);
    fixture_declare_slowly(&fixture, &policy, A_SLICE);
    ck_assert_uint_eq(result().owed, 30000 + 40000 - STORE_NAMESPACES_MAX);
    ck_assert_int_eq(result().why, STORE_TOO_MANY_NAMESPACES);
    ck_assert_str_eq(result().first, names[STORE_NAMESPACES_MAX - 30000]);
    for (size_t i = 0; i < 10000; i++) {
        char name[NAME];
        snprintf(name, sizeof name, "tmp%zu", i);
        fixture_flush(&fixture, name);
    }
    tidy();
    store_policy_retry(fixture.thread);
    finish();
    ck_assert_uint_eq(result().owed, 0);
    expect_declared(&policy);
}
END_TEST

/* --- creators ---------------------------------------------------------------------------- */

static uint64_t who;

static uint64_t tell_who(void *context)
{
    (void)context;
    return who;
}

START_TEST(one_maker_leaves_half_to_others)
{
    enum store_status status = STORE_OK;
    struct store_policy policy = declare("ns", 10, 0);
    policy.undeclared_most = 100;
    fixture_declare_slowly(&fixture, &policy, 0);
    store_thread_set_creator(fixture.thread, tell_who, NULL);
    who = 7;
    ck_assert_uint_eq(make_undeclared("seven-", 100, &status), 50);
    ck_assert_int_eq(status, STORE_TOO_MANY_OWN);
    FIXTURE_OK(fixture_put(&fixture, "seven-3", "more", TTL_NEVER, "value"));
    who = 7 + 256; /* another one, in the same list */
    ck_assert_uint_eq(make_undeclared("eight-", 30, &status), 30);
    who = 0; /* none in particular */
    ck_assert_uint_eq(make_undeclared("nobody-", 100, &status), 20);
    ck_assert_int_eq(status, STORE_TOO_MANY_NAMESPACES);
    who = 7; /* what goes counts no more, and what is declared */
    fixture_flush(&fixture, "seven-3");
    tidy();
    FIXTURE_OK(put_one("again-", 0));
    ck_assert_int_eq(put_one("again-", 1), STORE_TOO_MANY_NAMESPACES);
    options[10] = (struct store_namespace_options){.name = slice_of("seven-4")};
    policy.declared_count = 11;
    fixture_declare_slowly(&fixture, &policy, 0);
    FIXTURE_OK(put_one("again-", 1));
    ck_assert_int_eq(put_one("again-", 2), STORE_TOO_MANY_NAMESPACES);
    fixture_check(&fixture);
}
END_TEST

/* --- flushes that are due ------------------------------------------------------------------ */

START_TEST(many_flushes_at_once)
{
    enum store_status status = STORE_OK;
    char name[NAME];
    ck_assert_uint_eq(make_undeclared("ns", 5000, &status), 5000);
    for (size_t i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "ns%zu", i);
        store_enter(fixture.thread);
        FIXTURE_OK(store_flush_at(fixture.thread, slice_of(name), fixture.now + 10 + i % 3));
        store_leave(fixture.thread);
    }
    for (uint64_t passed = 9; passed <= 12; passed++) {
        fixture_wait(&fixture, passed == 9 ? 9 : 1);
        store_enter(fixture.thread);
        store_tick(fixture.thread, fixture.now);
        store_leave(fixture.thread);
        for (size_t i = 0; i < 5000; i++) {
            snprintf(name, sizeof name, "ns%zu", i);
            FIXTURE_THAT(fixture_has(&fixture, name, "key") == (passed < 10 + i % 3));
        }
    }
    tidy();
    ck_assert_uint_eq(fixture_figures(&fixture).namespaces, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store policy");
    TCase *policies = tcase_create("policies");
    tcase_add_checked_fixture(policies, setup, teardown);
    tcase_set_timeout(policies, FIXTURE_TIMEOUT);
    tcase_add_test(policies, a_write_finds_the_new_settings);
    tcase_add_test(policies, nothing_is_undeclared_in_between);
    tcase_add_test(policies, another_policy_may_come_at_any_step);
    tcase_add_test(policies, of_two_of_one_name_the_first_counts);
    tcase_add_test(policies, a_step_is_short);
    tcase_add_test(policies, the_time_is_in_proportion_to_the_names);
    tcase_add_test(policies, a_write_that_is_under_way_is_dropped_with_the_rest);
    tcase_add_test(policies, an_upload_into_what_is_forbidden_is_refused);
    tcase_add_test(policies, room_is_made_for_what_is_declared);
    tcase_add_test(policies, what_nothing_makes_room_for_is_owed);
    tcase_add_test(policies, numbers_are_kept_for_what_is_declared);
    tcase_add_test(policies, what_is_going_takes_no_number_of_the_declared);
    tcase_add_test(policies, others_in_place_of_all);
    tcase_add_test(policies, what_finds_no_number_is_owed);
    tcase_add_test(policies, one_maker_leaves_half_to_others);
    tcase_add_test(policies, many_flushes_at_once);
    suite_add_tcase(suite, policies);
    return suite_run(suite);
}

/*
 * check_memory.c - memory: its bound, which namespaces lose records when it
 * runs out and which never do, and that it is given back.
 */
#include "tests/store/fixture.h"

#include <stdio.h>

#include "daemon/store/records/state.h"

static struct fixture fixture;

static void setup(void)
{
    fixture_open(&fixture, 16 * FIXTURE_MIB, FIXTURE_MIB);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

/* Puts records first .. first+count-1 of `length` bytes each. Keeps house now
 * and then, or never: a writer must be able to help itself. */
static void pour(const char *name, size_t first, size_t count, size_t length, struct store_ttl ttl,
                 size_t housekeep_every)
{
    char key[32];
    for (size_t i = first; i < first + count; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        enum store_status status = fixture_put_pattern(&fixture, name, key, ttl, length, i);
        FIXTURE_OK(status);
        if (housekeep_every != 0 && i % housekeep_every == 0) {
            fixture_housekeep(&fixture);
        }
        if (i % 64 == 0) {
            FIXTURE_THAT(fixture_figures(&fixture).memory_used <=
                         fixture_figures(&fixture).memory_limit);
        }
    }
}

/* How many of them are there; all that are must be right. */
static size_t count_alive(const char *name, size_t first, size_t count, size_t length)
{
    size_t alive = 0;
    char key[32];
    for (size_t i = first; i < first + count; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        if (!fixture_has(&fixture, name, key)) {
            continue;
        }
        fixture_expect_pattern(&fixture, name, key, length, i);
        alive++;
    }
    return alive;
}

static void declare_quota(const char *name, uint64_t memory)
{
    struct store_namespace_options options = {.name = slice_of(name), .memory = memory};
    fixture_declare(&fixture, &options, 1, STORE_NEVER);
}

/* --- its bound ---------------------------------------------------------- */

static const size_t poured_sizes[] = {10, 100, 1000, 10000, 16385, 65537, 300000, 1048576};
static const size_t housekeep_every[] = {0, 1000, 10};
enum { POURED_SIZES = sizeof poured_sizes / sizeof *poured_sizes };

/* Four times as much as there is room for. */
START_TEST(used_is_never_more_than_the_limit)
{
    size_t length = poured_sizes[_i / 3];
    size_t count = 4 * 16 * FIXTURE_MIB / (length + 24);
    pour("ns", 0, count, length, TTL_NEVER, housekeep_every[_i % 3]);
    char key[32];
    snprintf(key, sizeof key, "key%zu", count - 1);
    fixture_expect_pattern(&fixture, "ns", key, length, count - 1);
    ck_assert_uint_gt(fixture_figures(&fixture).counters.evictions, 0);
    fixture_check(&fixture);
    size_t alive = count_alive("ns", 0, count, length);
    ck_assert_uint_eq(alive, fixture_figures(&fixture).items);
    ck_assert_msg(alive * length >= (size_t)FIXTURE_MIB * 16 / 10 * (length < 50 ? 2 : 6) ||
                      length > 200000,
                  "only %zu records of %zu bytes are held", alive, length);
}
END_TEST

START_TEST(all_sizes_and_ttls_under_pressure)
{
    uint64_t random = 7;
    char name[32];
    char key[32];
    for (int i = 0; i < 60000; i++) {
        uint64_t dice = fixture_random(&random);
        size_t length = dice % 100 == 0 ? (dice >> 8) % 200000 : (dice >> 8) % 400;
        snprintf(name, sizeof name, "ns%ju", (uintmax_t)(dice >> 32) % 20);
        snprintf(key, sizeof key, "key%ju", (uintmax_t)(dice >> 40) % 5000);
        struct store_ttl ttl = dice % 3 ? TTL_FOR(1 + (dice >> 16) % 50000) : TTL_NEVER;
        FIXTURE_OK(fixture_put_pattern(&fixture, name, key, ttl, length, dice));
        fixture_expect_pattern(&fixture, name, key, length, dice);
        fixture_wait(&fixture, 1);
        if (i % 1000 == 0) {
            fixture_check(&fixture);
            fixture_housekeep(&fixture);
        }
    }
}
END_TEST

/* First what has expired, then what is dead: nothing that lives is dropped
 * while there is any of these. */
START_TEST(dead_and_expired_records_go_first)
{
    pour("keeps", 0, 5000, 500, TTL_NEVER, 0);
    for (int round = 0; round < 20; round++) {
        pour("churns", 0, 2000, 1000, TTL_FOR(1000), 0);
        if (round % 2 != 0) {
            fixture_outlive(&fixture, 1000);
        }
        fixture_housekeep(&fixture);
    }
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
    ck_assert_uint_eq(count_alive("keeps", 0, 5000, 500), 5000);
}
END_TEST

START_TEST(deleted_space_is_won_back)
{
    char key[32];
    for (int round = 0; round < 12; round++) {
        pour("ns", 0, 15000, 500, TTL_NEVER, 0);
        for (int i = 0; i < 15000; i++) {
            snprintf(key, sizeof key, "key%d", i);
            if (i % 10 != round % 10) {
                FIXTURE_OK(fixture_delete(&fixture, "ns", key));
            }
        }
        fixture_housekeep(&fixture);
    }
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
    ck_assert_uint_eq(fixture_figures(&fixture).items, 1500);
}
END_TEST

/* --- which lose ---------------------------------------------------------- */

START_TEST(a_quota_that_is_overrun_costs_nobody_else)
{
    struct store_namespace_stats stats;
    declare_quota("bounded", 4 * FIXTURE_MIB);
    pour("other", 0, 6000, 1000, TTL_NEVER, 500);
    for (size_t i = 0; i < 20000; i += 500) {
        pour("bounded", i, 500, 1000, TTL_NEVER, _i ? 100 : 0);
        FIXTURE_OK(fixture_namespace(&fixture, "bounded", &stats));
        ck_assert_uint_le(stats.memory, 4 * FIXTURE_MIB);
    }
    ck_assert_uint_eq(count_alive("other", 0, 6000, 1000), 6000);
    ck_assert_uint_eq(count_alive("bounded", 19900, 100, 1000), 100);
    ck_assert_uint_gt(count_alive("bounded", 0, 20000, 1000), 2000);
    FIXTURE_OK(fixture_namespace(&fixture, "other", &stats));
    ck_assert_uint_eq(stats.counters.evictions, 0);
    FIXTURE_OK(fixture_namespace(&fixture, "bounded", &stats));
    ck_assert_uint_gt(stats.counters.evictions, 0);
}
END_TEST

START_TEST(a_quota_is_kept_free_from_others_pressure)
{
    struct store_namespace_stats stats;
    declare_quota("bounded", 4 * FIXTURE_MIB);
    pour("bounded", 0, 3000, 1000, TTL_NEVER, 0);
    pour("other", 0, 50000, 1000, TTL_NEVER, _i ? 1000 : 0);
    ck_assert_uint_eq(count_alive("bounded", 0, 3000, 1000), 3000);
    FIXTURE_OK(fixture_namespace(&fixture, "bounded", &stats));
    ck_assert_uint_eq(stats.counters.evictions, 0);
    pour("other", 0, 200, 100000, TTL_FOR(100000), _i ? 10 : 0);
    ck_assert_uint_eq(count_alive("bounded", 0, 3000, 1000), 3000);
}
END_TEST

/* The others were there first and fill everything: the quota is still good. */
START_TEST(a_quota_that_is_used_late)
{
    declare_quota("bounded", 4 * FIXTURE_MIB);
    pour("other", 0, 50000, 1000, TTL_NEVER, _i ? 1000 : 0);
    pour("bounded", 0, 3000, 1000, TTL_NEVER, 0);
    ck_assert_uint_eq(count_alive("bounded", 0, 3000, 1000), 3000);
    ck_assert_uint_gt(count_alive("other", 0, 50000, 1000), 5000);
}
END_TEST

START_TEST(a_lowered_quota_is_enforced)
{
    struct store_namespace_stats stats;
    declare_quota("bounded", 8 * FIXTURE_MIB);
    pour("bounded", 0, 6000, 1000, TTL_NEVER, 0);
    ck_assert_uint_eq(fixture_items(&fixture, "bounded"), 6000);
    declare_quota("bounded", 2 * FIXTURE_MIB);
    fixture_housekeep(&fixture);
    FIXTURE_OK(fixture_namespace(&fixture, "bounded", &stats));
    ck_assert_uint_le(stats.memory, 2 * FIXTURE_MIB);
    ck_assert_uint_gt(count_alive("bounded", 0, 6000, 1000), 500);
    declare_quota("bounded", 0);
    pour("bounded", 6000, 6000, 1000, TTL_NEVER, 0);
    ck_assert_uint_eq(count_alive("bounded", 6000, 6000, 1000), 6000);
}
END_TEST

START_TEST(larger_than_its_quota)
{
    struct store_write *write = NULL;
    declare_quota("bounded", FIXTURE_MIB / 2);
    FIXTURE_OK(fixture_put(&fixture, "bounded", "key", TTL_NEVER, "old"));
    ck_assert_int_eq(fixture_put_pattern(&fixture, "bounded", "key", TTL_NEVER, FIXTURE_MIB, 1),
                     STORE_TOO_LARGE);
    ck_assert_int_eq(
        fixture_begin(&fixture, "bounded", "key", STORE_SET, TTL_NEVER, FIXTURE_MIB, &write),
        STORE_TOO_LARGE);
    fixture_expect(&fixture, "bounded", "key", "old");
    FIXTURE_OK(fixture_put_pattern(&fixture, "bounded", "key", TTL_NEVER, FIXTURE_MIB / 8, 1));
    fixture_expect_pattern(&fixture, "bounded", "key", FIXTURE_MIB / 8, 1);
}
END_TEST

/* A tenth is read again and again while ten times the memory passes through. */
START_TEST(what_is_read_often_stays)
{
    enum { HOT = 800, COLD = 7200, LENGTH = 1000 };
    char key[32];
    pour("ns", 0, HOT + COLD, LENGTH, TTL_NEVER, 500);
    for (size_t i = 0; i < 60; i++) {
        for (int times = 0; times < 3; times++) {
            for (size_t hot = 0; hot < HOT; hot++) {
                snprintf(key, sizeof key, "key%zu", hot * 10);
                fixture_has(&fixture, "ns", key);
            }
        }
        pour("ns", 100000 + i * 500, 500, LENGTH, TTL_NEVER, 100);
    }
    size_t hot = 0;
    size_t cold = 0;
    for (size_t i = 0; i < HOT + COLD; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        *(i % 10 == 0 ? &hot : &cold) += fixture_has(&fixture, "ns", key);
    }
    ck_assert_msg(hot * 10 >= HOT * 7, "only %zu of %d hot records are left", hot, HOT);
    ck_assert_msg(cold * HOT < hot * COLD / 2, "%zu of %d cold records are left", cold, COLD);
}
END_TEST

/* --- given back --------------------------------------------------------- */

static void expect_empty(void)
{
    struct store_stats stats = fixture_figures(&fixture);
    ck_assert_uint_eq(stats.items, 0);
    ck_assert_uint_eq(stats.bytes, 0);
    ck_assert_msg(stats.memory_used < 2 * FIXTURE_MIB, "%ju bytes are used for nothing",
                  (uintmax_t)stats.memory_used);
}

/* A small store finds the memory for it, too, though writers take every frame that comes free. */
START_TEST(what_is_evicted_is_remembered)
{
    teardown();
    fixture_open(&fixture, 8 * FIXTURE_MIB, FIXTURE_MIB);
    pour("n", 0, 24 * FIXTURE_MIB / 1000, 1000, TTL_NEVER, 4096);
    ck_assert_uint_eq(fixture.store->ghost.open, 1);
}
END_TEST

START_TEST(after_all_has_expired_nothing_is_used)
{
    char key[32];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 40000; i++) {
            snprintf(key, sizeof key, "key%zu", i);
            FIXTURE_OK(fixture_put_pattern(&fixture, i % 3 ? "a" : "b", key,
                                           TTL_FOR(2000 + i % 2000), 100 + i % 50, i));
        }
        pour("large", 0, 20, 100000, TTL_FOR(2500), 0);
        fixture_wait(&fixture, 3000);
        fixture_housekeep(&fixture);
        fixture_check(&fixture);
        ck_assert_uint_eq(fixture_items(&fixture, "large"), 0);
        fixture_wait(&fixture, 1000);
        fixture_housekeep(&fixture);
        ck_assert_uint_eq(fixture_figures(&fixture).items, 0);
        fixture_rest(&fixture);
        expect_empty();
    }
    ck_assert_uint_eq(fixture_figures(&fixture).counters.expirations, 3 * 40020);
}
END_TEST

START_TEST(after_all_is_deleted_nothing_is_used)
{
    char key[32];
    pour("ns", 0, 40000, 150, TTL_NEVER, 0);
    for (int i = 0; i < 40000; i++) {
        snprintf(key, sizeof key, "key%d", i);
        FIXTURE_OK(fixture_delete(&fixture, "ns", key));
    }
    fixture_rest(&fixture);
    expect_empty();
}
END_TEST

START_TEST(after_all_is_flushed_nothing_is_used)
{
    pour("a", 0, 20000, 150, TTL_NEVER, 0);
    pour("b", 0, 20000, 150, TTL_FOR(100000), 0);
    ck_assert_uint_eq(fixture_flush(&fixture, "a"), 20000);
    ck_assert_uint_eq(fixture_flush(&fixture, "b"), 20000);
    ck_assert(store_wants_housekeeping(fixture.store));
    fixture_rest(&fixture);
    expect_empty();
}
END_TEST

static void housekeep_in_small_slices(void)
{
    bool more = true;
    for (size_t slices = 0; more && slices < 1000000; slices++) {
        store_enter(fixture.thread);
        more = store_housekeep(fixture.thread, fixture.now, 16);
        store_leave(fixture.thread);
        if (slices % 1000 == 0) {
            fixture_check(&fixture);
        }
    }
    ck_assert(!more);
}

/* However little it may do at a time, it gets there. */
START_TEST(housekeeping_in_small_slices)
{
    pour("ns", 0, 30000, 100, TTL_FOR(1000), 0);
    for (int i = 0; i < 4; i++) {
        fixture_outlive(&fixture, 1000);
        housekeep_in_small_slices();
    }
    expect_empty();
}
END_TEST

/* Pages that are wanted again at once are not worth giving back. */
START_TEST(what_comes_and_goes_is_not_given_back)
{
    uint64_t used = 0;
    for (int i = 0; i < 40; i++) {
        pour("ns", 0, 20, 200000, TTL_FOR(100), 0);
        fixture_outlive(&fixture, 100);
        fixture_housekeep(&fixture);
        ck_assert_uint_eq(fixture_figures(&fixture).items, 0);
        ck_assert_uint_ge(fixture_figures(&fixture).memory_used, 20 * 200000);
        ck_assert(i < 20 || fixture_figures(&fixture).memory_used == used);
        used = fixture_figures(&fixture).memory_used;
    }
    fixture_rest(&fixture);
    expect_empty();
}
END_TEST

/* 30,000 records of which one in three is left, in a store of that memory; with a quota: of 6
 * MiB. */
static void thin_out(size_t mebibytes, bool quota)
{
    char key[32];
    fixture_open(&fixture, mebibytes * FIXTURE_MIB, FIXTURE_MIB);
    if (quota) {
        declare_quota("ns", 6 * FIXTURE_MIB);
    }
    pour("ns", 0, 30000, 100, TTL_NEVER, 1000);
    for (size_t i = 0; i < 30000; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        FIXTURE_OK(i % 3 == 0 ? STORE_OK : fixture_delete(&fixture, "ns", key));
    }
}

static void expect_thin(void)
{
    ck_assert_uint_ge(count_alive("ns", 0, 30000, 100), 10000);
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
    fixture_close(&fixture);
}

/* What is half dead may be dead altogether a little later. */
START_TEST(dead_space_can_wait_where_memory_is_plentiful)
{
    thin_out(64, false);
    fixture_housekeep(&fixture);
    uint64_t used = fixture_figures(&fixture).memory_used;
    fixture_wait(&fixture, 999);
    fixture_housekeep(&fixture);
    ck_assert_uint_eq(fixture_figures(&fixture).compactions, 0);
    fixture_wait(&fixture, 1);
    fixture_rest(&fixture);
    ck_assert_uint_gt(fixture_figures(&fixture).compactions, 0);
    ck_assert_uint_lt(fixture_figures(&fixture).memory_used, used / 2);
    expect_thin();
}
END_TEST

START_TEST(dead_space_is_won_back_at_once_where_it_is_not)
{
    thin_out(_i == 0 ? 6 : 64, _i == 1);
    fixture_housekeep(&fixture);
    ck_assert_uint_gt(fixture_figures(&fixture).compactions, 0);
    expect_thin();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store memory");
    TCase *memory = tcase_create("memory");
    tcase_add_checked_fixture(memory, setup, teardown);
    tcase_set_timeout(memory, FIXTURE_TIMEOUT);
    tcase_add_loop_test(memory, used_is_never_more_than_the_limit, 0, 3 * POURED_SIZES);
    tcase_add_test(memory, all_sizes_and_ttls_under_pressure);
    tcase_add_test(memory, dead_and_expired_records_go_first);
    tcase_add_test(memory, deleted_space_is_won_back);
    tcase_add_loop_test(memory, a_quota_that_is_overrun_costs_nobody_else, 0, 2);
    tcase_add_loop_test(memory, a_quota_is_kept_free_from_others_pressure, 0, 2);
    tcase_add_loop_test(memory, a_quota_that_is_used_late, 0, 2);
    tcase_add_test(memory, a_lowered_quota_is_enforced);
    tcase_add_test(memory, larger_than_its_quota);
    tcase_add_test(memory, what_is_read_often_stays);
    tcase_add_test(memory, what_is_evicted_is_remembered);
    tcase_add_test(memory, after_all_has_expired_nothing_is_used);
    tcase_add_test(memory, after_all_is_deleted_nothing_is_used);
    tcase_add_test(memory, after_all_is_flushed_nothing_is_used);
    tcase_add_test(memory, housekeeping_in_small_slices);
    tcase_add_test(memory, what_comes_and_goes_is_not_given_back);
    suite_add_tcase(suite, memory);
    TCase *dead = tcase_create("dead space");
    tcase_set_timeout(dead, FIXTURE_TIMEOUT);
    tcase_add_test(dead, dead_space_can_wait_where_memory_is_plentiful);
    tcase_add_loop_test(dead, dead_space_is_won_back_at_once_where_it_is_not, 0, 2);
    suite_add_tcase(suite, dead);
    return suite_run(suite);
}

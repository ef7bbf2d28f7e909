/*
 * check_ttl.c - time: every record is there until all of its ttl has passed,
 * by a clock that is rounded down, and not a millisecond longer than that takes,
 * however it came by its expiry, and whether the housekeeper has been there or not.
 */
#include "tests/store/fixture.h"

#include <stdio.h>

enum { CROWD = 3000 };

static const uint64_t SECOND = 1000;
static const uint64_t DAY = 86400000;

static struct fixture fixture;

static void setup(void)
{
    fixture_open(&fixture, 32 * FIXTURE_MIB, FIXTURE_MIB);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

/* From a millisecond to a century: around the places where a class of ttl, or
 * the width of a field, is likely to end. */
static const uint64_t ttls[] = {
    1,
    2,
    3,
    10,
    99,
    500,
    999,
    1000,
    1001,
    4095,
    4096,
    4097,
    8191,
    10000,
    32767,
    32768,
    60000,
    65535,
    65536,
    65537,
    131072,
    1000000,
    3600000,
    16777215,
    16777216,
    16777217,
    86400000,
    604800000,
    2147483647,
    2147483648,
    2592000000,
    4294967295,
    4294967296,
    4294967297,
    31536000000,
    1099511627775,
    1099511627776,
    3153600000000,
};
enum { TTLS = sizeof ttls / sizeof *ttls };

START_TEST(alive_until_the_millisecond)
{
    uint64_t ttl = ttls[_i / 2];
    bool tidy = _i % 2 != 0;
    for (uint64_t start = 1; start <= 100000; start = start * 7 + 3) {
        fixture_wait(&fixture, start);
        FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_FOR(ttl), "value"));
        fixture_expect_left(&fixture, "ns", "key", ttl);
        fixture_wait(&fixture, ttl - 1);
        if (tidy) {
            fixture_housekeep(&fixture);
        }
        fixture_expect(&fixture, "ns", "key", "value");
        fixture_expect_left(&fixture, "ns", "key", 1);
        fixture_wait(&fixture, 1);
        if (tidy) {
            fixture_housekeep(&fixture);
        }
        fixture_expect(&fixture, "ns", "key", "value");
        fixture_expect_left(&fixture, "ns", "key", 0);
        fixture_wait(&fixture, 1);
        if (tidy) {
            fixture_housekeep(&fixture);
        }
        fixture_expect_gone(&fixture, "ns", "key");
    }
    fixture_housekeep(&fixture);
    ck_assert_uint_eq(fixture_figures(&fixture).items, 0);
    ck_assert_uint_eq(fixture_figures(&fixture).bytes, 0);
}
END_TEST

START_TEST(half_a_second_from_one_second_on)
{
    ck_assert_uint_eq(fixture.now, 1000);
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_FOR(500), "value"));
    fixture.now = 1500; /* or nearly 1501: it may have been nearly 1001 */
    fixture_expect(&fixture, "ns", "key", "value");
    fixture.now = 1501;
    fixture_expect_gone(&fixture, "ns", "key");
}
END_TEST

START_TEST(all_ttls_together)
{
    char key[32];
    for (size_t i = 0; i < TTLS; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        FIXTURE_OK(fixture_put(&fixture, "ns", key, TTL_FOR(ttls[i]), key));
    }
    FIXTURE_OK(fixture_put(&fixture, "ns", "never", TTL_NEVER, "value"));
    uint64_t start = fixture.now;
    for (size_t gone = 0; gone < TTLS; gone++) {
        fixture.now = start + ttls[gone];
        fixture_housekeep(&fixture);
        snprintf(key, sizeof key, "key%zu", gone);
        fixture_expect_left(&fixture, "ns", key, 0);
        fixture.now++;
        fixture_expect_gone(&fixture, "ns", key);
        fixture_housekeep(&fixture);
        ck_assert_uint_eq(fixture_items(&fixture, "ns"), TTLS - gone);
        for (size_t i = gone + 1; i < TTLS; i++) {
            snprintf(key, sizeof key, "key%zu", i);
            fixture_expect(&fixture, "ns", key, key);
            fixture_expect_left(&fixture, "ns", key, start + ttls[i] - fixture.now);
        }
    }
    fixture_expect_left(&fixture, "ns", "never", FIXTURE_NEVER);
}
END_TEST

/* Neighbours in a segment with times one millisecond apart. */
START_TEST(a_crowd_leaves_one_by_one)
{
    char key[32];
    for (uint64_t i = 0; i < CROWD; i++) {
        snprintf(key, sizeof key, "key%ju", (uintmax_t)i);
        FIXTURE_OK(fixture_put(&fixture, "ns", key, TTL_FOR(1 + i * 7 % CROWD), key));
    }
    uint64_t start = fixture.now;
    for (uint64_t passed = 0; passed <= CROWD; passed += 97) {
        fixture.now = start + passed;
        if (passed % 2 == 0) {
            fixture_housekeep(&fixture);
        }
        for (uint64_t i = 0; i < CROWD; i++) {
            snprintf(key, sizeof key, "key%ju", (uintmax_t)i);
            FIXTURE_THAT(fixture_has(&fixture, "ns", key) == (1 + i * 7 % CROWD >= passed));
        }
    }
}
END_TEST

START_TEST(a_long_jump_takes_all_that_is_due)
{
    char key[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "key%d", i);
        FIXTURE_OK(fixture_put(&fixture, "ns", key, TTL_FOR(SECOND + (uint64_t)i * 86400), key));
    }
    FIXTURE_OK(fixture_put(&fixture, "ns", "late", TTL_FOR(40000 * DAY), "late"));
    FIXTURE_OK(fixture_put(&fixture, "ns", "never", TTL_NEVER, "never"));
    fixture_wait(&fixture, 40000 * DAY);
    fixture_housekeep(&fixture);
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), 2);
    fixture_expect_left(&fixture, "ns", "late", 0);
    fixture_wait(&fixture, 1);
    fixture_housekeep(&fixture);
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), 1);
    fixture_expect(&fixture, "ns", "never", "never");
}
END_TEST

START_TEST(a_boundless_ttl_does_not_wrap_around)
{
    static const uint64_t huge[] = {UINT64_MAX, UINT64_MAX - 1000, UINT64_MAX / 2, 1ULL << 62};
    char key[32];
    for (size_t i = 0; i < 4; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        FIXTURE_OK(fixture_put(&fixture, "ns", key, TTL_FOR(huge[i]), key));
        FIXTURE_OK(fixture_touch(&fixture, "ns", key, TTL_FOR(huge[3 - i])));
    }
    fixture_wait(&fixture, 36500 * DAY);
    fixture_housekeep(&fixture);
    for (size_t i = 0; i < 4; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        fixture_expect(&fixture, "ns", key, key);
    }
}
END_TEST

START_TEST(a_clock_may_start_anywhere)
{
    static const uint64_t starts[] = {1, 2, 4294967290, 1700000000000, 1ULL << 50};
    struct fixture other;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        fixture_open(&other, STORE_MEMORY_MIN, FIXTURE_MIB);
        other.now = starts[i];
        FIXTURE_OK(fixture_put(&other, "ns", "key", TTL_FOR(100), "value"));
        FIXTURE_OK(fixture_put(&other, "ns", "day", TTL_FOR(DAY), "value"));
        fixture_wait(&other, 100);
        fixture_housekeep(&other);
        fixture_expect_left(&other, "ns", "key", 0);
        fixture_wait(&other, 1);
        fixture_expect_gone(&other, "ns", "key");
        fixture_expect_left(&other, "ns", "day", DAY - 101);
        fixture_close(&other);
    }
}
END_TEST

/* --- the namespace's say ------------------------------------------------ */

static void declare(uint64_t ttl, uint64_t max_ttl, bool require_ttl)
{
    struct store_namespace_options options = {
        .name = slice_of("declared"), .ttl = ttl, .max_ttl = max_ttl, .require_ttl = require_ttl};
    fixture_declare(&fixture, &options, 1, 30 * SECOND);
}

START_TEST(no_ttl_means_the_namespaces)
{
    declare(5 * SECOND, STORE_NEVER, false);
    FIXTURE_OK(fixture_put(&fixture, "declared", "key", TTL_DEFAULT, "value"));
    fixture_expect_left(&fixture, "declared", "key", 5 * SECOND);
    FIXTURE_OK(fixture_put(&fixture, "declared", "key", TTL_NEVER, "value"));
    fixture_expect_left(&fixture, "declared", "key", FIXTURE_NEVER);
    FIXTURE_OK(fixture_put(&fixture, "declared", "key", TTL_FOR(90 * SECOND), "value"));
    fixture_expect_left(&fixture, "declared", "key", 90 * SECOND);
    FIXTURE_OK(fixture_touch(&fixture, "declared", "key", TTL_DEFAULT));
    fixture_expect_left(&fixture, "declared", "key", 5 * SECOND);
    FIXTURE_OK(fixture_put(&fixture, "other", "key", TTL_DEFAULT, "value"));
    fixture_expect_left(&fixture, "other", "key", 30 * SECOND);
    FIXTURE_OK(fixture_stream_pattern(&fixture, "declared", "large", STORE_SET, TTL_DEFAULT, 100000,
                                      5000, 1));
    fixture_expect_left(&fixture, "declared", "large", 5 * SECOND);
}
END_TEST

START_TEST(max_ttl_shortens_what_is_longer)
{
    declare(5 * SECOND, 10 * SECOND, false);
    FIXTURE_OK(fixture_put(&fixture, "declared", "key", TTL_FOR(10 * SECOND), "value"));
    fixture_expect_left(&fixture, "declared", "key", 10 * SECOND);
    FIXTURE_OK(fixture_put(&fixture, "declared", "key", TTL_FOR(10 * SECOND + 1), "v"));
    fixture_expect_left(&fixture, "declared", "key", 10 * SECOND);
    FIXTURE_OK(fixture_put(&fixture, "declared", "key", TTL_NEVER, "value"));
    fixture_expect_left(&fixture, "declared", "key", 10 * SECOND);
    FIXTURE_OK(fixture_put(&fixture, "declared", "key", TTL_FOR(1), "value"));
    fixture_expect_left(&fixture, "declared", "key", 1);
    FIXTURE_OK(fixture_touch(&fixture, "declared", "key", TTL_NEVER));
    fixture_expect_left(&fixture, "declared", "key", 10 * SECOND);
    FIXTURE_OK(fixture_touch(&fixture, "declared", "key", TTL_FOR(DAY)));
    fixture_expect_left(&fixture, "declared", "key", 10 * SECOND);
    FIXTURE_OK(fixture_stream_pattern(&fixture, "declared", "large", STORE_SET, TTL_NEVER, 100000,
                                      5000, 1));
    fixture_expect_left(&fixture, "declared", "large", 10 * SECOND);
    declare(STORE_NEVER, 10 * SECOND, false);
    FIXTURE_OK(fixture_put(&fixture, "declared", "key", TTL_DEFAULT, "value"));
    fixture_expect_left(&fixture, "declared", "key", 10 * SECOND);
}
END_TEST

START_TEST(a_ttl_can_be_required)
{
    struct store_write *write = NULL;
    declare(STORE_NEVER, STORE_NEVER, true);
    ck_assert_int_eq(fixture_put(&fixture, "declared", "key", TTL_DEFAULT, "value"),
                     STORE_TTL_REQUIRED);
    ck_assert_int_eq(fixture_add(&fixture, "declared", "key", TTL_DEFAULT, "value"),
                     STORE_TTL_REQUIRED);
    ck_assert_int_eq(
        fixture_begin(&fixture, "declared", "key", STORE_SET, TTL_DEFAULT, 100000, &write),
        STORE_TTL_REQUIRED);
    fixture_expect_gone(&fixture, "declared", "key");
    FIXTURE_OK(fixture_put(&fixture, "declared", "key", TTL_FOR(70), "value"));
    ck_assert_int_eq(fixture_put(&fixture, "declared", "key", TTL_DEFAULT, "other"),
                     STORE_TTL_REQUIRED);
    fixture_expect(&fixture, "declared", "key", "value");
    ck_assert_int_eq(fixture_put(&fixture, "declared", "key", TTL_NEVER, "other"),
                     STORE_TTL_REQUIRED);
    fixture_expect_left(&fixture, "declared", "key", 70);
    FIXTURE_OK(fixture_put(&fixture, "other", "key", TTL_DEFAULT, "value"));
}
END_TEST

/* Where the namespace has a ttl, only what asks for none is refused. */
START_TEST(a_required_ttl_can_be_the_namespaces)
{
    declare(5 * SECOND, STORE_NEVER, true);
    FIXTURE_OK(fixture_put(&fixture, "declared", "key", TTL_DEFAULT, "value"));
    fixture_expect_left(&fixture, "declared", "key", 5 * SECOND);
    ck_assert_int_eq(fixture_put(&fixture, "declared", "key", TTL_NEVER, "other"),
                     STORE_TTL_REQUIRED);
    fixture_expect(&fixture, "declared", "key", "value");
    fixture_expect_left(&fixture, "declared", "key", 5 * SECOND);
}
END_TEST

START_TEST(a_new_ttl_counts_for_later_writes)
{
    declare(5 * SECOND, STORE_NEVER, false);
    FIXTURE_OK(fixture_put(&fixture, "declared", "old", TTL_DEFAULT, "value"));
    FIXTURE_OK(fixture_put(&fixture, "declared", "never", TTL_NEVER, "value"));
    declare(60 * SECOND, 90 * SECOND, false);
    fixture_wait(&fixture, 1);
    FIXTURE_OK(fixture_put(&fixture, "declared", "new", TTL_DEFAULT, "value"));
    fixture_expect_left(&fixture, "declared", "new", 60 * SECOND);
    fixture_expect_left(&fixture, "declared", "old", 5 * SECOND - 1);
    fixture_expect_left(&fixture, "declared", "never", FIXTURE_NEVER);
    FIXTURE_OK(fixture_put(&fixture, "declared", "never", TTL_NEVER, "value"));
    fixture_expect_left(&fixture, "declared", "never", 90 * SECOND);
}
END_TEST

/* --- touching ----------------------------------------------------------- */

/* With values that are copied, and with values that span segments. */
static const size_t touched_sizes[] = {0, 5, 200, 16384, 16385, 300000};
enum { TOUCHED_SIZES = sizeof touched_sizes / sizeof *touched_sizes };

START_TEST(a_touched_record_lives_longer)
{
    size_t length = touched_sizes[_i];
    FIXTURE_OK(fixture_put_pattern(&fixture, "ns", "key", TTL_FOR(100), length, 7));
    FIXTURE_OK(fixture_put(&fixture, "ns", "neighbour", TTL_FOR(100), "goes"));
    fixture_wait(&fixture, 99);
    FIXTURE_OK(fixture_touch(&fixture, "ns", "key", TTL_FOR(100)));
    fixture_expect_left(&fixture, "ns", "key", 100);
    fixture_wait(&fixture, 100);
    fixture_housekeep(&fixture);
    fixture_expect_gone(&fixture, "ns", "neighbour");
    fixture_expect_pattern(&fixture, "ns", "key", length, 7);
    FIXTURE_OK(fixture_touch(&fixture, "ns", "key", TTL_FOR(90 * DAY)));
    fixture_wait(&fixture, 90 * DAY - 1);
    fixture_housekeep(&fixture);
    fixture_expect_pattern(&fixture, "ns", "key", length, 7);
    fixture_expect_left(&fixture, "ns", "key", 1);
    FIXTURE_OK(fixture_touch(&fixture, "ns", "key", TTL_NEVER));
    fixture_wait(&fixture, 900 * DAY);
    fixture_housekeep(&fixture);
    fixture_expect_pattern(&fixture, "ns", "key", length, 7);
    fixture_expect_left(&fixture, "ns", "key", FIXTURE_NEVER);
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), 1);
}
END_TEST

START_TEST(a_touched_record_lives_shorter)
{
    size_t length = touched_sizes[_i];
    FIXTURE_OK(fixture_put_pattern(&fixture, "ns", "key", TTL_NEVER, length, 7));
    FIXTURE_OK(fixture_put(&fixture, "ns", "neighbour", TTL_NEVER, "stays"));
    FIXTURE_OK(fixture_touch(&fixture, "ns", "key", TTL_FOR(9 * DAY)));
    fixture_expect_left(&fixture, "ns", "key", 9 * DAY);
    FIXTURE_OK(fixture_touch(&fixture, "ns", "key", TTL_FOR(50)));
    fixture_wait(&fixture, 50);
    fixture_housekeep(&fixture);
    fixture_expect_pattern(&fixture, "ns", "key", length, 7);
    fixture_wait(&fixture, 1);
    fixture_expect_gone(&fixture, "ns", "key");
    ck_assert_int_eq(fixture_touch(&fixture, "ns", "key", TTL_FOR(50)), STORE_NOT_FOUND);
    fixture_housekeep(&fixture);
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), 1);
    fixture_expect(&fixture, "ns", "neighbour", "stays");
}
END_TEST

START_TEST(touched_up_and_down_many_times)
{
    char key[32];
    uint64_t random = 5;
    uint64_t expires[50];
    for (size_t round = 0; round < 2000; round++) {
        size_t i = round % 50;
        uint64_t ttl = ttls[fixture_random(&random) % TTLS] + 2000;
        snprintf(key, sizeof key, "key%zu", i);
        if (round < 50) {
            FIXTURE_OK(fixture_put_pattern(&fixture, "ns", key, TTL_FOR(ttl), i * 700, i));
        } else {
            FIXTURE_OK(fixture_touch(&fixture, "ns", key, TTL_FOR(ttl)));
        }
        expires[i] = fixture.now + ttl;
        if (round % 100 == 99) {
            fixture_housekeep(&fixture);
            fixture_wait(&fixture, 1);
        }
    }
    for (size_t i = 0; i < 50; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        fixture_expect_left(&fixture, "ns", key, expires[i] - fixture.now);
        fixture_expect_pattern(&fixture, "ns", key, i * 700, i);
    }
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), 50);
}
END_TEST

START_TEST(an_overwritten_timer_never_rings)
{
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_FOR(100), "old"));
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_FOR(5000), "new"));
    FIXTURE_OK(fixture_put(&fixture, "ns", "gone", TTL_FOR(100), "old"));
    FIXTURE_OK(fixture_delete(&fixture, "ns", "gone"));
    FIXTURE_OK(fixture_put(&fixture, "ns", "gone", TTL_NEVER, "new"));
    fixture_outlive(&fixture, 100);
    fixture_housekeep(&fixture);
    fixture_expect(&fixture, "ns", "key", "new");
    fixture_expect(&fixture, "ns", "gone", "new");
    ck_assert_uint_eq(fixture_figures(&fixture).counters.expirations, 0);
    fixture_wait(&fixture, 4899);
    fixture_expect(&fixture, "ns", "key", "new");
    fixture_wait(&fixture, 1);
    fixture_expect_gone(&fixture, "ns", "key");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store ttl");
    TCase *time = tcase_create("time");
    tcase_add_checked_fixture(time, setup, teardown);
    tcase_set_timeout(time, FIXTURE_TIMEOUT);
    tcase_add_loop_test(time, alive_until_the_millisecond, 0, 2 * TTLS);
    tcase_add_test(time, half_a_second_from_one_second_on);
    tcase_add_test(time, all_ttls_together);
    tcase_add_test(time, a_crowd_leaves_one_by_one);
    tcase_add_test(time, a_long_jump_takes_all_that_is_due);
    tcase_add_test(time, a_boundless_ttl_does_not_wrap_around);
    tcase_add_test(time, a_clock_may_start_anywhere);
    tcase_add_test(time, no_ttl_means_the_namespaces);
    tcase_add_test(time, max_ttl_shortens_what_is_longer);
    tcase_add_test(time, a_ttl_can_be_required);
    tcase_add_test(time, a_required_ttl_can_be_the_namespaces);
    tcase_add_test(time, a_new_ttl_counts_for_later_writes);
    tcase_add_loop_test(time, a_touched_record_lives_longer, 0, TOUCHED_SIZES);
    tcase_add_loop_test(time, a_touched_record_lives_shorter, 0, TOUCHED_SIZES);
    tcase_add_test(time, touched_up_and_down_many_times);
    tcase_add_test(time, an_overwritten_timer_never_rings);
    suite_add_tcase(suite, time);
    return suite_run(suite);
}

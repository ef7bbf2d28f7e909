/*
 * check_incr.c - adding to a value that is a number: the sums, their
 * bounds, what is no number, and that the record's expiry stays.
 */
#include "tests/store/fixture.h"

static struct fixture fixture;

static void setup(void)
{
    fixture_open(&fixture, STORE_MEMORY_MIN, FIXTURE_MIB);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

START_TEST(numbers_are_added_and_taken)
{
    uint64_t number = 0;
    FIXTURE_OK(fixture_put(&fixture, "ns", "n", TTL_FOR(800), "5"));
    FIXTURE_OK(fixture_incr(&fixture, "ns", "n", 1, &number));
    ck_assert_uint_eq(number, 6);
    FIXTURE_OK(fixture_incr(&fixture, "ns", "n", 94, &number));
    ck_assert_uint_eq(number, 100);
    fixture_expect(&fixture, "ns", "n", "100");
    FIXTURE_OK(fixture_decr(&fixture, "ns", "n", 1, &number));
    ck_assert_uint_eq(number, 99);
    fixture_expect(&fixture, "ns", "n", "99");
    FIXTURE_OK(fixture_decr(&fixture, "ns", "n", 100, &number));
    ck_assert_uint_eq(number, 0);
    fixture_expect(&fixture, "ns", "n", "0");
    FIXTURE_OK(fixture_decr(&fixture, "ns", "n", UINT64_MAX, &number));
    ck_assert_uint_eq(number, 0);
    FIXTURE_OK(fixture_incr(&fixture, "ns", "n", 0, &number));
    ck_assert_uint_eq(number, 0);
    fixture_expect_left(&fixture, "ns", "n", 800);
}
END_TEST

START_TEST(a_number_keeps_its_expiry)
{
    uint64_t number;
    FIXTURE_OK(fixture_put(&fixture, "ns", "n", TTL_FOR(800), "9"));
    FIXTURE_OK(fixture_put(&fixture, "ns", "never", TTL_NEVER, "9"));
    for (uint64_t i = 1; i <= 799; i++) {
        fixture_wait(&fixture, 1);
        FIXTURE_OK(fixture_incr(&fixture, "ns", "n", i * i * i, &number));
        FIXTURE_OK(fixture_incr(&fixture, "ns", "never", 1, &number));
        fixture_expect_left(&fixture, "ns", "n", 800 - i);
    }
    fixture_outlive(&fixture, 1);
    ck_assert_int_eq(fixture_incr(&fixture, "ns", "n", 1, &number), STORE_NOT_FOUND);
    ck_assert_int_eq(fixture_decr(&fixture, "ns", "n", 1, &number), STORE_NOT_FOUND);
    fixture_expect_gone(&fixture, "ns", "n");
    fixture_expect_left(&fixture, "ns", "never", FIXTURE_NEVER);
}
END_TEST

START_TEST(a_sum_must_fit)
{
    uint64_t number;
    FIXTURE_OK(fixture_put(&fixture, "ns", "n", TTL_DEFAULT, "18446744073709551614"));
    ck_assert_int_eq(fixture_incr(&fixture, "ns", "n", 2, &number), STORE_OVERFLOW);
    ck_assert_int_eq(fixture_incr(&fixture, "ns", "n", UINT64_MAX, &number), STORE_OVERFLOW);
    fixture_expect(&fixture, "ns", "n", "18446744073709551614");
    FIXTURE_OK(fixture_incr(&fixture, "ns", "n", 1, &number));
    ck_assert_uint_eq(number, UINT64_MAX);
    fixture_expect(&fixture, "ns", "n", "18446744073709551615");
    ck_assert_int_eq(fixture_incr(&fixture, "ns", "n", 1, &number), STORE_OVERFLOW);
    FIXTURE_OK(fixture_decr(&fixture, "ns", "n", UINT64_MAX, &number));
    ck_assert_uint_eq(number, 0);
}
END_TEST

START_TEST(what_is_no_number_is_left_alone)
{
    static const char *const values[] = {
        "",
        "a",
        "1a",
        "a1",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1.0",
        "0x10",
        "18446744073709551616",
        "99999999999999999999",
        "184467440737095516150",
        "1\n",
    };
    uint64_t number;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        FIXTURE_OK(fixture_put(&fixture, "ns", "n", TTL_FOR(70), values[i]));
        ck_assert_int_eq(fixture_incr(&fixture, "ns", "n", 1, &number), STORE_NOT_A_NUMBER);
        ck_assert_int_eq(fixture_decr(&fixture, "ns", "n", 1, &number), STORE_NOT_A_NUMBER);
        fixture_expect(&fixture, "ns", "n", values[i]);
        fixture_expect_left(&fixture, "ns", "n", 70);
    }
    FIXTURE_OK(fixture_put_pattern(&fixture, "ns", "n", TTL_DEFAULT, 100000, 1));
    ck_assert_int_eq(fixture_incr(&fixture, "ns", "n", 1, &number), STORE_NOT_A_NUMBER);
    fixture_expect_pattern(&fixture, "ns", "n", 100000, 1);
    FIXTURE_OK(fixture_put_bytes(&fixture, slice_of("ns"), slice_of("n"), TTL_DEFAULT,
                                 (struct slice){"1\0", 2}));
    ck_assert_int_eq(fixture_incr(&fixture, "ns", "n", 1, &number), STORE_NOT_A_NUMBER);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store incr");
    TCase *numbers = tcase_create("numbers");
    tcase_add_checked_fixture(numbers, setup, teardown);
    tcase_set_timeout(numbers, FIXTURE_TIMEOUT);
    tcase_add_test(numbers, numbers_are_added_and_taken);
    tcase_add_test(numbers, a_number_keeps_its_expiry);
    tcase_add_test(numbers, a_sum_must_fit);
    tcase_add_test(numbers, what_is_no_number_is_left_alone);
    suite_add_tcase(suite, numbers);
    return suite_run(suite);
}

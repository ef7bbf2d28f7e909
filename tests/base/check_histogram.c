/*
 * check_histogram.c - each duration is counted in the class whose bound it does not exceed.
 */
#include "daemon/base/histogram.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/suite.h"

static struct histogram histogram;

static struct histogram_sum sum(void)
{
    struct histogram_sum read = {.nanoseconds = 0};
    histogram_sum(&read, &histogram);
    return read;
}

/* Rounded: no bound is a fraction of a nanosecond. */
static uint64_t bound_of(size_t number)
{
    return (uint64_t)(strtod(histogram_bound(number), NULL) * 1e9 + 0.5);
}

START_TEST(a_duration_is_in_the_class_that_ends_with_it_or_later)
{
    for (size_t number = 0; number + 1 < HISTOGRAM_CLASSES; number++) {
        memset(&histogram, 0, sizeof histogram);
        histogram_add(&histogram, bound_of(number), 1);
        ck_assert_uint_eq(sum().count[number], 1);
        histogram_add(&histogram, bound_of(number) + 1, 1);
        ck_assert_uint_eq(sum().count[number], 1);
        ck_assert_uint_eq(sum().count[number + 1], 1);
    }
}
END_TEST

START_TEST(bounds_ascend_to_infinity)
{
    for (size_t number = 1; number + 1 < HISTOGRAM_CLASSES; number++) {
        ck_assert_uint_gt(bound_of(number), bound_of(number - 1));
    }
    ck_assert_str_eq(histogram_bound(HISTOGRAM_CLASSES - 1), "+Inf");
}
END_TEST

START_TEST(several_at_once_are_counted_and_summed)
{
    memset(&histogram, 0, sizeof histogram);
    histogram_add(&histogram, 7000, 64);
    histogram_add(&histogram, 0, 1);
    histogram_add(&histogram, UINT64_C(100) * 1000 * 1000 * 1000, 2);
    struct histogram_sum twice = sum();
    ck_assert_uint_eq(twice.count[0], 1);
    ck_assert_uint_eq(twice.count[1], 64);
    ck_assert_uint_eq(twice.count[HISTOGRAM_CLASSES - 1], 2);
    ck_assert_uint_eq(twice.nanoseconds, 64 * 7000 + UINT64_C(200000000000));
    histogram_sum(&twice, &histogram);
    ck_assert_uint_eq(twice.count[1], 128);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("histogram");
    TCase *histograms = tcase_create("histogram");
    tcase_add_test(histograms, a_duration_is_in_the_class_that_ends_with_it_or_later);
    tcase_add_test(histograms, bounds_ascend_to_infinity);
    tcase_add_test(histograms, several_at_once_are_counted_and_summed);
    suite_add_tcase(suite, histograms);
    return suite_run(suite);
}

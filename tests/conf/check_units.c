/*
 * check_units.c - times and sizes of kvcached.conf, parsed and written.
 */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "conf/conf_units.h"
#include "tests/support/suite.h"

struct measure {
    const char *text;
    uint64_t value;
};

static const struct measure times[] = {
    {"0", 0},
    {"never", 0},
    {"90", 90000},
    {"1.5", 1500},
    {"500ms", 500},
    {"30s", 30000},
    {"30m", 1800000},
    {"1.5h", 5400000},
    {"7d", 604800000},
    {"1w", 604800000},
    {"0.0001", 1},
    {"1.0001ms", 2},
    {"18446744073709551615ms", UINT64_MAX},
    {"18446744073709551.615", UINT64_MAX},
};

static const struct measure sizes[] = {
    {"0", 0},
    {"100", 100},
    {"64K", 65536},
    {"64k", 65536},
    {"1.5M", 1572864},
    {"2G", 2147483648},
    {"1T", 1099511627776},
    {"0.5K", 512},
    {"18446744073709551615", UINT64_MAX},
};

static const char *const no_times[] = {
    "",
    " ",
    "s",
    "ms",
    ".5",
    "5.",
    "5 s",
    "-5s",
    "+5",
    "5S",
    "5mm",
    "5y",
    "1e3",
    "0x10",
    "5s ",
    "1,5",
    "Never",
    "1.0000001",
    "18446744073709551616ms",
    "18446744073709551615",
    "30500568904944w",
    "99999999999999999999999",
};

static const char *const no_sizes[] = {
    "",     "K",   "5KB",   "5MiB",      "5 M",
    "-1",   "1.5", "0.1K",  "5.M",       "0x1M",
    "1e3M", "5P",  "never", "16777216T", "18446744073709551616",
};

START_TEST(times_are_read)
{
    uint64_t value = 77;
    ck_assert(conf_units_parse_duration(times[_i].text, &value));
    ck_assert_msg(value == times[_i].value, "%s is %" PRIu64, times[_i].text, value);
}
END_TEST

START_TEST(sizes_are_read)
{
    uint64_t value = 77;
    ck_assert(conf_units_parse_size(sizes[_i].text, &value));
    ck_assert_msg(value == sizes[_i].value, "%s is %" PRIu64, sizes[_i].text, value);
}
END_TEST

START_TEST(no_times_are_refused)
{
    uint64_t value = 77;
    ck_assert_msg(!conf_units_parse_duration(no_times[_i], &value), "\"%s\"", no_times[_i]);
    ck_assert_uint_eq(value, 77);
}
END_TEST

START_TEST(no_sizes_are_refused)
{
    uint64_t value = 77;
    ck_assert_msg(!conf_units_parse_size(no_sizes[_i], &value), "\"%s\"", no_sizes[_i]);
    ck_assert_uint_eq(value, 77);
}
END_TEST

START_TEST(what_is_written_can_be_read)
{
    uint64_t back;
    for (uint64_t value = 1; value < UINT64_MAX / 7; value = value * 7 + value % 5) {
        ck_assert(conf_units_parse_duration(conf_units_duration(value).bytes, &back));
        ck_assert_uint_eq(back, value);
        ck_assert(conf_units_parse_size(conf_units_size(value).bytes, &back));
        ck_assert_uint_eq(back, value);
    }
    ck_assert_str_eq(conf_units_duration(90000).bytes, "90s");
    ck_assert_str_eq(conf_units_duration(1800000).bytes, "30m");
    ck_assert_str_eq(conf_units_duration(0).bytes, "never");
    ck_assert_str_eq(conf_units_size(64 << 20).bytes, "64M");
    ck_assert_str_eq(conf_units_size(0).bytes, "0");
}
END_TEST

#define COUNT(array) ((int)(sizeof array / sizeof((array)[0])))

int main(void)
{
    Suite *suite = suite_create("conf units");
    TCase *units = tcase_create("times and sizes");
    tcase_add_loop_test(units, times_are_read, 0, COUNT(times));
    tcase_add_loop_test(units, sizes_are_read, 0, COUNT(sizes));
    tcase_add_loop_test(units, no_times_are_refused, 0, COUNT(no_times));
    tcase_add_loop_test(units, no_sizes_are_refused, 0, COUNT(no_sizes));
    tcase_add_test(units, what_is_written_can_be_read);
    suite_add_tcase(suite, units);

    return suite_run(suite);
}

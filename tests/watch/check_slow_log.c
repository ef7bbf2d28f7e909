/*
 * check_slow_log.c - the newest slow requests of all workers, in order.
 */
#include "daemon/watch/slow_log.h"

#include <check.h>
#include <stdio.h>

#include "tests/support/suite.h"

enum { WORKERS = 3, AT_ONCE = 8 };

static struct slow_log *slow_log;
static struct slow_request found[AT_ONCE];

static void open_log(void)
{
    slow_log = slow_log_create(WORKERS);
    ck_assert_ptr_nonnull(slow_log);
    slow_log_keep(slow_log, 100);
}

static void close_log(void)
{
    slow_log_destroy(&slow_log);
    ck_assert_ptr_null(slow_log);
}

static void add(unsigned worker, uint64_t took)
{
    struct slow_request slow = {.took = took, .verb = VERB_LIST};
    snprintf(slow.ns, sizeof slow.ns, "ns%u", worker);
    slow_log_add(slow_log, worker, &slow);
}

/* Reads all; each took its id. Returns how many there are. */
static unsigned read_all(uint64_t most)
{
    uint64_t after = slow_log_before(slow_log, most);
    unsigned all = 0;
    size_t count;
    while ((count = slow_log_read(slow_log, after, found, AT_ONCE)) > 0) {
        for (size_t i = 0; i < count; i++) {
            ck_assert_uint_eq(found[i].id, after + 1);
            ck_assert_uint_eq(found[i].took, found[i].id);
            ck_assert_int_eq(found[i].verb, VERB_LIST);
            after = found[i].id;
        }
        all += (unsigned)count;
    }
    return all;
}

START_TEST(entries_of_all_workers_are_in_order)
{
    ck_assert_uint_eq(read_all(0), 0);
    for (unsigned i = 1; i <= 60; i++) {
        add(i * 7 % WORKERS, i);
    }
    ck_assert_uint_eq(read_all(0), 60);
    ck_assert_uint_eq(read_all(10), 10);
    ck_assert_str_eq(found[1].ns, "ns0");
}
END_TEST

START_TEST(later_ones_replace_the_oldest)
{
    for (unsigned i = 1; i <= 3 * SLOW_ENTRIES_MAX; i++) {
        add(0, i);
    }
    ck_assert_uint_eq(read_all(0), 100);
    slow_log_keep(slow_log, SLOW_ENTRIES_MAX);
    ck_assert_uint_eq(read_all(0), SLOW_ENTRIES_MAX);
    slow_log_keep(slow_log, 1);
    ck_assert_uint_eq(read_all(0), 1);
    ck_assert_uint_eq(found[0].id, 3 * SLOW_ENTRIES_MAX);
}
END_TEST

START_TEST(a_reset_forgets_them)
{
    add(0, 1);
    add(1, 2);
    slow_log_reset(slow_log);
    ck_assert_uint_eq(read_all(0), 0);
    add(1, 3);
    ck_assert_uint_eq(read_all(0), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slow_log");
    TCase *entries = tcase_create("entries");
    tcase_add_checked_fixture(entries, open_log, close_log);
    tcase_add_test(entries, entries_of_all_workers_are_in_order);
    tcase_add_test(entries, later_ones_replace_the_oldest);
    tcase_add_test(entries, a_reset_forgets_them);
    suite_add_tcase(suite, entries);
    return suite_run(suite);
}

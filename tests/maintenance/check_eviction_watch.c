/*
 * check_eviction_watch.c - that evictions begin is logged once, in few lines however many
 * namespaces there are.
 */
#include "daemon/maintenance/eviction_watch.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/log.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

#define MIB  (UINT64_C(1) << 20)
#define LONG EVICTION_WATCH_QUIET_MS

static struct eviction_watch watch;
static uint64_t now;

static void set_up(void)
{
    const char *why;
    scratch_make();
    ck_assert(log_open(scratch_path("log"), LOG_INFO, getuid(), &why));
    memset(&watch, 0, sizeof watch);
    now = 5000;
}

static void tear_down(void)
{
    log_close();
    scratch_remove();
}

static int lines(const char *with)
{
    return scratch_count("log", with);
}

/* As the store says it. */
static void note(const char *name, uint64_t quota, uint64_t records, uint64_t before)
{
    const struct store_evicted evicted = {.name = slice_of(name),
                                          .namespaces = 1,
                                          .quota = quota,
                                          .records = records,
                                          .before = before};
    eviction_watch_note(&watch, &evicted, now);
}

static void end(void)
{
    eviction_watch_end(&watch, 64 * MIB, now);
}

/* --- one namespace -------------------------------------------------------------------- */

START_TEST(nothing_is_evicted)
{
    for (int i = 0; i < 5000; i++, now += 1000) {
        ck_assert(eviction_watch_is_due(&watch, now));
        end();
        ck_assert(!eviction_watch_is_due(&watch, now + 999));
    }
    ck_assert_str_eq(scratch_read("log"), "");
}
END_TEST

/* However long it goes on. */
START_TEST(a_namespace_with_a_quota_has_a_line_when_it_begins)
{
    for (uint64_t before = 0; now < 10 * LONG; before = now, now += 1000) {
        note("sessions", 16 * MIB, 7, before);
        end();
    }
    ck_assert_int_eq(lines("notice: namespace sessions is full (quota 16M): records are evicted "
                           "before their time to live ends\n"),
                     1);
    ck_assert_int_eq(lines("\n"), 1);
}
END_TEST

START_TEST(it_begins_again_after_a_while_without)
{
    note("sessions", 300 << 10, 1, 0);
    end();
    uint64_t before = now;
    now += LONG - 1;
    note("sessions", 300 << 10, 1, before);
    end();
    ck_assert_int_eq(lines("namespace sessions is full (quota 300K)"), 1);
    before = now;
    now += LONG;
    note("sessions", 300 << 10, 1, before);
    end();
    ck_assert_int_eq(lines("namespace sessions is full (quota 300K)"), 2);
}
END_TEST

/* The store rounds that time up. */
START_TEST(a_time_that_lies_ahead_is_none_ago)
{
    note("sessions", MIB, 1, now + 999);
    end();
    ck_assert_str_eq(scratch_read("log"), "");
}
END_TEST

/* --- the shared memory ----------------------------------------------------------------- */

START_TEST(the_shared_memory_has_a_line_when_it_begins)
{
    for (; now < 10 * LONG; now += 1000) {
        note("little", 0, 1, 0);
        note("much", 0, 5, 0);
        note("less", 0, 3, 0);
        end();
    }
    ck_assert_int_eq(lines("notice: memory is full (64M): records of namespace much and 2 others "
                           "are evicted before their time to live ends\n"),
                     1);
    ck_assert_int_eq(lines("\n"), 1);
    now += LONG - 1001;
    note("one", 0, 1, 0);
    end();
    ck_assert_int_eq(lines("\n"), 1);
    now += LONG;
    note("one", 0, 1, 0);
    end();
    ck_assert_int_eq(lines("memory is full (64M): records of namespace one are evicted before"), 1);
    now += LONG;
    note("one", 0, 1, 0);
    note("two", 0, 1, 0);
    end();
    ck_assert_int_eq(lines("records of namespace one and 1 other are evicted before"), 1);
    ck_assert_int_eq(lines("\n"), 3);
}
END_TEST

/* Of those that are gone the store knows their number and the name of the last one. */
START_TEST(namespaces_that_are_gone_count_too)
{
    const struct store_evicted gone = {.name = slice_of("last"), .namespaces = 500, .records = 700};
    note("there", 0, 600, 0);
    eviction_watch_note(&watch, &gone, now);
    end();
    ck_assert_int_eq(lines("records of namespace last and 500 others are evicted"), 1);
}
END_TEST

/* --- many -------------------------------------------------------------------------------- */

enum { MANY = 60000 };

START_TEST(many_namespaces_without_a_quota_are_one_line)
{
    char name[32];
    for (int round = 0; round < 5; round++, now += 1000) {
        for (int i = 0; i < MANY; i++) {
            snprintf(name, sizeof name, "n%d", i);
            note(name, 0, (uint64_t)i + 1, 0);
        }
        end();
    }
    ck_assert_int_eq(lines("records of namespace n59999 and 59999 others are evicted"), 1);
    ck_assert_int_eq(lines("\n"), 1);
}
END_TEST

START_TEST(many_with_a_quota_are_few_lines)
{
    char name[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "n%d", i);
        note(name, MIB, (uint64_t)(i * 7919 % MANY) + 1, 0);
    }
    end();
    ck_assert_int_eq(lines("is full (quota 1M)"), EVICTION_WATCH_NAMED);
    ck_assert_int_eq(lines("notice: 59996 other namespaces with a quota are full: records are "
                           "evicted before their time to live ends\n"),
                     1);
    ck_assert_int_eq(lines("\n"), EVICTION_WATCH_NAMED + 1);
}
END_TEST

/* Others begin every second: what has had no line is summed up, and told when that is due. */
START_TEST(few_lines_in_any_ten_minutes)
{
    char name[32];
    uint64_t start = now;
    int begun = 0;
    for (; now < start + 3 * LONG; now += 1000, begun++) {
        snprintf(name, sizeof name, "n%d", begun);
        note(name, MIB, 1, 0);
        end();
    }
    ck_assert_int_eq(lines("is full (quota 1M)"), 3 * EVICTION_WATCH_NAMED);
    ck_assert_int_eq(lines("notice: 1 other namespace with a quota is full: "), 1);
    ck_assert_int_eq(lines("with a quota are full: "), 2);
    ck_assert_int_eq(lines("\n"), 3 * (EVICTION_WATCH_NAMED + 1));
}
END_TEST

/* Those that evict the most have the lines. */
START_TEST(lines_are_for_those_that_evict_most)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    static const uint64_t records[] = {5, 1, 9, 7, 2, 8};
    for (size_t i = 0; i < 6; i++) {
        note(names[i], MIB, records[i], 0);
    }
    end();
    for (size_t i = 0; i < 6; i++) {
        char line[64];
        snprintf(line, sizeof line, "namespace %s is full", names[i]);
        ck_assert_int_eq(lines(line), records[i] >= 5);
    }
    ck_assert_int_eq(lines("2 other namespaces with a quota are full"), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("eviction watch");
    TCase *said = tcase_create("said");
    tcase_add_checked_fixture(said, set_up, tear_down);
    tcase_set_timeout(said, 60);
    tcase_add_test(said, nothing_is_evicted);
    tcase_add_test(said, a_namespace_with_a_quota_has_a_line_when_it_begins);
    tcase_add_test(said, it_begins_again_after_a_while_without);
    tcase_add_test(said, a_time_that_lies_ahead_is_none_ago);
    tcase_add_test(said, the_shared_memory_has_a_line_when_it_begins);
    tcase_add_test(said, namespaces_that_are_gone_count_too);
    tcase_add_test(said, many_namespaces_without_a_quota_are_one_line);
    tcase_add_test(said, many_with_a_quota_are_few_lines);
    tcase_add_test(said, few_lines_in_any_ten_minutes);
    tcase_add_test(said, lines_are_for_those_that_evict_most);
    suite_add_tcase(suite, said);
    return suite_run(suite);
}

/*
 * check_ghost.c - the memory of what was evicted: what it must remember, what it may
 * mistake, what it forgets, and what it costs.
 */
#include "daemon/store/records/ghost.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/suite.h"

enum { MEMORY = 8 << 20, MOST = 64 << 20, RECORDS = 60000 };

static struct ghost ghost;
static struct budget budget;

static void set_up(void)
{
    budget = (struct budget){.limit = MEMORY};
    ck_assert(ghost_init(&ghost, MEMORY, MOST));
}

static void tear_down(void)
{
    ghost_deinit(&ghost);
}

/* Any spread will do: these stand for keyed hashes. */
static uint64_t hash_of(uint64_t number)
{
    uint64_t z = number * UINT64_C(0xbf58476d1ce4e5b9) + UINT64_C(0x94d049bb133111eb);
    z = (z ^ (z >> 30)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void pay_all(void)
{
    while (ghost.open == 0) {
        ck_assert(ghost_pay(&ghost, &budget));
    }
}

static void add(uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        ghost_add(&ghost, hash_of(i), SEGMENT_YOUNG);
    }
}

static uint64_t known(uint64_t from, uint64_t to)
{
    uint64_t count = 0;
    for (uint64_t i = from; i < to; i++) {
        count += ghost_has(&ghost, hash_of(i), RECORDS);
    }
    return count;
}

/* Where in a line a key is says about when it was dropped, so that few of the latest are taken
 * for older. */
START_TEST(the_latest_are_remembered)
{
    enum { LATEST = RECORDS / 32 };
    pay_all();
    for (uint64_t end = LATEST; end < 5 * RECORDS; end += LATEST) {
        add(end - LATEST, end);
        ck_assert_uint_gt(known(end - LATEST, end), LATEST - LATEST / 20);
    }
}
END_TEST

/* Adds keys in groups, of which each comes back once another was added: beyond the reach it
 * begins with. How many of the last group are known then. */
static uint64_t come_back(enum segment_queue queue)
{
    enum { GROUP = RECORDS / 3 };
    for (uint64_t at = 0; at < 3 * RECORDS; at++) {
        ghost_add(&ghost, hash_of(at), queue);
        if (at >= GROUP) {
            ghost_has(&ghost, hash_of(at - GROUP), RECORDS);
        }
    }
    return known(3 * RECORDS - GROUP, 3 * RECORDS);
}

START_TEST(young_records_that_come_back_late_widen_the_reach)
{
    pay_all();
    uint64_t before = ghost.reach;
    uint64_t many = come_back(SEGMENT_YOUNG);
    ck_assert_uint_gt(ghost.reach, before);
    ghost.reach = before;
    uint64_t few = come_back(SEGMENT_PROVEN);
    ck_assert_uint_lt(ghost.reach, before);
    ck_assert_uint_gt(many, 2 * few);
}
END_TEST

/* A key that is written again and again is told from keys that come back. */
START_TEST(a_key_comes_back_once)
{
    pay_all();
    add(0, 1);
    ghost_add(&ghost, hash_of(1), SEGMENT_PROVEN);
    ck_assert(ghost_has(&ghost, hash_of(1), RECORDS));
    uint64_t reach = ghost.reach;
    ck_assert(ghost_has(&ghost, hash_of(1), RECORDS));
    ck_assert_uint_eq(ghost.reach, reach);
    ghost_add(&ghost, hash_of(1), SEGMENT_PROVEN);
    ck_assert(ghost_has(&ghost, hash_of(1), RECORDS));
    ck_assert_uint_lt(ghost.reach, reach);
}
END_TEST

START_TEST(strangers_are_seldom_taken_for_known)
{
    enum { STRANGERS = 100000 };
    pay_all();
    add(0, 3 * RECORDS);
    ck_assert_uint_lt(known(10 * RECORDS, 10 * RECORDS + STRANGERS), STRANGERS / 200);
}
END_TEST

START_TEST(what_was_long_ago_is_forgotten)
{
    pay_all();
    add(0, 3 * RECORDS);
    ck_assert_uint_lt(known(0, RECORDS), RECORDS / 20);
}
END_TEST

/* Nothing is kept, and nothing known, before all of it is paid for. */
START_TEST(it_is_paid_for_first)
{
    unsigned payments = 0;
    while (ghost.open == 0) {
        add(0, 100);
        ck_assert_uint_eq(known(0, 100), 0);
        ck_assert(ghost_pay(&ghost, &budget));
        payments++;
    }
    ck_assert_uint_gt(payments, 1);
    ck_assert_uint_eq(budget_used(&budget), ghost.count * sizeof(struct ghost_line));
    ck_assert_uint_lt(budget_used(&budget), MEMORY / 100);
    ck_assert(ghost_pay(&ghost, &budget)); /* once is enough */
    ck_assert_uint_lt(budget_used(&budget), MEMORY / 100);
}
END_TEST

START_TEST(without_memory_it_stays_closed)
{
    budget.limit = 4096;
    while (ghost_pay(&ghost, &budget)) {
        ck_assert_uint_eq(ghost.open, 0);
    }
    add(0, 100);
    ck_assert_uint_eq(known(0, 100), 0);
    ck_assert_uint_le(budget_used(&budget), budget_open(&budget));
}
END_TEST

static void settle(void)
{
    while (ghost_settle(&ghost, &budget)) {
        ck_assert_uint_eq(ghost.open, 0);
        /* It takes nothing meanwhile. */
        uint64_t used = budget_used(&budget);
        ck_assert(ghost.count == ghost.wanted || ghost_pay(&ghost, &budget));
        ck_assert_uint_eq(budget_used(&budget), used);
    }
}

/* With another memory it is another: all is given back and forgotten, and begins anew. */
START_TEST(another_memory)
{
    static const uint64_t memories[] = {MOST, MEMORY / 4, MEMORY, MOST};
    uint32_t count = ghost.count;
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++) {
        pay_all();
        add(0, 1000);
        ck_assert_uint_gt(known(0, 1000), 900);
        uint64_t used = budget_used(&budget);
        budget.limit = MOST;
        ck_assert(ghost_open(&ghost, memories[i]));
        ghost_resize(&ghost, memories[i]);
        ck_assert_uint_eq(budget_used(&budget), used);
        settle();
        ck_assert_uint_eq(budget_used(&budget), 0);
        ck_assert_uint_eq(known(0, 1000), 0);
        ck_assert(ghost.count != count);
        count = ghost.count;
    }
    pay_all();
    add(0, 100000);
    ck_assert_uint_gt(known(99000, 100000), 900);
    ghost_resize(&ghost, MOST);
    ck_assert(!ghost_settle(&ghost, &budget)); /* it is so already */
    ck_assert_uint_gt(known(99000, 100000), 900);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ghost");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, the_latest_are_remembered);
    tcase_add_test(all, young_records_that_come_back_late_widen_the_reach);
    tcase_add_test(all, a_key_comes_back_once);
    tcase_add_test(all, strangers_are_seldom_taken_for_known);
    tcase_add_test(all, what_was_long_ago_is_forgotten);
    tcase_add_test(all, it_is_paid_for_first);
    tcase_add_test(all, without_memory_it_stays_closed);
    tcase_add_test(all, another_memory);
    suite_add_tcase(suite, all);

    return suite_run(suite);
}

/*
 * check_login_queue.c - turns and delays, on a clock of numbers.
 */
#include "daemon/auth/login_queue.h"

#include <check.h>
#include <stdlib.h>

#include "tests/auth/queue_fixture.h"
#include "tests/support/suite.h"

enum { MANY = 1000, MANY_ADDRESSES = 100000 };

/* --- turns ----------------------------------------------------------------- */

START_TEST(without_petitions_it_is_nobodys_turn)
{
    ck_assert_uint_eq(line_due(), UINT64_MAX);
    ck_assert(line_trusts(1));
}
END_TEST

START_TEST(of_one_address_the_first_is_first)
{
    struct petition petitions[3];

    for (int i = 0; i < 3; i++) {
        ck_assert(line_add(&petitions[i], 1));
    }
    for (int i = 0; i < 3; i++) {
        line_expect(&petitions[i], GATE_RIGHT);
    }
    ck_assert_uint_eq(line_due(), UINT64_MAX);
    ck_assert(TAILQ_EMPTY(&line.out));
}
END_TEST

START_TEST(the_turn_goes_round_by_address)
{
    struct petition a[3], b[2], c;

    for (uint64_t number = 1; number <= 3; number++) {
        line_know(number);
    }
    for (int i = 0; i < 3; i++) {
        ck_assert(line_add(&a[i], 1));
    }
    ck_assert(line_add(&b[0], 2));
    ck_assert(line_add(&b[1], 2));
    ck_assert(line_add(&c, 3));
    struct petition *const order[] = {&a[0], &b[0], &c, &a[1], &b[1], &a[2]};
    for (int i = 0; i < 6; i++) {
        line_expect(order[i], GATE_RIGHT);
    }
    ck_assert_uint_eq(line_due(), UINT64_MAX);
}
END_TEST

START_TEST(what_comes_during_a_turn_is_not_before_others)
{
    struct petition a[2], b;

    line_know(1);
    line_know(2);
    ck_assert(line_add(&a[0], 1));
    ck_assert_ptr_eq(line_next(), &a[0]);
    ck_assert(line_add(&a[1], 1));
    ck_assert(line_add(&b, 2));
    line_settle(GATE_RIGHT);
    line_expect(&b, GATE_RIGHT);
    line_expect(&a[1], GATE_RIGHT);
}
END_TEST

/* Where hundreds wait, the newest is among the next two. */
START_TEST(of_fresh_ones_the_last_is_served_as_often_as_the_first)
{
    static struct petition petitions[MANY];
    struct petition newest;

    for (uint64_t i = 0; i < MANY; i++) {
        ck_assert(line_add(&petitions[i], i));
    }
    for (int i = 0; i < 10; i++) {
        line_expect(&petitions[i], GATE_WRONG);
        line_expect(&petitions[MANY - 1 - i], GATE_WRONG);
    }
    ck_assert(line_add(&newest, MANY_ADDRESSES));
    line_expect(&petitions[10], GATE_WRONG);
    line_expect(&newest, GATE_RIGHT);
}
END_TEST

/* Of four turns two are for the known, and one for each of the others. */
START_TEST(known_addresses_go_first_and_others_are_not_left_out)
{
    static struct petition known[MANY], fresh[MANY], failed[MANY];
    const struct petition *petition;
    int turns[3] = {0};

    for (uint64_t i = 0; i < MANY; i++) {
        line_know(i);
        line_let_fail(2 * MANY + i);
    }
    line.now += GATE_DELAY_MS;
    for (uint64_t i = 0; i < MANY; i++) {
        ck_assert(line_add(&known[i], i));
        ck_assert(line_add(&fresh[i], MANY + i));
        ck_assert(line_add(&failed[i], 2 * MANY + i));
    }
    for (int i = 0; i < 400; i++) {
        petition = line_next();
        turns[petition->address.number / MANY]++;
        line_settle(GATE_WRONG);
    }
    ck_assert_int_eq(turns[0], 200);
    ck_assert_int_eq(turns[1], 100);
    ck_assert_int_eq(turns[2], 100);
}
END_TEST

START_TEST(a_right_secret_makes_its_address_known)
{
    static struct petition others[MANY];
    struct petition mine;
    int turns = 0;

    ck_assert(line_add(&mine, 1));
    line_expect(&mine, GATE_RIGHT);
    line.now += 100 * GATE_FORGET_MS;
    for (uint64_t i = 0; i < MANY; i++) {
        ck_assert(line_add(&others[i], 2 + i));
    }
    ck_assert(line_add(&mine, 1));
    for (int i = 0; i < 400; i++) {
        bool is_mine = line_next() == &mine;
        line_settle(is_mine ? GATE_RIGHT : GATE_WRONG);
        ck_assert(!is_mine || line_add(&mine, 1));
        turns += is_mine;
    }
    ck_assert_int_eq(turns, 300); /* nothing that has failed is ready */
}
END_TEST

/* --- failures -------------------------------------------------------------- */

START_TEST(each_failure_doubles_the_delay_up_to_a_bound)
{
    uint64_t expected = GATE_DELAY_MS;

    line_let_fail(1);
    for (int i = 0; i < 50; i++) {
        ck_assert_uint_eq(line_delay_of(1), expected);
        expected = 2 * expected < GATE_DELAY_MOST_MS ? 2 * expected : GATE_DELAY_MOST_MS;
    }
}
END_TEST

START_TEST(a_delay_counts_from_the_failure)
{
    struct petition petition;

    line_let_fail(1);
    line.now += GATE_DELAY_MS - 1;
    ck_assert(line_add(&petition, 1));
    ck_assert_uint_eq(line_due(), line.now + 1);
    line.now++;
    line_expect(&petition, GATE_RIGHT);
}
END_TEST

START_TEST(nobody_waits_with_who_is_delayed)
{
    struct petition a, b[2], c;

    line_let_fail(1);
    line_let_fail(2);
    line.now++;
    line_let_fail(3);
    line.now++;
    ck_assert(line_add(&c, 3)); /* due after the other two, although it asks first */
    ck_assert(line_add(&a, 1));
    ck_assert(line_add(&b[0], 4));
    ck_assert(line_add(&b[1], 4));
    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_eq(line_next(), &b[i]);
        line_settle(GATE_RIGHT);
    }
    ck_assert_uint_eq(line_due(), LINE_START + GATE_DELAY_MS);
    line.now = line_due();
    ck_assert_ptr_eq(line_next(), &a);
    line_settle(GATE_RIGHT);
    ck_assert_uint_eq(line_due(), LINE_START + GATE_DELAY_MS + 1);
    line.now = line_due();
    ck_assert_ptr_eq(line_next(), &c);
    line_settle(GATE_RIGHT);
}
END_TEST

START_TEST(who_has_become_ready_takes_a_turn_among_others)
{
    struct petition a, b[2], c[2];

    line_let_fail(1);
    line_know(2);
    line_know(3);
    ck_assert(line_add(&a, 1));
    for (int i = 0; i < 2; i++) {
        ck_assert(line_add(&b[i], 2));
        ck_assert(line_add(&c[i], 3));
    }
    ck_assert_ptr_eq(line_next(), &b[0]);
    line.now += GATE_DELAY_MS;
    line_settle(GATE_RIGHT);
    struct petition *const order[] = {&c[0], &a, &b[1], &c[1]};
    for (int i = 0; i < 4; i++) {
        line_expect(order[i], GATE_RIGHT);
    }
}
END_TEST

START_TEST(failures_are_forgotten_at_once_after_quiet)
{
    line_let_fail(1);
    for (int i = 0; i < 4; i++) {
        line_delay_of(1);
    }
    line.now += GATE_FORGET_MS - 1;
    ck_assert(!line_trusts(1));
    line.now++;
    ck_assert(line_trusts(1));
    line_let_fail(1);
    ck_assert(!line_trusts(1));
    ck_assert_uint_eq(line_delay_of(1), GATE_DELAY_MS);
}
END_TEST

START_TEST(each_failure_begins_the_quiet_anew)
{
    line_let_fail(1);
    for (int i = 0; i < 3; i++) {
        line.now += GATE_FORGET_MS - 1;
        line_let_fail(1); /* the delay is over long ago */
        ck_assert(!line_trusts(1));
    }
    ck_assert_uint_eq(line_delay_of(1), 8 * GATE_DELAY_MS);
}
END_TEST

START_TEST(a_success_takes_nothing_back_and_costs_nothing)
{
    struct petition petitions[2];

    line_let_fail(1);
    ck_assert_uint_eq(line_delay_of(1), GATE_DELAY_MS);
    ck_assert(line_add(&petitions[0], 1));
    ck_assert(line_add(&petitions[1], 1));
    ck_assert_uint_eq(line_due(), line.now + 2 * GATE_DELAY_MS);
    line.now = line_due();
    for (int i = 1; i >= 0; i--) { /* where one has failed, the last first */
        line_expect(&petitions[i], GATE_RIGHT);
        ck_assert(!line_trusts(1));
    }
    line_let_fail(1);
    ck_assert_uint_eq(line_delay_of(1), 4 * GATE_DELAY_MS);
}
END_TEST

START_TEST(who_waits_is_not_trusted)
{
    struct petition petition;

    ck_assert(line_add(&petition, 1));
    ck_assert(!line_trusts(1));
    ck_assert(line_trusts(2));
    ck_assert_ptr_eq(line_next(), &petition);
    ck_assert(!line_trusts(1));
    line_settle(GATE_RIGHT);
    ck_assert(line_trusts(1));
}
END_TEST

START_TEST(what_is_known_to_be_wrong_is_no_failure)
{
    struct petition petitions[2];

    ck_assert(line_add(&petitions[0], 1));
    ck_assert(line_add(&petitions[1], 1));
    line_expect(&petitions[0], GATE_KNOWN_WRONG);
    line_expect(&petitions[1], GATE_KNOWN_WRONG);
    ck_assert(line_trusts(1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gate_queue");
    TCase *turns = tcase_create("turns");
    tcase_add_checked_fixture(turns, line_open, line_close);
    tcase_add_test(turns, without_petitions_it_is_nobodys_turn);
    tcase_add_test(turns, of_one_address_the_first_is_first);
    tcase_add_test(turns, the_turn_goes_round_by_address);
    tcase_add_test(turns, what_comes_during_a_turn_is_not_before_others);
    tcase_add_test(turns, of_fresh_ones_the_last_is_served_as_often_as_the_first);
    tcase_add_test(turns, known_addresses_go_first_and_others_are_not_left_out);
    tcase_add_test(turns, a_right_secret_makes_its_address_known);
    suite_add_tcase(suite, turns);

    TCase *failures = tcase_create("failures");
    tcase_add_checked_fixture(failures, line_open, line_close);
    tcase_add_test(failures, each_failure_doubles_the_delay_up_to_a_bound);
    tcase_add_test(failures, a_delay_counts_from_the_failure);
    tcase_add_test(failures, nobody_waits_with_who_is_delayed);
    tcase_add_test(failures, who_has_become_ready_takes_a_turn_among_others);
    tcase_add_test(failures, failures_are_forgotten_at_once_after_quiet);
    tcase_add_test(failures, each_failure_begins_the_quiet_anew);
    tcase_add_test(failures, a_success_takes_nothing_back_and_costs_nothing);
    tcase_add_test(failures, who_waits_is_not_trusted);
    tcase_add_test(failures, what_is_known_to_be_wrong_is_no_failure);
    suite_add_tcase(suite, failures);

    return suite_run(suite);
}

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
    struct login_request logins[3];
    for (int i = 0; i < 3; i++) {
        ck_assert(line_add(&logins[i], 1));
    }
    for (int i = 0; i < 3; i++) {
        line_expect(&logins[i], LOGIN_RIGHT);
    }
    ck_assert_uint_eq(line_due(), UINT64_MAX);
    ck_assert(TAILQ_EMPTY(&line.out));
}
END_TEST

START_TEST(the_turn_goes_round_by_address)
{
    struct login_request a[3], b[2], c;
    for (uint64_t number = 1; number <= 3; number++) {
        line_know(number);
    }
    for (int i = 0; i < 3; i++) {
        ck_assert(line_add(&a[i], 1));
    }
    ck_assert(line_add(&b[0], 2));
    ck_assert(line_add(&b[1], 2));
    ck_assert(line_add(&c, 3));
    struct login_request *const order[] = {&a[0], &b[0], &c, &a[1], &b[1], &a[2]};
    for (int i = 0; i < 6; i++) {
        line_expect(order[i], LOGIN_RIGHT);
    }
    ck_assert_uint_eq(line_due(), UINT64_MAX);
}
END_TEST

START_TEST(what_comes_during_a_turn_is_not_before_others)
{
    struct login_request a[2], b;
    line_know(1);
    line_know(2);
    ck_assert(line_add(&a[0], 1));
    ck_assert_ptr_eq(line_next(), &a[0]);
    ck_assert(line_add(&a[1], 1));
    ck_assert(line_add(&b, 2));
    line_settle(LOGIN_RIGHT);
    line_expect(&b, LOGIN_RIGHT);
    line_expect(&a[1], LOGIN_RIGHT);
}
END_TEST

/* Where hundreds wait, the newest is among the next two. */
START_TEST(of_fresh_ones_the_last_is_served_as_often_as_the_first)
{
    static struct login_request logins[MANY];
    struct login_request newest;
    for (uint64_t i = 0; i < MANY; i++) {
        ck_assert(line_add(&logins[i], i));
    }
    for (int i = 0; i < 10; i++) {
        line_expect(&logins[i], LOGIN_WRONG);
        line_expect(&logins[MANY - 1 - i], LOGIN_WRONG);
    }
    ck_assert(line_add(&newest, MANY_ADDRESSES));
    line_expect(&logins[10], LOGIN_WRONG);
    line_expect(&newest, LOGIN_RIGHT);
}
END_TEST

/* Of four turns two are for the known, and one for each of the others. */
START_TEST(known_addresses_go_first_and_others_are_not_left_out)
{
    static struct login_request known[MANY], fresh[MANY], failed[MANY];
    const struct login_request *login;
    int turns[3] = {0};
    for (uint64_t i = 0; i < MANY; i++) {
        line_know(i);
        line_let_fail(2 * MANY + i);
    }
    line.now += LOGIN_DELAY_MS;
    for (uint64_t i = 0; i < MANY; i++) {
        ck_assert(line_add(&known[i], i));
        ck_assert(line_add(&fresh[i], MANY + i));
        ck_assert(line_add(&failed[i], 2 * MANY + i));
    }
    for (int i = 0; i < 400; i++) {
        login = line_next();
        turns[login->address.number / MANY]++;
        line_settle(LOGIN_WRONG);
    }
    ck_assert_int_eq(turns[0], 200);
    ck_assert_int_eq(turns[1], 100);
    ck_assert_int_eq(turns[2], 100);
}
END_TEST

START_TEST(a_right_secret_makes_its_address_known)
{
    static struct login_request others[MANY];
    struct login_request mine;
    int turns = 0;
    ck_assert(line_add(&mine, 1));
    line_expect(&mine, LOGIN_RIGHT);
    line.now += 100 * LOGIN_FORGET_MS;
    for (uint64_t i = 0; i < MANY; i++) {
        ck_assert(line_add(&others[i], 2 + i));
    }
    ck_assert(line_add(&mine, 1));
    for (int i = 0; i < 400; i++) {
        bool is_mine = line_next() == &mine;
        line_settle(is_mine ? LOGIN_RIGHT : LOGIN_WRONG);
        ck_assert(!is_mine || line_add(&mine, 1));
        turns += is_mine;
    }
    ck_assert_int_eq(turns, 300); /* nothing that has failed is ready */
}
END_TEST

/* --- failures -------------------------------------------------------------- */

START_TEST(each_failure_doubles_the_delay_up_to_a_bound)
{
    uint64_t expected = LOGIN_DELAY_MS;
    line_let_fail(1);
    for (int i = 0; i < 50; i++) {
        ck_assert_uint_eq(line_delay_of(1), expected);
        expected = 2 * expected < LOGIN_DELAY_MOST_MS ? 2 * expected : LOGIN_DELAY_MOST_MS;
    }
}
END_TEST

START_TEST(a_delay_counts_from_the_failure)
{
    struct login_request login;
    line_let_fail(1);
    line.now += LOGIN_DELAY_MS - 1;
    ck_assert(line_add(&login, 1));
    ck_assert_uint_eq(line_due(), line.now + 1);
    line.now++;
    line_expect(&login, LOGIN_RIGHT);
}
END_TEST

START_TEST(nobody_waits_with_who_is_delayed)
{
    struct login_request a, b[2], c;
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
        line_settle(LOGIN_RIGHT);
    }
    ck_assert_uint_eq(line_due(), LINE_START + LOGIN_DELAY_MS);
    line.now = line_due();
    ck_assert_ptr_eq(line_next(), &a);
    line_settle(LOGIN_RIGHT);
    ck_assert_uint_eq(line_due(), LINE_START + LOGIN_DELAY_MS + 1);
    line.now = line_due();
    ck_assert_ptr_eq(line_next(), &c);
    line_settle(LOGIN_RIGHT);
}
END_TEST

START_TEST(who_has_become_ready_takes_a_turn_among_others)
{
    struct login_request a, b[2], c[2];
    line_let_fail(1);
    line_know(2);
    line_know(3);
    ck_assert(line_add(&a, 1));
    for (int i = 0; i < 2; i++) {
        ck_assert(line_add(&b[i], 2));
        ck_assert(line_add(&c[i], 3));
    }
    ck_assert_ptr_eq(line_next(), &b[0]);
    line.now += LOGIN_DELAY_MS;
    line_settle(LOGIN_RIGHT);
    struct login_request *const order[] = {&c[0], &a, &b[1], &c[1]};
    for (int i = 0; i < 4; i++) {
        line_expect(order[i], LOGIN_RIGHT);
    }
}
END_TEST

START_TEST(failures_are_forgotten_at_once_after_quiet)
{
    line_let_fail(1);
    for (int i = 0; i < 4; i++) {
        line_delay_of(1);
    }
    line.now += LOGIN_FORGET_MS - 1;
    ck_assert(!line_trusts(1));
    line.now++;
    ck_assert(line_trusts(1));
    line_let_fail(1);
    ck_assert(!line_trusts(1));
    ck_assert_uint_eq(line_delay_of(1), LOGIN_DELAY_MS);
}
END_TEST

START_TEST(each_failure_begins_the_quiet_anew)
{
    line_let_fail(1);
    for (int i = 0; i < 3; i++) {
        line.now += LOGIN_FORGET_MS - 1;
        line_let_fail(1); /* the delay is over long ago */
        ck_assert(!line_trusts(1));
    }
    ck_assert_uint_eq(line_delay_of(1), 8 * LOGIN_DELAY_MS);
}
END_TEST

START_TEST(a_success_takes_nothing_back_and_costs_nothing)
{
    struct login_request logins[2];
    line_let_fail(1);
    ck_assert_uint_eq(line_delay_of(1), LOGIN_DELAY_MS);
    ck_assert(line_add(&logins[0], 1));
    ck_assert(line_add(&logins[1], 1));
    ck_assert_uint_eq(line_due(), line.now + 2 * LOGIN_DELAY_MS);
    line.now = line_due();
    for (int i = 1; i >= 0; i--) { /* where one has failed, the last first */
        line_expect(&logins[i], LOGIN_RIGHT);
        ck_assert(!line_trusts(1));
    }
    line_let_fail(1);
    ck_assert_uint_eq(line_delay_of(1), 4 * LOGIN_DELAY_MS);
}
END_TEST

START_TEST(who_waits_is_not_trusted)
{
    struct login_request login;
    ck_assert(line_add(&login, 1));
    ck_assert(!line_trusts(1));
    ck_assert(line_trusts(2));
    ck_assert_ptr_eq(line_next(), &login);
    ck_assert(!line_trusts(1));
    line_settle(LOGIN_RIGHT);
    ck_assert(line_trusts(1));
}
END_TEST

START_TEST(what_is_known_to_be_wrong_is_no_failure)
{
    struct login_request logins[2];
    ck_assert(line_add(&logins[0], 1));
    ck_assert(line_add(&logins[1], 1));
    line_expect(&logins[0], LOGIN_KNOWN_WRONG);
    line_expect(&logins[1], LOGIN_KNOWN_WRONG);
    ck_assert(line_trusts(1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("login_queue");
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

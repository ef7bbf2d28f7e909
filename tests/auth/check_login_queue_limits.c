/*
 * check_login_queue_limits.c - what leaves the authenticator's queue without a turn, and how many
 * addresses there is room for.
 */
#include "daemon/auth/login_queue.h"

#include <check.h>
#include <stdlib.h>

#include "tests/auth/queue_fixture.h"
#include "tests/support/suite.h"

enum {
    MANY = 1000,
    MANY_ADDRESSES = 100000,
    KNOWN_MAX = LOGIN_ADDRESSES_MAX / 4,
};

/* --- withdrawing ------------------------------------------------------------ */

START_TEST(what_is_withdrawn_has_no_turn_and_is_no_failure)
{
    struct login_request a[3], b;
    for (int i = 0; i < 3; i++) {
        ck_assert(line_add(&a[i], 1));
    }
    ck_assert(line_add(&b, 2));
    ck_assert(login_queue_withdraw(line.queue, &a[0], line.now));
    ck_assert(!login_queue_withdraw(line.queue, &a[0], line.now));
    ck_assert(login_queue_withdraw(line.queue, &b, line.now));
    ck_assert_ptr_eq(line_next(), &a[1]);
    ck_assert(!login_queue_withdraw(line.queue, &a[1], line.now));
    ck_assert(
        login_queue_withdraw(line.queue, &a[2], line.now)); /* during the turn of its address */
    line_settle(LOGIN_RIGHT);
    ck_assert_uint_eq(line_due(), UINT64_MAX);
    ck_assert(line_trusts(1));
    ck_assert(line_trusts(2));
}
END_TEST

/* Or a thousand guesses could be compared with what is remembered. */
START_TEST(what_was_compared_and_is_withdrawn_is_a_failure_that_delays_nothing)
{
    struct login_request login;
    ck_assert(line_add(&login, 1));
    login.compared = true;
    ck_assert(login_queue_withdraw(line.queue, &login, line.now));
    ck_assert(!line_trusts(1));
    ck_assert(line_add(&login, 1));
    line_expect(&login, LOGIN_WRONG);
    ck_assert_uint_eq(line_delay_of(1), 2 * LOGIN_DELAY_MS);
}
END_TEST

START_TEST(a_delayed_address_whose_last_petition_is_withdrawn_is_quiet)
{
    struct login_request login;
    line_let_fail(1);
    ck_assert(line_add(&login, 1));
    ck_assert_uint_eq(line_due(), line.now + LOGIN_DELAY_MS);
    ck_assert(login_queue_withdraw(line.queue, &login, line.now));
    ck_assert_uint_eq(line_due(), UINT64_MAX);
    ck_assert_uint_eq(line_delay_of(1), LOGIN_DELAY_MS);
}
END_TEST

START_TEST(patience_ends)
{
    struct login_request logins[3];
    for (int i = 0; i < 10; i++) {
        line_let_fail(1);
        line.now += LOGIN_DELAY_MOST_MS;
    }
    line_let_fail(1);
    ck_assert(line_add(&logins[0], 1));
    line.now += LOGIN_DELAY_MOST_MS;
    ck_assert(line_add(&logins[1], 1));
    line_expect(&logins[1], LOGIN_WRONG); /* the last first */
    line.now += LOGIN_DELAY_MOST_MS;
    ck_assert(line_add(&logins[1], 1));
    line_expect(&logins[1], LOGIN_WRONG);
    ck_assert(line_add(&logins[2], 1));
    ck_assert_uint_eq(line_due(), line.now + LOGIN_DELAY_MOST_MS);
    line.now += LOGIN_DELAY_MOST_MS - 1;
    login_queue_expire(line.queue, line.now, &line.out);
    ck_assert_uint_eq(line_count_out(), 0);
    line.now++;
    login_queue_expire(line.queue, line.now, &line.out);
    ck_assert_uint_eq(line_count_out(), 1);
    ck_assert_ptr_eq(TAILQ_FIRST(&line.out), &logins[0]);
    line_expect(&logins[2], LOGIN_WRONG);
}
END_TEST

/* --- bounds ----------------------------------------------------------------- */

START_TEST(no_more_addresses_are_remembered_than_there_may_be)
{
    for (uint64_t i = 0; i < MANY_ADDRESSES; i++) {
        ck_assert(line_trusts(i));
        line_let_fail(i);
    }
    for (uint64_t i = 0; i < MANY_ADDRESSES; i++) {
        ck_assert_int_eq(line_trusts(i), i < MANY_ADDRESSES - LOGIN_ADDRESSES_MAX);
    }
}
END_TEST

/* A failure makes an address the last to be forgotten. */
START_TEST(who_is_quiet_for_longest_is_forgotten_first)
{
    for (uint64_t i = 0; i < LOGIN_ADDRESSES_MAX; i++) {
        line_let_fail(i);
    }
    line.now += LOGIN_DELAY_MS;
    line_let_fail(0);
    line_let_fail(LOGIN_ADDRESSES_MAX);
    ck_assert(!line_trusts(0));
    ck_assert(line_trusts(1));
    ck_assert(!line_trusts(2));
    ck_assert(!line_trusts(LOGIN_ADDRESSES_MAX));
}
END_TEST

/* However many fail elsewhere. */
START_TEST(known_addresses_are_kept)
{
    for (uint64_t i = 0; i < KNOWN_MAX; i++) {
        line_know(MANY_ADDRESSES + i);
    }
    for (uint64_t i = 0; i < MANY_ADDRESSES; i++) {
        line_let_fail(i);
    }
    struct login_request known[KNOWN_MAX], fresh;
    ck_assert(line_add(&fresh, 2 * MANY_ADDRESSES));
    for (uint64_t i = 0; i < KNOWN_MAX; i++) {
        ck_assert(line_add(&known[i], MANY_ADDRESSES + i));
    }
    int waited = 0;
    for (const struct login_request *login = NULL; login != &fresh; waited++) {
        login = line_next();
        line_settle(LOGIN_WRONG);
    }
    ck_assert_int_le(waited, 4);
}
END_TEST

/* Nor does what is remembered of those that failed go for them. */
START_TEST(known_addresses_leave_room)
{
    for (uint64_t i = 0; i < MANY; i++) {
        line_let_fail(i);
    }
    for (uint64_t i = 0; i < MANY_ADDRESSES; i++) {
        line_know(MANY + i);
    }
    for (uint64_t i = 0; i < MANY; i++) {
        ck_assert(!line_trusts(i));
    }
}
END_TEST

START_TEST(where_all_are_fresh_the_first_goes_for_one_more)
{
    static struct login_request logins[LOGIN_ADDRESSES_MAX];
    struct login_request more;
    for (uint64_t i = 0; i < LOGIN_ADDRESSES_MAX; i++) {
        ck_assert(line_add(&logins[i], i));
    }
    ck_assert(line_trusts(MANY_ADDRESSES));
    ck_assert(line_add(&more, MANY_ADDRESSES));
    ck_assert_uint_eq(line_count_out(), 1);
    ck_assert_ptr_eq(TAILQ_FIRST(&line.out), &logins[0]);
    ck_assert(!login_queue_withdraw(line.queue, &logins[0], line.now));
    line_expect(&logins[1], LOGIN_RIGHT);
    line_expect(&more, LOGIN_RIGHT);
}
END_TEST

START_TEST(where_all_have_failed_and_wait_there_is_no_room)
{
    static struct login_request logins[LOGIN_ADDRESSES_MAX];
    struct login_request more, again;
    for (uint64_t i = 0; i < LOGIN_ADDRESSES_MAX; i++) {
        line_let_fail(i);
        ck_assert(line_add(&logins[i], i));
    }
    ck_assert(!line_trusts(MANY_ADDRESSES));
    ck_assert(!line_add(&more, MANY_ADDRESSES));
    line_know(MANY_ADDRESSES);
    ck_assert(line_add(&again, 7));
    ck_assert(TAILQ_EMPTY(&line.out));
    login_queue_drain(line.queue, &line.out);
    ck_assert_uint_eq(line_due(), UINT64_MAX);
    ck_assert_uint_eq(line_count_out(), LOGIN_ADDRESSES_MAX + 1);
    ck_assert(!line_trusts(0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("login queue limits");
    TCase *leaving = tcase_create("leaving");
    tcase_add_checked_fixture(leaving, line_open, line_close);
    tcase_add_test(leaving, what_is_withdrawn_has_no_turn_and_is_no_failure);
    tcase_add_test(leaving, what_was_compared_and_is_withdrawn_is_a_failure_that_delays_nothing);
    tcase_add_test(leaving, a_delayed_address_whose_last_petition_is_withdrawn_is_quiet);
    tcase_add_test(leaving, patience_ends);
    suite_add_tcase(suite, leaving);

    TCase *bounds = tcase_create("bounds");
    tcase_add_checked_fixture(bounds, line_open, line_close);
    tcase_add_test(bounds, no_more_addresses_are_remembered_than_there_may_be);
    tcase_add_test(bounds, who_is_quiet_for_longest_is_forgotten_first);
    tcase_add_test(bounds, known_addresses_are_kept);
    tcase_add_test(bounds, known_addresses_leave_room);
    tcase_add_test(bounds, where_all_are_fresh_the_first_goes_for_one_more);
    tcase_add_test(bounds, where_all_have_failed_and_wait_there_is_no_room);
    suite_add_tcase(suite, bounds);

    return suite_run(suite);
}

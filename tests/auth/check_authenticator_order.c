/*
 * check_authenticator_order.c - the order of logins where many wait, what becomes
 * of those that go, and of secrets that were wrong before.
 */
#include "daemon/auth/authenticator.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/auth/wrong_secrets.h"
#include "tests/auth/logins_fixture.h"
#include "tests/auth/users_fixture.h"
#include "tests/support/suite.h"

enum {
    MANY = 1000,
    GUESSES = 12, /* enough to reach the longest delay */
};

/* --- turns --------------------------------------------------------------------- */

START_TEST(the_turn_goes_round_by_address)
{
    struct visitor a[4], b[2], c;
    for (uint64_t address = 1; address <= 3; address++) {
        ck_assert_ptr_nonnull(visitors_try(address, "user9", "secret9"));
    }
    unsigned before = visitors.answers;
    visitor_hold(&a[0], 1, "user0", "secret0");
    visitor_ask(&a[1], 1, "user1", "secret1");
    visitor_ask(&a[2], 1, "user2", "secret2");
    visitor_ask(&a[3], 1, "user3", "secret3");
    visitor_ask(&b[0], 2, "user4", "secret4");
    visitor_ask(&b[1], 2, "user5", "secret5");
    visitor_ask(&c, 3, "user6", "secret6");
    visitors_let_go();
    struct visitor *const order[] = {&a[0], &b[0], &c, &a[1], &b[1], &a[2], &a[3]};
    for (unsigned i = 0; i < 7; i++) {
        ck_assert_ptr_nonnull(visitor_outcome(order[i]));
        ck_assert_uint_eq(visitor_answer(order[i]), before + i + 1);
    }
    ck_assert_uint_eq(visitors_checks(), 8);
}
END_TEST

START_TEST(a_thousand_guesses_delay_another_by_one_check)
{
    static struct visitor guesses[MANY];
    struct visitor other;
    visitor_hold(&guesses[0], 1, "user0", visitors_guess());
    for (int i = 1; i < MANY; i++) {
        visitor_ask(&guesses[i], 1, "user0", visitors_guess());
    }
    visitor_ask(&other, 2, "user1", "secret1");
    visitors_let_go();
    ck_assert_str_eq(visitor_outcome(&other), "user1");
    ck_assert_uint_eq(visitors_checks(), 2);
    /* They get one look each time, until their patience ends. */
    for (int i = 0; i < 4; i++) {
        visitors_pass_time(LOGIN_DELAY_MOST_MS);
        visitors_fence();
    }
    for (int i = 0; i < MANY; i++) {
        ck_assert_ptr_null(visitor_outcome(&guesses[i]));
    }
    ck_assert_uint_le(visitors_checks(), 2 + 3 + 4 * VISITORS_FENCE);
}
END_TEST

/* However many come from everywhere, and stay. */
START_TEST(a_thousand_addresses_delay_another_by_two_checks)
{
    static struct visitor guesses[MANY];
    struct visitor other;
    visitor_hold(&guesses[0], 1, "user0", visitors_guess());
    for (int i = 1; i < MANY; i++) {
        visitor_ask(&guesses[i], 1 + (uint64_t)i, "user0", visitors_guess());
    }
    visitor_ask(&other, VISITORS_ELSEWHERE, "user1", "secret1");
    visitors_let_go();
    ck_assert_str_eq(visitor_outcome(&other), "user1");
    ck_assert_uint_le(visitor_answer(&other), 3);
}
END_TEST

/* --- logins that are withdrawn -------------------------------------------------------------------
 */

START_TEST(what_is_withdrawn_is_not_answered_and_takes_no_check)
{
    static struct visitor guesses[MANY];
    struct visitor first, last;
    visitor_hold(&first, VISITORS_ELSEWHERE, "user0", visitors_guess());
    for (int i = 0; i < MANY; i++) {
        visitor_ask(&guesses[i], 1 + (uint64_t)i % 100, "user0", visitors_guess());
    }
    visitor_ask(&last, 1, "user1", "secret1");
    for (int i = 0; i < MANY; i++) {
        ck_assert(authenticator_withdraw(visitors.authenticator, &guesses[i].login));
        ck_assert_uint_eq(guesses[i].login.secret_length, 0);
    }
    ck_assert(
        !authenticator_withdraw(visitors.authenticator, &first.login)); /* it is being checked */
    visitors_let_go();
    ck_assert_str_eq(visitor_outcome(&last), "user1");
    ck_assert_ptr_null(visitor_outcome(&first));
    ck_assert(!authenticator_withdraw(visitors.authenticator, &first.login)); /* it was answered */
    ck_assert_uint_eq(visitors_checks(), 2);
    for (int i = 0; i < MANY; i++) {
        ck_assert_uint_eq(visitor_answer(&guesses[i]), 0);
    }
}
END_TEST

/* A guess that goes as soon as it is not recalled has been one. */
START_TEST(what_is_withdrawn_finds_nothing_out)
{
    struct visitor first, visitor;
    ck_assert_str_eq(visitors_try(2, "user1", "secret1"), "user1");
    visitor_hold(&first, VISITORS_ELSEWHERE, "user0", visitors_guess());
    visitor_ask(&visitor, 1, "user1", visitors_guess());
    ck_assert(authenticator_withdraw(visitors.authenticator, &visitor.login));
    for (int i = 0; i < MANY; i++) {
        visitor_ask(&visitor, 1, "user1", i == MANY / 2 ? "secret1" : visitors_guess());
        ck_assert_uint_eq(visitor_answer(&visitor), 0);
        ck_assert(authenticator_withdraw(visitors.authenticator, &visitor.login));
    }
    visitors_let_go();
    ck_assert_ptr_null(visitor_outcome(&first));
    ck_assert_str_eq(visitors_try(1, "user1", "secret1"),
                     "user1"); /* and nothing was held against it */
}
END_TEST

/* --- what is known to be wrong ------------------------------------------------------ */

/* Two clients that go on with an old secret, and one of the same address that has the new. */
START_TEST(an_old_secret_keeps_none_out)
{
    static struct visitor old[MANY];
    struct visitor right;
    ck_assert_ptr_null(visitors_try(1, "user1", "old"));
    for (int i = 0; i < MANY; i++) {
        visitor_ask(&old[i], 1, "user1", "old");
    }
    visitor_ask(&right, 1, "user1", "secret1");
    visitor_expect_delay(&right, LOGIN_DELAY_MS); /* of the one failure that there was */
    ck_assert_str_eq(visitor_outcome(&right), "user1");
    ck_assert_str_eq(visitors_try(1, "user2", "secret2"), "user2"); /* at once */
    for (int i = 0; i < 4; i++) {
        visitors_pass_time(LOGIN_DELAY_MOST_MS);
        visitors_fence();
    }
    for (int i = 0; i < MANY; i++) {
        ck_assert_ptr_null(visitor_outcome(&old[i]));
    }
    ck_assert_uint_eq(visitors_checks(), 3 + 5 * VISITORS_FENCE);
}
END_TEST

/* Nor where all of them came before it was known. */
START_TEST(an_old_secret_is_checked_once)
{
    static struct visitor old[MANY];
    visitor_hold(&old[0], 1, "user1", "old");
    for (int i = 1; i < MANY; i++) {
        visitor_ask(&old[i], 1, "user1", "old");
    }
    visitors_let_go();
    ck_assert_ptr_null(visitor_outcome(&old[0]));
    visitors_pass_time(LOGIN_DELAY_MS); /* for all of them together */
    for (int i = 1; i < MANY; i++) {
        ck_assert_ptr_null(visitor_outcome(&old[i]));
    }
    ck_assert_uint_eq(visitors_checks(), 1);
}
END_TEST

/* It waits all the same: what knows nothing better shall not keep the processor busy. */
START_TEST(an_old_secret_waits_longer_each_time)
{
    uint64_t delay = LOGIN_DELAY_MS;
    struct visitor visitor;
    ck_assert_ptr_null(visitors_try(1, "user0", "old"));
    for (int i = 0; i < GUESSES; i++) {
        visitor_ask(&visitor, 1, "user0", "old");
        visitor_expect_delay(&visitor, delay);
        delay = 2 * delay < LOGIN_DELAY_MOST_MS ? 2 * delay : LOGIN_DELAY_MOST_MS;
    }
}
END_TEST

/* Another address, another user, another secret of that user: all is checked. */
START_TEST(what_was_wrong_may_be_right_elsewhere_or_later)
{
    struct members members = {0};
    ck_assert_ptr_null(visitors_try(1, "user1", "secret2"));
    ck_assert_ptr_null(visitors_try(2, "user1", "secret2"));
    ck_assert_uint_eq(visitors_checks(), 2);
    visitors_pass_time(LOGIN_FORGET_MS);
    ck_assert_str_eq(visitors_try(1, "user2", "secret2"), "user2");
    ck_assert_ptr_null(visitors_try(1, "user12", "secret2"));
    visitors_pass_time(LOGIN_FORGET_MS);
    members_add(&members, "user1", "is secret2", NULL);
    visitors.users = members_users(&members, visitors.users);
    members_clear(&members);
    ck_assert_str_eq(visitors_try(1, "user1", "secret2"), "user1");
}
END_TEST

/* However much others guess: a client that goes on with it is not one that fails. */
START_TEST(an_old_secret_that_is_repeated_stays_known)
{
    uint64_t address = 10;
    struct visitor old;
    ck_assert_ptr_null(visitors_try(1, "user1", "old"));
    for (int round = 0; round < 3 * WRONG_SECRETS_MAX / MANY; round++) {
        for (int i = 0; i < MANY; i++) {
            ck_assert_ptr_null(visitors_try(address++, "user2", visitors_guess()));
        }
        unsigned before = visitors_checks();
        visitor_ask(&old, 1, "user1", "old");
        visitors_pass_time(LOGIN_DELAY_MOST_MS);
        ck_assert_ptr_null(visitor_outcome(&old));
        ck_assert_uint_eq(visitors_checks(), before);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("authenticator order");
    TCase *turns = tcase_create("turns");
    tcase_add_checked_fixture(turns, visitors_open, visitors_close);
    tcase_set_timeout(turns, 60);
    tcase_add_test(turns, the_turn_goes_round_by_address);
    tcase_add_test(turns, a_thousand_guesses_delay_another_by_one_check);
    tcase_add_test(turns, a_thousand_addresses_delay_another_by_two_checks);
    tcase_add_test(turns, what_is_withdrawn_is_not_answered_and_takes_no_check);
    tcase_add_test(turns, what_is_withdrawn_finds_nothing_out);
    suite_add_tcase(suite, turns);

    TCase *wrongs = tcase_create("wrongs");
    tcase_add_checked_fixture(wrongs, visitors_open, visitors_close);
    tcase_set_timeout(wrongs, 60);
    tcase_add_test(wrongs, an_old_secret_keeps_none_out);
    tcase_add_test(wrongs, an_old_secret_is_checked_once);
    tcase_add_test(wrongs, an_old_secret_waits_longer_each_time);
    tcase_add_test(wrongs, an_old_secret_that_is_repeated_stays_known);
    tcase_add_test(wrongs, what_was_wrong_may_be_right_elsewhere_or_later);
    suite_add_tcase(suite, wrongs);

    return suite_run(suite);
}

/*
 * check_authenticator.c - which logins are granted, and how failures slow an address
 * down.
 */
#include "daemon/auth/authenticator.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/auth/logins_fixture.h"
#include "tests/auth/users_fixture.h"
#include "tests/support/suite.h"

enum {
    MANY = 1000,
    GUESSES = 12, /* enough to reach the longest delay */
    WAITING = 16,
};

/* --- which are granted ----------------------------------------------------------- */

START_TEST(the_right_secret_opens_and_no_other)
{
    ck_assert_str_eq(visitors_try(1, "user3", "secret3"), "user3");
    ck_assert_ptr_null(visitors_try(2, "user3", "secret4"));
    ck_assert_ptr_null(visitors_try(3, "user3", ""));
    ck_assert_ptr_null(visitors_try(4, "user", "secret3"));
    ck_assert_ptr_null(visitors_try(5, "user33", "secret3"));
    ck_assert_uint_eq(visitors_checks(), 5);
}
END_TEST

START_TEST(who_is_nobody_takes_a_check_all_the_same)
{
    static const char *const nobodies[] = {"stranger", "mute", ""};
    unsigned made = 0;
    for (size_t i = 0; i < sizeof nobodies / sizeof *nobodies; i++) {
        char first[SECRET_HASH_MAX];
        ck_assert_ptr_null(visitors_try(10 * i + 1, nobodies[i], "guess"));
        ck_assert_uint_eq(visitors_checks(), ++made);
        ck_assert_int_eq(strncmp(visitors.last_hash, "is secret", 9),
                         0); /* as long as a right one */
        memcpy(first, visitors.last_hash, sizeof first);
        ck_assert_ptr_null(visitors_try(10 * i + 2, nobodies[i], "guess"));
        ck_assert_uint_eq(visitors_checks(), ++made);
        ck_assert_str_eq(visitors.last_hash, first);
        ck_assert_ptr_null(visitors_try(10 * i + 3, nobodies[i], first + 3)); /* another user's */
        ck_assert_uint_eq(visitors_checks(), ++made);
    }
}
END_TEST

START_TEST(nobody_has_no_secret)
{
    pthread_mutex_lock(&visitors.lock);
    visitors.all_match = true;
    pthread_mutex_unlock(&visitors.lock);
    ck_assert_ptr_null(visitors_try(1, "stranger", "guess"));
    ck_assert_ptr_null(visitors_try(2, "mute", "guess"));
    ck_assert_str_eq(visitors_try(3, "user1", "guess"), "user1");
}
END_TEST

START_TEST(what_was_right_before_takes_no_check)
{
    struct visitor visitor;
    ck_assert_str_eq(visitors_try(1, "user3", "secret3"), "user3");
    visitor_ask(&visitor, 2, "user3", "secret3");
    ck_assert_uint_ne(visitor_answer(&visitor), 0); /* inside of authenticator_submit */
    ck_assert_str_eq(visitor_outcome(&visitor), "user3");
    ck_assert_uint_eq(visitors_checks(), 1);
    ck_assert_ptr_null(visitors_try(3, "user4", "secret3"));
    ck_assert_uint_eq(visitors_checks(), 2);
}
END_TEST

START_TEST(a_crowd_with_one_secret_takes_one_check)
{
    static struct visitor crowd[MANY];
    visitor_hold(&crowd[0], 1, "user3", "secret3");
    for (int i = 1; i < MANY; i++) {
        visitor_ask(&crowd[i], 1, "user3", "secret3");
        ck_assert_uint_eq(visitor_answer(&crowd[i]), 0);
    }
    visitors_let_go();
    for (int i = 0; i < MANY; i++) {
        ck_assert_str_eq(visitor_outcome(&crowd[i]), "user3");
    }
    ck_assert_uint_eq(visitors_checks(), 1);
}
END_TEST

START_TEST(the_daemons_own_gate_knows_true_hashes)
{
    struct members members = {0};
    char hash[SECRET_HASH_MAX];
    authenticator_destroy(&visitors.authenticator);
    authenticator_destroy(&visitors.authenticator);
    visitors.authenticator = authenticator_create();
    ck_assert_ptr_nonnull(visitors.authenticator);
    ck_assert(secret_hash(slice_of("sesame"), hash));
    members_add(&members, "ann", hash, NULL);
    users_put(&visitors.users);
    visitors.users = members_users(&members, NULL);
    members_clear(&members);
    ck_assert_str_eq(visitors_try(1, "ann", "sesame"), "ann");
    ck_assert_ptr_null(visitors_try(2, "ann", "sesam"));
    ck_assert_ptr_null(visitors_try(3, "stranger", "sesame"));
    ck_assert_str_eq(visitors_try(3, "ann", "sesame"), "ann"); /* after a true delay */
}
END_TEST

/* --- failures -------------------------------------------------------------------- */

START_TEST(each_failure_doubles_the_delay_up_to_a_bound)
{
    uint64_t delay = LOGIN_DELAY_MS;
    struct visitor visitor;
    ck_assert_ptr_null(visitors_try(1, "user0", visitors_guess()));
    for (int i = 0; i < GUESSES; i++) {
        visitor_ask(&visitor, 1, "user0", visitors_guess());
        visitor_expect_delay(&visitor, delay);
        delay = 2 * delay < LOGIN_DELAY_MOST_MS ? 2 * delay : LOGIN_DELAY_MOST_MS;
    }
}
END_TEST

START_TEST(right_and_wrong_secrets_wait_alike_and_a_success_takes_nothing_back)
{
    struct visitor visitor;
    ck_assert_ptr_null(visitors_try(1, "user0", visitors_guess()));
    visitor_ask(&visitor, 1, "user0", visitors_guess());
    visitor_expect_delay(&visitor, LOGIN_DELAY_MS);
    visitor_ask(&visitor, 1, "user1", "secret1");
    visitor_expect_delay(&visitor, 2 * LOGIN_DELAY_MS);
    ck_assert_str_eq(visitor_outcome(&visitor), "user1");
    ck_assert_ptr_null(visitors_try(1, "user0", visitors_guess()));
    visitor_ask(&visitor, 1, "user0", visitors_guess());
    visitor_expect_delay(&visitor, 4 * LOGIN_DELAY_MS);
}
END_TEST

START_TEST(after_quiet_all_is_forgotten)
{
    struct visitor visitor;
    ck_assert_str_eq(visitors_try(2, "user1", "secret1"), "user1");
    ck_assert_ptr_null(visitors_try(1, "user0", visitors_guess()));
    visitors_pass_time(LOGIN_DELAY_MS);
    ck_assert_ptr_null(visitors_try(1, "user0", visitors_guess()));
    unsigned before = visitors_checks();

    visitors_pass_time(LOGIN_FORGET_MS - 1);
    ck_assert_str_eq(visitors_try(1, "user1", "secret1"), "user1");
    visitor_ask(&visitor, 1, "user1", "secret1"); /* not recalled before its turn */
    ck_assert_str_eq(visitor_outcome(&visitor), "user1");
    visitors_pass_time(1);
    visitor_ask(&visitor, 1, "user1", "secret1");
    ck_assert_uint_ne(visitor_answer(&visitor), 0);
    ck_assert_str_eq(visitor_outcome(&visitor), "user1");
    ck_assert_uint_eq(visitors_checks(), before);
    ck_assert_ptr_null(visitors_try(1, "user0", visitors_guess()));
    visitor_ask(&visitor, 1, "user0", visitors_guess());
    visitor_expect_delay(&visitor, LOGIN_DELAY_MS);
}
END_TEST

START_TEST(who_has_failed_is_not_told_what_is_remembered)
{
    struct visitor visitor;
    ck_assert_str_eq(visitors_try(2, "user1", "secret1"), "user1");
    ck_assert_ptr_null(visitors_try(1, "user1", visitors_guess()));
    ck_assert_uint_eq(visitors_checks(), 2);
    visitor_ask(&visitor, 1, "user1", "secret1");
    ck_assert_uint_eq(visitor_answer(&visitor), 0);
    visitor_expect_delay(&visitor, LOGIN_DELAY_MS);
    ck_assert_str_eq(visitor_outcome(&visitor), "user1");
    ck_assert_str_eq(visitors_try(3, "user1", "secret1"), "user1");
}
END_TEST

/* The right one among many guesses at once is found no sooner than they are failures. The
 * last of them has the first turn. */
START_TEST(many_guesses_at_once_are_not_told_either)
{
    static struct visitor guesses[WAITING];
    struct visitor first;
    ck_assert_str_eq(visitors_try(2, "user1", "secret1"), "user1");
    visitor_hold(&first, 1, "user1", visitors_guess());
    for (int i = 0; i < WAITING; i++) {
        visitor_ask(&guesses[i], 1, "user1", i == WAITING - 6 ? "secret1" : visitors_guess());
        ck_assert_uint_eq(visitor_answer(&guesses[i]), 0);
    }
    visitors_let_go();
    ck_assert_ptr_null(visitor_outcome(&first));
    uint64_t delay = LOGIN_DELAY_MS;
    for (int i = 1; i <= 6; i++) {
        visitor_expect_delay(&guesses[WAITING - i], delay);
        delay *= 2;
    }
    ck_assert_str_eq(visitor_outcome(&guesses[WAITING - 6]), "user1");
    ck_assert_ptr_null(visitor_outcome(&guesses[WAITING - 7])); /* a success delays nothing */
    ck_assert_uint_eq(visitors_checks(), 2 + 5 + 1 + 6 * VISITORS_FENCE);
}
END_TEST

START_TEST(who_still_waits_at_the_end_is_denied)
{
    static struct visitor waiting[3 * WAITING];
    for (uint64_t address = 0; address < 3; address++) {
        ck_assert_ptr_null(visitors_try(address, "user0", visitors_guess()));
    }
    for (int i = 0; i < 3 * WAITING; i++) {
        visitor_ask(&waiting[i], (uint64_t)i % 3, "user0", "secret0");
        ck_assert_uint_eq(visitor_answer(&waiting[i]), 0);
    }
    authenticator_destroy(&visitors.authenticator);
    for (int i = 0; i < 3 * WAITING; i++) {
        ck_assert_uint_ne(visitor_answer(&waiting[i]), 0);
        ck_assert_ptr_null(visitor_outcome(&waiting[i]));
    }
    ck_assert_uint_eq(visitors_checks(), 3);
}
END_TEST

/* The thread is left behind in it; what it still needs must be there. */
START_TEST(the_end_does_not_wait_for_a_long_check)
{
    static struct visitor longest, waiting[8];
    visitor_hold(&longest, 1, "user0", "secret0");
    for (int i = 0; i < 8; i++) {
        visitor_ask(&waiting[i], (uint64_t)i % 2, "user0", "secret0");
    }
    authenticator_destroy(&visitors.authenticator);
    ck_assert_ptr_null(visitor_outcome(&longest));
    for (int i = 0; i < 8; i++) {
        ck_assert_ptr_null(visitor_outcome(&waiting[i]));
    }
    memset(&longest, 0, sizeof longest);
    users_put(&visitors.users);
    pthread_mutex_lock(&visitors.lock);
    visitors.held = false;
    pthread_cond_broadcast(&visitors.changed);
    while (visitors.checking) {
        pthread_cond_wait(&visitors.changed, &visitors.lock);
    }
    pthread_mutex_unlock(&visitors.lock);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("authenticator");
    TCase *listeners = tcase_create("listeners");
    tcase_add_checked_fixture(listeners, visitors_open, visitors_close);
    tcase_set_timeout(listeners, 60);
    tcase_add_test(listeners, the_right_secret_opens_and_no_other);
    tcase_add_test(listeners, who_is_nobody_takes_a_check_all_the_same);
    tcase_add_test(listeners, nobody_has_no_secret);
    tcase_add_test(listeners, what_was_right_before_takes_no_check);
    tcase_add_test(listeners, a_crowd_with_one_secret_takes_one_check);
    tcase_add_test(listeners, the_daemons_own_gate_knows_true_hashes);
    suite_add_tcase(suite, listeners);

    TCase *failures = tcase_create("failures");
    tcase_add_checked_fixture(failures, visitors_open, visitors_close);
    tcase_set_timeout(failures, 60);
    tcase_add_test(failures, each_failure_doubles_the_delay_up_to_a_bound);
    tcase_add_test(failures, right_and_wrong_secrets_wait_alike_and_a_success_takes_nothing_back);
    tcase_add_test(failures, after_quiet_all_is_forgotten);
    tcase_add_test(failures, who_has_failed_is_not_told_what_is_remembered);
    tcase_add_test(failures, many_guesses_at_once_are_not_told_either);
    tcase_add_test(failures, who_still_waits_at_the_end_is_denied);
    tcase_add_test(failures, the_end_does_not_wait_for_a_long_check);
    suite_add_tcase(suite, failures);

    return suite_run(suite);
}

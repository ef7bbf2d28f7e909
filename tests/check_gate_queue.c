/*
 * check_gate_queue.c - turns, delays and what is remembered of whom, on a clock of numbers.
 */
#include "daemon/gate_queue.h"

#include <check.h>
#include <stdlib.h>

#include "tests/suite.h"

enum {
    START = 1000000, /* milliseconds */
    MANY = 1000,
    MANY_ADDRESSES = 100000,
};

static struct gate_queue *queue;
static struct petitions out;
static uint64_t now;

static void open_queue(void)
{
    queue = gate_queue_create();
    ck_assert_ptr_nonnull(queue);
    TAILQ_INIT(&out);
    now = START;
}

static void close_queue(void)
{
    gate_queue_destroy(&queue);
    ck_assert_ptr_null(queue);
}

static struct gate_address address_of(uint64_t number)
{
    return (struct gate_address){1, number};
}

static struct petition *petition_of(struct petition *petition, uint64_t number)
{
    petition->address = address_of(number);
    return petition;
}

static bool add(struct petition *petition, uint64_t number)
{
    return gate_queue_add(queue, petition_of(petition, number), now);
}

static bool trusts(uint64_t number)
{
    const struct gate_address address = address_of(number);

    return gate_queue_trusts(queue, &address, now);
}

/* NULL where it is nobody's turn now. */
static struct petition *next(void)
{
    uint64_t due;

    return gate_queue_next(queue, now, &due);
}

static uint64_t due(void)
{
    uint64_t due = 0;

    ck_assert_ptr_null(gate_queue_next(queue, now, &due));
    return due;
}

static void settle(bool failed)
{
    gate_queue_settle(queue, failed, now, &out);
}

/* Somebody of that address has a turn, and it is over. */
static void let_fail(uint64_t number)
{
    static struct petition petition;

    ck_assert(add(&petition, number));
    ck_assert_ptr_eq(next(), &petition);
    settle(true);
}

/* How long who asks now has to wait after the failure before. */
static uint64_t delay_of(uint64_t number)
{
    static struct petition petition;

    ck_assert(add(&petition, number));
    uint64_t from = now;
    now = due();
    ck_assert_ptr_eq(next(), &petition);
    settle(true);
    return now - from;
}

static unsigned count_out(void)
{
    const struct petition *petition;
    unsigned count = 0;

    TAILQ_FOREACH(petition, &out, next)
    {
        count++;
    }
    return count;
}

/* --- turns ----------------------------------------------------------------- */

START_TEST(without_petitions_it_is_nobodys_turn)
{
    ck_assert_uint_eq(due(), UINT64_MAX);
    ck_assert(trusts(1));
}
END_TEST

START_TEST(of_one_address_who_came_first_is_first)
{
    struct petition petitions[3];

    for (int i = 0; i < 3; i++) {
        ck_assert(add(&petitions[i], 1));
    }
    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_eq(next(), &petitions[i]);
        ck_assert(!gate_queue_has_failed(queue, now));
        settle(false);
    }
    ck_assert_uint_eq(due(), UINT64_MAX);
    ck_assert(TAILQ_EMPTY(&out));
}
END_TEST

START_TEST(the_turn_goes_round_by_address)
{
    struct petition a[3], b[2], c;

    for (int i = 0; i < 3; i++) {
        ck_assert(add(&a[i], 1));
    }
    ck_assert(add(&b[0], 2));
    ck_assert(add(&b[1], 2));
    ck_assert(add(&c, 3));
    struct petition *const order[] = {&a[0], &b[0], &c, &a[1], &b[1], &a[2]};
    for (int i = 0; i < 6; i++) {
        ck_assert_ptr_eq(next(), order[i]);
        settle(false);
    }
    ck_assert_uint_eq(due(), UINT64_MAX);
}
END_TEST

START_TEST(who_comes_during_a_turn_is_not_before_others)
{
    struct petition a[2], b;

    ck_assert(add(&a[0], 1));
    ck_assert_ptr_eq(next(), &a[0]);
    ck_assert(add(&a[1], 1));
    ck_assert(add(&b, 2));
    settle(false);
    ck_assert_ptr_eq(next(), &b);
    settle(false);
    ck_assert_ptr_eq(next(), &a[1]);
    settle(false);
}
END_TEST

/* --- failures -------------------------------------------------------------- */

START_TEST(each_failure_doubles_the_delay_up_to_a_bound)
{
    uint64_t expected = GATE_DELAY_MS;

    let_fail(1);
    for (int i = 0; i < 50; i++) {
        ck_assert_uint_eq(delay_of(1), expected);
        expected = 2 * expected < GATE_DELAY_MOST_MS ? 2 * expected : GATE_DELAY_MOST_MS;
    }
}
END_TEST

START_TEST(a_delay_counts_from_the_failure)
{
    struct petition petition;

    let_fail(1);
    now += GATE_DELAY_MS - 1;
    ck_assert(add(&petition, 1));
    ck_assert_uint_eq(due(), now + 1);
    now++;
    ck_assert_ptr_eq(next(), &petition);
    ck_assert(gate_queue_has_failed(queue, now));
    settle(false);
}
END_TEST

START_TEST(nobody_waits_with_who_is_delayed)
{
    struct petition a, b[2], c;

    let_fail(1);
    let_fail(2);
    now++;
    let_fail(3);
    now++;
    ck_assert(add(&c, 3)); /* due after the other two, although it asks first */
    ck_assert(add(&a, 1));
    ck_assert(add(&b[0], 4));
    ck_assert(add(&b[1], 4));
    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_eq(next(), &b[i]);
        settle(false);
    }
    ck_assert_uint_eq(due(), START + GATE_DELAY_MS);
    now = due();
    ck_assert_ptr_eq(next(), &a);
    settle(false);
    ck_assert_uint_eq(due(), START + GATE_DELAY_MS + 1);
    now = due();
    ck_assert_ptr_eq(next(), &c);
    settle(false);
}
END_TEST

START_TEST(who_has_become_ready_takes_a_turn_among_others)
{
    struct petition a, b[2], c[2];

    let_fail(1);
    ck_assert(add(&a, 1));
    for (int i = 0; i < 2; i++) {
        ck_assert(add(&b[i], 2));
        ck_assert(add(&c[i], 3));
    }
    ck_assert_ptr_eq(next(), &b[0]);
    now += GATE_DELAY_MS;
    settle(false);
    struct petition *const order[] = {&c[0], &b[1], &a, &c[1]};
    for (int i = 0; i < 4; i++) {
        ck_assert_ptr_eq(next(), order[i]);
        settle(false);
    }
}
END_TEST

START_TEST(failures_are_forgotten_at_once_after_quiet)
{
    let_fail(1);
    for (int i = 0; i < 4; i++) {
        delay_of(1);
    }
    now += GATE_FORGET_MS - 1;
    ck_assert(!trusts(1));
    now++;
    ck_assert(trusts(1));
    let_fail(1);
    ck_assert(!trusts(1));
    ck_assert_uint_eq(delay_of(1), GATE_DELAY_MS);
}
END_TEST

START_TEST(each_failure_begins_the_quiet_anew)
{
    let_fail(1);
    for (int i = 0; i < 3; i++) {
        now += GATE_FORGET_MS - 1;
        let_fail(1); /* the delay is over long ago */
        ck_assert(!trusts(1));
    }
    ck_assert_uint_eq(delay_of(1), 8 * GATE_DELAY_MS);
}
END_TEST

START_TEST(a_success_takes_nothing_back_and_costs_nothing)
{
    struct petition petitions[2];

    let_fail(1);
    ck_assert_uint_eq(delay_of(1), GATE_DELAY_MS);
    ck_assert(add(&petitions[0], 1));
    ck_assert(add(&petitions[1], 1));
    ck_assert_uint_eq(due(), now + 2 * GATE_DELAY_MS);
    now = due();
    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_eq(next(), &petitions[i]);
        settle(false);
        ck_assert(!trusts(1));
    }
    let_fail(1);
    ck_assert_uint_eq(delay_of(1), 4 * GATE_DELAY_MS);
}
END_TEST

START_TEST(who_waits_is_not_trusted)
{
    struct petition petition;

    ck_assert(add(&petition, 1));
    ck_assert(!trusts(1));
    ck_assert(trusts(2));
    ck_assert_ptr_eq(next(), &petition);
    ck_assert(!trusts(1));
    settle(false);
    ck_assert(trusts(1));
}
END_TEST

/* --- bounds ----------------------------------------------------------------- */

START_TEST(an_address_that_fails_has_few_places)
{
    static struct petition petitions[MANY];
    struct petition more, other, *lost;

    for (int i = 0; i < MANY; i++) {
        ck_assert(add(&petitions[i], 1));
    }
    ck_assert(add(&other, 2));
    ck_assert_ptr_eq(next(), &petitions[0]);
    settle(true);
    ck_assert_ptr_eq(next(), &other); /* one turn later */
    settle(false);
    ck_assert_uint_eq(count_out(), MANY - 1 - GATE_WAITING_MAX);
    int i = 1 + GATE_WAITING_MAX;
    TAILQ_FOREACH(lost, &out, next)
    {
        ck_assert_ptr_eq(lost, &petitions[i]);
        i++;
    }
    ck_assert(!add(&more, 1));
    for (i = 1; i <= GATE_WAITING_MAX; i++) {
        now = due();
        ck_assert_ptr_eq(next(), &petitions[i]);
        settle(true);
    }
    ck_assert_uint_eq(count_out(), MANY - 1 - GATE_WAITING_MAX);
    ck_assert(add(&more, 1));
}
END_TEST

START_TEST(no_more_addresses_are_remembered_than_there_may_be)
{
    for (uint64_t i = 0; i < MANY_ADDRESSES; i++) {
        ck_assert(trusts(i));
        let_fail(i);
    }
    for (uint64_t i = 0; i < MANY_ADDRESSES; i++) {
        ck_assert_int_eq(trusts(i), i < MANY_ADDRESSES - GATE_ADDRESSES_MAX);
    }
}
END_TEST

/* A failure makes an address the last to be forgotten. */
START_TEST(who_is_quiet_for_longest_is_forgotten_first)
{
    for (uint64_t i = 0; i < GATE_ADDRESSES_MAX; i++) {
        let_fail(i);
    }
    now += GATE_DELAY_MS;
    let_fail(0);
    let_fail(GATE_ADDRESSES_MAX);
    ck_assert(!trusts(0));
    ck_assert(trusts(1));
    ck_assert(!trusts(2));
    ck_assert(!trusts(GATE_ADDRESSES_MAX));
}
END_TEST

START_TEST(where_somebody_waits_nothing_is_forgotten)
{
    static struct petition petitions[GATE_ADDRESSES_MAX];
    struct petition more, again, *petition;

    let_fail(0);
    for (uint64_t i = 0; i < GATE_ADDRESSES_MAX; i++) {
        ck_assert(add(&petitions[i], i));
    }
    ck_assert(!trusts(MANY_ADDRESSES));
    ck_assert(!add(&more, MANY_ADDRESSES));
    ck_assert(add(&again, 7));
    for (int i = 1; i < GATE_ADDRESSES_MAX; i++) {
        ck_assert_ptr_eq(next(), &petitions[i]);
        settle(false);
    }
    ck_assert_ptr_eq(next(), &again);
    settle(false);
    ck_assert_uint_eq(due(), START + GATE_DELAY_MS);
    ck_assert(trusts(MANY_ADDRESSES));
    ck_assert(add(&more, MANY_ADDRESSES));

    gate_queue_drain(queue, &out);
    ck_assert_uint_eq(due(), UINT64_MAX);
    ck_assert_uint_eq(count_out(), 2);
    TAILQ_FOREACH(petition, &out, next)
    {
        ck_assert(petition == &petitions[0] || petition == &more);
    }
    ck_assert(!trusts(0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gate_queue");
    TCase *turns = tcase_create("turns");
    tcase_add_checked_fixture(turns, open_queue, close_queue);
    tcase_add_test(turns, without_petitions_it_is_nobodys_turn);
    tcase_add_test(turns, of_one_address_who_came_first_is_first);
    tcase_add_test(turns, the_turn_goes_round_by_address);
    tcase_add_test(turns, who_comes_during_a_turn_is_not_before_others);
    suite_add_tcase(suite, turns);

    TCase *failures = tcase_create("failures");
    tcase_add_checked_fixture(failures, open_queue, close_queue);
    tcase_add_test(failures, each_failure_doubles_the_delay_up_to_a_bound);
    tcase_add_test(failures, a_delay_counts_from_the_failure);
    tcase_add_test(failures, nobody_waits_with_who_is_delayed);
    tcase_add_test(failures, who_has_become_ready_takes_a_turn_among_others);
    tcase_add_test(failures, failures_are_forgotten_at_once_after_quiet);
    tcase_add_test(failures, each_failure_begins_the_quiet_anew);
    tcase_add_test(failures, a_success_takes_nothing_back_and_costs_nothing);
    tcase_add_test(failures, who_waits_is_not_trusted);
    suite_add_tcase(suite, failures);

    TCase *bounds = tcase_create("bounds");
    tcase_add_checked_fixture(bounds, open_queue, close_queue);
    tcase_add_test(bounds, an_address_that_fails_has_few_places);
    tcase_add_test(bounds, no_more_addresses_are_remembered_than_there_may_be);
    tcase_add_test(bounds, who_is_quiet_for_longest_is_forgotten_first);
    tcase_add_test(bounds, where_somebody_waits_nothing_is_forgotten);
    suite_add_tcase(suite, bounds);

    return suite_run(suite);
}

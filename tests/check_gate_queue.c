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
    KNOWN_MAX = GATE_ADDRESSES_MAX / 4,
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

static bool add(struct petition *petition, uint64_t number)
{
    *petition = (struct petition){.address = address_of(number)};
    return gate_queue_add(queue, petition, now, &out);
}

static void know(uint64_t number)
{
    const struct gate_address address = address_of(number);

    gate_queue_know(queue, &address, now);
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

static void settle(enum gate_end end)
{
    gate_queue_settle(queue, end, now);
}

/* It is the turn of that one, and it ends so. */
static void expect(const struct petition *petition, enum gate_end end)
{
    ck_assert_ptr_eq(next(), petition);
    settle(end);
}

/* Somebody of that address has a turn, and it is over. */
static void let_fail(uint64_t number)
{
    static struct petition petition;

    ck_assert(add(&petition, number));
    ck_assert_ptr_eq(next(), &petition);
    settle(GATE_WRONG);
}

/* How long who asks now has to wait after the failure before. */
static uint64_t delay_of(uint64_t number)
{
    static struct petition petition;

    ck_assert(add(&petition, number));
    uint64_t from = now;
    now = due();
    ck_assert_ptr_eq(next(), &petition);
    settle(GATE_WRONG);
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

START_TEST(of_one_address_the_first_is_first)
{
    struct petition petitions[3];

    for (int i = 0; i < 3; i++) {
        ck_assert(add(&petitions[i], 1));
    }
    for (int i = 0; i < 3; i++) {
        expect(&petitions[i], GATE_RIGHT);
    }
    ck_assert_uint_eq(due(), UINT64_MAX);
    ck_assert(TAILQ_EMPTY(&out));
}
END_TEST

START_TEST(the_turn_goes_round_by_address)
{
    struct petition a[3], b[2], c;

    for (uint64_t number = 1; number <= 3; number++) {
        know(number);
    }
    for (int i = 0; i < 3; i++) {
        ck_assert(add(&a[i], 1));
    }
    ck_assert(add(&b[0], 2));
    ck_assert(add(&b[1], 2));
    ck_assert(add(&c, 3));
    struct petition *const order[] = {&a[0], &b[0], &c, &a[1], &b[1], &a[2]};
    for (int i = 0; i < 6; i++) {
        expect(order[i], GATE_RIGHT);
    }
    ck_assert_uint_eq(due(), UINT64_MAX);
}
END_TEST

START_TEST(what_comes_during_a_turn_is_not_before_others)
{
    struct petition a[2], b;

    know(1);
    know(2);
    ck_assert(add(&a[0], 1));
    ck_assert_ptr_eq(next(), &a[0]);
    ck_assert(add(&a[1], 1));
    ck_assert(add(&b, 2));
    settle(GATE_RIGHT);
    expect(&b, GATE_RIGHT);
    expect(&a[1], GATE_RIGHT);
}
END_TEST

/* Where hundreds wait, the newest is among the next two. */
START_TEST(of_fresh_ones_the_last_is_served_as_often_as_the_first)
{
    static struct petition petitions[MANY];
    struct petition newest;

    for (uint64_t i = 0; i < MANY; i++) {
        ck_assert(add(&petitions[i], i));
    }
    for (int i = 0; i < 10; i++) {
        expect(&petitions[i], GATE_WRONG);
        expect(&petitions[MANY - 1 - i], GATE_WRONG);
    }
    ck_assert(add(&newest, MANY_ADDRESSES));
    expect(&petitions[10], GATE_WRONG);
    expect(&newest, GATE_RIGHT);
}
END_TEST

/* Of four turns two are for the known, and one for each of the others. */
START_TEST(known_addresses_go_first_and_others_are_not_left_out)
{
    static struct petition known[MANY], fresh[MANY], failed[MANY];
    const struct petition *petition;
    int turns[3] = {0};

    for (uint64_t i = 0; i < MANY; i++) {
        know(i);
        let_fail(2 * MANY + i);
    }
    now += GATE_DELAY_MS;
    for (uint64_t i = 0; i < MANY; i++) {
        ck_assert(add(&known[i], i));
        ck_assert(add(&fresh[i], MANY + i));
        ck_assert(add(&failed[i], 2 * MANY + i));
    }
    for (int i = 0; i < 400; i++) {
        petition = next();
        turns[petition->address.number / MANY]++;
        settle(GATE_WRONG);
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

    ck_assert(add(&mine, 1));
    expect(&mine, GATE_RIGHT);
    now += 100 * GATE_FORGET_MS;
    for (uint64_t i = 0; i < MANY; i++) {
        ck_assert(add(&others[i], 2 + i));
    }
    ck_assert(add(&mine, 1));
    for (int i = 0; i < 400; i++) {
        bool is_mine = next() == &mine;
        settle(is_mine ? GATE_RIGHT : GATE_WRONG);
        ck_assert(!is_mine || add(&mine, 1));
        turns += is_mine;
    }
    ck_assert_int_eq(turns, 300); /* nothing that has failed is ready */
}
END_TEST

/* --- withdrawing ------------------------------------------------------------ */

START_TEST(what_is_withdrawn_has_no_turn_and_is_no_failure)
{
    struct petition a[3], b;

    for (int i = 0; i < 3; i++) {
        ck_assert(add(&a[i], 1));
    }
    ck_assert(add(&b, 2));
    ck_assert(gate_queue_withdraw(queue, &a[0], now));
    ck_assert(!gate_queue_withdraw(queue, &a[0], now));
    ck_assert(gate_queue_withdraw(queue, &b, now));
    ck_assert_ptr_eq(next(), &a[1]);
    ck_assert(!gate_queue_withdraw(queue, &a[1], now));
    ck_assert(gate_queue_withdraw(queue, &a[2], now)); /* during the turn of its address */
    settle(GATE_RIGHT);
    ck_assert_uint_eq(due(), UINT64_MAX);
    ck_assert(trusts(1));
    ck_assert(trusts(2));
}
END_TEST

/* Or a thousand guesses could be compared with what is remembered. */
START_TEST(what_was_compared_and_is_withdrawn_is_a_failure_that_delays_nothing)
{
    struct petition petition;

    ck_assert(add(&petition, 1));
    petition.compared = true;
    ck_assert(gate_queue_withdraw(queue, &petition, now));
    ck_assert(!trusts(1));
    ck_assert(add(&petition, 1));
    expect(&petition, GATE_WRONG);
    ck_assert_uint_eq(delay_of(1), 2 * GATE_DELAY_MS);
}
END_TEST

START_TEST(a_delayed_address_whose_last_petition_is_withdrawn_is_quiet)
{
    struct petition petition;

    let_fail(1);
    ck_assert(add(&petition, 1));
    ck_assert_uint_eq(due(), now + GATE_DELAY_MS);
    ck_assert(gate_queue_withdraw(queue, &petition, now));
    ck_assert_uint_eq(due(), UINT64_MAX);
    ck_assert_uint_eq(delay_of(1), GATE_DELAY_MS);
}
END_TEST

START_TEST(patience_ends)
{
    struct petition petitions[3];

    for (int i = 0; i < 10; i++) {
        let_fail(1);
        now += GATE_DELAY_MOST_MS;
    }
    let_fail(1);
    ck_assert(add(&petitions[0], 1));
    now += GATE_DELAY_MOST_MS;
    ck_assert(add(&petitions[1], 1));
    expect(&petitions[1], GATE_WRONG); /* the last first */
    now += GATE_DELAY_MOST_MS;
    ck_assert(add(&petitions[1], 1));
    expect(&petitions[1], GATE_WRONG);
    ck_assert(add(&petitions[2], 1));
    ck_assert_uint_eq(due(), now + GATE_DELAY_MOST_MS);
    now += GATE_DELAY_MOST_MS - 1;
    gate_queue_expire(queue, now, &out);
    ck_assert_uint_eq(count_out(), 0);
    now++;
    gate_queue_expire(queue, now, &out);
    ck_assert_uint_eq(count_out(), 1);
    ck_assert_ptr_eq(TAILQ_FIRST(&out), &petitions[0]);
    expect(&petitions[2], GATE_WRONG);
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
    expect(&petition, GATE_RIGHT);
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
        settle(GATE_RIGHT);
    }
    ck_assert_uint_eq(due(), START + GATE_DELAY_MS);
    now = due();
    ck_assert_ptr_eq(next(), &a);
    settle(GATE_RIGHT);
    ck_assert_uint_eq(due(), START + GATE_DELAY_MS + 1);
    now = due();
    ck_assert_ptr_eq(next(), &c);
    settle(GATE_RIGHT);
}
END_TEST

START_TEST(who_has_become_ready_takes_a_turn_among_others)
{
    struct petition a, b[2], c[2];

    let_fail(1);
    know(2);
    know(3);
    ck_assert(add(&a, 1));
    for (int i = 0; i < 2; i++) {
        ck_assert(add(&b[i], 2));
        ck_assert(add(&c[i], 3));
    }
    ck_assert_ptr_eq(next(), &b[0]);
    now += GATE_DELAY_MS;
    settle(GATE_RIGHT);
    struct petition *const order[] = {&c[0], &a, &b[1], &c[1]};
    for (int i = 0; i < 4; i++) {
        expect(order[i], GATE_RIGHT);
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
    for (int i = 1; i >= 0; i--) { /* where one has failed, the last first */
        expect(&petitions[i], GATE_RIGHT);
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
    settle(GATE_RIGHT);
    ck_assert(trusts(1));
}
END_TEST

/* --- bounds ----------------------------------------------------------------- */

START_TEST(what_is_known_to_be_wrong_is_no_failure)
{
    struct petition petitions[2];

    ck_assert(add(&petitions[0], 1));
    ck_assert(add(&petitions[1], 1));
    expect(&petitions[0], GATE_KNOWN_WRONG);
    expect(&petitions[1], GATE_KNOWN_WRONG);
    ck_assert(trusts(1));
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

/* However many fail elsewhere. */
START_TEST(known_addresses_are_kept)
{
    for (uint64_t i = 0; i < KNOWN_MAX; i++) {
        know(MANY_ADDRESSES + i);
    }
    for (uint64_t i = 0; i < MANY_ADDRESSES; i++) {
        let_fail(i);
    }
    struct petition known[KNOWN_MAX], fresh;
    ck_assert(add(&fresh, 2 * MANY_ADDRESSES));
    for (uint64_t i = 0; i < KNOWN_MAX; i++) {
        ck_assert(add(&known[i], MANY_ADDRESSES + i));
    }
    int waited = 0;
    for (const struct petition *petition = NULL; petition != &fresh; waited++) {
        petition = next();
        settle(GATE_WRONG);
    }
    ck_assert_int_le(waited, 4);
}
END_TEST

/* Nor does what is remembered of those that failed go for them. */
START_TEST(known_addresses_leave_room)
{
    for (uint64_t i = 0; i < MANY; i++) {
        let_fail(i);
    }
    for (uint64_t i = 0; i < MANY_ADDRESSES; i++) {
        know(MANY + i);
    }
    for (uint64_t i = 0; i < MANY; i++) {
        ck_assert(!trusts(i));
    }
}
END_TEST

START_TEST(where_all_are_fresh_the_first_goes_for_one_more)
{
    static struct petition petitions[GATE_ADDRESSES_MAX];
    struct petition more;

    for (uint64_t i = 0; i < GATE_ADDRESSES_MAX; i++) {
        ck_assert(add(&petitions[i], i));
    }
    ck_assert(trusts(MANY_ADDRESSES));
    ck_assert(add(&more, MANY_ADDRESSES));
    ck_assert_uint_eq(count_out(), 1);
    ck_assert_ptr_eq(TAILQ_FIRST(&out), &petitions[0]);
    ck_assert(!gate_queue_withdraw(queue, &petitions[0], now));
    expect(&petitions[1], GATE_RIGHT);
    expect(&more, GATE_RIGHT);
}
END_TEST

START_TEST(where_all_have_failed_and_wait_there_is_no_room)
{
    static struct petition petitions[GATE_ADDRESSES_MAX];
    struct petition more, again;

    for (uint64_t i = 0; i < GATE_ADDRESSES_MAX; i++) {
        let_fail(i);
        ck_assert(add(&petitions[i], i));
    }
    ck_assert(!trusts(MANY_ADDRESSES));
    ck_assert(!add(&more, MANY_ADDRESSES));
    know(MANY_ADDRESSES);
    ck_assert(add(&again, 7));
    ck_assert(TAILQ_EMPTY(&out));
    gate_queue_drain(queue, &out);
    ck_assert_uint_eq(due(), UINT64_MAX);
    ck_assert_uint_eq(count_out(), GATE_ADDRESSES_MAX + 1);
    ck_assert(!trusts(0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gate_queue");
    TCase *turns = tcase_create("turns");
    tcase_add_checked_fixture(turns, open_queue, close_queue);
    tcase_add_test(turns, without_petitions_it_is_nobodys_turn);
    tcase_add_test(turns, of_one_address_the_first_is_first);
    tcase_add_test(turns, the_turn_goes_round_by_address);
    tcase_add_test(turns, what_comes_during_a_turn_is_not_before_others);
    tcase_add_test(turns, of_fresh_ones_the_last_is_served_as_often_as_the_first);
    tcase_add_test(turns, known_addresses_go_first_and_others_are_not_left_out);
    tcase_add_test(turns, a_right_secret_makes_its_address_known);
    suite_add_tcase(suite, turns);

    TCase *leaving = tcase_create("leaving");
    tcase_add_checked_fixture(leaving, open_queue, close_queue);
    tcase_add_test(leaving, what_is_withdrawn_has_no_turn_and_is_no_failure);
    tcase_add_test(leaving, what_was_compared_and_is_withdrawn_is_a_failure_that_delays_nothing);
    tcase_add_test(leaving, a_delayed_address_whose_last_petition_is_withdrawn_is_quiet);
    tcase_add_test(leaving, patience_ends);
    suite_add_tcase(suite, leaving);

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
    tcase_add_test(failures, what_is_known_to_be_wrong_is_no_failure);
    suite_add_tcase(suite, failures);

    TCase *bounds = tcase_create("bounds");
    tcase_add_checked_fixture(bounds, open_queue, close_queue);
    tcase_add_test(bounds, no_more_addresses_are_remembered_than_there_may_be);
    tcase_add_test(bounds, who_is_quiet_for_longest_is_forgotten_first);
    tcase_add_test(bounds, known_addresses_are_kept);
    tcase_add_test(bounds, known_addresses_leave_room);
    tcase_add_test(bounds, where_all_are_fresh_the_first_goes_for_one_more);
    tcase_add_test(bounds, where_all_have_failed_and_wait_there_is_no_room);
    suite_add_tcase(suite, bounds);

    return suite_run(suite);
}

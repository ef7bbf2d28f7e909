/*
 * check_ask.c - questions, their order, and what becomes of them where nothing is wrong with a
 * node; and where there is none.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/thread.h"
#include "tests/cluster/cluster_fixture.h"
#include "tests/support/suite.h"

enum { CASE_TIMEOUT = 120 };

static struct scripted_node *const node = &fixture.nodes[0];

START_TEST(a_question_is_answered)
{
    fixture_connect(CLUSTER_SLOTS);
    node_answers(node, "$5\r\nvalue\r\n");
    node_answers(node, ":7\r\n");
    node_answers(node, "-OOM command not allowed\r\n");
    struct asked *first = fixture_read("GET a");
    struct asked *second = fixture_write("INCR b");
    struct asked *third = fixture_write("SET a b PX 1000");
    fixture_expect_text(first, CLUSTER_STRING, "value");
    fixture_expect(second, CLUSTER_ANSWERED);
    ck_assert_int_eq(second->question->reply->integer, 7);
    fixture_expect_text(third, CLUSTER_ERROR, "OOM command not allowed");
    ck_assert(node_was_asked(node, "GET a", "INCR b", "SET a b PX 1000", NULL));
    ck_assert(!first->question->from_replica);
    ck_assert_uint_eq(fixture_count(METRIC_CLUSTER_QUESTIONS), 3);
}
END_TEST

/* As many as do not go out with one write. */
START_TEST(many_are_one_round)
{
    enum { MANY = 400 };
    struct asked *asked[MANY];
    fixture_connect(CLUSTER_SLOTS);
    for (int i = 0; i < MANY; i++) {
        asked[i] = fixture_read("GET a");
    }
    cluster_flush(fixture.cluster);
    fixture_wait(asked[MANY - 1]);
    for (int i = 0; i < MANY; i++) {
        ck_assert_uint_eq(asked[i]->told, 1);
        ck_assert_uint_eq(asked[i]->round, asked[0]->round);
    }
    ck_assert_uint_eq(node_times(node, "GET a"), MANY);
}
END_TEST

/* Without cluster_flush. */
START_TEST(they_are_sent_anyway)
{
    fixture_connect(CLUSTER_SLOTS);
    fixture_expect_text(fixture_read("GET a"), CLUSTER_STATUS, "OK");
}
END_TEST

START_TEST(what_is_asked_at_once_waits_for_the_cluster)
{
    fixture.cluster = cluster_create(&fixture.options);
    struct asked *write = fixture_write("SET a 1");
    struct asked *read = fixture_read("GET a");
    fixture_expect_text(write, CLUSTER_STATUS, "OK");
    fixture_expect_text(read, CLUSTER_STATUS, "OK");
    ck_assert(node_was_asked(node, "SET a 1", "GET a", NULL));
}
END_TEST

START_TEST(a_large_argument_is_not_copied)
{
    enum { LARGE = 4 << 20 };
    char *large = malloc(LARGE);
    ck_assert_ptr_nonnull(large);
    memset(large, 'x', LARGE);
    struct slice arguments[] = {slice_of("SET"), slice_of("a"), {large, LARGE}, slice_of("NX")};
    fixture_connect(CLUSTER_SLOTS);
    struct asked *asked = fixture_ask(
        &(struct cluster_command){.writes = true, .arguments = arguments, .count = 4, .owned = 2});
    fixture_expect_text(asked, CLUSTER_STATUS, "OK");
    ck_assert_uint_eq(node->longest, LARGE);
}
END_TEST

START_TEST(an_empty_argument_may_be_owned)
{
    struct slice arguments[] = {slice_of("SET"), slice_of("a"), {malloc(1), 0}};
    fixture_connect(CLUSTER_SLOTS);
    struct asked *asked = fixture_ask(
        &(struct cluster_command){.writes = true, .arguments = arguments, .count = 3, .owned = 2});
    fixture_expect_text(asked, CLUSTER_STATUS, "OK");
    ck_assert(node_was_asked(node, "SET a ", NULL));
}
END_TEST

START_TEST(a_reply_comes_in_pieces)
{
    fixture_connect(CLUSTER_SLOTS);
    node_answers(node, "*2\r\n$5\r\nva");
    struct asked *asked = fixture_read("GET a");
    fixture_until(node->command_count == 1);
    node_says(node, "lue\r\n:");
    fixture_turn();
    node_says(node, "12");
    fixture_turn();
    ck_assert_uint_eq(asked->told, 0);
    node_says(node, "\r\n");
    fixture_expect(asked, CLUSTER_ANSWERED);
    ck_assert_uint_eq(asked->question->reply->count, 2);
    ck_assert_int_eq(asked->question->reply->elements[1]->integer, 12);
}
END_TEST

/* --- freed ------------------------------------------------------------------ */

START_TEST(what_is_freed_before_it_was_sent_is_not_sent)
{
    fixture_connect(CLUSTER_SLOTS);
    struct asked *freed = fixture_write("SET a 1");
    cluster_question_free(&freed->question);
    fixture_expect_text(fixture_read("GET b"), CLUSTER_STATUS, "OK");
    ck_assert(node_was_asked(node, "GET b", NULL));
    ck_assert_uint_eq(node->command_count, 1);
    ck_assert_uint_eq(freed->told, 0);
}
END_TEST

START_TEST(the_reply_to_a_freed_one_is_dropped)
{
    fixture_connect(CLUSTER_SLOTS);
    node_answers(node, "$5\r\nfirst\r\n");
    node_answers(node, "$6\r\nsecond\r\n");
    struct asked *freed = fixture_read("GET a");
    struct asked *other = fixture_read("GET b");
    cluster_flush(fixture.cluster);
    cluster_question_free(&freed->question);
    fixture_expect_text(other, CLUSTER_STRING, "second");
    ck_assert_uint_eq(freed->told, 0);
}
END_TEST

START_TEST(a_redirected_one_that_was_freed_is_not_sent_on)
{
    fixture_connect(CLUSTER_SLOTS);
    node_answers(node, "-TRYAGAIN\r\n");
    struct asked *freed = fixture_read("GET a");
    cluster_flush(fixture.cluster);
    cluster_question_free(&freed->question);
    fixture_expect_text(fixture_read("GET b"), CLUSTER_STATUS, "OK");
    ck_assert_uint_eq(node_times(node, "GET a"), 1);
}
END_TEST

START_TEST(a_parked_one_is_freed)
{
    node->slots = "*0\r\n";
    fixture.cluster = cluster_create(&fixture.options);
    struct asked *freed = fixture_read("GET a");
    fixture_until(node->refreshes > 0);
    cluster_question_free(&freed->question);
    node->slots = fixture_slots(CLUSTER_SLOTS - 1, 0, -1, -1);
    fixture_expect_text(fixture_read("GET b"), CLUSTER_STATUS, "OK");
    ck_assert_uint_eq(node_times(node, "GET a"), 0);
}
END_TEST

/* All that the same read has answered: the first one's callback frees the others. */
START_TEST(a_callback_frees_others)
{
    fixture_connect(CLUSTER_SLOTS);
    struct asked *first = fixture_read("GET a");
    struct asked *second = fixture_read("GET b");
    struct asked *third = fixture_read("GET c");
    first->frees = second;
    fixture_wait(third);
    ck_assert_uint_eq(first->told, 1);
    ck_assert_uint_eq(second->told, 0);
}
END_TEST

START_TEST(a_callback_frees_itself_and_asks)
{
    fixture_connect(CLUSTER_SLOTS);
    struct asked *first = fixture_read("GET a");
    first->frees = first;
    first->asks = "GET b";
    fixture_until(first->another != NULL);
    fixture_expect_text(first->another, CLUSTER_STATUS, "OK");
    ck_assert(node_was_asked(node, "GET a", "GET b", NULL));
}
END_TEST

/* --- patience --------------------------------------------------------------- */

START_TEST(without_a_node_nothing_is_done)
{
    fixture.options.patience = 60;
    node_go_away(node);
    fixture.cluster = cluster_create(&fixture.options);
    struct asked *write = fixture_write("SET a 1");
    struct asked *read = fixture_read("GET a");
    fixture_expect(write, CLUSTER_NOT_DONE);
    fixture_expect(read, CLUSTER_NOT_DONE);
    ck_assert_uint_eq(fixture_count(METRIC_CLUSTER_NOT_DONE), 2);
}
END_TEST

static void on_patience(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    *(bool *)context = true;
}

/* What comes later does not wait as long as the first did. */
START_TEST(nothing_queues_up_for_a_dead_node)
{
    bool over = false;
    fixture.options.patience = 400;
    fixture_connect(CLUSTER_SLOTS);
    node_go_away(node);
    fixture_until(fixture_count(METRIC_CLUSTER_BROKEN) == 1);
    struct event *patience = evtimer_new(fixture.base, on_patience, &over);
    struct timeval half = thread_timeval(200);
    fixture_expect(fixture_write("SET a 1"), CLUSTER_NOT_DONE);
    fixture_expect(fixture_write("SET a 1"), CLUSTER_NOT_DONE);
    struct asked *late = fixture_write("SET a 2");
    evtimer_add(patience, &half);
    fixture_expect(late, CLUSTER_NOT_DONE);
    ck_assert(!over);
    event_free(patience);

    node_come_back(node);
    struct asked *again;
    do {
        again = fixture_write("SET a 3");
        fixture_wait(again);
    } while (again->question->outcome == CLUSTER_NOT_DONE);
    ck_assert_int_eq(again->question->outcome, CLUSTER_ANSWERED);
    ck_assert_uint_eq(node_times(node, "SET a 1") + node_times(node, "SET a 2"), 0);
}
END_TEST

/* --- figures and the like ------------------------------------------------------ */

START_TEST(its_state_is_told)
{
    struct cluster_state state;
    fixture_set_slots(fixture_slots(99, 0, 2, CLUSTER_SLOTS - 2, 1, 3, -1));
    fixture_connect(CLUSTER_SLOTS - 1);
    struct asked *asked = fixture_read("GET a");
    do {
        fixture_turn();
        cluster_read_state(fixture.cluster, &state);
    } while (state.masters_ready < 2);
    ck_assert_uint_eq(state.masters, 2);
    ck_assert_uint_eq(state.replicas, 2);
    fixture_wait(asked);
    cluster_read_state(fixture.cluster, &state);
    ck_assert_uint_eq(state.under_way, 0);
}
END_TEST

START_TEST(names_that_are_none_are_refused)
{
    static const char *const names[] = {"",           "host",       "host:", ":6379",  "host:0",
                                        "host:65536", "host:6379x", "a b:1", "host:-1"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        fixture.options.nodes = &names[i];
        ck_assert_ptr_null(cluster_create(&fixture.options));
    }
    const char *good = "[::1]:6379";
    fixture.options.nodes = &good;
    fixture.cluster = cluster_create(&fixture.options);
    ck_assert_ptr_nonnull(fixture.cluster);
}
END_TEST

/* At every stage that a link can be in. */
START_TEST(it_is_destroyed_at_any_moment)
{
    for (int turns = 0; turns < 40; turns++) {
        fixture.cluster = cluster_create(&fixture.options);
        for (int i = 0; i < turns; i++) {
            event_base_loop(fixture.base, EVLOOP_NONBLOCK);
        }
        struct asked *asked = fixture_read("GET a");
        cluster_flush(fixture.cluster);
        cluster_question_free(&asked->question);
        cluster_destroy(&fixture.cluster);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ask");
    TCase *tcase = tcase_create("questions");
    tcase_set_timeout(tcase, CASE_TIMEOUT);
    tcase_add_checked_fixture(tcase, fixture_set_up, fixture_tear_down);
    tcase_add_test(tcase, a_question_is_answered);
    tcase_add_test(tcase, many_are_one_round);
    tcase_add_test(tcase, they_are_sent_anyway);
    tcase_add_test(tcase, what_is_asked_at_once_waits_for_the_cluster);
    tcase_add_test(tcase, a_large_argument_is_not_copied);
    tcase_add_test(tcase, an_empty_argument_may_be_owned);
    tcase_add_test(tcase, a_reply_comes_in_pieces);
    tcase_add_test(tcase, what_is_freed_before_it_was_sent_is_not_sent);
    tcase_add_test(tcase, the_reply_to_a_freed_one_is_dropped);
    tcase_add_test(tcase, a_redirected_one_that_was_freed_is_not_sent_on);
    tcase_add_test(tcase, a_parked_one_is_freed);
    tcase_add_test(tcase, a_callback_frees_others);
    tcase_add_test(tcase, a_callback_frees_itself_and_asks);
    tcase_add_test(tcase, without_a_node_nothing_is_done);
    tcase_add_test(tcase, nothing_queues_up_for_a_dead_node);
    tcase_add_test(tcase, its_state_is_told);
    tcase_add_test(tcase, names_that_are_none_are_refused);
    tcase_add_test(tcase, it_is_destroyed_at_any_moment);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

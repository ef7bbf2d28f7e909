/*
 * check_broken.c - links that break at every stage, nodes that are silent, and nodes that send
 * nonsense: what was written is never repeated, and what is read is asked again.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cluster/cluster_fixture.h"
#include "tests/support/suite.h"

enum { CASE_TIMEOUT = 120, SHORT_PATIENCE = 200 /* ms */ };

static struct scripted_node *const node = &fixture.nodes[0];

static void connect_impatiently(void)
{
    fixture.options.patience = SHORT_PATIENCE;
    fixture_connect(CLUSTER_SLOTS);
}

/* --- after it was sent ------------------------------------------------------------ */

/* What a node may do instead of an answer. */
static const char *const failures[] = {
    node_closes,       "$5\r\nval", /* and nothing more */
    "nonsense\r\n",    "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
    "*2147483647\r\n", node_silence,
};
enum { FAILURES = sizeof failures / sizeof failures[0] };

START_TEST(a_write_that_was_sent_is_unknown)
{
    connect_impatiently();
    node_answers(node, failures[_i]);
    fixture_expect(fixture_write("INCR a"), CLUSTER_UNKNOWN);
    ck_assert_uint_eq(node_times(node, "INCR a"), 1);
    ck_assert_uint_eq(fixture_count(METRIC_CLUSTER_UNKNOWN), 1);
    ck_assert_uint_eq(fixture_count(METRIC_CLUSTER_BROKEN), 1);
    fixture_expect_text(fixture_write("INCR b"), CLUSTER_STATUS, "OK");
    ck_assert_uint_eq(node_times(node, "INCR a"), 1);
}
END_TEST

START_TEST(a_read_that_was_sent_is_asked_again)
{
    fixture.options.patience = 2000;
    fixture_connect(CLUSTER_SLOTS);
    node_answers(node, failures[_i]);
    node_answers(node, "$5\r\nvalue\r\n");
    fixture_expect_text(fixture_read("GET a"), CLUSTER_STRING, "value");
    ck_assert_uint_eq(node_times(node, "GET a"), 2);
    ck_assert_uint_eq(fixture_count(METRIC_CLUSTER_BROKEN), 1);
}
END_TEST

START_TEST(silence_is_overdue)
{
    connect_impatiently();
    node_stop(node);
    fixture_expect(fixture_write("INCR a"), CLUSTER_UNKNOWN);
    ck_assert_uint_eq(fixture_count(METRIC_CLUSTER_OVERDUE), 1);
    /* The stopped one takes connections, and no question: it has to answer PING first. */
    fixture_expect(fixture_write("INCR b"), CLUSTER_NOT_DONE);
    node_continue(node);
    struct asked *again;
    do {
        again = fixture_write("INCR c");
        fixture_wait(again);
    } while (again->question->outcome == CLUSTER_NOT_DONE);
    ck_assert_int_eq(again->question->outcome, CLUSTER_ANSWERED);
    ck_assert_uint_eq(node_times(node, "INCR b"), 0);
}
END_TEST

/* Many behind each other: those that were answered are, the others are not known. */
START_TEST(a_link_breaks_in_the_middle)
{
    enum { MANY = 10, ANSWERED = 4 };
    struct asked *asked[MANY];
    connect_impatiently();
    for (int i = 0; i < ANSWERED; i++) {
        node_answers(node, ":1\r\n");
    }
    node_answers(node, node_closes);
    for (int i = 0; i < MANY; i++) {
        asked[i] = fixture_write("INCR a");
    }
    for (int i = 0; i < MANY; i++) {
        fixture_expect(asked[i], i < ANSWERED ? CLUSTER_ANSWERED : CLUSTER_UNKNOWN);
    }
    ck_assert_uint_eq(node_times(node, "INCR a"), ANSWERED + 1);
}
END_TEST

START_TEST(a_reply_to_nothing_breaks_the_link)
{
    fixture_connect(CLUSTER_SLOTS);
    fixture_expect_text(fixture_read("GET a"), CLUSTER_STATUS, "OK");
    node_says(node, "+OK\r\n");
    fixture_until(fixture_count(METRIC_CLUSTER_BROKEN) == 1);
    fixture_expect_text(fixture_read("GET a"), CLUSTER_STATUS, "OK");
}
END_TEST

START_TEST(what_breaks_link_after_link_is_given_up)
{
    fixture_connect(CLUSTER_SLOTS);
    for (int i = 0; i < NODE_ANSWERS_MAX; i++) {
        node_answers(node, "*2147483647\r\n");
    }
    fixture_expect(fixture_read("GET a"), CLUSTER_NOT_DONE);
    ck_assert_uint_eq(node_times(node, "GET a"), 3);
}
END_TEST

START_TEST(a_freed_one_is_lost_with_its_link)
{
    connect_impatiently();
    node_stop(node);
    struct asked *freed = fixture_write("INCR a");
    cluster_flush(fixture.cluster);
    cluster_question_free(&freed->question);
    fixture_until(fixture_count(METRIC_CLUSTER_BROKEN) == 1);
    ck_assert_uint_eq(freed->told, 0);
}
END_TEST

/* --- before it was sent ------------------------------------------------------------ */

START_TEST(what_was_not_sent_is_sent_later)
{
    fixture_connect(CLUSTER_SLOTS);
    node_hang_up(node);
    fixture_until(fixture_count(METRIC_CLUSTER_BROKEN) == 1);
    fixture_expect_text(fixture_write("INCR a"), CLUSTER_STATUS, "OK");
    ck_assert_uint_eq(node_times(node, "INCR a"), 1);
}
END_TEST

/* The socket takes a part of the command only: the node cannot have done it. */
START_TEST(what_was_sent_in_part_was_not_done)
{
    enum { LARGE = 32 << 20 };
    connect_impatiently();
    node_stop(node);
    struct slice arguments[] = {slice_of("SET"), slice_of("a"), {calloc(1, LARGE), LARGE}};
    ck_assert_ptr_nonnull(arguments[2].bytes);
    struct asked *asked = fixture_ask(
        &(struct cluster_command){.writes = true, .arguments = arguments, .count = 3, .owned = 2});
    struct asked *behind = fixture_write("INCR b");
    struct asked *freed = fixture_write("INCR c");
    cluster_flush(fixture.cluster);
    cluster_question_free(&freed->question); /* the socket is full: too late to take it back */
    fixture_expect(asked, CLUSTER_NOT_DONE);
    fixture_expect(behind, CLUSTER_NOT_DONE);
    ck_assert_uint_eq(node->command_count, 0);
}
END_TEST

/* The rest of it goes out all the same, and what is behind it is understood. */
START_TEST(what_was_sent_in_part_cannot_be_taken_back)
{
    enum { LARGE = 32 << 20 };
    fixture_connect(CLUSTER_SLOTS);
    node_stop(node);
    struct slice arguments[] = {slice_of("SET"), slice_of("a"), {calloc(1, LARGE), LARGE}};
    ck_assert_ptr_nonnull(arguments[2].bytes);
    struct asked *freed = fixture_ask(
        &(struct cluster_command){.writes = true, .arguments = arguments, .count = 3, .owned = 2});
    struct asked *behind = fixture_write("INCR b");
    cluster_flush(fixture.cluster);
    cluster_question_free(&freed->question);
    node_continue(node);
    fixture_expect_text(behind, CLUSTER_STATUS, "OK");
    ck_assert_uint_eq(node->longest, LARGE);
    ck_assert_uint_eq(freed->told, 0);
}
END_TEST

START_TEST(a_large_command_goes_out_in_pieces)
{
    enum { LARGE = 32 << 20 };
    fixture_connect(CLUSTER_SLOTS);
    struct slice arguments[] = {slice_of("SET"), slice_of("a"), {calloc(1, LARGE), LARGE}};
    ck_assert_ptr_nonnull(arguments[2].bytes);
    struct asked *asked = fixture_ask(
        &(struct cluster_command){.writes = true, .arguments = arguments, .count = 3, .owned = 2});
    fixture_expect_text(asked, CLUSTER_STATUS, "OK");
    ck_assert_uint_eq(node->longest, LARGE);
    ck_assert_uint_eq(fixture_count(METRIC_CLUSTER_BROKEN), 0);
}
END_TEST

/* --- greeting ------------------------------------------------------------------ */

static const char *const bad_pings[] = {
    "-LOADING Redis is loading the dataset in memory\r\n",
    "-NOAUTH Authentication required.\r\n",
    "+PANG\r\n",
    ":1\r\n",
    "*1\r\n+PONG\r\n",
    "nonsense\r\n",
    node_closes,
};

START_TEST(a_node_must_answer_ping)
{
    fixture.options.patience = 60;
    node->ping = bad_pings[_i];
    fixture.cluster = cluster_create(&fixture.options);
    fixture_expect(fixture_write("INCR a"), CLUSTER_NOT_DONE);
    fixture_until(node->pings >= 2);
    ck_assert_uint_eq(node->command_count, 0);
    node->ping = "+PONG\r\n";
    struct asked *again;
    do {
        again = fixture_write("INCR b");
        fixture_wait(again);
    } while (again->question->outcome == CLUSTER_NOT_DONE);
    ck_assert_int_eq(again->question->outcome, CLUSTER_ANSWERED);
}
END_TEST

START_TEST(a_silent_ping_is_given_up)
{
    node->ping = node_silence;
    fixture.cluster = cluster_create(&fixture.options);
    fixture_until(node->accepted >= 2);
    ck_assert_uint_eq(node->command_count, 0);
}
END_TEST

START_TEST(auth_goes_first)
{
    fixture.options.user = "door";
    fixture.options.secret = "sesame";
    fixture_connect(CLUSTER_SLOTS);
    fixture_expect_text(fixture_read("GET a"), CLUSTER_STATUS, "OK");
    ck_assert(node_was_asked(node, "AUTH door sesame", "GET a", NULL));
}
END_TEST

START_TEST(auth_without_a_user)
{
    fixture.options.secret = "sesame";
    fixture_connect(CLUSTER_SLOTS);
    ck_assert(node_was_asked(node, "AUTH sesame", NULL));
}
END_TEST

START_TEST(wrong_auth_asks_nothing)
{
    fixture.options.patience = 100;
    fixture.options.secret = "wrong";
    node->auth = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
    fixture.cluster = cluster_create(&fixture.options);
    fixture_expect(fixture_read("GET a"), CLUSTER_NOT_DONE);
    ck_assert_uint_eq(node_times(node, "GET a"), 0);
    ck_assert_uint_ge(node_times(node, "AUTH wrong"), 1);
}
END_TEST

START_TEST(a_silent_link_asks_ping)
{
    fixture.options.patience = 500;
    fixture_connect(CLUSTER_SLOTS);
    unsigned pings = node->pings;
    fixture_until(node->pings == pings + 2);
    ck_assert_uint_eq(fixture_count(METRIC_CLUSTER_BROKEN), 0);
    node->ping = node_silence;
    node->slots = node_silence;
    fixture_until(fixture_count(METRIC_CLUSTER_OVERDUE) == 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("broken");
    TCase *tcase = tcase_create("broken");
    tcase_set_timeout(tcase, CASE_TIMEOUT);
    tcase_add_checked_fixture(tcase, fixture_set_up, fixture_tear_down);
    tcase_add_loop_test(tcase, a_write_that_was_sent_is_unknown, 0, FAILURES);
    tcase_add_loop_test(tcase, a_read_that_was_sent_is_asked_again, 0, FAILURES);
    tcase_add_test(tcase, silence_is_overdue);
    tcase_add_test(tcase, a_link_breaks_in_the_middle);
    tcase_add_test(tcase, a_reply_to_nothing_breaks_the_link);
    tcase_add_test(tcase, what_breaks_link_after_link_is_given_up);
    tcase_add_test(tcase, a_freed_one_is_lost_with_its_link);
    tcase_add_test(tcase, what_was_not_sent_is_sent_later);
    tcase_add_test(tcase, what_was_sent_in_part_was_not_done);
    tcase_add_test(tcase, what_was_sent_in_part_cannot_be_taken_back);
    tcase_add_test(tcase, a_large_command_goes_out_in_pieces);
    tcase_add_loop_test(tcase, a_node_must_answer_ping, 0, sizeof bad_pings / sizeof bad_pings[0]);
    tcase_add_test(tcase, a_silent_ping_is_given_up);
    tcase_add_test(tcase, auth_goes_first);
    tcase_add_test(tcase, auth_without_a_user);
    tcase_add_test(tcase, wrong_auth_asks_nothing);
    tcase_add_test(tcase, a_silent_link_asks_ping);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

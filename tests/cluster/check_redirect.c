/*
 * check_redirect.c - what a node says when a slot is not its own, or not yet, or no more; and
 * guards.
 */
#include <check.h>
#include <stdio.h>

#include "tests/cluster/cluster_fixture.h"
#include "tests/support/suite.h"

enum { CASE_TIMEOUT = 120, TEXT = 128 };

static struct scripted_node *const first = &fixture.nodes[0];
static struct scripted_node *const second = &fixture.nodes[1];

/* Good until it is called with the same text again. */
static const char *redirects(char text[TEXT], const char *word, int node)
{
    snprintf(text, TEXT, "-%s 0 %s\r\n", word, fixture.nodes[node].name);
    return text;
}

START_TEST(moved_is_followed_and_remembered)
{
    char moved[TEXT];
    fixture_connect(CLUSTER_SLOTS);
    fixture_set_slots(fixture_slots(0, 1, -1, CLUSTER_SLOTS - 1, 0, -1, -1));
    node_answers(first, redirects(moved, "MOVED", 1));
    node_answers(second, "$1\r\n2\r\n");
    fixture_expect_text(fixture_write("SET a 1"), CLUSTER_STRING, "2");
    fixture_expect_text(fixture_write("SET a 2"), CLUSTER_STATUS, "OK");
    ck_assert(node_was_asked(first, "SET a 1", NULL));
    ck_assert_uint_eq(first->command_count, 1);
    ck_assert(node_was_asked(second, "SET a 1", "SET a 2", NULL));
    ck_assert_uint_eq(fixture_count(METRIC_CLUSTER_MOVED), 1);
    struct cluster_state state;
    do {
        fixture_turn(); /* the topology is asked for again */
        cluster_read_state(fixture.cluster, &state);
    } while (state.masters < 2);
}
END_TEST

START_TEST(moved_without_a_host_is_the_same_host)
{
    char moved[TEXT];
    snprintf(moved, sizeof moved, "-MOVED 0 :%u\r\n", (unsigned)second->port);
    fixture_connect(CLUSTER_SLOTS);
    fixture_set_slots(fixture_slots(CLUSTER_SLOTS - 1, 1, -1, -1));
    node_answers(first, moved);
    fixture_expect_text(fixture_write("SET a 1"), CLUSTER_STATUS, "OK");
    ck_assert(node_was_asked(second, "SET a 1", NULL));
}
END_TEST

/* Two nodes that send it to each other: until the patience is over. */
START_TEST(moved_in_a_circle_ends)
{
    char one[TEXT], two[TEXT];
    fixture.options.patience = 100;
    fixture_connect(CLUSTER_SLOTS);
    for (int i = 0; i < NODE_ANSWERS_MAX; i++) {
        node_answers(first, redirects(one, "MOVED", 1));
        node_answers(second, redirects(two, "MOVED", 0));
    }
    struct asked *asked = fixture_write("SET a 1");
    fixture_expect(asked, CLUSTER_NOT_DONE);
    ck_assert_uint_lt(first->command_count + second->command_count, 30);
}
END_TEST

START_TEST(moved_to_where_nothing_is_ends)
{
    fixture.options.patience = 100;
    fixture_connect(CLUSTER_SLOTS);
    for (int i = 0; i < NODE_ANSWERS_MAX; i++) {
        node_answers(first, "-MOVED 0 127.0.0.1:1\r\n");
    }
    fixture_expect(fixture_write("SET a 1"), CLUSTER_NOT_DONE);
    fixture_until(first->refreshes >= 2);
    ck_assert_uint_gt(fixture_count(METRIC_CLUSTER_MOVED), 0);
}
END_TEST

START_TEST(ask_is_followed_once)
{
    char asks[TEXT];
    fixture_connect(CLUSTER_SLOTS);
    node_answers(first, redirects(asks, "ASK", 1));
    node_answers(second, "$1\r\n2\r\n");
    fixture_expect_text(fixture_write("SET a 1"), CLUSTER_STRING, "2");
    fixture_expect_text(fixture_write("SET b 1"), CLUSTER_STATUS, "OK");
    ck_assert(node_was_asked(second, "ASKING", "SET a 1", NULL));
    ck_assert_uint_eq(second->command_count, 2);
    ck_assert(node_was_asked(first, "SET a 1", "SET b 1", NULL));
    ck_assert_uint_eq(fixture_count(METRIC_CLUSTER_ASKED), 1);
}
END_TEST

static const char *const refusals[] = {
    "-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
    "-CLUSTERDOWN Hash slot not served\r\n",
    "-LOADING Redis is loading the dataset in memory\r\n",
    "-MASTERDOWN Link with MASTER is down\r\n",
    "-READONLY You can't write against a read only replica.\r\n",
    "-MOVED 0 ?:6379\r\n",
};

START_TEST(what_was_refused_is_asked_again)
{
    fixture_connect(CLUSTER_SLOTS);
    node_answers(first, refusals[_i]);
    node_answers(first, refusals[_i]);
    node_answers(first, ":1\r\n");
    fixture_expect(fixture_write("INCR a"), CLUSTER_ANSWERED);
    ck_assert(node_was_asked(first, "INCR a", "INCR a", "INCR a", NULL));
    ck_assert_uint_eq(fixture_count(METRIC_CLUSTER_RETRIED), 2);
}
END_TEST

START_TEST(what_is_refused_for_long_is_not_done)
{
    fixture.options.patience = 60;
    fixture_connect(CLUSTER_SLOTS);
    for (int i = 0; i < NODE_ANSWERS_MAX; i++) {
        node_answers(first, refusals[_i]);
    }
    fixture_expect(fixture_write("INCR a"), CLUSTER_NOT_DONE);
}
END_TEST

/* The importing side has not all keys: the owner is asked again. */
START_TEST(try_again_after_ask)
{
    char asks[TEXT];
    fixture_connect(CLUSTER_SLOTS);
    node_answers(first, redirects(asks, "ASK", 1));
    node_answers(second, "-TRYAGAIN\r\n");
    node_answers(first, ":2\r\n");
    fixture_expect(fixture_write("UNLINK {a}1 {a}2"), CLUSTER_ANSWERED);
    ck_assert(node_was_asked(first, "UNLINK {a}1 {a}2", "UNLINK {a}1 {a}2", NULL));
    ck_assert(node_was_asked(second, "ASKING", "UNLINK {a}1 {a}2", NULL));
}
END_TEST

/* --- scripts ---------------------------------------------------------------- */

static struct cluster_script *script;

static struct asked *ask_script(void)
{
    return fixture_ask_words((struct cluster_command){.writes = true, .script = script}, "1 a x");
}

START_TEST(a_script_is_sent_where_it_is_not_known)
{
    static const char by_digest[] = "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 1 a x";
    script = cluster_script_create("return 1");
    fixture_connect(CLUSTER_SLOTS);
    node_answers(first, "-NOSCRIPT No matching script. Please use EVAL.\r\n");
    node_answers(first, ":1\r\n");
    fixture_expect(ask_script(), CLUSTER_ANSWERED);
    ck_assert(node_was_asked(first, by_digest, "EVAL return 1 1 a x", NULL));
    fixture_expect_text(ask_script(), CLUSTER_STATUS, "OK");
    ck_assert(node_was_asked(first, by_digest, NULL));
    cluster_script_destroy(&script);
}
END_TEST

START_TEST(a_node_that_never_knows_it_is_believed)
{
    script = cluster_script_create("return 1");
    fixture_connect(CLUSTER_SLOTS);
    node_answers(first, "-NOSCRIPT no\r\n");
    node_answers(first, "-NOSCRIPT no\r\n");
    fixture_expect_text(ask_script(), CLUSTER_ERROR, "NOSCRIPT no");
    node_answers(first, "-NOSCRIPT no\r\n");
    fixture_expect_text(fixture_write("FCALL f"), CLUSTER_ERROR, "NOSCRIPT no");
    cluster_script_destroy(&script);
}
END_TEST

/* --- guards ----------------------------------------------------------------- */

static struct asked *ask_keys(bool importing)
{
    return fixture_ask_words(
        (struct cluster_command){.guard = slice_of("{x}"), .importing = importing},
        "CLUSTER GETKEYSINSLOT 0 10");
}

START_TEST(a_guard_goes_first)
{
    fixture_connect(CLUSTER_SLOTS);
    node_answers(first, ":0\r\n");
    node_answers(first, "*1\r\n$1\r\nk\r\n");
    struct asked *asked = ask_keys(false);
    fixture_expect(asked, CLUSTER_ANSWERED);
    ck_assert_uint_eq(asked->question->reply->count, 1);
    ck_assert(!asked->question->moves);
    ck_assert(node_was_asked(first, "EXISTS {x}", "CLUSTER GETKEYSINSLOT 0 10", NULL));
}
END_TEST

START_TEST(what_the_guard_says_counts)
{
    char moved[TEXT];
    fixture_connect(CLUSTER_SLOTS);
    fixture_set_slots(fixture_slots(CLUSTER_SLOTS - 1, 1, -1, -1));
    node_answers(first, "-CLUSTERDOWN Hash slot not served\r\n");
    node_answers(first, "*1\r\n$5\r\nwrong\r\n");
    node_answers(first, redirects(moved, "MOVED", 1));
    node_answers(first, "*1\r\n$5\r\nwrong\r\n");
    node_answers(second, ":0\r\n");
    node_answers(second, "*0\r\n");
    struct asked *asked = ask_keys(false);
    fixture_expect(asked, CLUSTER_ANSWERED);
    ck_assert_uint_eq(asked->question->reply->count, 0);
    ck_assert(node_was_asked(second, "EXISTS {x}", "CLUSTER GETKEYSINSLOT 0 10", NULL));
}
END_TEST

START_TEST(an_error_of_the_guard_is_the_answer)
{
    fixture_connect(CLUSTER_SLOTS);
    node_answers(first, "-NOPERM no permissions\r\n");
    node_answers(first, "*0\r\n");
    fixture_expect_text(ask_keys(false), CLUSTER_ERROR, "NOPERM no permissions");
}
END_TEST

START_TEST(a_slot_that_moves_is_asked_on_both_sides)
{
    char asks[TEXT];
    fixture_connect(CLUSTER_SLOTS);
    node_answers(first, redirects(asks, "ASK", 1));
    node_answers(first, "*1\r\n$3\r\nold\r\n");
    struct asked *asked = ask_keys(false);
    fixture_expect(asked, CLUSTER_ANSWERED);
    ck_assert(asked->question->moves);
    ck_assert_str_eq(asked->question->reply->elements[0]->text.bytes, "old");
    ck_assert_uint_eq(first->command_count, 2);

    node_answers(second, ":0\r\n");
    node_answers(second, "*1\r\n$3\r\nnew\r\n");
    asked = ask_keys(true);
    fixture_expect(asked, CLUSTER_ANSWERED);
    ck_assert_str_eq(asked->question->reply->elements[0]->text.bytes, "new");
    ck_assert(node_was_asked(second, "ASKING", "EXISTS {x}", "ASKING", "CLUSTER GETKEYSINSLOT 0 10",
                             NULL));
}
END_TEST

/* The other side owns it by now, or has given it up: its owner is asked. */
START_TEST(a_slot_that_has_moved_is_asked_where_it_is)
{
    char asks[TEXT], moved[TEXT];
    fixture_connect(CLUSTER_SLOTS);
    node_answers(first, redirects(asks, "ASK", 1));
    fixture_expect(ask_keys(false), CLUSTER_ANSWERED);
    node_answers(second, redirects(moved, "MOVED", 2));
    fixture_set_slots(fixture_slots(CLUSTER_SLOTS - 1, 2, -1, -1));
    fixture_expect(ask_keys(true), CLUSTER_ANSWERED);
    ck_assert(node_was_asked(&fixture.nodes[2], "EXISTS {x}", "CLUSTER GETKEYSINSLOT 0 10", NULL));
    ck_assert_uint_eq(fixture.nodes[2].command_count, 2);
}
END_TEST

START_TEST(importing_without_a_move_asks_the_owner)
{
    fixture_connect(CLUSTER_SLOTS);
    fixture_expect(ask_keys(true), CLUSTER_ANSWERED);
    ck_assert(node_was_asked(first, "EXISTS {x}", "CLUSTER GETKEYSINSLOT 0 10", NULL));
}
END_TEST

/* Its replies are two, and both are dropped. */
START_TEST(a_guarded_one_is_freed)
{
    fixture_connect(CLUSTER_SLOTS);
    node_answers(first, "-CLUSTERDOWN\r\n");
    node_answers(first, "*0\r\n");
    node_answers(first, "$5\r\nvalue\r\n");
    struct asked *freed = ask_keys(false);
    cluster_flush(fixture.cluster);
    cluster_question_free(&freed->question);
    fixture_expect_text(fixture_read("GET a"), CLUSTER_STRING, "value");
    ck_assert_uint_eq(first->command_count, 3);
}
END_TEST

int main(void)
{
    enum { REFUSALS = sizeof refusals / sizeof refusals[0] };
    Suite *suite = suite_create("redirect");
    TCase *tcase = tcase_create("redirections");
    tcase_set_timeout(tcase, CASE_TIMEOUT);
    tcase_add_checked_fixture(tcase, fixture_set_up, fixture_tear_down);
    tcase_add_test(tcase, moved_is_followed_and_remembered);
    tcase_add_test(tcase, moved_without_a_host_is_the_same_host);
    tcase_add_test(tcase, moved_in_a_circle_ends);
    tcase_add_test(tcase, moved_to_where_nothing_is_ends);
    tcase_add_test(tcase, ask_is_followed_once);
    tcase_add_loop_test(tcase, what_was_refused_is_asked_again, 0, REFUSALS);
    tcase_add_loop_test(tcase, what_is_refused_for_long_is_not_done, 0, REFUSALS);
    tcase_add_test(tcase, try_again_after_ask);
    tcase_add_test(tcase, a_script_is_sent_where_it_is_not_known);
    tcase_add_test(tcase, a_node_that_never_knows_it_is_believed);
    tcase_add_test(tcase, a_guard_goes_first);
    tcase_add_test(tcase, what_the_guard_says_counts);
    tcase_add_test(tcase, an_error_of_the_guard_is_the_answer);
    tcase_add_test(tcase, a_slot_that_moves_is_asked_on_both_sides);
    tcase_add_test(tcase, a_slot_that_has_moved_is_asked_where_it_is);
    tcase_add_test(tcase, importing_without_a_move_asks_the_owner);
    tcase_add_test(tcase, a_guarded_one_is_freed);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

/*
 * check_topology.c - which nodes there are, as they tell; replicas; and names.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/cluster/cluster_fixture.h"
#include "tests/support/suite.h"

enum { CASE_TIMEOUT = 120, TEXT = 256 };

static struct scripted_node *const master = &fixture.nodes[0];
static struct scripted_node *const replica = &fixture.nodes[1];

static struct asked *ask_slot(unsigned slot, bool writes, const char *words)
{
    return fixture_ask_words((struct cluster_command){.slot = slot, .writes = writes}, words);
}

static void connect_with_replica(void)
{
    struct cluster_state state;
    fixture_set_slots(fixture_slots(CLUSTER_SLOTS - 1, 0, 1, -1));
    fixture_connect(CLUSTER_SLOTS);
    fixture_until(node_times(replica, "READONLY") > 0);
    cluster_read_state(fixture.cluster, &state);
    ck_assert_uint_eq(state.replicas, 1);
}

START_TEST(each_slot_has_its_node)
{
    fixture_set_slots(fixture_slots(99, 0, -1, 199, 1, -1, CLUSTER_SLOTS - 1, 2, -1, -1));
    fixture_connect(CLUSTER_SLOTS);
    static const unsigned slots[] = {0, 99, 100, 199, 200, CLUSTER_SLOTS - 1};
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        size_t before = fixture.nodes[i / 2].command_count;
        fixture_expect_text(ask_slot(slots[i], true, "SET a 1"), CLUSTER_STATUS, "OK");
        ck_assert_uint_eq(fixture.nodes[i / 2].command_count, before + 1);
    }
}
END_TEST

/* The node of the configuration is none of the cluster's by its name. */
START_TEST(a_node_that_knows_others)
{
    fixture_set_slots(fixture_slots(CLUSTER_SLOTS - 1, 1, 2, -1));
    fixture_connect(CLUSTER_SLOTS);
    fixture_expect_text(fixture_write("SET a 1"), CLUSTER_STATUS, "OK");
    ck_assert_uint_eq(node_times(&fixture.nodes[1], "SET a 1"), 1);
    ck_assert_uint_eq(fixture.nodes[1].accepted, 1);
    /* It is let go, and is asked again when no other node answers. */
    fixture_until(fixture.nodes[1].refreshes + fixture.nodes[2].refreshes >= 1);
    fixture_until(LIST_EMPTY(&master->conns));
    unsigned accepted = master->accepted;
    fixture_set_slots(fixture_slots(CLUSTER_SLOTS - 1, 3, -1, -1));
    node_go_away(&fixture.nodes[1]);
    node_go_away(&fixture.nodes[2]);
    fixture_until(fixture_count(METRIC_CLUSTER_BROKEN) == 2);
    fixture_expect_text(fixture_write("SET a 2"), CLUSTER_STATUS, "OK");
    ck_assert_uint_eq(node_times(&fixture.nodes[3], "SET a 2"), 1);
    ck_assert_uint_gt(master->accepted, accepted);
}
END_TEST

START_TEST(a_host_without_a_name_is_the_one_that_was_asked)
{
    static const char *const hosts[] = {"$0\r\n\r\n", "$-1\r\n"};
    for (size_t i = 0; i < 2; i++) {
        char slots[TEXT];
        snprintf(slots, sizeof slots, "*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n%s:%u\r\n$2\r\nid\r\n",
                 hosts[i], (unsigned)replica->port);
        fixture_set_slots(slots);
        fixture_connect(CLUSTER_SLOTS);
        fixture_expect_text(fixture_write("SET a 1"), CLUSTER_STATUS, "OK");
        ck_assert_uint_eq(node_times(replica, "SET a 1"), i + 1);
        cluster_destroy(&fixture.cluster);
    }
}
END_TEST

START_TEST(hosts_that_are_not_found)
{
    char slots[TEXT * 2];
    snprintf(slots, sizeof slots,
             "*2\r\n*4\r\n:0\r\n:99\r\n*2\r\n$12\r\nnone.invalid\r\n:1\r\n*2\r\n$1\r\n?\r\n:0\r\n"
             "*3\r\n:100\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:%u\r\n",
             (unsigned)master->port);
    fixture.options.patience = 100;
    fixture_set_slots(slots);
    fixture_connect(CLUSTER_SLOTS);
    fixture_expect(ask_slot(0, true, "SET a 1"), CLUSTER_NOT_DONE);
    fixture_expect(ask_slot(99, false, "GET a"), CLUSTER_NOT_DONE);
    fixture_expect_text(ask_slot(100, true, "SET b 1"), CLUSTER_STATUS, "OK");
}
END_TEST

START_TEST(a_name_is_looked_up)
{
    char name[TEXT];
    const char *names[1] = {name};
    snprintf(name, sizeof name, "localhost:%u", (unsigned)master->port);
    fixture.options.nodes = names;
    fixture_connect(CLUSTER_SLOTS);
    fixture_expect_text(fixture_read("GET a"), CLUSTER_STATUS, "OK");
}
END_TEST

static const char *const not_told[] = {
    "-ERR This instance has cluster support disabled\r\n", "*0\r\n",     "+OK\r\n",
    "*1\r\n*3\r\n:2\r\n:1\r\n*2\r\n$1\r\na\r\n:1\r\n",     node_silence, node_closes,
};

/* Another node tells. */
START_TEST(a_node_that_does_not_tell)
{
    const char *names[2] = {master->name, replica->name};
    fixture.options.nodes = names;
    fixture.options.node_count = 2;
    fixture.options.patience = 400;
    master->slots = not_told[_i];
    replica->slots = fixture_slots(CLUSTER_SLOTS - 1, 1, -1, -1);
    fixture_connect(CLUSTER_SLOTS);
    fixture_expect_text(fixture_write("SET a 1"), CLUSTER_STATUS, "OK");
    ck_assert_uint_eq(node_times(replica, "SET a 1"), 1);
}
END_TEST

/* A link that goes with the cluster has a question under way, and other nodes have gone before. */
START_TEST(it_is_destroyed_while_a_node_is_asked)
{
    struct scripted_node *last = &fixture.nodes[2];
    last->slots = node_silence;
    master->slots = fixture_slots(99, 0, -1, 199, 1, -1, CLUSTER_SLOTS - 1, 2, -1, -1);
    replica->slots = master->slots;
    fixture_connect(CLUSTER_SLOTS);
    fixture_until(last->refreshes > 0);
    struct asked *asked = fixture_read("GET a");
    cluster_flush(fixture.cluster);
    cluster_question_free(&asked->question);
    cluster_destroy(&fixture.cluster);
}
END_TEST

/* --- replicas --------------------------------------------------------------- */

START_TEST(a_replica_answers_reads_when_the_master_is_gone)
{
    connect_with_replica();
    fixture_expect_text(fixture_read("GET a"), CLUSTER_STATUS, "OK");
    ck_assert_uint_eq(node_times(replica, "GET a"), 0);
    node_go_away(master);
    fixture_until(fixture_count(METRIC_CLUSTER_BROKEN) == 1);
    struct asked *write = fixture_write("SET a 1");
    node_answers(replica, "$1\r\n1\r\n");
    struct asked *read = fixture_read("GET a");
    fixture_expect_text(read, CLUSTER_STRING, "1");
    ck_assert(read->question->from_replica);
    ck_assert_uint_eq(fixture_count(METRIC_CLUSTER_REPLICA_READS), 1);
    ck_assert_uint_eq(write->told, 0);
    /* It is promoted. */
    fixture_set_slots(fixture_slots(CLUSTER_SLOTS - 1, 1, -1, -1));
    fixture_expect_text(write, CLUSTER_STATUS, "OK");
    ck_assert_uint_eq(node_times(replica, "SET a 1"), 1);
    ck_assert_uint_eq(node_times(replica, "READWRITE"), 1);
    read = fixture_read("GET a");
    fixture_expect_text(read, CLUSTER_STATUS, "OK");
    ck_assert(!read->question->from_replica);
}
END_TEST

/* It answers again, takes itself for the master, and says so. */
START_TEST(a_master_that_was_replaced_is_not_believed)
{
    connect_with_replica();
    node_go_away(master);
    fixture_until(fixture_count(METRIC_CLUSTER_BROKEN) == 1);
    replica->slots = fixture_slots(CLUSTER_SLOTS - 1, 1, -1, -1);
    struct asked *write = fixture_write("SET a 1");
    unsigned pings = master->pings;
    node_come_back(master);
    fixture_expect_text(write, CLUSTER_STATUS, "OK");
    ck_assert_uint_eq(node_times(replica, "SET a 1"), 1);
    fixture_until(master->pings > pings);
    fixture_expect_text(fixture_write("SET a 2"), CLUSTER_STATUS, "OK");
    ck_assert_uint_eq(node_times(replica, "SET a 2"), 1);
    ck_assert_uint_eq(node_times(master, "SET a 1") + node_times(master, "SET a 2"), 0);
}
END_TEST

/* The replica says that it is still the master. */
START_TEST(a_master_that_was_not_replaced_is)
{
    connect_with_replica();
    node_hang_up(master);
    fixture_until(fixture_count(METRIC_CLUSTER_BROKEN) == 1);
    unsigned refreshes = replica->refreshes;
    unsigned pings = master->pings;
    struct asked *write = fixture_write("SET a 1");
    fixture_until(master->pings > pings);
    fixture_expect_text(write, CLUSTER_STATUS, "OK");
    ck_assert_uint_eq(node_times(master, "SET a 1"), 1);
    ck_assert_uint_gt(replica->refreshes, refreshes);
}
END_TEST

START_TEST(a_replica_answers_what_the_master_owes)
{
    fixture.options.patience = 1000;
    connect_with_replica();
    node_stop(master);
    node_answers(replica, "$1\r\n1\r\n");
    struct asked *read = fixture_read("GET a");
    struct asked *write = fixture_write("SET a 1");
    fixture_expect_text(read, CLUSTER_STRING, "1");
    ck_assert(read->question->from_replica);
    fixture_expect(write, CLUSTER_UNKNOWN);
    ck_assert_uint_eq(fixture_count(METRIC_CLUSTER_OVERDUE), 1);
}
END_TEST

START_TEST(a_replica_answers_while_the_master_loads)
{
    connect_with_replica();
    node_answers(master, "-LOADING Redis is loading the dataset in memory\r\n");
    fixture_expect_text(fixture_read("GET a"), CLUSTER_STATUS, "OK");
    ck_assert_uint_eq(node_times(master, "GET a"), 1);
    ck_assert_uint_eq(node_times(replica, "GET a"), 1);
}
END_TEST

/* It says so itself, and the topology does not know it yet. */
START_TEST(a_replica_that_redirects)
{
    char moved[TEXT];
    connect_with_replica();
    node_go_away(master);
    fixture_until(fixture_count(METRIC_CLUSTER_BROKEN) == 1);
    snprintf(moved, sizeof moved, "-MOVED 0 %s\r\n", fixture.nodes[2].name);
    fixture_set_slots(fixture_slots(CLUSTER_SLOTS - 1, 2, -1, -1));
    node_answers(replica, moved);
    struct asked *read = fixture_read("GET a");
    fixture_expect_text(read, CLUSTER_STATUS, "OK");
    ck_assert(!read->question->from_replica);
    ck_assert_uint_eq(node_times(&fixture.nodes[2], "GET a"), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topology");
    TCase *tcase = tcase_create("topology");
    tcase_set_timeout(tcase, CASE_TIMEOUT);
    tcase_add_checked_fixture(tcase, fixture_set_up, fixture_tear_down);
    tcase_add_test(tcase, each_slot_has_its_node);
    tcase_add_test(tcase, a_node_that_knows_others);
    tcase_add_test(tcase, a_host_without_a_name_is_the_one_that_was_asked);
    tcase_add_test(tcase, hosts_that_are_not_found);
    tcase_add_test(tcase, a_name_is_looked_up);
    tcase_add_loop_test(tcase, a_node_that_does_not_tell, 0, sizeof not_told / sizeof not_told[0]);
    tcase_add_test(tcase, it_is_destroyed_while_a_node_is_asked);
    tcase_add_test(tcase, a_replica_answers_reads_when_the_master_is_gone);
    tcase_add_test(tcase, a_master_that_was_replaced_is_not_believed);
    tcase_add_test(tcase, a_master_that_was_not_replaced_is);
    tcase_add_test(tcase, a_replica_answers_what_the_master_owes);
    tcase_add_test(tcase, a_replica_answers_while_the_master_loads);
    tcase_add_test(tcase, a_replica_that_redirects);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

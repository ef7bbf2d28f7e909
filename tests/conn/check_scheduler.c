/*
 * check_scheduler.c - which connection is served at once, which waits in which queue, and which
 * leaves it: a loop looked at between two passes of its loop.
 */
#include "daemon/conn/scheduler.h"

#include <check.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "daemon/conn/connections.h"
#include "daemon/conn/timeouts.h"
#include "tests/conn/loop_fixture.h"
#include "tests/support/suite.h"

enum {
    CASE_TIMEOUT = 120,
    CROWD = 300,
    TIMES = 1000,     /* requests of a long pipeline: many turns */
    ANSWER = 6,       /* bytes: PONG\r\n */
    SOON = 3,         /* passes: each end of each line has been served once */
    PASSES = 1000000, /* more than anything takes: then it never happens */
};

static struct peer crowd[CROWD], others[CROWD];

static void set_up(void)
{
    rig_open();
    for (int i = 0; i < CROWD; i++) {
        crowd[i].fd = others[i].fd = -1;
    }
}

static void tear_down(void)
{
    rig_close();
    for (int i = 0; i < CROWD; i++) {
        rig_hang_up(&crowd[i]);
        rig_hang_up(&others[i]);
    }
}

/* --- peers ---------------------------------------------------------------- */

static void ask(const struct peer *peer)
{
    rig_say(peer, "PING\n", 1);
}

/* Its answer comes after so many passes at most. */
static void hear_within(struct peer *peer, int passes)
{
    size_t got = 0;
    for (int i = 0; i < passes && got == 0; i++) {
        rig_pass();
        got = rig_hear(peer, SIZE_MAX);
    }
    ck_assert_uint_eq(got, ANSWER);
}

static bool is_idle(const struct conn *conn)
{
    return conn->interactive && !conn->is_queued && !conn->demoted && conn->watched == EV_READ;
}

/* Comes, asks for a little, and is prompt from then on. */
static void come_and_be_prompt(struct peer *peer)
{
    rig_come(peer);
    ask(peer);
    hear_within(peer, SOON);
    ck_assert(is_idle(peer->conn));
}

static void come_with_pipelines(struct peer *peers, int count)
{
    for (int i = 0; i < count; i++) {
        rig_come(&peers[i]);
        rig_say(&peers[i], "PING\n", TIMES);
    }
}

/* So many have had a turn in line and need another one. */
static int lagging(const struct peer *peers, int first, int count)
{
    int found = 0;
    for (int i = first; i < first + count; i++) {
        found += peers[i].conn->demoted;
    }
    return found;
}

/* The poll names more and more at once, until none is left: all are in line then, and as most
 * have been named again while they were, their sockets are not watched. */
static void await_in_line(const struct peer *peers, int count)
{
    int waiting = 0;
    for (int passes = 0; passes < CROWD / 10 && waiting < count; passes++) {
        rig_pass();
        waiting = 0;
        for (int i = 0; i < count; i++) {
            waiting += peers[i].conn->is_queued;
        }
    }
    ck_assert_int_eq(waiting, count);
}

/* All have had a turn, and stand in the slow line. */
static void make_lag(struct peer *peers, int count)
{
    come_with_pipelines(peers, count);
    for (int passes = 0; lagging(peers, 0, count) < count; passes++) {
        ck_assert_int_lt(passes, 2 * count);
        rig_pass();
    }
    for (int i = 0; i < count; i++) {
        ck_assert(peers[i].conn->is_queued);
    }
    ck_assert(TAILQ_EMPTY(&rig.loop.run_queue.high));
}

static void drain(void)
{
    for (int passes = 0; !rig_nobody_waits(); passes++) {
        ck_assert_int_lt(passes, PASSES);
        rig_pass();
    }
}

static void hear_all(struct peer *peers, int count, size_t answers)
{
    for (int i = 0; i < count; i++) {
        rig_hear(&peers[i], SIZE_MAX);
        ck_assert_uint_eq(peers[i].heard, answers * ANSWER);
        ck_assert(is_idle(peers[i].conn));
    }
}

/* --- the order ----------------------------------------------------- */

/* A connection that asks for a little, and then again, never waits for those in a queue. */
START_TEST(the_prompt_beside_the_slow)
{
    come_and_be_prompt(&others[0]);
    come_and_be_prompt(&others[1]);
    make_lag(crowd, CROWD);
    for (int time = 0; time < 50; time++) {
        ask(&others[0]);
        ask(&others[1]);
        hear_within(&others[0], 1);
        ck_assert_uint_eq(rig_hear(&others[1], SIZE_MAX), ANSWER);
        ck_assert(is_idle(others[0].conn));
    }
    ck_assert_int_gt(lagging(crowd, 0, CROWD), 0);
}
END_TEST

/* Each turn counts by what passed until the last of its round had its replies. */
START_TEST(turns_are_timed)
{
    struct histogram_sum none = {.nanoseconds = 0};
    struct histogram_sum sum = none;
    come_and_be_prompt(&others[0]);
    come_and_be_prompt(&others[1]);
    histogram_sum(&none, &rig.metrics[0].turns);
    ck_assert_uint_eq(none.nanoseconds, 0);
    rig.loop.settings.latency = true;
    ask(&others[0]);
    ask(&others[1]);
    uint64_t before = rig.nanoseconds;
    hear_within(&others[0], 1);
    histogram_sum(&sum, &rig.metrics[0].turns);
    ck_assert_uint_gt(sum.nanoseconds, 0);
    ck_assert_uint_eq(sum.nanoseconds % 2, 0);
    ck_assert_uint_le(sum.nanoseconds, 2 * (rig.nanoseconds - before));
    uint64_t turns = 0;
    for (size_t i = 0; i < HISTOGRAM_CLASSES; i++) {
        turns += sum.count[i];
    }
    ck_assert_uint_eq(turns, 2);
}
END_TEST

START_TEST(the_prompt_beside_the_new)
{
    come_and_be_prompt(&others[0]);
    come_with_pipelines(crowd, CROWD);
    await_in_line(crowd, CROWD);
    for (int time = 0; time < 50; time++) {
        ask(&others[0]);
        hear_within(&others[0], 1);
    }
    ck_assert_int_lt(lagging(crowd, 0, CROWD), CROWD);
}
END_TEST

START_TEST(the_new_beside_the_slow)
{
    make_lag(crowd, CROWD);
    for (int i = 0; i < 50; i++) {
        come_and_be_prompt(&others[i]);
    }
    ck_assert_int_gt(lagging(crowd, 0, CROWD), 0);
}
END_TEST

/* Hundreds are as new, and were there before. */
START_TEST(the_new_beside_the_new)
{
    come_with_pipelines(crowd, CROWD);
    await_in_line(crowd, CROWD);
    for (int i = 0; i < 50; i++) {
        come_and_be_prompt(&others[i]);
    }
    ck_assert_int_lt(lagging(crowd, 0, CROWD), CROWD);
}
END_TEST

/* One that was interactive is served in the queue as soon as a new one, before it is in the low
 * queue. */
START_TEST(the_prompt_that_asks_for_much)
{
    come_and_be_prompt(&others[0]);
    make_lag(crowd, CROWD);
    rig_say(&others[0], "PING\n", TIMES);
    for (int passes = 0; !others[0].conn->demoted; passes++) {
        ck_assert_int_lt(passes, SOON);
        rig_pass();
    }
    ck_assert(others[0].conn->is_queued);
    ck_assert_ptr_eq(TAILQ_LAST(&rig.loop.run_queue.low, loop_list), others[0].conn);
}
END_TEST

/* Of three turns the first of the quick line has one, its last and the slow line the others. */
START_TEST(the_last_and_the_first)
{
    enum { EACH = 20 };
    come_with_pipelines(crowd, CROWD);
    await_in_line(crowd, CROWD);
    struct conn *quick[CROWD];
    struct conn *conn;
    int count = 0;
    TAILQ_FOREACH(conn, &rig.loop.run_queue.high, queue_link)
    {
        quick[count++] = conn;
    }
    ck_assert_int_gt(count, 3 * EACH);
    ck_assert(!TAILQ_EMPTY(&rig.loop.run_queue.low));
    for (int i = 0; i < 3 * EACH; i++) {
        rig_pass();
    }
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(quick[i]->demoted, i < EACH || i >= count - EACH);
    }
}
END_TEST

/* --- none is left behind ------------------------------------------------ */

static void ask_if_answered(struct peer *peer)
{
    if (peer->fd >= 0 && rig_hear(peer, SIZE_MAX) > 0) {
        rig_hang_up(peer);
    }
    if (peer->fd < 0) {
        rig_come(peer);
        ask(peer);
    }
}

/* There is a new connection all the time, which is served before them: yet each in the queue has a
 * turn in the time that it takes to give three to each. */
START_TEST(the_lines_move_on)
{
    enum { HALF = CROWD / 2 };
    make_lag(crowd, HALF);
    come_with_pipelines(crowd + HALF, HALF);
    await_in_line(crowd + HALF, HALF);
    for (int i = 0; i < HALF; i++) {
        rig_hear(&crowd[i], SIZE_MAX);
        crowd[i].heard = 0;
    }
    for (int passes = 0; passes < 3 * (HALF + SOON); passes++) {
        for (int i = 0; i < SOON; i++) {
            ask_if_answered(&others[i]);
        }
        rig_pass();
        ck_assert(!TAILQ_EMPTY(&rig.loop.run_queue.high));
    }
    for (int i = 0; i < CROWD; i++) {
        ck_assert_uint_gt(rig_hear(&crowd[i], SIZE_MAX), 0);
    }
}
END_TEST

/* Some do not read before the end, some read a little at a time, some ask for a little. */
START_TEST(all_get_all)
{
    make_lag(crowd, CROWD);
    come_with_pipelines(others, CROWD / 2);
    for (int i = CROWD / 2; i < CROWD; i++) {
        rig_come(&others[i]);
        ask(&others[i]);
    }
    for (int passes = 0; passes < 10 || !rig_nobody_waits(); passes++) {
        ck_assert_int_lt(passes, PASSES);
        rig_pass();
        rig_hear(&crowd[passes % (CROWD / 2)], 100);
    }
    for (int i = 0; i < CROWD / 2; i++) {
        while (rig_hear(&crowd[i], SIZE_MAX) > 0) {
        }
    }
    hear_all(crowd, CROWD, TIMES);
    hear_all(others, CROWD / 2, TIMES);
    hear_all(others + CROWD / 2, CROWD / 2, 1);
}
END_TEST

/* It asks for more than fits between it and the daemon: it is waited for, out of line, and goes
 * on as it reads. */
START_TEST(one_that_does_not_read)
{
    enum { LENGTH = 50000, GETS = 100 };
    static char value[LENGTH];
    char line[] = "PUT n k 1h 50000\r\n";
    memset(value, 'v', LENGTH);
    rig_come(&others[0]);
    rig_say(&others[0], line, 1);
    ck_assert_int_eq(send(others[0].fd, value, LENGTH, MSG_NOSIGNAL), LENGTH);
    rig_say(&others[0], "\r\n", 1);
    for (int passes = 0; rig_hear(&others[0], SIZE_MAX) == 0; passes++) {
        ck_assert_int_lt(passes, PASSES);
        rig_pass();
    }
    others[0].heard = 0;
    rig_say(&others[0], "GET n k\r\n", GETS);
    for (int i = 0; i < 2 * GETS; i++) {
        rig_pass();
    }
    ck_assert(rig_nobody_waits());
    ck_assert_int_eq(others[0].conn->watched, EV_WRITE);
    ck_assert_uint_eq(rig.loop.backlogged, 1);
    size_t all = GETS * (strlen("VALUE 50000\r\n") + LENGTH + strlen("\r\n"));
    for (int passes = 0; others[0].heard < all; passes++) {
        ck_assert_int_lt(passes, PASSES);
        rig_hear(&others[0], 30000);
        rig_pass();
    }
    ck_assert_uint_eq(others[0].heard, all);
    ck_assert_uint_eq(rig.loop.backlogged, 0);
    ask(&others[0]);
    hear_within(&others[0], SOON);
    ck_assert(is_idle(others[0].conn));
}
END_TEST

/* It was demoted, and now asks for a little: that is forgotten. */
START_TEST(once_slow_and_prompt_again)
{
    make_lag(others, 1);
    drain();
    hear_all(others, 1, TIMES);
    make_lag(crowd, CROWD);
    for (int time = 0; time < 10; time++) {
        ask(&others[0]);
        hear_within(&others[0], 1);
        ck_assert(is_idle(others[0].conn));
    }
}
END_TEST

/* --- which are watched ------------------------------------------------------- */

START_TEST(not_watched_while_in_line)
{
    come_with_pipelines(crowd, CROWD);
    await_in_line(crowd, CROWD);
    rig_pass(); /* names all that still are */
    int unserved = 0;
    for (int i = 0; i < CROWD; i++) {
        if (!crowd[i].conn->demoted) {
            ck_assert(crowd[i].conn->is_queued);
            ck_assert_int_eq(crowd[i].conn->watched, 0);
            ck_assert_int_eq(crowd[i].conn->ready, EV_READ);
            unserved++;
        }
    }
    ck_assert_int_gt(unserved, CROWD / 2);
    drain();
    hear_all(crowd, CROWD, TIMES); /* and are watched again */
    for (int i = 0; i < CROWD; i++) {
        ask(&crowd[i]);
    }
    for (int passes = 0; passes < CROWD / 10; passes++) {
        rig_pass(); /* no lines: all are prompt */
        ck_assert(rig_nobody_waits());
    }
    hear_all(crowd, CROWD, TIMES + 1);
}
END_TEST

/* --- which leave ----------------------------------------------------------- */

/* Every second one is gone, without having taken what it asked for; the others do not mind. */
START_TEST(reset_while_in_line)
{
    make_lag(crowd, CROWD);
    come_with_pipelines(others, CROWD);
    await_in_line(others, CROWD);
    for (int i = 0; i < CROWD; i += 2) {
        rig_hang_up(&crowd[i]);
        rig_hang_up(&others[i]);
    }
    drain();
    ck_assert_uint_eq(atomic_load(&rig.instance.connections), CROWD);
    for (int i = 1; i < CROWD; i += 2) {
        hear_all(&crowd[i], 1, TIMES);
        hear_all(&others[i], 1, TIMES);
    }
}
END_TEST

/* At once, in the middle of everything. */
START_TEST(all_closed_while_in_line)
{
    come_and_be_prompt(&others[0]);
    make_lag(crowd, CROWD / 2);
    come_with_pipelines(crowd + CROWD / 2, CROWD / 2);
    await_in_line(crowd + CROWD / 2, CROWD / 2);
    ck_assert(!TAILQ_EMPTY(&rig.loop.run_queue.high));
    ck_assert(!TAILQ_EMPTY(&rig.loop.run_queue.low));
    connections_close_all(&rig.loop);
    ck_assert(rig_nobody_waits());
    ck_assert_uint_eq(atomic_load(&rig.instance.connections), 0);
    come_and_be_prompt(&others[1]); /* in the place of one of them */
}
END_TEST

START_TEST(overdue_while_in_line)
{
    make_lag(crowd, CROWD / 2);
    come_with_pipelines(crowd + CROWD / 2, CROWD / 2);
    await_in_line(crowd + CROWD / 2, CROWD / 2);
    rig.milliseconds += rig.loop.settings.idle_timeout;
    timeouts_sweep(&rig.loop);
    ck_assert(rig_nobody_waits());
    ck_assert_uint_eq(atomic_load(&rig.instance.connections), 0);
    ck_assert_uint_eq(metrics_sum(rig.metrics, 2, METRIC_CLOSE_IDLE), CROWD);
}
END_TEST

/* What is still to be read of one that was told off is read to its end, though it was in line
 * for long, and not watched. */
START_TEST(lingering_while_in_line)
{
    enum { MORE = 100000 };
    rig_come(&others[0]);
    rig_say(&others[0], "PUT n k 1h x\n", 1);
    rig_pass();
    ck_assert(others[0].conn->lingers);
    ck_assert_uint_gt(rig_hear(&others[0], SIZE_MAX), ANSWER);
    make_lag(crowd, CROWD);
    rig_say(&others[0], "x", MORE);
    ck_assert_int_eq(shutdown(others[0].fd, SHUT_WR), 0);
    drain();
    for (int i = 0; i < SOON * MORE / 16384; i++) {
        rig_pass();
    }
    ck_assert(TAILQ_EMPTY(&rig.loop.lingering));
    ck_assert_uint_eq(atomic_load(&rig.instance.connections), CROWD);
}
END_TEST

/* What has come before is answered, in turns as ever, and then all leave. */
START_TEST(draining_while_in_line)
{
    come_and_be_prompt(&others[0]);
    come_and_be_prompt(&others[1]);
    make_lag(crowd, CROWD / 2);
    come_with_pipelines(crowd + CROWD / 2, CROWD / 2);
    rig_say(&others[1], "PING\n", TIMES);
    connections_drain(&rig.loop);
    ck_assert(others[0].conn->is_queued && others[1].conn->is_queued); /* though they were prompt */
    ck_assert(!others[0].conn->interactive && !others[1].conn->interactive);
    for (int passes = 0; !TAILQ_EMPTY(&rig.loop.active); passes++) {
        ck_assert_int_lt(passes, PASSES);
        rig_pass();
    }
    ck_assert(rig_nobody_waits());
    for (int i = 0; i < CROWD; i++) {
        rig_hear(&crowd[i], SIZE_MAX);
        ck_assert_uint_eq(crowd[i].heard, TIMES * ANSWER);
    }
    ck_assert_uint_eq(rig_hear(&others[1], SIZE_MAX), TIMES * ANSWER);
}
END_TEST

/* --------------------------------------------------------------------------- */

int main(void)
{
    struct rlimit limit; /* two descriptors for each of both crowds */
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    Suite *suite = suite_create("schedule");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, CASE_TIMEOUT);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, the_prompt_beside_the_slow);
    tcase_add_test(all, turns_are_timed);
    tcase_add_test(all, the_prompt_beside_the_new);
    tcase_add_test(all, the_new_beside_the_slow);
    tcase_add_test(all, the_new_beside_the_new);
    tcase_add_test(all, the_prompt_that_asks_for_much);
    tcase_add_test(all, the_last_and_the_first);
    tcase_add_test(all, the_lines_move_on);
    tcase_add_test(all, all_get_all);
    tcase_add_test(all, one_that_does_not_read);
    tcase_add_test(all, once_slow_and_prompt_again);
    tcase_add_test(all, not_watched_while_in_line);
    tcase_add_test(all, reset_while_in_line);
    tcase_add_test(all, all_closed_while_in_line);
    tcase_add_test(all, overdue_while_in_line);
    tcase_add_test(all, lingering_while_in_line);
    tcase_add_test(all, draining_while_in_line);
    suite_add_tcase(suite, all);

    return suite_run(suite);
}

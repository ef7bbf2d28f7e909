/*
 * check_pressure.c - which connections give way when memory is short, and which do not: a loop
 * looked at between two passes of its loop, with a clock that the test moves.
 */
#include "daemon/conn/clients.h"
#include "daemon/conn/pressure.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/conn/loop_fixture.h"
#include "tests/support/suite.h"

enum {
    CASE_TIMEOUT = 120,
    CROWD = 60,
    VALUE = 1 << 20,     /* bytes; the rig's pool is 32 MiB: twelve may be pinned of a namespace */
    ANNOUNCED = 1 << 20, /* eight of these may be uploaded to a namespace */
    PASSES = 10000,      /* more than anything takes */
    REPLY_MAX = 256,
};

static struct peer crowd[CROWD], other;

static void set_up(void)
{
    rig_open();
    other.fd = -1;
    for (int i = 0; i < CROWD; i++) {
        crowd[i].fd = -1;
    }
}

static void tear_down(void)
{
    rig_close();
    rig_hang_up(&other);
    for (int i = 0; i < CROWD; i++) {
        rig_hang_up(&crowd[i]);
    }
}

static uint64_t counted(enum metric metric)
{
    return atomic_load(&rig.metrics[0].count[metric]);
}

/* The loop goes on until nothing happens any more by itself. */
static void settle(void)
{
    for (int i = 0; i < 20; i++) {
        rig_pass();
    }
}

/* Time passes, and those that must give way do so, while those that wait try again. */
static void pass_time(uint64_t milliseconds)
{
    for (uint64_t until = rig.milliseconds + milliseconds; rig.milliseconds < until;) {
        rig.milliseconds += PRESSURE_SCAN_MS;
        pressure_relieve(&rig.loop);
        event_active(&rig.loop.pressure.retry, EV_TIMEOUT, 0);
        settle();
    }
}

/* For memory; its next try may have begun. */
static bool waits(const struct peer *peer)
{
    return peer->conn->state == PIPELINE_AWAITS_MEMORY;
}

static void say(const struct peer *peer, const char *text)
{
    rig_say(peer, text, 1);
}

/* Says all of it, however little is taken at once; less where it has to wait. */
static void send_value(const struct peer *peer, size_t length)
{
    static char bytes[VALUE];
    memset(bytes, 'v', sizeof bytes);
    for (int passes = 0; length > 0 && !waits(peer); passes++) {
        ck_assert_int_lt(passes, PASSES);
        ssize_t sent = send(peer->fd, bytes, length, MSG_NOSIGNAL);
        length -= sent > 0 ? (size_t)sent : 0;
        rig_pass();
    }
    settle();
}

static void put(struct peer *peer, const char *key, size_t length)
{
    char head[REPLY_MAX];
    char reply[REPLY_MAX];
    snprintf(head, sizeof head, "PUT ns %s 1h %zu\n", key, length);
    say(peer, head);
    send_value(peer, length);
    say(peer, "\n");
    settle();
    ssize_t got = recv(peer->fd, reply, sizeof reply, 0);
    ck_assert_msg(got == 8 && memcmp(reply, "STORED\r\n", 8) == 0, "%.*s", (int)got, reply);
}

static bool is_closed(struct peer *peer)
{
    char bytes[4096];
    ssize_t got = 1;
    while (got > 0) {
        got = recv(peer->fd, bytes, sizeof bytes, 0);
    }
    return got == 0;
}

/* Each version is asked for by one that does not read. */
static void come_and_be_deaf(struct peer *peer, int number)
{
    put(&other, "key", VALUE - (size_t)number);
    rig_come(peer);
    say(peer, "GET ns key\n");
    settle();
}

static bool pins(const struct peer *peer)
{
    return peer->conn->pipeline != NULL && peer->conn->pipeline->replies.pin_count > 0;
}

/* Until one has to wait; returns how many pin a value. */
static int come_until_it_is_crowded(void)
{
    int count = 0;
    rig_come(&other);
    do {
        ck_assert_int_lt(count, CROWD);
        come_and_be_deaf(&crowd[count], count);
        rig.milliseconds++;
    } while (pins(&crowd[count++]));
    ck_assert(waits(&crowd[count - 1]));
    return count - 1;
}

/* --- KILL ---------------------------------------------------------------------------- */

static bool kill_conn(const struct peer *peer)
{
    struct client_query query = {.kind = CLIENT_QUERY_KILL, .id = peer->conn->identity.id};
    clients_answer(&rig.loop, &query);
    return query.found;
}

static enum client_state state_of(const struct peer *peer)
{
    struct client_query query = {.kind = CLIENT_QUERY_LIST, .parts = 1};
    enum client_state state = CLIENT_IDLE;
    clients_answer(&rig.loop, &query);
    for (size_t i = 0; i < query.count; i++) {
        if (query.clients[i].id == peer->conn->identity.id) {
            state = query.clients[i].state;
        }
    }
    free(query.clients);
    return state;
}

START_TEST(one_that_waits_for_memory_is_killed)
{
    int held = come_until_it_is_crowded();
    ck_assert_int_eq(state_of(&crowd[held]), CLIENT_AWAITS_MEMORY);
    ck_assert_int_eq(state_of(&crowd[0]), CLIENT_STALLED);
    ck_assert(kill_conn(&crowd[held]));
    ck_assert(is_closed(&crowd[held]));
    ck_assert(kill_conn(&crowd[0]));
    ck_assert(is_closed(&crowd[0]));
    ck_assert_uint_eq(counted(METRIC_CLOSE_KILLED), 2);
    pass_time(PRESSURE_SCAN_MS);
    ck_assert(pins(&crowd[1]));
}
END_TEST

/* --- values that are not read ------------------------------------------------------ */

START_TEST(the_one_that_is_stuck_for_longest_gives_way)
{
    int held = come_until_it_is_crowded();
    ck_assert_int_ge(held, 8);
    pass_time(PRESSURE_GRACE_MS - PRESSURE_SCAN_MS);
    ck_assert_uint_eq(counted(METRIC_CLOSE_SLOW_READER), 0);
    for (int looks = 0; counted(METRIC_CLOSE_SLOW_READER) == 0; looks++) {
        ck_assert_int_lt(looks, 20);
        pass_time(PRESSURE_SCAN_MS);
    }
    ck_assert_uint_eq(counted(METRIC_CLOSE_SLOW_READER), 1);
    ck_assert(is_closed(&crowd[0]));
    ck_assert(!waits(&crowd[held]));
    ck_assert(pins(&crowd[held]));
    ck_assert_uint_ge(counted(METRIC_CONN_MEMORY_WAITS), 1);
}
END_TEST

START_TEST(none_gives_way_while_none_waits)
{
    rig_come(&other);
    for (int i = 0; i < 5; i++) {
        come_and_be_deaf(&crowd[i], i);
    }
    pass_time(10 * PRESSURE_PATIENCE_MS);
    ck_assert_uint_eq(counted(METRIC_CLOSE_SLOW_READER), 0);
}
END_TEST

/* It reads little, but more than the least rate. */
START_TEST(a_slow_reader_does_not_give_way)
{
    int held = come_until_it_is_crowded();
    uint64_t until = rig.milliseconds + (uint64_t)held * PRESSURE_GRACE_MS;
    while (rig.milliseconds < until && counted(METRIC_CLOSE_SLOW_READER) < 3) {
        rig_hear(&crowd[0], PRESSURE_RATE / 8);
        pass_time(PRESSURE_SCAN_MS);
    }
    ck_assert_uint_ge(counted(METRIC_CLOSE_SLOW_READER), 1);
    ck_assert(pins(&crowd[0]));
    ck_assert(is_closed(&crowd[1]));
}
END_TEST

/* A byte now and then is not reading. */
START_TEST(a_trickle_is_no_reading)
{
    int held = come_until_it_is_crowded();
    for (int looks = 0; looks < 60; looks++) {
        for (int i = 0; i < held; i++) {
            char byte;
            recv(crowd[i].fd, &byte, 1, 0);
        }
        pass_time(PRESSURE_SCAN_MS);
    }
    ck_assert_uint_ge(counted(METRIC_CLOSE_SLOW_READER), 1);
}
END_TEST

/* Small values are given out though those that are large have to wait. */
START_TEST(what_is_small_does_not_wait)
{
    come_until_it_is_crowded();
    put(&other, "small", 1000);
    say(&other, "GET ns small\n");
    settle();
    ck_assert_uint_gt(rig_hear(&other, SIZE_MAX), 1000);
}
END_TEST

START_TEST(one_that_waits_may_go_away)
{
    int held = come_until_it_is_crowded();
    rig_hang_up(&crowd[held]);
    pass_time(10 * PRESSURE_GRACE_MS);
    ck_assert_uint_ge(counted(METRIC_CLOSE_SLOW_READER), 1);
    ck_assert(TAILQ_EMPTY(&rig.loop.pressure.waiters));
}
END_TEST

/* --- values that do not arrive ------------------------------------------------------- */

static void announce(struct peer *peer, int number, size_t sent)
{
    char head[REPLY_MAX];
    rig_come(peer);
    snprintf(head, sizeof head, "PUT ns u%d 1h %d\n", number, ANNOUNCED);
    say(peer, head);
    if (sent > 0) {
        send_value(peer, sent);
    }
}

/* What it was told, once. */
static const char *told(struct peer *peer)
{
    static char reply[REPLY_MAX];
    ssize_t got = recv(peer->fd, reply, sizeof reply - 1, 0);
    reply[got > 0 ? got : 0] = '\0';
    return reply;
}

#define TOO_SLOW "SERVER_ERROR the value came too slowly while memory was short; send it again\r\n"

/* Until one has to wait; returns how many are under way. */
static int announce_until_it_is_crowded(size_t sent)
{
    int count = 0;
    do {
        ck_assert_int_lt(count, CROWD);
        announce(&crowd[count], count, sent);
        rig.milliseconds++;
    } while (!waits(&crowd[count++]));
    return count - 1;
}

START_TEST(the_stalest_upload_ends_with_an_error)
{
    int begun = announce_until_it_is_crowded(100000);
    ck_assert_int_ge(begun, 4);
    for (int looks = 0; counted(METRIC_UPLOADS_ENDED) == 0; looks++) {
        ck_assert_int_lt(looks, 40);
        pass_time(PRESSURE_SCAN_MS);
    }
    ck_assert_uint_eq(counted(METRIC_UPLOADS_ENDED), 1);
    ck_assert_str_eq(told(&crowd[0]), TOO_SLOW);
    ck_assert_str_eq(told(&crowd[1]), "");
    ck_assert(!waits(&crowd[begun]));
    /* It goes on with what comes behind the value. */
    send_value(&crowd[0], ANNOUNCED - 100000);
    say(&crowd[0], "\nPING\n");
    settle();
    ck_assert_str_eq(told(&crowd[0]), "PONG\r\n");
    send_value(&crowd[begun], ANNOUNCED - 100000);
    say(&crowd[begun], "\n");
    settle();
    ck_assert_str_eq(told(&crowd[begun]), "STORED\r\n");
}
END_TEST

/* All of the value is there, but its line does not end. */
START_TEST(a_line_end_that_does_not_come_is_stale_as_well)
{
    int begun = announce_until_it_is_crowded(ANNOUNCED);
    say(&crowd[0], "\r");
    pass_time(2 * PRESSURE_GRACE_MS);
    ck_assert_uint_ge(counted(METRIC_UPLOADS_ENDED), 1);
    ck_assert_str_eq(told(&crowd[0]), TOO_SLOW);
    say(&crowd[0], "\nPING\n");
    settle();
    ck_assert_str_eq(told(&crowd[0]), "PONG\r\n");
    ck_assert(!waits(&crowd[begun]));
}
END_TEST

START_TEST(what_arrives_at_the_least_rate_is_not_stale)
{
    int begun = announce_until_it_is_crowded(1000);
    for (int looks = 0; looks < 80; looks++) {
        send_value(&crowd[0], PRESSURE_RATE / 8);
        say(&crowd[1], "x");
        pass_time(PRESSURE_SCAN_MS);
    }
    ck_assert_str_eq(told(&crowd[0]), "");
    ck_assert_str_eq(told(&crowd[1]), TOO_SLOW);
    ck_assert(!waits(&crowd[begun]));
}
END_TEST

/* Though nothing waits for what it holds. */
START_TEST(a_hopeless_upload_ends_at_last)
{
    announce(&crowd[0], 0, 1000);
    pass_time(PRESSURE_ABANDONED_MS);
    ck_assert_str_eq(told(&crowd[0]), "");
    pass_time(2 * PRESSURE_GRACE_MS);
    ck_assert_str_eq(told(&crowd[0]), TOO_SLOW);
}
END_TEST

/* --- buffers -------------------------------------------------------------------------- */

static size_t buffers(void)
{
    return atomic_load(&rig.instance.buffers);
}

/* Asks for that many answers, and takes none. */
static void owe(struct peer *peer, size_t times)
{
    rig_come(peer);
    rig_say(peer, "GET ns small\n", times);
    settle();
}

START_TEST(the_one_that_owes_most_gives_way)
{
    rig_come(&other);
    put(&other, "small", 4000);
    owe(&crowd[0], 60);
    size_t least = crowd[0].conn->held;
    owe(&crowd[1], 400);
    size_t most = crowd[1].conn->held;
    ck_assert_uint_gt(most, 2 * least);
    ck_assert_uint_eq(buffers(), least + most);
    rig.loop.settings.buffers = 2 * least + most;
    owe(&crowd[2], 60);
    ck_assert_uint_eq(counted(METRIC_CLOSE_BUFFERS), 0);
    owe(&crowd[3], 60);
    ck_assert_uint_eq(counted(METRIC_CLOSE_BUFFERS), 1);
    ck_assert(is_closed(&crowd[1]));
    ck_assert_uint_eq(buffers(), 3 * least);
}
END_TEST

/* One that holds less leaves it to another loop. */
START_TEST(the_most_of_all_crews_is_meant)
{
    rig_come(&other);
    put(&other, "small", 4000);
    owe(&crowd[0], 60);
    rig.loop.settings.buffers = 1;
    atomic_fetch_add(&rig.instance.holders[HELD_CLASSES - 1], 1);
    pressure_relieve(&rig.loop);
    ck_assert_uint_eq(counted(METRIC_CLOSE_BUFFERS), 0);
    atomic_fetch_sub(&rig.instance.holders[HELD_CLASSES - 1], 1);
    pressure_relieve(&rig.loop);
    ck_assert_uint_eq(counted(METRIC_CLOSE_BUFFERS), 1);
    ck_assert_uint_eq(buffers(), 0);
}
END_TEST

START_TEST(what_is_taken_is_not_counted_any_more)
{
    rig_come(&other);
    put(&other, "small", 4000);
    owe(&crowd[0], 60);
    ck_assert_uint_gt(buffers(), 0);
    for (int passes = 0; buffers() > 0; passes++) {
        ck_assert_int_lt(passes, PASSES);
        rig_hear(&crowd[0], SIZE_MAX);
        rig_pass();
    }
    say(&crowd[0], "GET");
    settle();
    ck_assert_uint_gt(buffers(), 0);
    rig_hang_up(&crowd[0]);
    settle();
    ck_assert_uint_eq(buffers(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pressure");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_set_timeout(all, CASE_TIMEOUT);
    tcase_add_test(all, the_one_that_is_stuck_for_longest_gives_way);
    tcase_add_test(all, none_gives_way_while_none_waits);
    tcase_add_test(all, a_slow_reader_does_not_give_way);
    tcase_add_test(all, a_trickle_is_no_reading);
    tcase_add_test(all, what_is_small_does_not_wait);
    tcase_add_test(all, one_that_waits_may_go_away);
    tcase_add_test(all, the_stalest_upload_ends_with_an_error);
    tcase_add_test(all, a_line_end_that_does_not_come_is_stale_as_well);
    tcase_add_test(all, what_arrives_at_the_least_rate_is_not_stale);
    tcase_add_test(all, a_hopeless_upload_ends_at_last);
    tcase_add_test(all, the_one_that_owes_most_gives_way);
    tcase_add_test(all, the_most_of_all_crews_is_meant);
    tcase_add_test(all, what_is_taken_is_not_counted_any_more);
    tcase_add_test(all, one_that_waits_for_memory_is_killed);
    suite_add_tcase(suite, all);
    return suite_run(suite);
}

/*
 * check_worker.c - a worker and its connections, over socket pairs: turns,
 * stalled and silent peers, new settings, and the end.
 */
#include "daemon/conn/worker.h"

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "tests/support/instance.h"
#include "tests/support/suite.h"

enum {
    MEMORY = 32 << 20,
    MAX_VALUE = 1 << 20,
    PATIENCE_MS = 20000,
    CASE_TIMEOUT = 120,
    PEERS = 8,
};

static const struct endpoint endpoint = {.protocol = &protocol_native, .name = "test"};
static struct store *store;
static struct instance instance;
static struct metrics metrics[INSTANCE_SETS];
static struct worker *worker;
static int peers[PEERS];

static void start(uint64_t idle_timeout)
{
    facts_of_one(&instance, metrics);
    struct worker_options options = {
        .store = store,
        .instance = &instance,
        .settings = {.max_value = MAX_VALUE,
                     .idle_timeout = idle_timeout,
                     .default_namespace = "main"},
    };
    worker = worker_create(&options);
    ck_assert_ptr_nonnull(worker);
}

static int connect_one_more(bool replaces_unauthenticated)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    ck_assert_int_eq(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    atomic_fetch_add(&instance.connections, 1);
    ck_assert(worker_accept(worker, ends[1], &endpoint, replaces_unauthenticated));
    return ends[0];
}

static int connect_one(void)
{
    return connect_one_more(false);
}

static void connect_all(void)
{
    for (int i = 0; i < PEERS; i++) {
        peers[i] = connect_one();
    }
}

static void set_up(void)
{
    struct store_options options = {.memory = MEMORY, .max_value = MAX_VALUE};
    struct store_policy policy = {.max_value = MAX_VALUE};
    store = store_create(&options);
    ck_assert_ptr_nonnull(store);
    struct store_thread *store_thread = store_thread_create(store);
    store_enter(store_thread);
    ck_assert(store_set_policy(store, store_thread, &policy, clock_now()));
    store_leave(store_thread);
    store_thread_destroy(&store_thread);
    for (int i = 0; i < PEERS; i++) {
        peers[i] = -1;
    }
}

static void tear_down(void)
{
    if (worker != NULL) {
        worker_destroy(&worker);
    }
    for (int i = 0; i < PEERS; i++) {
        if (peers[i] >= 0) {
            close(peers[i]);
        }
    }
    ck_assert_uint_eq(atomic_load(&instance.connections), 0);
    store_destroy(&store);
}

static void say(int fd, const char *text)
{
    size_t length = strlen(text);
    ck_assert_int_eq(send(fd, text, length, MSG_NOSIGNAL), (ssize_t)length);
}

/* Says the same many times, in one go. */
static void repeat(int fd, const char *text, size_t times)
{
    size_t length = strlen(text);
    char *all = malloc(length * times);
    ck_assert_ptr_nonnull(all);
    for (size_t i = 0; i < times; i++) {
        memcpy(all + i * length, text, length);
    }
    ck_assert_int_eq(send(fd, all, length * times, MSG_NOSIGNAL), (ssize_t)(length * times));
    free(all);
}

static void hear(int fd, const char *text)
{
    char got[256];
    size_t length = strlen(text);
    ck_assert_uint_le(length, sizeof got);
    ck_assert_int_eq(recv(fd, got, length, MSG_WAITALL), (ssize_t)length);
    ck_assert_msg(memcmp(got, text, length) == 0, "%.*s", (int)length, got);
}

static void hear_repeated(int fd, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        hear(fd, text);
    }
}

static void hear_end(int fd)
{
    char byte;
    ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
}

/* --- turns ---------------------------------------------------------------- */

/* Each has more to do than fits a turn, so all wait for their next one at the
 * same time, and for many of them. */
START_TEST(everybody_gets_turns)
{
    enum { TIMES = 3000 };
    start(0);
    connect_all();
    for (int i = 0; i < PEERS; i++) {
        repeat(peers[i], "PING\n", TIMES);
    }
    for (int i = 0; i < PEERS; i++) {
        hear_repeated(peers[i], "PONG\r\n", TIMES);
    }
    ck_assert_uint_gt(metrics_sum(metrics, INSTANCE_SETS, METRIC_CONN_YIELDS), 0);
}
END_TEST

/* Many are ready at once, and each turn of their round ends in its own way: answered,
 * half a request, let go, refused as HTTP, gone. */
START_TEST(a_crowd_with_many_fates)
{
    enum { CROWD = 150, TIMES = 20, FATES = 6 };
    static const struct {
        const char *said, *answer;
    } fates[FATES] = {
        {"GET n k\n", "NOT_FOUND\r\n"},
        {"PING\nPUT n ", "PONG\r\n"},
        {"PING\nQUIT\nPING\n", "PONG\r\n"},
        {"POST / HTTP/1.1\r\n",
         "HTTP/1.1 400 Bad Request\r\n"
         "Content-Type: text/plain\r\nContent-Length: 120\r\nConnection: close\r\n\r\n"
         "this listener speaks kvcached's own protocol, not HTTP; the live page and "
         "/metrics need a listener with protocol = http\n"},
        {"PUT n k 1h x\nPING\n", "CLIENT_ERROR bad byte count"},
        {"PING\nVERSION\nPING\n", "PONG\r\nVERSION kvcached 1.2.3\r\nPONG\r\n"},
    };
    static int crowd[CROWD];
    start(0);
    for (int time = 0; time < TIMES; time++) {
        for (int i = 0; i < CROWD; i++) {
            crowd[i] = connect_one();
        }
        for (int i = 0; i < CROWD; i++) {
            say(crowd[i], fates[i % FATES].said);
        }
        for (int i = 0; i < CROWD; i++) {
            hear(crowd[i], fates[i % FATES].answer);
            if (i % FATES == 2 || i % FATES == 3) {
                hear_end(crowd[i]);
            }
            close(crowd[i]);
        }
    }
}
END_TEST

static void put_big(int fd, size_t length)
{
    char *value = malloc(length);
    ck_assert_ptr_nonnull(value);
    memset(value, 'v', length);
    char line[64];
    snprintf(line, sizeof line, "PUT n big 1h %zu\r\n", length);
    say(fd, line);
    for (size_t sent = 0; sent < length;) {
        ssize_t part = send(fd, value + sent, length - sent, MSG_NOSIGNAL);
        ck_assert_int_gt(part, 0);
        sent += (size_t)part;
    }
    free(value);
    say(fd, "\r\n");
    hear(fd, "STORED\r\n");
}

/* Peers that do not read stall, and no others. When they read, they get it all. */
START_TEST(a_peer_that_does_not_read)
{
    enum { TIMES = 20, LENGTH = 500000 };
    start(0);
    connect_all();
    put_big(peers[0], LENGTH);
    for (int i = 1; i < PEERS; i++) {
        repeat(peers[i], "GET n big\r\n", TIMES);
    }
    for (int i = 0; i < 100; i++) {
        say(peers[0], "PING\n");
        hear(peers[0], "PONG\r\n");
    }
    char *value = malloc(LENGTH);
    ck_assert_ptr_nonnull(value);
    for (int i = 1; i < PEERS; i++) {
        for (int time = 0; time < TIMES; time++) {
            hear(peers[i], "VALUE 500000\r\n");
            ck_assert_int_eq(recv(peers[i], value, LENGTH, MSG_WAITALL), LENGTH);
            hear(peers[i], "\r\n");
        }
    }
    free(value);
    ck_assert_uint_gt(metrics_sum(metrics, INSTANCE_SETS, METRIC_CONN_STALLS), 0);
}
END_TEST

/* A peer that has said its last still gets all its answers. */
START_TEST(a_half_closed_peer)
{
    start(0);
    connect_all();
    for (int i = 0; i < PEERS; i++) {
        repeat(peers[i], "PING\n", 2000);
        say(peers[i], "GET n"); /* never a whole line */
        ck_assert_int_eq(shutdown(peers[i], SHUT_WR), 0);
    }
    for (int i = 0; i < PEERS; i++) {
        hear_repeated(peers[i], "PONG\r\n", 2000);
        hear_end(peers[i]);
    }
}
END_TEST

/* --- settings ------------------------------------------------------------- */

START_TEST(the_silent_are_closed_and_others_are_not)
{
    start(300);
    connect_all();
    uint64_t until = clock_now() + 1500;
    while (clock_now() < until) {
        say(peers[0], "PING\n");
        hear(peers[0], "PONG\r\n");
        poll(NULL, 0, 50);
    }
    for (int i = 1; i < PEERS; i++) {
        hear_end(peers[i]);
    }
    say(peers[0], "PING\n");
    hear(peers[0], "PONG\r\n");
    ck_assert_uint_eq(metrics_sum(metrics, INSTANCE_SETS, METRIC_CLOSE_IDLE), PEERS - 1);
}
END_TEST

START_TEST(new_settings_count_for_open_connections)
{
    start(0);
    peers[0] = connect_one();
    peers[1] = connect_one();
    say(peers[0], "PUT - k 1h\nold\nGET main k\n");
    hear(peers[0], "STORED\r\nVALUE 3\r\nold\r\n");
    struct conn_settings settings = {
        .max_value = 3, .idle_timeout = 200, .default_namespace = "other"};
    worker_reconfigure(worker, &settings, NULL);
    hear_end(peers[1]); /* idle_timeout */
    peers[2] = connect_one();
    say(peers[2], "PUT - k 1h\nnew\nGET other k\n");
    hear(peers[2], "STORED\r\nVALUE 3\r\nnew\r\n");
    say(peers[2], "PUT - k 1h\nlonger\nPING\n");
    hear(peers[2], "CLIENT_ERROR ");
}
END_TEST

/* --- the end -------------------------------------------------------------- */

/* What was sent before it is answered, silent peers and halves of requests hold
 * nothing up, and peers that never read do so for a while only. */
START_TEST(stopping)
{
    start(0);
    connect_all();
    put_big(peers[0], MAX_VALUE);
    for (int i = 0; i < 4; i++) {
        repeat(peers[i], "PING\n", 1000);
    }
    say(peers[4], "PUT n k 1h 100\r\nhalf");
    repeat(peers[5], "GET n big\r\n", 20);
    uint64_t before = clock_now();
    worker_destroy(&worker);
    uint64_t took = clock_now() - before;
    ck_assert_uint_ge(took, WORKER_DRAIN_MS - 100);
    ck_assert_uint_lt(took, WORKER_DRAIN_MS + 5000);
    for (int i = 0; i < 4; i++) {
        hear_repeated(peers[i], "PONG\r\n", 1000);
        hear_end(peers[i]);
    }
    hear_end(peers[4]);
    hear_end(peers[7]);
}
END_TEST

START_TEST(stopping_at_once)
{
    start(0);
    connect_all();
    say(peers[0], "PING\n");
    hear(peers[0], "PONG\r\n");
    uint64_t before = clock_now();
    worker_destroy(&worker);
    ck_assert_uint_lt(clock_now() - before, WORKER_DRAIN_MS);
    for (int i = 0; i < PEERS; i++) {
        hear_end(peers[i]);
    }
}
END_TEST

/* After an error that hides where the next request begins, the error arrives
 * although the peer was still sending. */
START_TEST(the_last_error_arrives)
{
    enum { LENGTH = 1 << 20 };
    start(0);
    peers[0] = connect_one();
    char *line = malloc(LENGTH);
    ck_assert_ptr_nonnull(line);
    memset(line, 'x', LENGTH);
    for (size_t sent = 0; sent < LENGTH;) {
        ssize_t part = send(peers[0], line + sent, LENGTH - sent, MSG_NOSIGNAL);
        ck_assert_int_gt(part, 0);
        sent += (size_t)part;
    }
    free(line);
    hear(peers[0], "CLIENT_ERROR ");
    char rest[256];
    ck_assert_int_gt(recv(peers[0], rest, sizeof rest, MSG_WAITALL), 0);
    hear_end(peers[0]);
    ck_assert_uint_eq(metrics_sum(metrics, INSTANCE_SETS, METRIC_CLOSE_PROTOCOL_ERROR), 1);
}
END_TEST

/* It was to take a place that is free by now. */
START_TEST(one_too_many)
{
    start(0);
    peers[0] = connect_one();
    say(peers[0], "PING\r\n");
    hear(peers[0], "PONG\r\n");
    int more = connect_one_more(true);
    hear(more, "SERVER_ERROR too many connections\r\n");
    hear_end(more);
    ck_assert_uint_eq(atomic_load(&instance.connections), 1);
    ck_assert_uint_eq(metrics_sum(metrics, INSTANCE_SETS, METRIC_REJECTED_CONNECTIONS), 1);
    say(peers[0], "PING\r\n");
    hear(peers[0], "PONG\r\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("worker");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, CASE_TIMEOUT);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, everybody_gets_turns);
    tcase_add_test(all, a_crowd_with_many_fates);
    tcase_add_test(all, a_peer_that_does_not_read);
    tcase_add_test(all, a_half_closed_peer);
    tcase_add_test(all, the_silent_are_closed_and_others_are_not);
    tcase_add_test(all, new_settings_count_for_open_connections);
    tcase_add_test(all, stopping);
    tcase_add_test(all, stopping_at_once);
    tcase_add_test(all, the_last_error_arrives);
    tcase_add_test(all, one_too_many);
    suite_add_tcase(suite, all);

    return suite_run(suite);
}

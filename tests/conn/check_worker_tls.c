/*
 * check_worker_tls.c - a worker with TLS: which handshakes are done, which are closed,
 * and what is counted.
 */
#include "daemon/net/handshaker.h"

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/base/clock.h"
#include "daemon/conn/worker.h"
#include "daemon/net/tls.h"
#include "tests/net/certificates.h"
#include "tests/net/tls_client.h"
#include "tests/support/instance.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

enum {
    MEMORY = 32 << 20,
    MAX_VALUE = 1 << 20,
    PATIENCE_MS = 20000,
    CASE_TIMEOUT = 120,
};

static struct conf_listen conf;
static struct endpoint endpoint = {.protocol = &protocol_native, .name = "test"};
static const struct endpoint plain = {.protocol = &protocol_native, .name = "plain"};
static struct store *store;
static struct instance instance;
static struct metrics metrics[INSTANCE_SETS];
static struct worker *worker;
static struct tls_client client;
static unsigned char sent[MAX_VALUE], got[MAX_VALUE];

static void start_worker(void)
{
    facts_of_one(&instance, metrics);
    const struct worker_options options = {
        .store = store,
        .instance = &instance,
        .settings = {.max_value = MAX_VALUE, .default_namespace = "main"},
        .tls = true,
    };
    worker = worker_create(&options);
    ck_assert_ptr_nonnull(worker);
}

static void set_up(void)
{
    char error[TLS_ERROR_MAX];
    struct store_options options = {.memory = MEMORY, .max_value = MAX_VALUE};
    struct store_policy policy = {.max_value = MAX_VALUE};
    scratch_make();
    certificate_make_plain("server", NULL);
    conf = (struct conf_listen){.tls_certificate = strdup(certificate_path("server")),
                                .tls_key = strdup(certificate_key_path("server"))};
    endpoint.tls = tls_create(&conf);
    ck_assert_ptr_nonnull(endpoint.tls);
    ck_assert_msg(tls_load(endpoint.tls, error), "%s", error);
    tls_adopt(endpoint.tls);
    store = store_create(&options);
    ck_assert_ptr_nonnull(store);
    struct store_thread *store_thread = store_thread_create(store);
    store_enter(store_thread);
    ck_assert(store_set_policy(store, store_thread, &policy, clock_now()));
    store_leave(store_thread);
    store_thread_destroy(&store_thread);
    start_worker();
}

static void tear_down(void)
{
    if (worker != NULL) {
        worker_destroy(&worker);
    }
    ck_assert_uint_eq(atomic_load(&instance.connections), 0);
    store_destroy(&store);
    tls_destroy(&endpoint.tls);
    free(conf.tls_certificate);
    free(conf.tls_key);
    scratch_remove();
}

static int connect_to(const struct endpoint *where, bool replaces_unauthenticated)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    ck_assert_int_eq(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    atomic_fetch_add(&instance.connections, 1);
    ck_assert(worker_accept(worker, ends[1], where, replaces_unauthenticated));
    return ends[0];
}

static int connect_one(void)
{
    return connect_to(&endpoint, false);
}

static void greet(int version)
{
    tls_client_open(&client, connect_one(), &(struct tls_client_options){.version = version});
    tls_client_shake(&client);
}

static void leave(void)
{
    int fd = client.fd;
    tls_client_close(&client);
    close(fd);
}

static void say(const char *text)
{
    tls_client_say(&client, text, strlen(text));
}

static void hear(const char *text)
{
    char heard[256];
    size_t length = strlen(text);
    ck_assert_uint_le(length, sizeof heard);
    tls_client_hear(&client, heard, length);
    ck_assert_msg(memcmp(heard, text, length) == 0, "%.*s", (int)length, heard);
}

/* It is closed, whatever is said before. */
static void hear_end(int fd)
{
    char bytes[256];
    ssize_t part;
    while ((part = recv(fd, bytes, sizeof bytes, 0)) > 0) {
    }
    ck_assert_int_eq(part, 0);
}

static uint64_t count(enum metric metric)
{
    return metrics_sum(metrics, INSTANCE_SETS, metric);
}

START_TEST(values_of_every_size)
{
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        greet(version);
        for (size_t length = 1; length <= MAX_VALUE; length = length * 3 + 1) {
            char line[64];
            for (size_t i = 0; i < length; i++) {
                sent[i] = (unsigned char)(i * 2654435761u >> 16);
            }
            snprintf(line, sizeof line, "PUT n k 1h %zu\r\n", length);
            say(line);
            tls_client_say(&client, sent, length);
            say("\r\n");
            hear("STORED\r\n");
            say("GET n k\r\n");
            snprintf(line, sizeof line, "VALUE %zu\r\n", length);
            hear(line);
            tls_client_hear(&client, got, length);
            hear("\r\n");
            ck_assert_mem_eq(got, sent, length);
        }
        leave();
    }
    ck_assert_uint_eq(count(METRIC_TLS_HANDSHAKES), 2);
}
END_TEST

/* All requests of a long pipeline are answered, however they lie in records: what is left
 * inside of the transport is no socket's to announce. */
START_TEST(a_pipeline_in_one_record)
{
    enum { TIMES = 2000 };
    greet(0);
    char *all = malloc(TIMES * 6);
    ck_assert_ptr_nonnull(all);
    for (int i = 0; i < TIMES; i++) {
        memcpy(all + i * 6, "PING\r\n", 6);
    }
    tls_client_say(&client, all, TIMES * 6);
    free(all);
    for (int i = 0; i < TIMES; i++) {
        hear("PONG\r\n");
    }
    leave();
}
END_TEST

START_TEST(a_request_behind_the_handshake)
{
    tls_client_open(&client, connect_one(),
                    &(struct tls_client_options){.version = TLS1_3_VERSION});
    size_t written;
    SSL_connect(client.ssl);
    tls_client_send(&client, SIZE_MAX);
    while (SSL_connect(client.ssl) != 1) {
        tls_client_take(&client);
    }
    ck_assert_int_eq(SSL_write_ex(client.ssl, "PING\r\n", 6, &written), 1);
    size_t together = tls_client_owes(&client);
    ck_assert_uint_eq(tls_client_send(&client, SIZE_MAX), together);
    hear("PONG\r\n");
    leave();
}
END_TEST

START_TEST(nobody_who_speaks_in_clear)
{
    int fd = connect_one();
    ck_assert_int_eq(send(fd, "PING\r\n", 6, MSG_NOSIGNAL), 6);
    hear_end(fd);
    close(fd);
    ck_assert_uint_eq(count(METRIC_TLS_HANDSHAKE_FAILURES), 1);
    ck_assert_uint_eq(count(METRIC_CLOSE_HANDSHAKE_FAILED), 1);
}
END_TEST

/* One that is silent has its time, and no more; one that has greeted stays. */
START_TEST(the_slow)
{
    greet(0);
    uint64_t before = clock_now();
    int silent = connect_one(), half = connect_one();
    ck_assert_int_eq(send(half, "\x16\x03\x01", 3, MSG_NOSIGNAL), 3);
    hear_end(silent);
    hear_end(half);
    ck_assert_uint_ge(clock_now() - before, HANDSHAKE_MS - 100);
    close(silent);
    close(half);
    ck_assert_uint_eq(count(METRIC_CLOSE_HANDSHAKE_TIMEOUT), 2);
    say("PING\r\n");
    hear("PONG\r\n");
    leave();
}
END_TEST

/* The oldest go for those that are too many. */
START_TEST(the_crowd)
{
    enum { TOO_MANY = 5, CROWD = HANDSHAKES_MAX + TOO_MANY };
    static int crowd[CROWD];
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_uint_gt(limit.rlim_cur, 2 * CROWD + 100);
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = connect_one();
    }
    for (int i = 0; i < TOO_MANY; i++) {
        hear_end(crowd[i]);
    }
    ck_assert_uint_eq(count(METRIC_CLOSE_HANDSHAKE_OVERLOAD), TOO_MANY);
    char byte;
    ck_assert_int_eq(recv(crowd[TOO_MANY], &byte, 1, MSG_DONTWAIT), -1);
    greet(0);
    say("PING\r\n");
    hear("PONG\r\n");
    leave();
    for (int i = 0; i < CROWD; i++) {
        close(crowd[i]);
    }
}
END_TEST

/* At the limit the oldest handshake makes room for any other connection. */
START_TEST(replaces_unauthenticated)
{
    char pong[6];
    int first = connect_one();
    int second = connect_to(&endpoint, true);
    hear_end(first);
    close(first);
    int clear = connect_to(&plain, true);
    hear_end(second);
    close(second);
    ck_assert_uint_eq(count(METRIC_CLOSE_REPLACED), 2);
    ck_assert_int_eq(send(clear, "PING\r\n", 6, MSG_NOSIGNAL), 6);
    ck_assert_int_eq(recv(clear, pong, sizeof pong, MSG_WAITALL), sizeof pong);
    close(clear);
}
END_TEST

/* Where none makes room, it is closed before its handshake. */
START_TEST(in_exchange_for_nobody)
{
    int fd = connect_to(&endpoint, true);
    hear_end(fd);
    ck_assert_uint_eq(count(METRIC_REJECTED_CONNECTIONS), 1);
    ck_assert_uint_eq(atomic_load(&instance.connections), 0);
    close(fd);
}
END_TEST

/* One that waits for its peer to close has sent all: it goes before a handshake. */
START_TEST(in_exchange_for_one_that_lingers)
{
    tls_client_open(&client, connect_one(), &(struct tls_client_options){0});
    int lingering = connect_to(&plain, false);
    ck_assert_int_eq(send(lingering, "PUT n k 1h x\r\n", 14, MSG_NOSIGNAL), 14);
    hear_end(lingering);
    ck_assert_uint_eq(worker_lingering(worker), 1);
    int more = connect_to(&endpoint, true);
    tls_client_shake(&client);
    say("PING\r\n");
    hear("PONG\r\n");
    ck_assert_uint_eq(worker_lingering(worker), 0);
    ck_assert_uint_eq(count(METRIC_CLOSE_REPLACED), 0);
    ck_assert_uint_eq(atomic_load(&instance.connections), 2);
    close(lingering);
    close(more);
    leave();
}
END_TEST

/* Those that have not greeted hold nothing up; those that have are answered. */
START_TEST(stopping)
{
    int silent = connect_one();
    greet(0);
    say("PING\r\n");
    hear("PONG\r\n"); /* so the worker knows that it has greeted */
    say("PING\r\nPING\r\n");
    uint64_t before = clock_now();
    worker_destroy(&worker);
    ck_assert_uint_lt(clock_now() - before, WORKER_DRAIN_MS);
    hear("PONG\r\nPONG\r\n");
    hear_end(silent);
    close(silent);
    leave();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("worker with TLS");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, CASE_TIMEOUT);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, values_of_every_size);
    tcase_add_test(all, a_pipeline_in_one_record);
    tcase_add_test(all, a_request_behind_the_handshake);
    tcase_add_test(all, nobody_who_speaks_in_clear);
    tcase_add_test(all, the_slow);
    tcase_add_test(all, the_crowd);
    tcase_add_test(all, replaces_unauthenticated);
    tcase_add_test(all, in_exchange_for_nobody);
    tcase_add_test(all, in_exchange_for_one_that_lingers);
    tcase_add_test(all, stopping);
    suite_add_tcase(suite, all);

    return suite_run(suite);
}

/*
 * check_worker_auth.c - connections of a worker with users, over socket pairs: strangers become
 * known, wait for the authenticator, go away meanwhile, and are made strangers again.
 */
#include "daemon/auth/identity.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/auth/authenticator.h"
#include "daemon/base/clock.h"
#include "daemon/conn/worker.h"
#include "tests/support/instance.h"
#include "tests/support/suite.h"

enum { MEMORY = 8 << 20, PATIENCE_MS = 20000, CASE_TIMEOUT = 120 };

#define STRANGE "CLIENT_ERROR authenticate first: write AUTH <user> <secret>\r\n"

static const struct endpoint endpoint = {.protocol = &protocol_native, .name = "test"};
static const struct conn_settings settings = {.max_value = 1 << 20, .default_namespace = "main"};
static struct store *store;
static struct instance instance;
static struct metrics metrics[INSTANCE_SETS];
static struct authenticator *authenticator;
static struct worker *worker;
static char hash[SECRET_HASH_MAX];

/* --- a worker with users ------------------------------------------ */

/* The user web, with that right to namespaces that begin with s; no user: "". */
static struct users *make_users(const char *name, const char *right, struct users *before)
{
    char pattern[] = "s*";
    char *patterns[] = {pattern};
    char named[64];
    snprintf(named, sizeof named, "%s", name);
    struct conf_user web = {.name = named, .secret = hash};
    struct conf_patterns some = {.of = patterns, .count = 1};
    web.read = some;
    if (strcmp(right, "write") == 0) {
        web.write = some;
    }
    struct conf conf = {.users = &web, .user_count = *name == '\0' ? 0 : 1};
    struct users *users = users_create(&conf, before);
    ck_assert_ptr_nonnull(users);
    return users;
}

static struct users *users;

static void set_up(void)
{
    struct store_options options = {.memory = MEMORY, .max_value = 1 << 20};
    struct store_policy policy = {.max_value = 1 << 20};
    store = store_create(&options);
    ck_assert_ptr_nonnull(store);
    struct store_thread *store_thread = store_thread_create(store);
    store_enter(store_thread);
    ck_assert(store_set_policy(store, store_thread, &policy, clock_now()));
    store_leave(store_thread);
    store_thread_destroy(&store_thread);
    facts_of_one(&instance, metrics);
    ck_assert(secret_hash(slice_of("s3cret"), hash));
    users = make_users("web", "write", NULL);
    authenticator = authenticator_create();
    ck_assert_ptr_nonnull(authenticator);
    struct worker_options given = {.store = store,
                                   .instance = &instance,
                                   .settings = settings,
                                   .users = users,
                                   .authenticator = authenticator};
    worker = worker_create(&given);
    ck_assert_ptr_nonnull(worker);
}

/* In the order that the daemon has. */
static void tear_down(void)
{
    worker_join(worker);
    authenticator_destroy(&authenticator);
    worker_destroy(&worker);
    users_put(&users);
    ck_assert_uint_eq(atomic_load(&instance.connections), 0);
    store_destroy(&store);
}

static void change_users(const char *name, const char *right)
{
    struct users *next = make_users(name, right, users);
    worker_reconfigure(worker, &settings, next);
    ck_assert(worker_await(worker));
    users_put(&users);
    users = next;
}

static int join(void)
{
    int ends[2];
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert_int_eq(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    atomic_fetch_add(&instance.connections, 1);
    ck_assert(worker_accept(worker, ends[1], &endpoint, false));
    return ends[0];
}

static void say(int fd, const char *bytes, size_t length)
{
    ck_assert_int_eq(send(fd, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
}

static void hear(int fd, const char *text)
{
    char heard[512];
    size_t wanted = strlen(text);
    ck_assert_uint_lt(wanted, sizeof heard);
    ssize_t got = recv(fd, heard, wanted, MSG_WAITALL);
    ck_assert_int_ge(got, 0);
    heard[got] = '\0';
    ck_assert_str_eq(heard, text);
}

static void ask(int fd, const char *request, const char *answer)
{
    say(fd, request, strlen(request));
    hear(fd, answer);
}

static void hear_end(int fd)
{
    char byte;
    ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
    close(fd);
}

/* --- tests ----------------------------------------------------------------------- */

/* However it is cut. The first of them waits for the authenticator, the others are recalled. */
START_TEST(cut_at_every_byte)
{
    static const char said[] = "GET s k\r\nAUTH web s3cret\r\nPUT s k 1m 2\r\nhi\r\nGET s k\r\n"
                               "GET t k\r\nnonsense\r\nQUIT\r\n";
    static const char heard[] = STRANGE "OK\r\nSTORED\r\nVALUE 2\r\nhi\r\n"
                                        "CLIENT_ERROR not allowed: user \"web\" needs the right "
                                        "\"read\" in \"t\"\r\n"
                                        "ERROR unknown verb \"nonsense\", try HELP\r\n";
    for (size_t cut = 0; cut < sizeof said - 1; cut++) {
        int fd = join();
        say(fd, said, cut);
        if (cut > 12) {
            hear(fd, STRANGE); /* so that the pieces arrive one after the other */
        }
        say(fd, said + cut, sizeof said - 1 - cut);
        hear(fd, cut > 12 ? heard + sizeof STRANGE - 1 : heard);
        hear_end(fd);
    }
}
END_TEST

START_TEST(bytes_of_a_stranger_are_few)
{
    int fd = join();
    char many[UNAUTHENTICATED_BYTES + 1000];
    memset(many, 'x', sizeof many);
    say(fd, many, sizeof many);
    hear_end(fd);
    fd = join();
    ask(fd, "AUTH web s3cret\r\n", "OK\r\n");
    say(fd, "GET s ", 6);
    for (size_t i = 0; i < sizeof many; i += 1000) {
        say(fd, many, 1000);
        say(fd, " ", 1);
    }
    ask(fd, "k\r\n", "NOT_FOUND\r\n");
    close(fd);
}
END_TEST

/* A connection that closes while its secret is checked takes nothing along. */
START_TEST(gone_while_waiting)
{
    for (int i = 0; i < 10; i++) {
        int fd = join();
        ask(fd, "PING\r\n", STRANGE);
        say(fd, "AUTH web wrong\r\n", 16);
        close(fd);
    }
    int fd = join();
    say(fd, "AUTH nobody s3cret\r\n", 20);
    /* and the worker goes, too */
    worker_stop(worker);
    close(fd);
}
END_TEST

START_TEST(users_change)
{
    int known = join();
    int unauthenticated_link = join();
    ask(known, "AUTH web s3cret\r\n", "OK\r\n");
    ask(known, "PUT s k 1m 1\r\nv\r\n", "STORED\r\n");
    ask(unauthenticated_link, "GET s k\r\n", STRANGE);
    change_users("web", "read");
    ask(known, "PUT s k 1m 1\r\nw\r\n",
        "CLIENT_ERROR not allowed: user \"web\" needs the right \"write\" in \"s\"\r\n");
    ask(known, "GET s k\r\n", "VALUE 1\r\nv\r\n");
    change_users("other", "write");
    ask(known, "GET s k\r\n", STRANGE);
    change_users("", "");
    ask(unauthenticated_link, "GET s k\r\n", "VALUE 1\r\nv\r\n");
    ask(known, "AUTH web s3cret\r\n",
        "CLIENT_ERROR no users are configured: every client may do everything\r\n");
    change_users("web", "write");
    ask(known, "GET s k\r\n", STRANGE);
    ask(known, "AUTH web s3cret\r\n", "OK\r\n");
    ask(known, "GET s k\r\n", "VALUE 1\r\nv\r\n");
    close(known);
    close(unauthenticated_link);
}
END_TEST

/* What the authenticator finds is worth what it is when it is told. */
START_TEST(users_change_while_the_gate_looks)
{
    for (int i = 0; i < 4; i++) {
        int fd = join();
        ask(fd, "PING\r\n", STRANGE);
        say(fd, "AUTH web wrong\r\n", 16);
        change_users(i % 2 == 0 ? "other" : "web", "write");
        hear(fd, "DENIED\r\n");
        ask(fd, "GET s k\r\n", STRANGE);
        close(fd);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("worker auth");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, CASE_TIMEOUT);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, cut_at_every_byte);
    tcase_add_test(all, bytes_of_a_stranger_are_few);
    tcase_add_test(all, gone_while_waiting);
    tcase_add_test(all, users_change);
    tcase_add_test(all, users_change_while_the_gate_looks);
    suite_add_tcase(suite, all);
    return suite_run(suite);
}

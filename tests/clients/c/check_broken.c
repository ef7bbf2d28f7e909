/*
 * check_broken.c - libkvcached and servers that are silent, leave, or answer something else: what
 * is sent again, what is in doubt, and that no connection is used that is out of step.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/clients/c/calls.h"
#include "tests/clients/c/scripted.h"
#include "tests/support/suite.h"

static struct scripted server;
static struct kvc *kvc;

static void open_client(void)
{
    scripted_init(&server);
    struct kvc_options options = scripted_options(&server);
    kvc = kvc_create(&options, NULL);
    ck_assert_ptr_nonnull(kvc);
}

static void close_client(void)
{
    kvc_destroy(kvc);
    scripted_deinit(&server);
}

/* The next connection that is made is answered with this, behind that many bytes. */
static void will_answer(size_t connection, const char *reply, size_t wait_for, bool closes)
{
    server.answers[connection] =
        (struct scripted_answer){.reply = kvc_text(reply), .wait_for = wait_for, .closes = closes};
}

static void expect_sent(const char *text)
{
    ck_assert_str_eq(server.sent.at != NULL ? server.sent.at : "", text);
}

static void expect_error(enum kvc_result result, enum kvc_result code, int in_doubt)
{
    ck_assert_int_eq(result, code);
    ck_assert_int_eq(kvc_last_error(kvc)->code, code);
    ck_assert_int_eq(kvc_last_error(kvc)->in_doubt != 0, in_doubt);
    ck_assert_int_ne(kvc_last_error(kvc)->text[0], '\0');
}

static enum kvc_result get(void)
{
    struct kvc_bytes value;
    return kvc_get(kvc, "s", kvc_text("k"), &value);
}

static enum kvc_result put(void)
{
    return kvc_put(kvc, "s", kvc_text("k"), kvc_text("v"), KVC_TTL_DEFAULT, 0);
}

/* --- silence ---------------------------------------------------------------------- */

START_TEST(silence_ends_with_a_timeout)
{
    will_answer(0, "", 0, false);
    expect_error(get(), KVC_ERROR_TIMEOUT, 0);
    ck_assert(!kvc_is_connected(kvc));
    expect_sent("GET s k\r\n");
    will_answer(1, "", 0, false);
    expect_error(put(), KVC_ERROR_TIMEOUT, 1);
    ck_assert_uint_eq(server.connections, 2);
}
END_TEST

/* The rest of the first reply must not become the reply to the second request. */
START_TEST(half_a_reply_is_not_the_next_one)
{
    will_answer(0, "VALUE 5\r\nhel", 9, false);
    expect_error(get(), KVC_ERROR_TIMEOUT, 0);
    will_answer(1, "NOT_FOUND\r\n", 9, false);
    ck_assert_int_eq(get(), KVC_NOT_FOUND);
}
END_TEST

/* --- the end of a connection ------------------------------------------------------- */

START_TEST(a_read_is_sent_once_more)
{
    will_answer(0, "VALUE 5\r\nhe", 9, true);
    will_answer(1, "VALUE 5\r\nhello\r\n", 9, false);
    struct kvc_bytes value;
    ck_assert_int_eq(kvc_get(kvc, "s", kvc_text("k"), &value), KVC_OK);
    ck_assert_uint_eq(value.length, 5);
    expect_sent("GET s k\r\nGET s k\r\n");
}
END_TEST

START_TEST(a_read_is_not_sent_a_third_time)
{
    will_answer(0, "", 9, true);
    will_answer(1, "", 9, true);
    expect_error(get(), KVC_ERROR_CLOSED, 0);
    ck_assert_uint_eq(server.connections, 2);
}
END_TEST

START_TEST(values_are_asked_for_once_more)
{
    struct kvc_bytes keys[] = {kvc_text("a"), kvc_text("b")}, values[2];
    will_answer(0, "VALUE 1\r\nx\r\n", 11, true);
    will_answer(1, "NOT_FOUND\r\nVALUE 1\r\ny\r\n", 11, false);
    ck_assert_int_eq(kvc_mget(kvc, "s", keys, 2, values), KVC_OK);
    ck_assert_ptr_null(values[0].bytes);
    ck_assert_uint_eq(values[1].length, 1);
    ck_assert_int_eq(values[1].bytes[0], 'y');
}
END_TEST

START_TEST(a_write_is_never_sent_again)
{
    will_answer(0, "STOR", 15, true);
    expect_error(put(), KVC_ERROR_CLOSED, 1);
    ck_assert_uint_eq(server.connections, 1);
    expect_sent("PUT s k - 1\r\nv\r\n");
    will_answer(1, "", 0, true);
    expect_error(kvc_incr(kvc, "s", kvc_text("k"), 1, NULL), KVC_ERROR_CLOSED, 1);
    ck_assert_uint_eq(server.connections, 2);
}
END_TEST

START_TEST(one_of_many_writes_is_in_doubt)
{
    struct kvc_record records[] = {
        {kvc_text("a"), kvc_text("1"), KVC_TTL_DEFAULT, 0},
        {kvc_text("b"), kvc_text("2"), KVC_TTL_DEFAULT, 0},
    };
    enum kvc_result results[2];
    will_answer(0, "STORED\r\n", 32, true);
    expect_error(kvc_mput(kvc, "s", records, 2, results), KVC_ERROR_CLOSED, 1);
    ck_assert_int_eq(results[0], KVC_OK);
    ck_assert_int_eq(results[1], KVC_ERROR_CLOSED);
}
END_TEST

/* A daemon that has closed an idle connection has not had the request: nothing is in doubt. */
START_TEST(an_idle_connection_that_was_closed_is_made_anew)
{
    will_answer(0, "STORED\r\n", 16, true);
    ck_assert_int_eq(put(), KVC_OK);
    shutdown(server.peer, SHUT_RDWR);
    will_answer(1, "STORED\r\n", 16, false);
    ck_assert_int_eq(put(), KVC_OK);
    ck_assert_uint_eq(server.connections, 2);
}
END_TEST

START_TEST(what_was_not_asked_for_ends_a_connection)
{
    will_answer(0, "STORED\r\nSTORED\r\n", 16, false);
    ck_assert_int_eq(put(), KVC_OK);
    will_answer(1, "NOT_FOUND\r\n", 9, false);
    ck_assert_int_eq(get(), KVC_NOT_FOUND);
    ck_assert_uint_eq(server.connections, 2);
}
END_TEST

START_TEST(what_comes_later_ends_a_connection_too)
{
    will_answer(0, "STORED\r\n", 16, false);
    ck_assert_int_eq(put(), KVC_OK);
    ck_assert_int_eq(send(server.peer, "STORED\r\n", 8, MSG_NOSIGNAL), 8);
    will_answer(1, "NOT_FOUND\r\n", 9, false);
    ck_assert_int_eq(get(), KVC_NOT_FOUND);
    ck_assert_uint_eq(server.connections, 2);
}
END_TEST

static const struct {
    const char *call, *reply;
} mismatches[] = {
    {"put \"s\" \"k\" \"v\"", "NOT_FOUND\r\n"},
    {"put \"s\" \"k\" \"v\"", "EXISTS\r\n"},
    {"put \"s\" \"k\" \"v\"", "STORED 1\r\n"},
    {"put \"s\" \"k\" \"v\"", "DENIED\r\n"},
    {"put \"s\" \"k\" \"v\"", "END\r\n"},
    {"add \"s\" \"k\" \"v\"", "NOT_FOUND\r\n"},
    {"get \"s\" \"k\"", "EXISTS\r\n"},
    {"get \"s\" \"k\"", "VALUE x 1\r\ny\r\n"},
    {"get \"s\" \"k\"", "NOT_FOUND k\r\n"},
    {"get \"s\" \"k\"", "VALUE \r\n"},
    {"get_many \"s\" \"k\"", "END\r\n"},
    {"delete \"s\" \"k\"", "TOUCHED\r\n"},
    {"ttl \"s\" \"k\"", "TTL 5s\r\n"},
    {"ttl \"s\" \"k\"", "TTL \r\n"},
    {"flush \"s\"", "FLUSHED\r\n"},
    {"flush \"s\"", "NOT_FOUND\r\n"},
    {"list \"s\"", "NOT_FOUND\r\n"},
    {"list \"s\"", "KEY a b\r\nEND\r\n"},
    {"list \"s\"", "KEY \r\nEND\r\n"},
    {"list \"s\"", "END 1\r\n"},
    {"all \"s\"", "RECORD 1\r\nx\r\nEND\r\n"},
    {"all \"s\"", "RECORD a b 1\r\nx\r\nEND\r\n"},
    {"stats \"s\"", "STAT a 1\r\nNOT_FOUND\r\n"},
    {"auth \"u\" \"p\"", "NOT_FOUND\r\n"},
    {"version", "VERSION\r\n"},
    {"ping", "OK\r\n"},
};

START_TEST(a_reply_to_another_request)
{
    struct text result = {.at = NULL};
    will_answer(0, mismatches[_i].reply, 1, false);
    calls_make(kvc, mismatches[_i].call, &result);
    ck_assert_str_eq(result.at, "error protocol");
    ck_assert(!kvc_is_connected(kvc));
    text_deinit(&result);
}
END_TEST

START_TEST(a_pipeline_is_lost_as_a_whole)
{
    struct kvc_reply reply;
    struct kvc_bytes key = kvc_text("k");
    will_answer(0, "STORED\r\n", 25, true);
    ck_assert_int_eq(kvc_append_put(kvc, "s", key, key, KVC_TTL_NEVER, 0), KVC_OK);
    ck_assert_int_eq(kvc_append_get(kvc, "s", &key, 1), KVC_OK);
    ck_assert_int_eq(kvc_append_get(kvc, "s", &key, 1), KVC_OK);
    ck_assert_uint_eq(kvc_awaited(kvc), 3);
    expect_error(get(), KVC_ERROR_ARGUMENT, 0);
    ck_assert_int_eq(kvc_next(kvc, &reply), KVC_OK);
    expect_error(kvc_next(kvc, &reply), KVC_ERROR_CLOSED, 0);
    ck_assert_uint_eq(kvc_awaited(kvc), 0);
    expect_error(kvc_next(kvc, &reply), KVC_ERROR_ARGUMENT, 0);
}
END_TEST

/* --- other things ------------------------------------------------------------------ */

static int stop(void *context, struct kvc_bytes key, struct kvc_bytes value)
{
    (void)key;
    (void)value;
    ++*(int *)context;
    return 1;
}

START_TEST(a_listing_is_left)
{
    int rows = 0;
    will_answer(0, "KEY a\r\nKEY b\r\n", 8, false);
    ck_assert_int_eq(kvc_list(kvc, "s", NULL, stop, &rows), KVC_OK);
    ck_assert_int_eq(rows, 1);
    will_answer(1, "NOT_FOUND\r\n", 9, false);
    ck_assert_int_eq(get(), KVC_NOT_FOUND);
    ck_assert_uint_eq(server.connections, 2);
}
END_TEST

static int count_row(void *context, struct kvc_bytes key, struct kvc_bytes value)
{
    stop(context, key, value);
    return 0;
}

/* Rows were given away already, so they must not come twice. */
START_TEST(a_listing_is_not_begun_anew)
{
    int rows = 0;
    will_answer(0, "KEY a\r\n", 8, true);
    expect_error(kvc_list(kvc, "s", NULL, count_row, &rows), KVC_ERROR_CLOSED, 0);
    ck_assert_uint_eq(server.connections, 1);
    ck_assert_int_eq(rows, 1);
}
END_TEST

static int interrupted(void *context, int fd, short events, int timeout)
{
    struct kvc_options options = scripted_options(context);
    if (server.connections > 0) {
        errno = EINTR;
        return -1;
    }
    return options.poll(context, fd, events, timeout);
}

START_TEST(a_call_is_stopped)
{
    struct kvc_options options = scripted_options(&server);
    options.poll = interrupted;
    kvc_destroy(kvc);
    kvc = kvc_create(&options, NULL);
    expect_error(put(), KVC_ERROR_STOPPED, 1);
    ck_assert(!kvc_is_connected(kvc));
}
END_TEST

START_TEST(a_connection_authenticates)
{
    struct kvc_options options = scripted_options(&server);
    options.user = "web";
    options.secret = kvc_text("open-sesame");
    kvc_destroy(kvc);
    kvc = kvc_create(&options, NULL);
    will_answer(0, "OK\r\nNOT_FOUND\r\n", 22, false);
    server.answers[0].cut = 4;
    ck_assert_int_eq(kvc_connect(kvc), KVC_OK);
    expect_sent("AUTH web open-sesame\r\n");
    scripted_reset(&server);
    will_answer(0, "DENIED\r\n", 22, false);
    expect_error(get(), KVC_ERROR_DENIED, 0);
    ck_assert(!kvc_is_connected(kvc));
    expect_sent("AUTH web open-sesame\r\n");
}
END_TEST

START_TEST(no_server_is_there)
{
    struct kvc_options options = {.size = sizeof options, .address = "/nonexistent/socket"};
    kvc_destroy(kvc);
    kvc = kvc_create(&options, NULL);
    expect_error(put(), KVC_ERROR_UNREACHABLE, 0);
    ck_assert_ptr_nonnull(strstr(kvc_last_error(kvc)->text, "/nonexistent/socket"));
    ck_assert_uint_eq(kvc_awaited(kvc), 0);
}
END_TEST

/* --- arguments --------------------------------------------------------------------- */

START_TEST(options_that_are_wrong)
{
    struct kvc_error error;
    struct kvc_options wrong[] = {
        {.size = 1},
        {.size = sizeof *wrong, .address = "host:"},
        {.size = sizeof *wrong, .user = "a b", .secret = {"x", 1}},
        {.size = sizeof *wrong, .user = "a"},
        {.size = sizeof *wrong, .user = "a", .secret = {"x\r\nFLUSH s", 10}},
        {.size = sizeof *wrong, .key = "key.pem"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        error.code = KVC_OK;
        ck_assert_ptr_null(kvc_create(&wrong[i], &error));
        ck_assert_int_eq(error.code, KVC_ERROR_ARGUMENT);
        ck_assert_ptr_null(kvc_pool_create(&wrong[i], 2, &error));
    }
    ck_assert_ptr_null(kvc_pool_create(&(struct kvc_options){.size = sizeof *wrong}, 0, &error));
}
END_TEST

START_TEST(keys_have_a_length)
{
    char key[1100];
    struct kvc_bytes value;
    memset(key, ' ', sizeof key);
    expect_error(kvc_get(kvc, "s", (struct kvc_bytes){key, 257}, &value), KVC_ERROR_ARGUMENT, 0);
    memset(key, 'x', sizeof key);
    expect_error(kvc_get(kvc, "s", (struct kvc_bytes){key, 1025}, &value), KVC_ERROR_ARGUMENT, 0);
    ck_assert_uint_eq(server.connections, 0);
    will_answer(0, "NOT_FOUND\r\n", 1030, false);
    ck_assert_int_eq(kvc_get(kvc, "s", (struct kvc_bytes){key, 1024}, &value), KVC_NOT_FOUND);
    expect_error(kvc_touch(kvc, "s", kvc_text("k"), -3), KVC_ERROR_ARGUMENT, 0);
}
END_TEST

/* One that is refused takes those before it back. */
START_TEST(many_are_refused_together)
{
    struct kvc_record records[] = {
        {kvc_text("a"), kvc_text("1"), KVC_TTL_DEFAULT, 0},
        {kvc_text(""), kvc_text("2"), KVC_TTL_DEFAULT, 0},
    };
    will_answer(0, "NOT_FOUND\r\n", 9, false);
    expect_error(kvc_mput(kvc, "s", records, 2, NULL), KVC_ERROR_ARGUMENT, 0);
    ck_assert_uint_eq(kvc_awaited(kvc), 0);
    ck_assert_int_eq(get(), KVC_NOT_FOUND);
    expect_sent("GET s k\r\n");
}
END_TEST

static const struct {
    const char *text, *name; /* NULL: it is none */
} addresses[] = {
    {"host", "host:7171"},    {"host:80", "host:80"}, {"::1", "[::1]:7171"},
    {"[::1]:80", "[::1]:80"}, {"[host]:1", "host:1"}, {"/run/socket", "/run/socket"},
    {"./socket", "./socket"}, {"../a:b", "../a:b"},   {"", NULL},
    {"host:0", NULL},         {"host:65536", NULL},   {":80", NULL},
    {"[::1", NULL},           {"host:+1", NULL},
};

START_TEST(an_address_is_read)
{
    struct kvc_address address;
    char name[KVC_NAME_MAX];
    int read = kvc_address_parse(kvc_text(addresses[_i].text), KVC_PORT, &address);
    ck_assert_int_eq(read, addresses[_i].name != NULL);
    if (read) {
        kvc_address_name(&address, name);
        ck_assert_str_eq(name, addresses[_i].name);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("broken");
    TCase *servers = tcase_create("servers"), *arguments = tcase_create("arguments");
    tcase_add_checked_fixture(servers, open_client, close_client);
    tcase_add_checked_fixture(arguments, open_client, close_client);
    tcase_add_test(servers, silence_ends_with_a_timeout);
    tcase_add_test(servers, half_a_reply_is_not_the_next_one);
    tcase_add_test(servers, a_read_is_sent_once_more);
    tcase_add_test(servers, a_read_is_not_sent_a_third_time);
    tcase_add_test(servers, values_are_asked_for_once_more);
    tcase_add_test(servers, a_write_is_never_sent_again);
    tcase_add_test(servers, one_of_many_writes_is_in_doubt);
    tcase_add_test(servers, an_idle_connection_that_was_closed_is_made_anew);
    tcase_add_test(servers, what_was_not_asked_for_ends_a_connection);
    tcase_add_test(servers, what_comes_later_ends_a_connection_too);
    tcase_add_loop_test(servers, a_reply_to_another_request, 0,
                        (int)(sizeof mismatches / sizeof *mismatches));
    tcase_add_test(servers, a_pipeline_is_lost_as_a_whole);
    tcase_add_test(servers, a_listing_is_left);
    tcase_add_test(servers, a_listing_is_not_begun_anew);
    tcase_add_test(servers, a_call_is_stopped);
    tcase_add_test(servers, a_connection_authenticates);
    tcase_add_test(servers, no_server_is_there);
    suite_add_tcase(suite, servers);
    tcase_add_test(arguments, options_that_are_wrong);
    tcase_add_test(arguments, keys_have_a_length);
    tcase_add_test(arguments, many_are_refused_together);
    tcase_add_loop_test(arguments, an_address_is_read, 0,
                        (int)(sizeof addresses / sizeof *addresses));
    suite_add_tcase(suite, arguments);
    return suite_run(suite);
}

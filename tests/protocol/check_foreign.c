/*
 * check_foreign.c - other protocols: what is recognised, and how it is answered.
 */
#include "protocol/foreign.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/protocol.h"
#include "tests/support/suite.h"

static const struct {
    const char *line;
    enum foreign foreign;
    bool redis;
} lines[] = {
    {"POST /x HTTP/1.1", FOREIGN_HTTP, false},
    {"post x", FOREIGN_HTTP, false},
    {"Host: a", FOREIGN_HTTP, false},
    {"OPTIONS * HTTP/1.0", FOREIGN_HTTP, false},
    {"GET / HTTP/1.2", FOREIGN_NONE, false},
    {" HTTP/1.1", FOREIGN_HTTP, false},
    {"HTTP/1.1", FOREIGN_NONE, false},
    {"POST", FOREIGN_NONE, false},
    {"\x16\x03\x01\x02\x05", FOREIGN_TLS, false},
    {"\x16\x03\x01", FOREIGN_TLS, false},
    {"\x16\x03", FOREIGN_NONE, false},
    {"\x16\x02\x01\x02\x05", FOREIGN_NONE, false},
    {"*1", FOREIGN_NONE, true},
    {"$1234567890", FOREIGN_NONE, true},
    {"*12345678901", FOREIGN_NONE, false},
    {"*", FOREIGN_NONE, false},
    {"*-1", FOREIGN_NONE, false},
    {"*1 ", FOREIGN_NONE, false},
    {":1", FOREIGN_NONE, false},
    {"", FOREIGN_NONE, false},
};

START_TEST(lines_are_recognised)
{
    struct slice line = slice_of(lines[_i].line);
    ck_assert_int_eq(foreign_line(line), lines[_i].foreign);
    ck_assert_int_eq(foreign_is_redis(line), lines[_i].redis);
}
END_TEST

/* The length that the header names is that of the text. */
static void expect_http(const struct protocol *protocol)
{
    char answer[FOREIGN_ANSWER_MAX];
    size_t length = foreign_answer(FOREIGN_HTTP, protocol->speaks, answer);
    ck_assert_uint_lt(length, sizeof answer);
    const char *text = strstr(answer, "\r\n\r\n") + 4;
    const char *field = strstr(answer, "\r\nContent-Length: ");
    ck_assert_ptr_nonnull(field);
    ck_assert_uint_eq(strtoul(field + strlen("\r\nContent-Length: "), NULL, 10), strlen(text));
    ck_assert_uint_eq(strlen(answer), length);
    ck_assert_int_eq(strncmp(answer, "HTTP/1.1 400 Bad Request\r\n", 26), 0);
    ck_assert_ptr_nonnull(strstr(answer, "\r\nContent-Type: text/plain\r\n"));
    ck_assert_ptr_nonnull(strstr(answer, "\r\nConnection: close\r\n"));
    ck_assert_ptr_nonnull(strstr(text, protocol->speaks));
    ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
}

START_TEST(http_is_answered)
{
    expect_http(&protocol_native);
    expect_http(&protocol_memcache);
}
END_TEST

START_TEST(redis_is_answered_with_an_error_of_its_own)
{
    char answer[FOREIGN_ANSWER_MAX];
    size_t length = foreign_answer(FOREIGN_REDIS, protocol_native.speaks, answer);
    ck_assert_int_eq(strncmp(answer, "-ERR this listener speaks kvcached's own protocol", 49), 0);
    ck_assert_ptr_eq(strchr(answer, '\r'), answer + length - 2);
    ck_assert_ptr_eq(strchr(answer, '\n'), answer + length - 1);
}
END_TEST

START_TEST(tls_is_not_answered)
{
    char answer[FOREIGN_ANSWER_MAX];
    ck_assert_uint_eq(foreign_answer(FOREIGN_TLS, protocol_native.speaks, answer), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("foreign");
    TCase *tcase = tcase_create("foreign");
    tcase_add_loop_test(tcase, lines_are_recognised, 0, sizeof lines / sizeof *lines);
    tcase_add_test(tcase, http_is_answered);
    tcase_add_test(tcase, redis_is_answered_with_an_error_of_its_own);
    tcase_add_test(tcase, tls_is_not_answered);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

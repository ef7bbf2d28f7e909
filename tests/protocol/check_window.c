/*
 * check_window.c - the calls of a parser one by one: which values are buffered and which are left
 * to the caller, the line end of those, and how protocols are found.
 */
#include "protocol/protocol.h"

#include <check.h>

#include "tests/support/suite.h"

/* --- the window ----------------------------------------------------------- */

static enum parse_result parse(struct parser *parser, const char *text, struct request *request,
                               size_t *consumed)
{
    static char bytes[REQUEST_LINE_MAX];
    size_t length = strlen(text);
    ck_assert_uint_le(length, sizeof bytes);
    memcpy(bytes, text, length);
    return protocol_native.parse(parser, bytes, length, request, consumed);
}

START_TEST(what_fits_the_window_is_waited_for)
{
    static const char line[] = "PUT ns k 1 100\r\n";
    size_t fits = strlen(line) + 100 + 2;
    struct parser parser = {.max_value = 1000, .window = fits};
    struct request request;
    size_t consumed;
    ck_assert_int_eq(parse(&parser, line, &request, &consumed), PARSE_MORE);
    ck_assert_uint_eq(parser.wanted, fits - 1); /* a line feed alone would do */
    ck_assert_uint_eq(consumed, 0);

    parser = (struct parser){.max_value = 1000, .window = fits - 1};
    ck_assert_int_eq(parse(&parser, line, &request, &consumed), PARSE_BODY);
    ck_assert_uint_eq(consumed, strlen(line));
    ck_assert_uint_eq(request.value_length, 100);
    ck_assert_uint_eq(request.value.length, 0);
    ck_assert(slice_equal(request.keys, slice_of("k")));
}
END_TEST

START_TEST(a_body_ends_with_a_line_end)
{
    struct parser parser = {.max_value = 1000, .window = 10};
    size_t consumed;
    ck_assert_int_eq(protocol_native.body_end(&parser, "", 0, &consumed), PARSE_MORE);
    ck_assert_uint_eq(parser.wanted, 1);
    ck_assert_int_eq(protocol_native.body_end(&parser, "\r", 1, &consumed), PARSE_MORE);
    ck_assert_uint_eq(parser.wanted, 2);
    ck_assert_uint_eq(consumed, 0);
    ck_assert_int_eq(protocol_native.body_end(&parser, "\nP", 2, &consumed), PARSE_REQUEST);
    ck_assert_uint_eq(consumed, 1);
    ck_assert_int_eq(protocol_native.body_end(&parser, "\r\nP", 3, &consumed), PARSE_REQUEST);
    ck_assert_uint_eq(consumed, 2);
    ck_assert_int_eq(protocol_native.body_end(&parser, "x\n", 2, &consumed), PARSE_FATAL);
    ck_assert_int_eq(parser.error.kind, REPLY_CLIENT_ERROR);
    ck_assert_int_eq(protocol_native.body_end(&parser, "\rx", 2, &consumed), PARSE_FATAL);
}
END_TEST

/* The caller's settings may change while a value is incomplete. */
START_TEST(a_lower_limit_counts_at_once)
{
    struct parser parser = {.max_value = 1000, .window = REQUEST_LINE_MAX};
    struct request request;
    size_t consumed;
    ck_assert_int_eq(parse(&parser, "PUT ns k 1 9\n", &request, &consumed), PARSE_MORE);
    parser.max_value = 8;
    ck_assert_int_eq(parse(&parser, "PUT ns k 1 9\nFLUSH ns.\nPING\n", &request, &consumed),
                     PARSE_REFUSED);
    ck_assert_uint_eq(consumed, strlen("PUT ns k 1 9\n"));
    ck_assert_int_eq(parse(&parser, "FLUSH ns.\nPING\n", &request, &consumed), PARSE_REQUEST);
    ck_assert_int_eq(request.verb, VERB_PING);
    ck_assert_uint_eq(consumed, strlen("FLUSH ns.\nPING\n"));
}
END_TEST

/* --- the table ------------------------------------------------------------ */

START_TEST(protocols_have_names)
{
    ck_assert_ptr_eq(protocol_find(slice_of("native")), &protocol_native);
    ck_assert_ptr_null(protocol_find(slice_of("nativ")));
    ck_assert_ptr_null(protocol_find(slice_of("")));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("input cut at every byte");
    TCase *calls = tcase_create("calls");
    tcase_add_test(calls, what_fits_the_window_is_waited_for);
    tcase_add_test(calls, a_body_ends_with_a_line_end);
    tcase_add_test(calls, a_lower_limit_counts_at_once);
    tcase_add_test(calls, protocols_have_names);
    suite_add_tcase(suite, calls);
    return suite_run(suite);
}

/*
 * check_native_sizes.c - the native protocol: words, lines and values of every length, long lines
 * of keys, and refused values that are dropped.
 */
#include "tests/protocol/native_fixture.h"
#include "tests/protocol/transcript.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum { KIB = 1024 };

/* `head`, `count` times `fill`, `tail`. */
static struct slice padded(const char *head, char fill, size_t count, const char *tail)
{
    size_t length = strlen(head) + count + strlen(tail);
    char *bytes = malloc(length + 1);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, head, strlen(head));
    memset(bytes + strlen(head), fill, count);
    memcpy(bytes + strlen(head) + count, tail, strlen(tail) + 1);
    return (struct slice){bytes, length};
}

/* The transcript begins like this. Frees the wire. */
static void expect_padded(struct slice wire, const char *understood)
{
    static const size_t steps[] = {0, 61, 1000};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct feed feed = native_at_once;
        feed.step = steps[i];
        char *text = transcript(&protocol_native, wire, &feed);
        text[strnlen(text, strlen(understood))] = '\0';
        ck_assert_str_eq(text, understood);
        free(text);
    }
    free((char *)wire.bytes);
}

START_TEST(names_to_their_limits)
{
    expect_padded(padded("GET ", 'n', 64, " k\n"), "GET ns=nnn");
    expect_padded(padded("GET ", 'n', 65, " k\n"), "CLIENT_ERROR bad namespace \"nnn");
    expect_padded(padded("GET ns ", 'k', 1024, "\r\n"), "GET ns=ns keys=kkk");
    expect_padded(padded("GET ns ", 'k', 1025, "\r\n"), "CLIENT_ERROR bad key \"kkk");
    expect_padded(padded("GET ns a ", 'k', 1025, " b\r\n"), "CLIENT_ERROR bad key \"kkk");
    expect_padded(padded("LIST ns ", '*', 1024, "\n"), "LIST ns=ns pattern=***");
    expect_padded(padded("LIST ns ", '*', 1025, "\n"), "CLIENT_ERROR bad pattern \"***");
    expect_padded(padded("TOUCH ns k ", '0', 63, "1\n"), "TOUCH ns=ns keys=k ttl=1000\n");
    expect_padded(padded("TOUCH ns k ", '0', 64, "1\n"), "CLIENT_ERROR bad ttl \"000");
}
END_TEST

START_TEST(lines_to_their_limit)
{
    /* "xx" and a line end of one or two bytes */
    expect_padded(padded("xx", 'x', REQUEST_LINE_MAX - 3, "\nPING\n"), "ERROR unknown verb");
    expect_padded(padded("xx", 'x', REQUEST_LINE_MAX - 4, "\r\nPING\n"), "ERROR unknown verb");
    expect_padded(padded("xx", 'x', REQUEST_LINE_MAX - 2, "\nPING\n"),
                  "FATAL CLIENT_ERROR line is longer than 65536 bytes");
    expect_padded(padded("xx", 'x', REQUEST_LINE_MAX - 3, "\r\nPING\n"),
                  "FATAL CLIENT_ERROR line is longer than 65536 bytes");
    expect_padded(padded("xx", 'x', REQUEST_LINE_MAX * 2, ""),
                  "FATAL CLIENT_ERROR line is longer than 65536 bytes");
}
END_TEST

/* The longest text there is: a ttl of many bytes, quoted, where the value's length is unknown. */
START_TEST(the_longest_text_is_whole)
{
    expect_padded(padded("PUT ns k ", '\x7f', 60, " a b\n"), "FATAL CLIENT_ERROR bad ttl \"\\x7f");
    char *text =
        transcript(&protocol_native,
                   slice_of("PUT ns k xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx a b\n"),
                   &native_at_once);
    const char *ending = NEXT_LINE UNFRAMED "\n";
    ck_assert_uint_gt(strlen(text), strlen(ending));
    ck_assert_str_eq(text + strlen(text) - strlen(ending), ending);
    free(text);
}
END_TEST

/* Blanks behind the keys of a long line are dropped as they come, however many they are. */
START_TEST(blanks_without_end)
{
    struct slice wire = padded("GET ns k", ' ', 3 * REQUEST_LINE_MAX, "");
    struct parser parser;
    struct request request;
    size_t at = 0;
    enum parse_result result = PARSE_REQUEST;
    parser_init(&parser, WINDOW);
    while (result == PARSE_REQUEST) {
        size_t consumed = 0;
        result = protocol_native.parse(&parser, (char *)(uintptr_t)wire.bytes + at,
                                       wire.length - at, &request, &consumed);
        at += consumed;
    }
    ck_assert_int_eq(result, PARSE_MORE);
    ck_assert_uint_eq(at, wire.length - 1);
    ck_assert_uint_eq(parser.wanted, 2);
    free((char *)(uintptr_t)wire.bytes);
}
END_TEST

/* Keys until their line is too long, then `ending`. */
static char *many_keys(const char *start, const char *ending, size_t *length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, length);
    ck_assert_ptr_nonnull(out);
    fputs(start, out);
    for (unsigned i = 0; i < 2 * REQUEST_LINE_MAX / 12; i++) {
        fprintf(out, " key%08u", i);
    }
    fputs(ending, out);
    fclose(out);
    return text;
}

static const struct {
    const char *start, *ending, *first, *last;
} long_lines[] = {
    {"GET ns", "\r\nPING\r\n", "GET in pieces ns=ns ttl=default key=key00000000 ",
     " key=key00010921\nPING\n"},
    {"del ns", " a\\x20b c\nPING\n", "DEL in pieces ns=ns ttl=default key=key00000000 ",
     " key=key00010921 key=a b key=c\nPING\n"},
    {"GET ns", "  a\nPING\n", "GET in pieces ns=ns ttl=default key=key00000000 ",
     " key=key00010921 key=a\nPING\n"},
    {"GET ns", " \nPING\n", "GET in pieces ns=ns ttl=default key=key00000000 ",
     " key=key00010921\nPING\n"},
    {"GET ns", " a\tb c\nPING\n", "GET in pieces ns=ns ttl=default key=key00000000 ",
     " key=key00010921 but\nCLIENT_ERROR bad key \"a\\x09b\": " RIGHT_KEY "\nPING\n"},
    {"GET n/s", "\n", "FATAL CLIENT_ERROR line is longer", "none but GET and DEL may be\n"},
    {"TTL ns", "\n", "FATAL CLIENT_ERROR line is longer", "none but GET and DEL may be\n"},
};

START_TEST(long_lines_of_keys_come_in_pieces)
{
    size_t length = 0;
    char *bytes = many_keys(long_lines[_i].start, long_lines[_i].ending, &length);
    char *whole = transcript(&protocol_native, (struct slice){bytes, length}, &native_at_once);
    const char *first = long_lines[_i].first;
    const char *last = long_lines[_i].last;
    ck_assert_msg(strncmp(whole, first, strlen(first)) == 0, "%.300s", whole);
    ck_assert_str_eq(whole + strlen(whole) - strlen(last), last);
    for (size_t i = 0; i < 40; i++) {
        struct feed feed = native_at_once;
        feed.first = i < 20 ? REQUEST_LINE_MAX - 10 + i : 0;
        feed.step = i < 20 ? 4096 + i : 1 + i * 331;
        feed.patient = i % 2 == 0;
        native_expect_bytes((struct slice){bytes, length}, &feed, whole);
    }
    free(whole);
    free(bytes);
}
END_TEST

/* A refused value has no limit of its own, and the next request is understood. */
START_TEST(long_refused_values)
{
    expect_padded(padded("PUT ns\n", 'x', REQUEST_LINE_MAX * 3, "\nPING\n"),
                  "CLIENT_ERROR key missing: write " USAGE_PUT THEN_LINE "\nPING\n");
    expect_padded(padded("PUT ns k\n", 'x', REQUEST_LINE_MAX * 3, "\r\nPING\n"),
                  "CLIENT_ERROR value is larger than max_value, 64 bytes\nPING\n");
    expect_padded(
        padded("PUT ns k s 200000\n", '\n', 200000, "\r\nPING\n"),
        "CLIENT_ERROR bad ttl \"s\": " RIGHT_TTL NEXT_LINE THEN_BYTES("200000") "\nPING\n");
    expect_padded(padded("PUT ns k 1 200000\n", '\n', 200000, "\nPING\n"),
                  "CLIENT_ERROR value of 200000 bytes is larger than max_value, 64 bytes\nPING\n");
}
END_TEST

START_TEST(value_lines_to_their_limit)
{
    struct feed feed = {.max_value = 300 * KIB, .window = REQUEST_LINE_MAX};
    for (size_t over = 0; over < 2; over++) {
        struct slice wire = padded("PUT ns k\n", 'x', REQUEST_LINE_MAX - 1 + over, "\nPING\n");
        for (feed.step = 0; feed.step < 5000; feed.step += 4999) {
            char *text = transcript(&protocol_native, wire, &feed);
            const char *wanted =
                over ? "FATAL CLIENT_ERROR value on a line of its own is longer than 65535 bytes"
                     : "PUT ns=ns keys=k ttl=default value=65535:xxx";
            ck_assert_int_eq(strncmp(text, wanted, strlen(wanted)), 0);
            ck_assert(over || strstr(text, "\nPING\n") != NULL);
            free(text);
        }
        free((char *)wire.bytes);
    }
}
END_TEST

START_TEST(a_refused_body_is_dropped)
{
    static const char wire[] = "PUT ns k 1 27\nFLUSH ns\r\nFLUSH ns\nFLUSH ns\r\nPING\n"
                               "PUT ns k 1 1\nx\nPING\n";
    for (size_t step = 0; step < 30; step++) {
        struct feed feed = {.max_value = MAX_VALUE, .step = step, .refuse_bodies = true};
        native_expect(wire, &feed, "REFUSED BODY\nPING\nREFUSED BODY\nPING\n");
    }
    struct feed feed = {.max_value = MAX_VALUE, .refuse_bodies = true};
    native_expect("PUT ns k 1 3\nhello\nPING\n", &feed,
                  "REFUSED BODY\nFATAL CLIENT_ERROR " NO_LINE_END "\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("native_sizes");
    TCase *sizes = tcase_create("sizes");
    tcase_set_timeout(sizes, 300);
    tcase_add_test(sizes, names_to_their_limits);
    tcase_add_test(sizes, lines_to_their_limit);
    tcase_add_test(sizes, the_longest_text_is_whole);
    tcase_add_test(sizes, blanks_without_end);
    tcase_add_loop_test(sizes, long_lines_of_keys_come_in_pieces, 0,
                        sizeof long_lines / sizeof long_lines[0]);
    tcase_add_test(sizes, long_refused_values);
    tcase_add_test(sizes, value_lines_to_their_limit);
    tcase_add_test(sizes, a_refused_body_is_dropped);
    suite_add_tcase(suite, sizes);
    return suite_run(suite);
}

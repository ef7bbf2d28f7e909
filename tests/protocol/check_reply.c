/*
 * check_reply.c - replies: their words, their bounds, and that no text can make one reply look like
 * two.
 */
#include "protocol/native.h"
#include "protocol/token.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/suite.h"

static char written[REPLY_HEAD_MAX + 1];

static const char *head(struct reply reply)
{
    memset(written, '#', sizeof written);
    size_t length = protocol_native.head(NULL, &reply, written);
    ck_assert_uint_le(length, REPLY_HEAD_MAX);
    written[length] = '\0';
    return written;
}

static void expect(struct reply reply, const char *wanted, const char *wanted_tail)
{
    char tail[REPLY_TAIL_MAX + 1] = "";
    ck_assert_str_eq(head(reply), wanted);
    size_t length = protocol_native.tail(NULL, &reply, tail);
    ck_assert_uint_le(length, REPLY_TAIL_MAX);
    tail[length] = '\0';
    ck_assert_str_eq(tail, wanted_tail);
}

START_TEST(replies_of_a_word)
{
    expect((struct reply){.kind = REPLY_STORED}, "STORED\r\n", "");
    expect((struct reply){.kind = REPLY_EXISTS}, "EXISTS\r\n", "");
    expect((struct reply){.kind = REPLY_NOT_FOUND}, "NOT_FOUND\r\n", "");
    expect((struct reply){.kind = REPLY_DELETED}, "DELETED\r\n", "");
    expect((struct reply){.kind = REPLY_TOUCHED}, "TOUCHED\r\n", "");
    expect((struct reply){.kind = REPLY_END}, "END\r\n", "");
    expect((struct reply){.kind = REPLY_OK}, "OK\r\n", "");
    expect((struct reply){.kind = REPLY_OK, .text = slice_of("changed: ttl")},
           "OK changed: ttl\r\n", "");
    expect((struct reply){.kind = REPLY_DENIED}, "DENIED\r\n", "");
    expect((struct reply){.kind = REPLY_PONG}, "PONG\r\n", "");
    expect((struct reply){.kind = REPLY_TTL_NEVER}, "TTL never\r\n", "");
}
END_TEST

START_TEST(replies_with_a_value)
{
    struct slice key = slice_of("alice");
    expect((struct reply){.kind = REPLY_VALUE, .value_length = 0}, "VALUE 0\r\n", "\r\n");
    expect((struct reply){.kind = REPLY_VALUE, .value_length = 1048576}, "VALUE 1048576\r\n",
           "\r\n");
    expect((struct reply){.kind = REPLY_VALUE, .value_length = UINT64_MAX},
           "VALUE 18446744073709551615\r\n", "\r\n");
    expect((struct reply){.kind = REPLY_RECORD, .name = key, .value_length = 5},
           "RECORD alice 5\r\n", "\r\n");
}
END_TEST

static struct reply record(const char *key, uint64_t left, uint32_t flags)
{
    return (struct reply){.kind = REPLY_REQUEST,
                          .name = slice_of(key),
                          .text = slice_of("ns"),
                          .left = left,
                          .value_length = 5,
                          .client_flags = flags};
}

/* As PUT takes them, to the millisecond. */
START_TEST(records_as_requests)
{
    expect(record("alice", REPLY_NEVER, 0), "PUT ns alice never 5\r\n", "\r\n");
    expect(record("alice", REPLY_NEVER, 7), "PUT ns alice never 5 7\r\n", "\r\n");
    expect(record("a", 1800000, UINT32_MAX), "PUT ns a 1800 5 4294967295\r\n", "\r\n");
    expect(record("a", 1800001, 0), "PUT ns a 1800001ms 5\r\n", "\r\n");
    expect(record("a", 1, 0), "PUT ns a 1ms 5\r\n", "\r\n");
    expect(record("a", 1000, 0), "PUT ns a 1 5\r\n", "\r\n");
    expect(record("a", 0, 0), "PUT ns a 1ms 5\r\n", "\r\n"); /* 0 would be never */
    expect(record("a", TOKEN_TIME_MAX, 0), "PUT ns a 3153600000 5\r\n", "\r\n");
    expect(record("a", REPLY_NEVER - 1, 0), "PUT ns a 3153600000 5\r\n", "\r\n");
    expect(record("a \r\n\\x41\x7f", 1, 0), "PUT ns a\\x20\\x0d\\x0a\\x5cx41\\x7f 1ms 5\r\n",
           "\r\n");
}
END_TEST

START_TEST(lines_of_a_survey)
{
    expect((struct reply){.kind = REPLY_SIZES, .value_length = 64, .number = 3, .bytes = 150},
           "SIZE 64 3 150\r\n", "");
    expect((struct reply){.kind = REPLY_TIMES, .text = slice_of("1h"), .number = 7}, "TTL 1h 7\r\n",
           "");
    expect((struct reply){.kind = REPLY_LARGE, .name = slice_of("a b"), .value_length = 1048576},
           "LARGE 1048576 a\\x20b\r\n", "");
}
END_TEST

START_TEST(replies_with_numbers)
{
    struct slice name = slice_of("sessions");
    expect((struct reply){.kind = REPLY_NUMBER, .number = 0}, "NUMBER 0\r\n", "");
    expect((struct reply){.kind = REPLY_NUMBER, .number = 10}, "NUMBER 10\r\n", "");
    expect((struct reply){.kind = REPLY_NUMBER, .number = UINT64_MAX},
           "NUMBER 18446744073709551615\r\n", "");
    expect((struct reply){.kind = REPLY_FLUSHED, .number = 100}, "FLUSHED 100\r\n", "");
    expect((struct reply){.kind = REPLY_NAMESPACE, .name = name, .number = 12, .bytes = 3456},
           "NAMESPACE sessions 12 3456\r\n", "");
}
END_TEST

START_TEST(times)
{
    expect((struct reply){.kind = REPLY_TTL, .number = 1797204}, "TTL 1797.204\r\n", "");
    expect((struct reply){.kind = REPLY_TTL, .number = 1}, "TTL 0.001\r\n", "");
    expect((struct reply){.kind = REPLY_TTL, .number = 90}, "TTL 0.090\r\n", "");
    expect((struct reply){.kind = REPLY_TTL, .number = 1000}, "TTL 1.000\r\n", "");
    expect((struct reply){.kind = REPLY_TTL, .number = UINT64_MAX}, "TTL 18446744073709551.615\r\n",
           "");
}
END_TEST

START_TEST(replies_with_text)
{
    struct slice text = slice_of("what is wrong");
    expect((struct reply){.kind = REPLY_KEY, .name = slice_of("k\xc3\xa4y")}, "KEY k\xc3\xa4y\r\n",
           "");
    expect((struct reply){.kind = REPLY_STAT, .name = slice_of("uptime"), .text = slice_of("7")},
           "STAT uptime 7\r\n", "");
    expect((struct reply){.kind = REPLY_VERSION, .text = slice_of("1.2.3")},
           "VERSION kvcached 1.2.3\r\n", "");
    expect((struct reply){.kind = REPLY_ERROR, .text = text}, "ERROR what is wrong\r\n", "");
    expect((struct reply){.kind = REPLY_CLIENT_ERROR, .text = text},
           "CLIENT_ERROR what is wrong\r\n", "");
    expect((struct reply){.kind = REPLY_SERVER_ERROR, .text = text},
           "SERVER_ERROR what is wrong\r\n", "");
}
END_TEST

START_TEST(a_text_stays_one_line)
{
    expect((struct reply){.kind = REPLY_SERVER_ERROR, .text = {"a\r\nSTORED\0\x7f", 11}},
           "SERVER_ERROR a??STORED??\r\n", "");
}
END_TEST

/* A reply with the largest fields. */
START_TEST(heads_have_bounds)
{
    static char long_text[10000];
    memset(long_text, 'x', sizeof long_text);
    struct slice text = {long_text, sizeof long_text};
    for (int kind = REPLY_STORED; kind <= REPLY_SERVER_ERROR; kind++) {
        for (size_t name = 0; name <= sizeof long_text; name += 500) {
            const char *line = head((struct reply){
                .kind = (enum reply_kind)kind,
                .name = {long_text, name},
                .text = text,
                .number = UINT64_MAX,
                .bytes = UINT64_MAX,
                .value_length = UINT64_MAX,
            });
            size_t length = strlen(line);
            bool silent = kind == REPLY_HELP || kind == REPLY_KEYS_END;
            ck_assert(silent ? length == 0 : length > 2 && line[length - 1] == '\n');
            ck_assert_ptr_eq(strchr(line, '\n'), silent ? NULL : line + length - 1);
        }
    }
    struct slice key = {long_text, REQUEST_KEY_MAX};
    const char *line = head((struct reply){.kind = REPLY_RECORD, .name = key, .value_length = 1});
    ck_assert_uint_eq(strlen(line), strlen("RECORD ") + REQUEST_KEY_MAX + strlen(" 1\r\n"));
    struct slice ns = {long_text, REQUEST_NAMESPACE_MAX};
    line = head((struct reply){.kind = REPLY_REQUEST,
                               .name = key,
                               .text = ns,
                               .left = TOKEN_TIME_MAX - 1,
                               .value_length = 1,
                               .client_flags = UINT32_MAX});
    ck_assert_uint_eq(strlen(line), strlen("PUT  3153599999999ms 1 4294967295\r\n") +
                                        REQUEST_NAMESPACE_MAX + 1 + REQUEST_KEY_MAX);
    line = head((struct reply){.kind = REPLY_LARGE, .name = key, .value_length = 1});
    ck_assert_uint_eq(strlen(line), strlen("LARGE 1 \r\n") + REQUEST_KEY_MAX);
}
END_TEST

static const struct {
    const char *word, *first_line;
} verbs[] = {
#define VERB(id, word, arguments, help, ...) {word, word arguments ": " help "\r\n"},
#include "protocol/verbs.def"
#undef VERB
};

enum { VERBS = sizeof verbs / sizeof verbs[0] };

static unsigned count_lines(struct slice text)
{
    unsigned lines = 0;
    for (size_t i = 0; i < text.length; i++) {
        lines += text.bytes[i] == '\n';
        ck_assert(text.bytes[i] != '\n' || (i > 0 && text.bytes[i - 1] == '\r'));
    }
    ck_assert_int_eq(text.bytes[text.length - 1], '\n');
    return lines;
}

/* No line of it ends HELP's reply. */
static void expect_no_end(struct slice text)
{
    char copy[REPLY_HEAD_MAX];
    snprintf(copy, sizeof copy, "\r\n%.*s", (int)text.length, text.bytes);
    ck_assert_ptr_null(strstr(copy, "\r\nEND\r\n"));
}

START_TEST(help_has_a_line_for_each_verb)
{
    struct slice text = native_help(&(struct request){.verb = VERB_HELP});
    expect_no_end(text);
    ck_assert_uint_eq(count_lines(text), VERBS + 3);
    for (size_t i = 0; i < VERBS; i++) {
        size_t length = strlen(verbs[i].first_line);
        ck_assert_uint_le(length, text.length);
        ck_assert_mem_eq(text.bytes, verbs[i].first_line, length);
        text.bytes += length;
        text.length -= length;
    }
    ck_assert_ptr_nonnull(memmem(text.bytes, text.length, "Example: PUT ", 13));
    ck_assert_ptr_nonnull(memmem(text.bytes, text.length, "ms s m h d w", 12));
    expect((struct reply){.kind = REPLY_HELP, .text = text}, "", "");
}
END_TEST

/* The lines about each verb begin as the list does, and its example begins with the verb. */
START_TEST(help_of_a_verb)
{
    struct slice text = native_help(&(struct request){.verb = VERB_HELP, .form = (unsigned)_i + 1});
    char example[64];
    int length = snprintf(example, sizeof example, "\r\nExample: %s", verbs[_i].word);
    unsigned lines = count_lines(text);
    expect_no_end(text);
    ck_assert_uint_ge(lines, 3);
    ck_assert_uint_le(lines, 6);
    ck_assert_mem_eq(text.bytes, verbs[_i].first_line, strlen(verbs[_i].first_line));
    ck_assert_ptr_nonnull(memmem(text.bytes, text.length, "\r\nReply: ", 9));
    ck_assert_ptr_nonnull(memmem(text.bytes, text.length, example, (size_t)length));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reply");
    TCase *replies = tcase_create("replies");
    tcase_add_test(replies, replies_of_a_word);
    tcase_add_test(replies, replies_with_a_value);
    tcase_add_test(replies, records_as_requests);
    tcase_add_test(replies, lines_of_a_survey);
    tcase_add_test(replies, replies_with_numbers);
    tcase_add_test(replies, times);
    tcase_add_test(replies, replies_with_text);
    tcase_add_test(replies, a_text_stays_one_line);
    tcase_add_test(replies, heads_have_bounds);
    tcase_add_test(replies, help_has_a_line_for_each_verb);
    tcase_add_loop_test(replies, help_of_a_verb, 0, VERBS);
    suite_add_tcase(suite, replies);

    return suite_run(suite);
}

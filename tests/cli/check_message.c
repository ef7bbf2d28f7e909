/*
 * check_message.c - what a line that was typed is on the wire, or why it is not sent.
 */
#include "scripts/cli/message.h"

#include <check.h>

#include "scripts/cli/candidates.h"
#include "scripts/cli/hint.h"
#include "tests/support/suite.h"

static const struct {
    const char *line;
    const char *wire;
    size_t replies;
} requests[] = {
    {"get sessions alice", "GET sessions alice\r\n", 1},
    {"Get s a b c", "GET s a b c\r\n", 3},
    {"DEL s a\\x20b \"a b\" 'a\\x20b'", "DEL s a\\x20b a\\x20b a\\x5cx20b\r\n", 3},
    {"PUT s a hello", "PUT s a - 5\r\nhello\r\n", 0},
    {"put s a 30m \"hello world\"", "PUT s a 30m 11\r\nhello world\r\n", 0},
    {"PUT s a - 30m", "PUT s a - 3\r\n30m\r\n", 0},
    {"PUT s a \"30m\"", "PUT s a - 3\r\n30m\r\n", 0},
    {"ADD s a \"\"", "ADD s a - 0\r\n\r\n", 0},
    {"PUT s a 1h \"x\\r\\nGET s a\"", "PUT s a 1h 10\r\nx\r\nGET s a\r\n", 0},
    {"LIST s a\\*", "LIST s a\\*\r\n", 0},
    {"LIST s \"a *\\\\x\"", "LIST s a\\x20*\\x\r\n", 0},
    {"GET s \"a\\nFLUSH s\"", "GET s a\\x0aFLUSH\\x20s\r\n", 1},
    {"LIST s \"a\\nFLUSH s\"", "LIST s a\\x0aFLUSH\\x20s\r\n", 0},
    {"stats", "STATS\r\n", 0},
    {"incr c n 5", "INCR c n 5\r\n", 0},
};
enum { REQUESTS = sizeof requests / sizeof requests[0] };

static const struct {
    const char *line;
    const char *error;
} refused[] = {
    {"", "unknown verb \"\", try help"},
    {"FROB a", "unknown verb \"FROB\", try help"},
    {"PUT s a", "the value is missing: write PUT <ns> <key> [<ttl>] <value>"},
    {"PUT s a 30m", "the value is missing: write PUT <ns> <key> [<ttl>] <value>"},
    {"PUT s a 30m hello world",
     "too many words, quote a value with blanks: write PUT <ns> <key> [<ttl>] <value>"},
    {"GET s", "words are missing: write GET <ns> <key> [<key> ...]"},
    {"GET s \"\"", "a word is empty: write GET <ns> <key> [<key> ...]"},
    {"PUT s \"\" x", "a word is empty: write PUT <ns> <key> [<ttl>] <value>"},
};
enum { REFUSED = sizeof refused / sizeof refused[0] };

START_TEST(a_line_is_this_request)
{
    char error[MESSAGE_ERROR_MAX];
    struct words words;
    struct message message;
    words_split(slice_of(requests[_i].line), &words);
    ck_assert(message_make(&words, NULL, &message, error));
    ck_assert(slice_equal(bytes_slice(&message.wire), slice_of(requests[_i].wire)));
    ck_assert_uint_eq(message.replies, requests[_i].replies);
    message_deinit(&message);
    words_deinit(&words);
}
END_TEST

START_TEST(a_line_is_refused)
{
    char error[MESSAGE_ERROR_MAX];
    struct words words;
    struct message message;
    words_split(slice_of(refused[_i].line), &words);
    ck_assert(!message_make(&words, NULL, &message, error));
    ck_assert_str_eq(error, refused[_i].error);
    message_deinit(&message);
    words_deinit(&words);
}
END_TEST

/* As -x gives it: any bytes, and the words have one less. */
START_TEST(a_value_may_come_from_elsewhere)
{
    static const struct slice value = {"a\0\r\nb", 5};
    static const char expected[] = "PUT s a 1m 5\r\na\0\r\nb\r\n";
    char error[MESSAGE_ERROR_MAX];
    struct words words;
    struct message message;
    words_split(slice_of("PUT s a 1m"), &words);
    ck_assert(message_make(&words, &value, &message, error));
    ck_assert(
        slice_equal(bytes_slice(&message.wire), (struct slice){expected, sizeof expected - 1}));
    message_deinit(&message);
    words_deinit(&words);
    words_split(slice_of("GET s a"), &words);
    ck_assert(!message_make(&words, &value, &message, error));
    ck_assert_str_eq(error, "only PUT and ADD take a value: write GET <ns> <key> [<key> ...]");
    message_deinit(&message);
    words_deinit(&words);
}
END_TEST

/* --- what is shown while a line is typed --------------------------------------------- */

static const struct {
    const char *line;
    const char *hint;
} hints[] = {
    {"", ""},
    {"p", ""},
    {"pu", "PUT <ns> <key> [<ttl>] <value>"},
    {"put sessions alice 30m", "PUT <ns> <key> [<ttl>] <value>"},
    {"  ge", "GET <ns> <key> [<key> ...]"},
    {"t", ""},
    {"ttl", "TTL <ns> <key>"},
    {"frob", ""},
    {"hash", "hash-secret"},
};
enum { HINTS = sizeof hints / sizeof hints[0] };

START_TEST(a_line_has_this_hint)
{
    char hint[HINT_MAX];
    hint_find(slice_of(hints[_i].line), hint);
    ck_assert_str_eq(hint, hints[_i].hint);
}
END_TEST

START_TEST(a_prefix_is_no_pattern)
{
    char *pattern = candidates_pattern(slice_of("a*[?\\b\\x20c"));
    ck_assert_str_eq(pattern, "a\\*\\[\\?\\\\b\\x20c*");
    free(pattern);
    pattern = candidates_pattern(slice_of("a\\x2")); /* an escape that is being typed */
    ck_assert_str_eq(pattern, "a*");
    free(pattern);
}
END_TEST

START_TEST(arguments_have_names)
{
    struct typed_verb verb;
    ck_assert(verb_find(slice_of("get"), &verb));
    ck_assert(slice_equal(verb_argument(&verb, 0), slice_of("ns")));
    ck_assert(slice_equal(verb_argument(&verb, 1), slice_of("key")));
    ck_assert(slice_equal(verb_argument(&verb, 7), slice_of("key")));
    ck_assert(verb_find(slice_of("PUT"), &verb));
    ck_assert(slice_equal(verb_argument(&verb, 2), slice_of("ttl")));
    ck_assert(slice_equal(verb_argument(&verb, 3), slice_of("value")));
    ck_assert(slice_equal(verb_argument(&verb, 4), slice_of("")));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("message");
    TCase *make = tcase_create("make"), *typing = tcase_create("typing");
    tcase_add_loop_test(make, a_line_is_this_request, 0, REQUESTS);
    tcase_add_loop_test(make, a_line_is_refused, 0, REFUSED);
    tcase_add_test(make, a_value_may_come_from_elsewhere);
    suite_add_tcase(suite, make);
    tcase_add_loop_test(typing, a_line_has_this_hint, 0, HINTS);
    tcase_add_test(typing, a_prefix_is_no_pattern);
    tcase_add_test(typing, arguments_have_names);
    suite_add_tcase(suite, typing);
    return suite_run(suite);
}

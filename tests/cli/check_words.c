/*
 * check_words.c - lines that were typed: words, quoting, escapes, and what is wrong with a line.
 */
#include "scripts/cli/words.h"

#include <check.h>

#include "tests/support/suite.h"

/* The words of a line, each in brackets, with a ! where it was quoted; or what is wrong. */
static const struct {
    const char *line;
    const char *words;
} lines[] = {
    {"", ""},
    {"   \t ", ""},
    {"GET", "[GET]"},
    {"  GET  sessions\talice \r\n", "[GET][sessions][alice]"},
    {"PUT s a 30m \"hello world\"", "[PUT][s][a][30m][hello world]!"},
    {"PUT s a 'it is \\n \"so\"'", "[PUT][s][a][it is \\n \"so\"]!"},
    {"a \"\" b", "[a][]![b]"},
    {"\"\\n\\t\\r\\\"\\\\\"", "[\n\t\r\"\\]!"},
    {"\"\\x41\\x7a\\xff\"", "[Az\xff]!"},
    {"a\\x20b", "[a\\x20b]"},
    {"a\\ b", "[a\\][b]"},
    {"it's {\"a\":1} x\"y", "[it's][{\"a\":1}][x\"y]"},
    {"\"a\"b", "a blank is missing behind a quotation mark"},
    {"'a''b'", "a blank is missing behind a quotation mark"},
    {"\"a", "a quotation mark is missing at the end"},
    {"'a\"", "a quotation mark is missing at the end"},
    {"\"a\\", "a quotation mark is missing at the end"},
    {"\"a\\\"", "a quotation mark is missing at the end"},
    {"\"\\q\"", "between double quotation marks write \\n \\t \\r \\xNN \\\" \\\\"},
    {"\"\\x4\"", "between double quotation marks write \\n \\t \\r \\xNN \\\" \\\\"},
};
enum { LINES = sizeof lines / sizeof lines[0] };

static void show(const struct words *words, struct bytes *shown)
{
    for (size_t i = 0; i < words->count; i++) {
        bytes_append_byte(shown, '[');
        bytes_append(shown, words->of[i].bytes);
        bytes_append_text(shown, words->of[i].quoted ? "]!" : "]");
    }
    bytes_append_byte(shown, '\0');
}

START_TEST(a_line_has_these_words)
{
    struct words words;
    struct bytes shown = {.at = NULL};
    enum words_error error = words_split(slice_of(lines[_i].line), &words);
    if (error == WORDS_GOOD) {
        show(&words, &shown);
        ck_assert_str_eq(shown.at, lines[_i].words);
    } else {
        ck_assert_str_eq(words_error_text(error), lines[_i].words);
    }
    bytes_deinit(&shown);
    words_deinit(&words);
}
END_TEST

/* A zero byte is one like others, and each word has one behind it. */
START_TEST(words_end_in_a_zero_byte)
{
    struct words words;
    ck_assert_int_eq(words_split(slice_of("one \"t\\x00o\" 3"), &words), WORDS_GOOD);
    ck_assert_uint_eq(words.count, 3);
    ck_assert_str_eq(words.of[0].bytes.bytes, "one");
    ck_assert(slice_equal(words.of[1].bytes, (struct slice){"t\0o", 3}));
    ck_assert_str_eq(words.of[2].bytes.bytes, "3");
    words_deinit(&words);
}
END_TEST

START_TEST(arguments_are_taken_as_they_are)
{
    char put[] = "put", blank[] = "a b", quote[] = "\"x", empty[] = "";
    char *arguments[] = {put, blank, quote, empty};
    struct words words;
    struct bytes shown = {.at = NULL};
    words_from(&words, 4, arguments);
    show(&words, &shown);
    ck_assert_str_eq(shown.at, "[put][a b][\"x][]");
    bytes_deinit(&shown);
    words_deinit(&words);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("words");
    TCase *split = tcase_create("split");
    tcase_add_loop_test(split, a_line_has_these_words, 0, LINES);
    tcase_add_test(split, words_end_in_a_zero_byte);
    tcase_add_test(split, arguments_are_taken_as_they_are);
    suite_add_tcase(suite, split);
    return suite_run(suite);
}

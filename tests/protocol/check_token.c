/*
 * check_token.c - classes of bytes, numbers, times to live, escapes and quoted words.
 */
#include "protocol/token.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/suite.h"

/* --- classes -------------------------------------------------------------- */

START_TEST(bytes_have_the_right_class)
{
    static const char names[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    for (int c = 0; c < 256; c++) {
        bool name = c != 0 && strchr(names, c) != NULL;
        bool key = c > ' ' && c != 0x7f;
        ck_assert_msg(((token_classes[c] & TOKEN_NAME) != 0) == name, "byte %d in a name", c);
        ck_assert_msg(((token_classes[c] & TOKEN_KEY) != 0) == key, "byte %d in a key", c);
        bool plain = key && c != '\\';
        ck_assert_msg(((token_classes[c] & TOKEN_PLAIN) != 0) == plain, "byte %d as it is", c);
    }
}
END_TEST

/* Each byte at each place, around the 8 that are checked together. */
START_TEST(a_run_ends_at_the_first_byte_that_is_not_of_it)
{
    for (int c = 0; c < 256; c++) {
        for (size_t length = 1; length <= 20; length++) {
            char *word = malloc(length); /* so that a sanitizer detects an overrun */
            for (size_t place = 0; place < length; place++) {
                memset(word, 0x80, length);
                word[place] = (char)c;
                size_t run = (token_classes[c] & TOKEN_KEY) != 0 ? length : place;
                ck_assert_ptr_eq(token_span(word, word + length, TOKEN_KEY), word + run);
                run = (token_classes[c] & TOKEN_PLAIN) != 0 ? length : place;
                ck_assert_ptr_eq(token_span(word, word + length, TOKEN_PLAIN), word + run);
                memset(word, 'z', length);
                word[place] = (char)c;
                run = (token_classes[c] & TOKEN_NAME) != 0 ? length : place;
                ck_assert_ptr_eq(token_span(word, word + length, TOKEN_NAME), word + run);
            }
            free(word);
        }
    }
    ck_assert_ptr_eq(token_span(NULL, NULL, TOKEN_KEY), NULL);
}
END_TEST

/* --- numbers -------------------------------------------------------------- */

/* Each number of digits, and behind it each byte. */
START_TEST(digits_at_the_front_of_a_word)
{
    static const uint64_t numbers[] = {0, 7, 42, 100, 9999, 65536, 123456, 9000009, 87654321};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char word[2 * BYTES_WORD] = {0};
        int count = snprintf(word, sizeof word, "%llu", (unsigned long long)numbers[i]);
        ck_assert_uint_eq(bytes_decimal(bytes_load(word), (size_t)count), numbers[i]);
        for (int c = 0; c < 256 && count < BYTES_WORD; c++) {
            memset(word + count, c, (size_t)(BYTES_WORD - count));
            bool digit = c >= '0' && c <= '9';
            size_t expected = digit ? BYTES_WORD : (size_t)count;
            ck_assert_uint_eq(bytes_digits(bytes_load(word)), expected);
            ck_assert(digit || bytes_decimal(bytes_load(word), (size_t)count) == numbers[i]);
        }
    }
    ck_assert_uint_eq(bytes_digits(bytes_load("/1234567")), 0);
    ck_assert_uint_eq(bytes_digits(bytes_load(":1234567")), 0);
}
END_TEST

START_TEST(numbers)
{
    static const struct {
        const char *word;
        uint64_t number;
    } good[] = {
        {"0", 0},
        {"7", 7},
        {"00", 0},
        {"0042", 42},
        {"4294967296", UINT64_C(4294967296)},
        {"18446744073709551615", UINT64_MAX},
        {"00018446744073709551615", UINT64_MAX},
    };
    static const char *const bad[] = {
        "",
        " ",
        "-",
        "-1",
        "+1",
        "1 ",
        " 1",
        "1.0",
        "1e3",
        "0x1",
        "1,0",
        "x",
        "/",
        ":",
        "1:",
        "1/2",
        "\xb2",
        "1\xff",
        "18446744073709551616",
        "18446744073709551620",
        "99999999999999999999",
        "184467440737095516150",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint64_t number = 99;
        ck_assert_msg(token_number(slice_of(good[i].word), &number), "%s", good[i].word);
        ck_assert_uint_eq(number, good[i].number);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t number;
        ck_assert_msg(!token_number(slice_of(bad[i]), &number), "%s", bad[i]);
    }
}
END_TEST

/* --- times ---------------------------------------------------------------- */

START_TEST(times)
{
    static const struct {
        const char *word;
        uint64_t milliseconds;
    } good[] = {
        {"90", 90000},
        {"1", 1000},
        {"007", 7000},
        {"500ms", 500},
        {"1ms", 1},
        {"3s", 3000},
        {"30m", 1800000},
        {"2h", 7200000},
        {"7d", 604800000},
        {"2w", 1209600000},
        /* fractions, to the millisecond */
        {"1.5", 1500},
        {"1.50000", 1500},
        {"0.001", 1},
        {"1.5h", 5400000},
        {"0.25m", 15000},
        {"0.1d", 8640000},
        {"1.001", 1001},
        {"2.999s", 2999},
        {"4.35", 4350}, /* no float has these */
        {"1.115", 1115},
        {"1.005m", 60300},
        {"0.1234567w", 74666613}, /* .. 612.16 */
        /* fractions of a millisecond are rounded up */
        {"0.0001", 1},
        {"0.1ms", 1},
        {"1.5ms", 2},
        {"1.0000", 1000},
        {"1.00000000000000000000", 1000},
        {"1.00000000000000000001", 1001},
        {"0.30000000000000004", 301},
        {"0.000000000000000000000000000001w", 1},
        {"0.99999999999999999999", 1000},
        /* a hundred years */
        {"36500d", TOKEN_TIME_MAX},
        {"3153600000", TOKEN_TIME_MAX},
        {"3153600000000ms", TOKEN_TIME_MAX},
        {"3153599999999.5ms", TOKEN_TIME_MAX},
        {"5214.2w", UINT64_C(3153548160000)},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint64_t milliseconds = 0;
        ck_assert_msg(token_time(slice_of(good[i].word), &milliseconds) == TOKEN_TIME_FOR, "%s",
                      good[i].word);
        ck_assert_msg(milliseconds == good[i].milliseconds, "%s is %llu", good[i].word,
                      (unsigned long long)milliseconds);
    }
}
END_TEST

static void expect_time(const char *word, enum token_time wanted)
{
    uint64_t milliseconds = 0;
    enum token_time time = token_time(slice_of(word), &milliseconds);
    ck_assert_msg(time == wanted, "%s: %d, not %d", word, (int)time, (int)wanted);
}

START_TEST(times_without_an_end)
{
    static const char *const never[] = {"0", "never", "0s", "0ms", "0w", "000", "0.0", "0.000h"};
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        expect_time(never[i], TOKEN_TIME_NEVER);
    }
    expect_time("-", TOKEN_TIME_DEFAULT);
}
END_TEST

START_TEST(times_that_are_too_far)
{
    static const char *const far[] = {
        "36501d",
        "3153600001",
        "3153600000.0000000000001",
        "3153600000001ms",
        "9999999999w",
        "18446744073709551616",
        "18446744073709551616000",
        "99999999999999999999999999999999999999999999999999ms",
    };
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++) {
        expect_time(far[i], TOKEN_TIME_TOO_FAR);
    }
}
END_TEST

START_TEST(what_is_no_time)
{
    static const char *const bad[] = {
        "",        "x",        "-5",    "+5",         "5x",
        "1e3",     ".",        ".5",    "5.",         "s",
        "ms",      "0x10",     "inf",   "nan",        "5ss",
        "5sm",     "1,5",      "1.5.5", "5 s",        " 5",
        "5 ",      "5S",       "5M",    "5MS",        "5ns",
        "5us",     "1.",       "1.s",   "1.5 h",      "--",
        "-1ms",    "Never",    "NEVER", "neve",       "neverr",
        "forever", "5mss",     "1h30m", "00:30",      "5\xff",
        "1y",      "infinity", "1_000", "2026-01-01", "99999999999999999999999999x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        expect_time(bad[i], TOKEN_NO_TIME);
    }
    uint64_t milliseconds;
    ck_assert_int_eq(token_time((struct slice){"5\0", 2}, &milliseconds), TOKEN_NO_TIME);
    ck_assert_int_eq(token_time((struct slice){"5s\0", 3}, &milliseconds), TOKEN_NO_TIME);
    ck_assert_int_eq(token_time((struct slice){"5m", 1}, &milliseconds), TOKEN_TIME_FOR);
    ck_assert_uint_eq(milliseconds, 5000); /* the `m` is not the word's */
}
END_TEST

/* Whole milliseconds from 0 to ten seconds, in each of the ways to write them. */
START_TEST(each_way_to_write_a_time)
{
    for (unsigned wanted = 1; wanted <= 10000; wanted++) {
        char words[4][32];
        snprintf(words[0], sizeof words[0], "%ums", wanted);
        snprintf(words[1], sizeof words[1], "%u.%03u", wanted / 1000, wanted % 1000);
        snprintf(words[2], sizeof words[2], "%u.%03us", wanted / 1000, wanted % 1000);
        snprintf(words[3], sizeof words[3], "%u.%03u00000", wanted / 1000, wanted % 1000);
        for (size_t i = 0; i < 4; i++) {
            uint64_t milliseconds = 0;
            ck_assert_int_eq(token_time(slice_of(words[i]), &milliseconds), TOKEN_TIME_FOR);
            ck_assert_uint_eq(milliseconds, wanted);
        }
    }
}
END_TEST

/* --- quoted words --------------------------------------------------------- */

static void expect_quoted(struct slice word, const char *wanted)
{
    char quoted[TOKEN_QUOTE_MAX];
    token_quote(word, quoted);
    ck_assert_str_eq(quoted, wanted);
}

START_TEST(quoted_words)
{
    expect_quoted(slice_of(""), "\"\"");
    expect_quoted(slice_of("abc"), "\"abc\"");
    expect_quoted((struct slice){"a\0\r\n\x1b~\x7f\xff", 8},
                  "\"a\\x00\\x0d\\x0a\\x1b~\\x7f\\xff\"");
    expect_quoted(slice_of("0123456789012345678901234567890123456789"),
                  "\"012345678901234567890123456789012345678...\"");
}
END_TEST

START_TEST(quoted_words_fit)
{
    static const char *const kinds[] = {"x", "\x01", "x\x01", "xx\x01", "xxx\x01"};
    char word[200];
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        for (size_t i = 0; i < sizeof word; i++) {
            word[i] = kinds[kind][i % strlen(kinds[kind])];
        }
        for (size_t length = 0; length <= sizeof word; length++) {
            char quoted[TOKEN_QUOTE_MAX];
            token_quote((struct slice){word, length}, quoted);
            size_t written = strnlen(quoted, sizeof quoted);
            ck_assert_uint_lt(written, sizeof quoted);
            ck_assert_int_eq(quoted[written - 1], '"');
        }
    }
}
END_TEST

/* --- escapes -------------------------------------------------------------- */

START_TEST(escapes)
{
    static const struct {
        const char *word, *bytes;
        bool escaped, shortest;
    } words[] = {
        {"abc", "abc", false, true},
        {"a\\x20b", "a b", true, true},
        {"\\x0d\\x0a\\x7f", "\r\n\x7f", true, true},
        {"\\x5cx41", "\\x41", true, true},
        {"\\x41", "A", true, false},
        {"\\x0A", "\n", true, false},
        {"App\\User", "App\\User", false, true},
        {"\\", "\\", false, true},
        {"\\x4", "\\x4", false, true},
        {"\\xg1\\x1g", "\\xg1\\x1g", false, true},
        {"\\\\x5cx41", "\\\\x41", true, true},
        {"\xff\x80", "\xff\x80", false, true},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char text[32];
        size_t length = strlen(words[i].word);
        ck_assert(token_is_escaped(slice_of(words[i].word)) == words[i].escaped);
        memcpy(text, words[i].word, length);
        text[token_unescape(text, length)] = '\0';
        ck_assert_str_eq(text, words[i].bytes);
        *token_escape(text, sizeof text, slice_of(words[i].bytes)) = '\0';
        ck_assert_msg((strcmp(text, words[i].word) == 0) == words[i].shortest, "%s", text);
    }
}
END_TEST

/* Bytes that words and escapes are made of survive escaping, and the result is a valid word. */
START_TEST(any_bytes_there_and_back)
{
    static const char of[] = "\\x0aF5c \n\x7f\x80z";
    uint64_t chance = 1;
    for (size_t i = 0; i < 200000; i++) {
        char bytes[12];
        char text[4 * sizeof bytes];
        size_t length = 1 + i % sizeof bytes;
        for (size_t j = 0; j < length; j++) {
            chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407U;
            bytes[j] = of[(chance >> 33) % (sizeof of - 1)];
        }
        const char *end = token_escape(text, sizeof text, (struct slice){bytes, length});
        ck_assert_ptr_eq(token_span(text, end, TOKEN_KEY), end);
        ck_assert_uint_eq(token_unescape(text, (size_t)(end - text)), length);
        ck_assert_mem_eq(text, bytes, length);
    }
}
END_TEST

START_TEST(an_escape_is_not_cut)
{
    char text[8];
    ck_assert_ptr_eq(token_escape(text, 5, slice_of("ab  ")), text + 2);
    ck_assert_ptr_eq(token_escape(text, 6, slice_of("ab  ")), text + 6);
    ck_assert_mem_eq(text, "ab\\x20", 6);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("token");
    TCase *words = tcase_create("words");
    tcase_set_timeout(words, 60);
    tcase_add_test(words, bytes_have_the_right_class);
    tcase_add_test(words, a_run_ends_at_the_first_byte_that_is_not_of_it);
    tcase_add_test(words, digits_at_the_front_of_a_word);
    tcase_add_test(words, numbers);
    tcase_add_test(words, times);
    tcase_add_test(words, times_without_an_end);
    tcase_add_test(words, times_that_are_too_far);
    tcase_add_test(words, what_is_no_time);
    tcase_add_test(words, each_way_to_write_a_time);
    tcase_add_test(words, quoted_words);
    tcase_add_test(words, quoted_words_fit);
    tcase_add_test(words, escapes);
    tcase_add_test(words, any_bytes_there_and_back);
    tcase_add_test(words, an_escape_is_not_cut);
    suite_add_tcase(suite, words);

    return suite_run(suite);
}

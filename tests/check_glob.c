/*
 * check_glob.c - patterns: what they match, what is none, and that no pattern
 * takes long.
 */
#include "protocol/glob.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct trial {
    const char *pattern;
    const char *text;
    bool matches;
};

static const struct trial trials[] = {
    /* as they are */
    {"", "", true},
    {"", "a", false},
    {"a", "", false},
    {"abc", "abc", true},
    {"abc", "abcd", false},
    {"abc", "ab", false},
    {"abc", "Abc", false},
    {"\xc3\xa4", "\xc3\xa4", true},
    /* one byte */
    {"?", "", false},
    {"?", "a", true},
    {"?", "ab", false},
    {"a?c", "abc", true},
    {"a?c", "ac", false},
    {"??", "\xc3\xa4", true},
    {"?", "\xff", true},
    /* any bytes */
    {"*", "", true},
    {"*", "anything", true},
    {"**", "", true},
    {"***", "abc", true},
    {"a*", "a", true},
    {"a*", "abc", true},
    {"a*", "ba", false},
    {"*a", "a", true},
    {"*a", "bcda", true},
    {"*a", "ab", false},
    {"*a*", "bab", true},
    {"*a*", "bbb", false},
    {"a*b*c", "abc", true},
    {"a*b*c", "aXbXbXc", true},
    {"a*b*c", "aXbXbX", false},
    {"*aab", "aaaaab", true},
    {"*abab", "abababab", true},
    {"a*?", "a", false},
    {"a*?", "ab", true},
    {"*?*", "", false},
    {"user:*:name", "user:12:name", true},
    {"user:*:name", "user:12:names", false},
    {"*.jpg", "a.jpg.jpg", true},
    /* sets */
    {"[abc]", "b", true},
    {"[abc]", "d", false},
    {"[abc]", "", false},
    {"[abc]", "ab", false},
    {"[a-c]", "a", true},
    {"[a-c]", "b", true},
    {"[a-c]", "c", true},
    {"[a-c]", "d", false},
    {"[a-cx-z0]", "y", true},
    {"[a-cx-z0]", "0", true},
    {"[a-cx-z0]", "m", false},
    {"[^a-c]", "d", true},
    {"[^a-c]", "b", false},
    {"[!a-c]", "d", true},
    {"[!a-c]", "b", false},
    {"[^a]", "", false},
    {"[a^]", "^", true},
    {"[a!]", "!", true},
    {"[-a]", "-", true},
    {"[a-]", "-", true},
    {"[a-]", "b", false},
    {"[a-c-e]", "d", false},
    {"[a-c-e]", "-", true},
    {"[]]", "]", true},
    {"[]a]", "a", true},
    {"[^]a]", "]", false},
    {"[^]a]", "b", true},
    {"[[]", "[", true},
    {"[*?]", "*", true},
    {"[*?]", "a", false},
    {"[\\]]", "]", true},
    {"[\\]]", "\\", false},
    {"[\\\\]", "\\", true},
    {"[\\a-\\c]", "b", true},
    {"[\x80-\xff]", "\xc3", true},
    {"[\x80-\xff]", "a", false},
    {"[a-\xff]", "\xc3", true},
    {"x[0-9]*y", "x7y", true},
    {"x[0-9]*y", "x78ay", true},
    {"x[0-9]*y", "xay", false},
    {"*[0-9][0-9]", "a1b22", true},
    {"*[0-9][0-9]", "a1b2", false},
    {"a]b", "a]b", true},
    /* escapes */
    {"\\*", "*", true},
    {"\\*", "a", false},
    {"\\?", "?", true},
    {"\\[a]", "[a]", true},
    {"\\a", "a", true},
    {"\\\\", "\\", true},
    {"*\\*", "ab*", true},
    {"*\\*", "ab", false},
};

START_TEST(patterns)
{
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
        struct slice pattern = slice_of(trials[i].pattern);
        ck_assert_msg(glob_valid(pattern), "%s", trials[i].pattern);
        ck_assert_msg(glob_match(pattern, slice_of(trials[i].text)) == trials[i].matches,
                      "%s and %s", trials[i].pattern, trials[i].text);
    }
}
END_TEST

START_TEST(what_is_no_pattern)
{
    static const char *const bad[] = {
        "[",     "[]", "[^",  "[^]",  "[!]",  "[a", "[a-",   "[a-]b[",
        "[z-a]", "\\", "a\\", "[a\\", "[\\]", "*[", "[a-\\", "[\xff-\x80]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(!glob_valid(slice_of(bad[i])), "%s", bad[i]);
        glob_match(slice_of(bad[i]), slice_of("aaa[]\\")); /* does no harm */
    }
}
END_TEST

START_TEST(bytes_beyond_the_length_are_not_looked_at)
{
    ck_assert(glob_match((struct slice){"a*b", 2}, (struct slice){"abc", 3}));
    ck_assert(!glob_match((struct slice){"abc", 3}, (struct slice){"abc", 2}));
    ck_assert(glob_match((struct slice){"abc", 2}, (struct slice){"abc", 2}));
    ck_assert(!glob_valid((struct slice){"[a]", 2}));
    ck_assert(glob_match((struct slice){"\0*", 2}, (struct slice){"\0\0a", 3}));
}
END_TEST

/* --- against a definition -------------------------------------------------- */

/* What a pattern of letters, `?` and `*` means, as plainly as it can be said. */
static bool means(const char *pattern, const char *text)
{
    if (*pattern == '\0') {
        return *text == '\0';
    }
    if (*pattern == '*') {
        return means(pattern + 1, text) || (*text != '\0' && means(pattern, text + 1));
    }
    return *text != '\0' && (*pattern == '?' || *pattern == *text) && means(pattern + 1, text + 1);
}

/* The word number `index` over these letters: 0 is the empty one. */
static void word_of(unsigned index, const char *letters, char word[16])
{
    size_t length = 0;
    unsigned count = (unsigned)strlen(letters);
    while (index > 0) {
        word[length++] = letters[(index - 1) % count];
        index = (index - 1) / count;
    }
    word[length] = '\0';
}

START_TEST(every_short_pattern_and_text)
{
    enum { PATTERNS = 5461, TEXTS = 127 }; /* to 6 of 4 letters, to 6 of 2 */
    for (unsigned p = 0; p < PATTERNS; p++) {
        char pattern[16];
        word_of(p, "ab?*", pattern);
        for (unsigned t = 0; t < TEXTS; t++) {
            char text[16];
            word_of(t, "ab", text);
            ck_assert_msg(glob_match(slice_of(pattern), slice_of(text)) == means(pattern, text),
                          "%s and %s", pattern, text);
        }
    }
}
END_TEST

/* --- time ----------------------------------------------------------------- */

/* Patterns that are made to be slow, each against 1024 bytes. A limit of time
 * would depend on the machine; an exponential one would not end at all. */
START_TEST(no_pattern_takes_long)
{
    static const char *const parts[] = {"*a",     "*?",   "*",        "?*",
                                        "*[a-z]", "*[b]", "*aaaaaaa", "[^b]*"};
    char text[1024];
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char pattern[1024];
        size_t length = 0;
        while (length + strlen(parts[i]) < sizeof pattern) {
            memcpy(pattern + length, parts[i], strlen(parts[i]));
            length += strlen(parts[i]);
        }
        pattern[length] = 'b';
        for (size_t half = length / 2; half <= length; half += length - length / 2) {
            pattern[half] = 'b';
            ck_assert(
                !glob_match((struct slice){pattern, half + 1}, (struct slice){text, sizeof text}));
            pattern[half] = 'a';
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("glob");
    TCase *patterns_case = tcase_create("patterns");
    tcase_set_timeout(patterns_case, 60);
    tcase_add_test(patterns_case, patterns);
    tcase_add_test(patterns_case, what_is_no_pattern);
    tcase_add_test(patterns_case, bytes_beyond_the_length_are_not_looked_at);
    tcase_add_test(patterns_case, every_short_pattern_and_text);
    tcase_add_test(patterns_case, no_pattern_takes_long);
    suite_add_tcase(suite, patterns_case);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

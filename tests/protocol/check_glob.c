/*
 * check_glob.c - patterns: what they match, which are invalid, that two simpler ways of matching
 * give the same results, and that no pattern is slow.
 */
#include "protocol/glob.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/protocol/glob_model.h"
#include "tests/support/suite.h"

/* In a block of exactly glob_size bytes, so that a sanitizer detects an overrun. */
static struct glob *compiled(struct slice pattern)
{
    void *memory = malloc(glob_size(pattern.length));
    if (memory == NULL) {
        ck_abort_msg("no memory");
    }
    return glob_compile(memory, pattern);
}

static bool matches(struct slice pattern, struct slice text)
{
    struct glob *glob = compiled(pattern);
    bool matched = glob_match(glob, text);
    free(glob);
    return matched;
}

struct trial {
    const char *pattern;
    const char *text;
    bool matches;
};

static const struct trial trials[] = {
    /* literal bytes */
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
    {"a\\x20*", "a b", true},
    {"\\x2a", "*", true},
    {"\\x2a", "a", false},
    {"[\\x00-\\x20]", "\n", true},
    {"[\\x00-\\x20]", "x", false},
    {"\\xg", "xg", true},
    {"*\\*", "ab*", true},
    {"*\\*", "ab", false},
};

START_TEST(patterns)
{
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
        struct slice pattern = slice_of(trials[i].pattern);
        ck_assert_msg(glob_valid(pattern), "%s", trials[i].pattern);
        ck_assert_msg(matches(pattern, slice_of(trials[i].text)) == trials[i].matches, "%s and %s",
                      trials[i].pattern, trials[i].text);
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
        matches(slice_of(bad[i]), slice_of("aaa[]\\")); /* does no harm */
    }
}
END_TEST

START_TEST(bytes_beyond_the_length_are_not_looked_at)
{
    ck_assert(matches((struct slice){"a*b", 2}, (struct slice){"abc", 3}));
    ck_assert(!matches((struct slice){"abc", 3}, (struct slice){"abc", 2}));
    ck_assert(matches((struct slice){"abc", 2}, (struct slice){"abc", 2}));
    ck_assert(!glob_valid((struct slice){"[a]", 2}));
    ck_assert(matches((struct slice){"\0*", 2}, (struct slice){"\0\0a", 3}));
}
END_TEST

/* --- against a definition -------------------------------------------------- */

/* The definition of matching, for patterns of letters, `?` and `*`. */
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
        struct glob *glob = compiled(slice_of(pattern));
        for (unsigned t = 0; t < TEXTS; t++) {
            char text[16];
            word_of(t, "ab", text);
            bool right = means(pattern, text);
            ck_assert_msg(glob_match(glob, slice_of(text)) == right, "%s and %s", pattern, text);
            ck_assert_msg(glob_model_match(slice_of(pattern), slice_of(text)) == right, "%s and %s",
                          pattern, text);
        }
        free(glob);
    }
}
END_TEST

/* --- against another way of matching ---------------------------------------- */

struct chance {
    uint64_t state;
};

/* Of xorshift64*, by S. Vigna. */
static unsigned below(struct chance *chance, unsigned bound)
{
    chance->state ^= chance->state >> 12;
    chance->state ^= chance->state << 25;
    chance->state ^= chance->state >> 27;
    return (unsigned)((chance->state * UINT64_C(0x2545f4914f6cdd1d) >> 32) % bound);
}

struct word {
    char bytes[GLOB_MAX];
    size_t length;
};

static void add(struct word *word, char byte)
{
    if (word->length < sizeof word->bytes) {
        word->bytes[word->length++] = byte;
    }
}

static struct slice slice(const struct word *word)
{
    return (struct slice){word->bytes, word->length};
}

static const char letters[] = "abc\x01\x80\xff";
enum { LETTERS = sizeof letters - 1, KINDS = 12 };

static void add_set(struct word *pattern, struct chance *chance)
{
    static const char signs[] = "abcc\xff]-^!\\*[";
    add(pattern, '[');
    if (below(chance, 2) == 0) {
        add(pattern, below(chance, 2) == 0 ? '^' : '!');
    }
    for (unsigned left = 1 + below(chance, 5); left > 0; left--) {
        add(pattern, signs[below(chance, sizeof signs - 1)]);
    }
    add(pattern, ']');
}

/* Often invalid. */
static void make_pattern(struct word *pattern, struct chance *chance, unsigned parts)
{
    pattern->length = 0;
    for (; parts > 0; parts--) {
        switch (below(chance, KINDS)) {
        case 0:
        case 1:
        case 2:
            add(pattern, '*');
            break;
        case 3:
            add(pattern, '?');
            break;
        case 4:
        case 5:
            add_set(pattern, chance);
            break;
        case 6:
            add(pattern, '\\');
            break;
        }
        add(pattern, letters[below(chance, LETTERS)]);
    }
    if (pattern->length > 0 && below(chance, 3) == 0) {
        pattern->length--; /* what else would always end with a letter */
    }
}

static void make_text(struct word *text, struct chance *chance, unsigned length)
{
    static const char seldom[] = "]-^!\\*[d";
    text->length = 0;
    for (; length > 0; length--) {
        bool odd = below(chance, 16) == 0;
        add(text, odd ? seldom[below(chance, sizeof seldom - 1)] : letters[below(chance, LETTERS)]);
    }
}

/* A text that probably matches: letters for letters, any number for a star. */
static void follow(struct word *text, const struct word *pattern, struct chance *chance)
{
    text->length = 0;
    for (size_t i = 0; i < pattern->length; i++) {
        char sign = pattern->bytes[i];
        if (sign == '*') {
            for (unsigned left = below(chance, 4); left > 0; left--) {
                add(text, letters[below(chance, LETTERS)]);
            }
        } else if (sign == '[') {
            const char *end = memchr(pattern->bytes + i, ']', pattern->length - i);
            i = end == NULL ? i : (size_t)(end - pattern->bytes);
            add(text, letters[below(chance, LETTERS)]);
        } else if (sign != '\\') {
            add(text, sign == '?' ? letters[below(chance, LETTERS)] : sign);
        }
    }
}

/* Compares both ways of matching a pattern with some texts; returns how many match. */
static unsigned compare(const struct word *pattern, struct chance *chance, unsigned longest)
{
    struct glob *glob = compiled(slice(pattern));
    struct word text;
    unsigned matched = 0;
    for (unsigned i = 0; i < 8; i++) {
        if (i % 2 == 0) {
            make_text(&text, chance, below(chance, longest));
        } else {
            follow(&text, pattern, chance);
        }
        bool right = glob_model_match(slice(pattern), slice(&text));
        if (glob_match(glob, slice(&text)) != right) { /* ck_assert writes to a file */
            ck_abort_msg("%.*s and %.*s", (int)pattern->length, pattern->bytes, (int)text.length,
                         text.bytes);
        }
        matched += right;
    }
    free(glob);
    return matched;
}

/* The same for `count` patterns of up to `parts` parts; fails where too few are valid or match. */
static void compare_many(unsigned count, unsigned parts, unsigned longest)
{
    struct chance chance = {UINT64_C(0x9e3779b97f4a7c15) + parts};
    unsigned valid = 0, matched = 0;
    for (unsigned i = 0; i < count; i++) {
        struct word pattern;
        make_pattern(&pattern, &chance, below(&chance, parts));
        bool is_valid = glob_valid(slice(&pattern));
        if (is_valid != glob_model_valid(slice(&pattern))) {
            ck_abort_msg("%.*s", (int)pattern.length, pattern.bytes);
        }
        if (is_valid) {
            valid++;
            matched += compare(&pattern, &chance, longest);
        }
    }
    ck_assert_uint_gt(valid, count / 4);
    ck_assert_uint_gt(matched, valid / 4);
    ck_assert_uint_lt(matched, 8 * valid - valid / 4);
}

START_TEST(short_patterns_as_the_model)
{
    compare_many(400000, 6, 12);
}
END_TEST

/* About as many elements as a word has states. */
START_TEST(middling_patterns_as_the_model)
{
    for (unsigned i = 0; i < 40000; i++) {
        struct chance chance = {i + 1};
        struct word pattern = {.length = 0};
        for (unsigned left = 60 + below(&chance, 10) + 64 * below(&chance, 3); left > 0; left--) {
            add(&pattern, "aaab?"[below(&chance, 5)]);
        }
        for (unsigned left = below(&chance, 4); left > 0; left--) {
            pattern.bytes[below(&chance, (unsigned)pattern.length)] = '*';
        }
        compare(&pattern, &chance, 4);
    }
}
END_TEST

/* No state is lost at the end of a word, or between two words. */
START_TEST(every_length_matches_itself)
{
    static char bytes[GLOB_MAX];
    static char text[GLOB_MAX + 1];
    memset(text, 'a', sizeof text);
    for (size_t length = 1; length <= sizeof bytes; length++) {
        static const char *const all_of[] = {"aaaaaaaa", "????????", "a*a*a*a*", "?*a?*a?a"};
        for (size_t i = 0; i < sizeof all_of / sizeof all_of[0]; i++) {
            struct slice pattern = {bytes, length};
            size_t least = 0;
            for (size_t b = 0; b < length; b++) {
                bytes[b] = all_of[i][b % 8];
                least += bytes[b] != '*';
            }
            struct glob *glob = compiled(pattern);
            ck_assert(glob_match(glob, (struct slice){text, least}));
            ck_assert(!glob_match(glob, (struct slice){text, least - 1}));
            ck_assert(glob_match(glob, (struct slice){text, least + 1}) == (least < length));
            ck_assert_uint_eq(glob_steps(glob), least / 64 + 1);
            free(glob);
        }
    }
}
END_TEST

START_TEST(no_size_is_too_small)
{
    struct chance chance = {1};
    for (unsigned i = 0; i < 3000; i++) {
        struct word pattern = {.length = 0};
        unsigned length = below(&chance, i % 2 == 0 ? 20 : GLOB_MAX + 1);
        while (pattern.length < length) { /* valid or not */
            add(&pattern, (char)below(&chance, 256));
        }
        ck_assert_uint_eq(glob_size(pattern.length) % 8, 0);
        free(compiled(slice(&pattern)));
    }
}
END_TEST

/* --- time ----------------------------------------------------------------- */

/* Patterns that are slow for other algorithms, each with many texts of 1024 bytes. A limit of time
 * would depend on the machine; but an algorithm that backtracks, or advances states one by one,
 * would not finish within the minute that a case has. */
START_TEST(no_pattern_takes_long)
{
    static const char *const parts[] = {"*a",     "*?",   "*",        "?*",
                                        "*[a-z]", "*[b]", "*aaaaaaa", "[^b]*"};
    char text[1024];
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char pattern[GLOB_MAX];
        size_t length = 0;
        while (length + strlen(parts[i]) < sizeof pattern) {
            memcpy(pattern + length, parts[i], strlen(parts[i]));
            length += strlen(parts[i]);
        }
        for (size_t half = length / 2; half <= length; half += length - length / 2) {
            char last = pattern[half];
            pattern[half] = 'b';
            struct glob *glob = compiled((struct slice){pattern, half + 1});
            ck_assert_uint_le(glob_steps(glob), 17);
            for (unsigned round = 0; round < 100; round++) {
                ck_assert(!glob_match(glob, (struct slice){text, sizeof text - round}));
            }
            free(glob);
            pattern[half] = last;
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
    tcase_add_test(patterns_case, short_patterns_as_the_model);
    tcase_add_test(patterns_case, middling_patterns_as_the_model);
    tcase_add_test(patterns_case, every_length_matches_itself);
    tcase_add_test(patterns_case, no_size_is_too_small);
    tcase_add_test(patterns_case, no_pattern_takes_long);
    suite_add_tcase(suite, patterns_case);

    return suite_run(suite);
}

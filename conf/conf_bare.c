/*
 * conf_bare.c - values that are written without quotation marks.
 *
 * A value is words with blanks between them, up to the sign that ends a setting or an element of a
 * list. Where the name of a setting follows in the same line, the first word alone is the value.
 */
#include "conf/conf_bare.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "conf/conf_text.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool begins_comment(const char *at, const char *end)
{
    return *at == '#' || (*at == '/' && at + 1 < end && (at[1] == '/' || at[1] == '*'));
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at)) {
        at++;
    }
    return at;
}

/* Whether the colon at `at` is inside of an address or an owner; a single one at the end of a word
 * belongs to the language. */
static bool is_inner_colon(const char *word, const char *at, const char *end)
{
    if ((at > word && at[-1] == ':') || (at + 1 < end && at[1] == ':')) {
        return true;
    }
    return at + 1 < end && !is_blank(at[1]) && strchr("\n\";,(){}[]", at[1]) == NULL;
}

/* Whether a word may contain what is at `at`. A hash of crypt(3) has signs inside, and a path may
 * have two slashes. */
static bool belongs(const char *word, const char *at, const char *end)
{
    if (is_blank(*at) || strchr("\n\";(){}[]", *at) != NULL) {
        return false;
    }
    if (*word == '$') {
        return true;
    }
    if (*at == ':') {
        return is_inner_colon(word, at, end);
    }
    return *at != ',' && *at != '=' && (!begins_comment(at, end) || (*word == '/' && at > word));
}

/* The end of the word that begins at `word`; `word` itself: there is none. */
static const char *word_end(const char *word, const char *end)
{
    const char *at = word;
    if (at < end && *at == '\'') {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t line = (size_t)((newline != NULL ? newline : end) - at);
        const char *close = memchr(at + 1, '\'', line - 1);
        return close != NULL ? close + 1 : at;
    }
    while (at < end && belongs(word, at, end)) {
        at++;
    }
    return at;
}

/* Whether a setting or an element may end at `at`. */
static bool is_finished(const char *at, const char *end)
{
    return at == end || strchr("\n;,)}]", *at) != NULL || begins_comment(at, end);
}

/* --- what libconfig knows ------------------------------------------------------- */

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && is_digit(*at)) {
        at++;
    }
    return at;
}

/* Whether that is a whole number, in base 10 or 16, with or without libconfig's suffix L. */
static bool is_whole(const char *at, const char *end)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    bool hex = end - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X');
    for (int i = 0; i < 2 && end > at && end[-1] == 'L'; i++) {
        end--;
    }
    size_t length = (size_t)(end - at) - (hex ? 2 : 0);
    const char *first = hex ? at + 2 : at;
    for (size_t i = 0; i < length; i++) {
        if (memchr(digits, first[i], hex ? sizeof digits - 1 : 10) == NULL) {
            return false;
        }
    }
    return end > at && length > 0;
}

/* Digits with a point or an exponent. */
static bool is_fraction(const char *at, const char *end)
{
    const char *after = skip_digits(at, end);
    const char *point = after;
    if (after < end && *after == '.') {
        after = skip_digits(after + 1, end);
    }
    if (after < end && (*after == 'e' || *after == 'E') && after > at) {
        after++;
        after += after < end && (*after == '-' || *after == '+');
        const char *digits = after;
        after = skip_digits(after, end);
        return after == end && after > digits;
    }
    return after == end && after > point;
}

static bool is_known(const char *at, const char *end)
{
    size_t length = (size_t)(end - at);
    if ((length == 4 && strncasecmp(at, "true", length) == 0) ||
        (length == 5 && strncasecmp(at, "false", length) == 0)) {
        return true;
    }
    at += length > 0 && (*at == '-' || *at == '+');
    return is_whole(at, end) || is_fraction(at, end);
}

/* --- the value -------------------------------------------------------------------- */

/* Whether an = or a : follows, perhaps in another line: then the word is a name, and the value
 * before it is missing. */
static bool is_name(const char *after, const char *end)
{
    while (after < end && (is_blank(*after) || *after == '\n')) {
        after++;
    }
    return after < end && (*after == '=' || *after == ':');
}

size_t conf_bare_length(const char *at, const char *end)
{
    const char *first = word_end(at, end);
    const char *last = first;
    if (first == at || is_name(first, end)) {
        return 0;
    }
    for (const char *next = skip_blanks(last, end); !is_finished(next, end);) {
        const char *after = word_end(next, end);
        if (after == next) {
            return 0;
        }
        if (is_name(after, end)) {
            last = first;
            break;
        }
        last = after;
        next = skip_blanks(after, end);
    }
    return last == first && is_known(at, first) ? 0 : (size_t)(last - at);
}

void conf_bare_append(struct conf_text *text, const char *at, size_t length)
{
    const char mark[] = {'"', CONF_BARE_MARK};
    if (length > 1 && at[0] == '\'' && at[length - 1] == '\'') {
        at++;
        length -= 2;
    }
    conf_text_append(text, mark, sizeof mark);
    for (size_t i = 0; i < length; i++) {
        if (at[i] == '\\' || at[i] == '"') {
            conf_text_append(text, "\\", 1);
        }
        conf_text_append(text, at + i, 1);
    }
    conf_text_append(text, "\"", 1);
}

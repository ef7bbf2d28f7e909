/*
 * token.c - the words of a line.
 *
 * Numbers and times to live are parsed strictly: no signs, no blanks, no exponents, no overflow. A
 * cache that guessed what `1e3` means would keep a session for the wrong time.
 */
#include "protocol/token.h"

enum {
    NAME = TOKEN_NAME | TOKEN_KEY | TOKEN_PLAIN,
    KEY = TOKEN_KEY | TOKEN_PLAIN,
};

const uint8_t token_classes[256] = {
    ['!' ... ','] = KEY, ['-' ... '.'] = NAME,  ['/'] = KEY, ['0' ... '9'] = NAME,
    [':' ... '@'] = KEY, ['A' ... 'Z'] = NAME,  ['['] = KEY, ['\\'] = TOKEN_KEY,
    [']' ... '^'] = KEY, ['_'] = NAME,          ['`'] = KEY, ['a' ... 'z'] = NAME,
    ['{' ... '~'] = KEY, [0x80 ... 0xff] = KEY,
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool token_number(struct slice word, uint64_t *number)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < word.length; i++) {
        if (!is_digit(word.bytes[i])) {
            return false;
        }
        uint64_t digit = (uint64_t)(word.bytes[i] - '0');
        if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, digit, &sum)) {
            return false;
        }
    }
    *number = sum;
    return word.length > 0;
}

/* The digits before the point. Above TOKEN_TIME_MAX the exact number does not matter. */
static const char *read_whole(const char *at, const char *end, uint64_t *whole)
{
    *whole = 0;
    for (; at < end && is_digit(*at); at++) {
        if (*whole <= TOKEN_TIME_MAX) {
            *whole = *whole * 10 + (uint64_t)(*at - '0');
        }
    }
    return at;
}

/*
 * The digits after the point, in units of 1 / FRACTION. 10 digits distinguish milliseconds in a
 * week; further ones can only round up.
 */
#define FRACTION UINT64_C(10000000000)

static const char *read_fraction(const char *at, const char *end, uint64_t *fraction)
{
    uint64_t worth = FRACTION / 10;
    bool more = false;
    *fraction = 0;
    for (; at < end && is_digit(*at); at++) {
        *fraction += worth * (uint64_t)(*at - '0');
        more |= worth == 0 && *at != '0';
        worth /= 10;
    }
    *fraction += more;
    return at;
}

/* Milliseconds of a unit, or 0 where there is no such unit. */
static uint64_t unit_length(struct slice unit)
{
    if (unit.length == 2 && memcmp(unit.bytes, "ms", 2) == 0) {
        return 1;
    }
    if (unit.length > 1) {
        return 0;
    }
    switch (unit.length == 0 ? 's' : unit.bytes[0]) {
    case 's':
        return 1000;
    case 'm':
        return 60 * 1000;
    case 'h':
        return 60 * 60 * 1000;
    case 'd':
        return 24 * 60 * 60 * 1000;
    case 'w':
        return 7 * 24 * 60 * 60 * 1000;
    default:
        return 0;
    }
}

static enum token_time scale(uint64_t whole, uint64_t fraction, uint64_t unit,
                             uint64_t *milliseconds)
{
    uint64_t sum;
    if (__builtin_mul_overflow(whole, unit, &sum) || sum > TOKEN_TIME_MAX) {
        return TOKEN_TIME_TOO_FAR;
    }
    if (fraction > 0) {
        sum += (fraction * unit + FRACTION - 1) / FRACTION;
    }
    if (sum > TOKEN_TIME_MAX) {
        return TOKEN_TIME_TOO_FAR;
    }
    *milliseconds = sum;
    return sum == 0 ? TOKEN_TIME_NEVER : TOKEN_TIME_FOR;
}

enum token_time token_time(struct slice word, uint64_t *milliseconds)
{
    if (slice_equal(word, slice_of("-"))) {
        return TOKEN_TIME_DEFAULT;
    }
    if (slice_equal(word, slice_of("never"))) {
        return TOKEN_TIME_NEVER;
    }
    const char *end = word.bytes + word.length;
    uint64_t whole;
    uint64_t fraction = 0;
    const char *at = read_whole(word.bytes, end, &whole);
    if (at == word.bytes) {
        return TOKEN_NO_TIME;
    }
    if (at < end && *at == '.') {
        const char *point = at;
        at = read_fraction(point + 1, end, &fraction);
        if (at == point + 1) {
            return TOKEN_NO_TIME;
        }
    }
    uint64_t unit = unit_length((struct slice){at, (size_t)(end - at)});
    if (unit == 0) {
        return TOKEN_NO_TIME;
    }
    return scale(whole, fraction, unit, milliseconds);
}

/* --- escapes --------------------------------------------------------------- */

static const char hex_digits[] = "0123456789abcdef";

/* The value of a hexadecimal digit, or -1. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char small = (char)(c | ('a' - 'A'));
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

bool token_escape_at(const char *at, const char *end, unsigned char *byte)
{
    if (end - at < TOKEN_ESCAPE || at[0] != '\\' || at[1] != 'x' || hex_value(at[2]) < 0 ||
        hex_value(at[3]) < 0) {
        return false;
    }
    *byte = (unsigned char)(hex_value(at[2]) << 4 | hex_value(at[3]));
    return true;
}

bool token_is_escaped(struct slice word)
{
    const char *end = word.bytes + word.length;
    unsigned char byte;
    for (const char *at = word.bytes; at < end; at++) {
        if (token_escape_at(at, end, &byte)) {
            return true;
        }
    }
    return false;
}

size_t token_unescape(char *bytes, size_t length)
{
    const char *end = bytes + length;
    char *to = bytes;
    for (const char *at = bytes; at < end;) {
        unsigned char byte;
        bool escape = token_escape_at(at, end, &byte);
        *to++ = escape ? (char)byte : *at;
        at += escape ? TOKEN_ESCAPE : 1;
    }
    return (size_t)(to - bytes);
}

static char *add_escape(char *to, unsigned char byte)
{
    *to++ = '\\';
    *to++ = 'x';
    *to++ = hex_digits[byte >> 4];
    *to++ = hex_digits[byte & 15];
    return to;
}

char *token_escape(char *to, size_t most, struct slice bytes)
{
    const char *limit = to + most;
    const char *end = bytes.bytes + bytes.length;
    for (const char *at = bytes.bytes; at < end; at++) {
        unsigned char byte = (unsigned char)*at;
        unsigned char ignored;
        bool is_plain =
            (token_classes[byte] & TOKEN_KEY) != 0 && !token_escape_at(at, end, &ignored);
        if (limit - to < (is_plain ? 1 : TOKEN_ESCAPE)) {
            break;
        }
        if (is_plain) {
            *to++ = *at;
        } else {
            to = add_escape(to, byte);
        }
    }
    return to;
}

void token_quote(struct slice word, char to[TOKEN_QUOTE_MAX])
{
    enum { LONGEST = TOKEN_ESCAPE, ENDING = 5 }; /* `..."` and the NUL */
    size_t at = 0;
    size_t taken = 0;
    to[at++] = '"';
    for (; taken < word.length && at + LONGEST + ENDING <= TOKEN_QUOTE_MAX; taken++) {
        unsigned char c = (unsigned char)word.bytes[taken];
        if (c >= 0x20 && c < 0x7f) {
            to[at++] = (char)c;
            continue;
        }
        add_escape(to + at, c);
        at += TOKEN_ESCAPE;
    }
    if (taken < word.length) {
        memcpy(to + at, "...", 3);
        at += 3;
    }
    to[at++] = '"';
    to[at] = '\0';
}

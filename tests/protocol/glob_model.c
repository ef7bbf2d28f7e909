/*
 * glob_model.c - matching without recursion, and without tables.
 *
 * Only the last `*` that was met ever has to be reconsidered: where an earlier
 * one could have taken more bytes so that the rest fits, the last one can take
 * them as well. So one place to go back to is enough.
 */
#include "tests/protocol/glob_model.h"

#include <stdio.h>

/* One byte as it is, which may be escaped: by a backslash before it, or as \xNN. NULL where the
 * pattern ends first. */
static const char *read_byte(const char *at, const char *end, unsigned char *byte)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    if (end - at >= 4 && memcmp(at, "\\x", 2) == 0 && memchr(digits, at[2], 22) != NULL &&
        memchr(digits, at[3], 22) != NULL) {
        char number[] = {at[2], at[3], '\0'};
        unsigned value = 0;
        sscanf(number, "%x", &value);
        *byte = (unsigned char)value;
        return at + 4;
    }
    if (at < end && *at == '\\') {
        at++;
    }
    if (at >= end) {
        return NULL;
    }
    *byte = (unsigned char)*at;
    return at + 1;
}

/*
 * The set whose `[` was just taken: *matches says whether c is in it. Returns
 * what follows its `]`, or NULL where it is not well formed.
 */
static const char *read_set(const char *at, const char *end, unsigned char c, bool *matches)
{
    bool negated = at < end && (*at == '^' || *at == '!');
    bool found = false;
    at += negated;
    for (const char *first = at; at < end && (*at != ']' || at == first);) {
        unsigned char low;
        at = read_byte(at, end, &low);
        if (at == NULL) {
            return NULL;
        }
        unsigned char high = low;
        if (end - at >= 2 && at[0] == '-' && at[1] != ']') {
            at = read_byte(at + 1, end, &high);
            if (at == NULL || high < low) {
                return NULL;
            }
        }
        found |= low <= c && c <= high;
    }
    *matches = found != negated;
    return at < end ? at + 1 : NULL;
}

/*
 * Whether the part of the pattern at `at`, which is no `*`, matches that byte.
 * Returns what follows the part, or NULL where it does not match.
 */
static const char *match_one(const char *at, const char *end, unsigned char c)
{
    bool matches;
    unsigned char byte;
    switch (*at) {
    case '?':
        return at + 1;
    case '[':
        at = read_set(at + 1, end, c, &matches);
        return at != NULL && matches ? at : NULL;
    default:
        at = read_byte(at, end, &byte);
        return at != NULL && byte == c ? at : NULL;
    }
}

bool glob_model_valid(struct slice pattern)
{
    const char *at = pattern.bytes;
    const char *end = at + pattern.length;
    bool matches;
    while (at < end) {
        char c = *at++;
        if (c == '\\' && at++ == end) {
            return false;
        }
        if (c == '[' && (at = read_set(at, end, 0, &matches)) == NULL) {
            return false;
        }
    }
    return true;
}

bool glob_model_match(struct slice pattern, struct slice text)
{
    const char *at = pattern.bytes;
    const char *end = at + pattern.length;
    const char *c = text.bytes;
    const char *text_end = c + text.length;
    const char *behind_star = NULL;
    const char *star_takes = NULL; /* the first byte that the last star leaves */
    while (c < text_end) {
        if (at < end && *at == '*') {
            behind_star = ++at;
            star_takes = c;
            continue;
        }
        const char *next = at < end ? match_one(at, end, (unsigned char)*c) : NULL;
        if (next != NULL) {
            at = next;
            c++;
        } else if (behind_star == NULL) {
            return false;
        } else if (behind_star == end) {
            return true;
        } else {
            at = behind_star;
            c = ++star_takes;
        }
    }
    while (at < end && *at == '*') {
        at++;
    }
    return at == end;
}

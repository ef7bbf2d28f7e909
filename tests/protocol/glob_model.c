/*
 * glob_model.c - matching without recursion and without an automaton.
 *
 * A pattern is read in two steps. The first resolves escapes: it makes symbols, each a byte
 * and whether an escape wrote it, so that the second step, which looks for stars and sets,
 * needs to know nothing of backslashes.
 *
 * Only the last `*` that was met ever has to be reconsidered: where an earlier one could have
 * taken more bytes so that the rest fits, the last one can take them as well.
 */
#include "tests/protocol/glob_model.h"

#include <ctype.h>
#include <stdlib.h>

struct symbol {
    unsigned char byte;
    bool quoted; /* written by an escape: it stands for itself */
};

struct symbols {
    struct symbol *list;
    size_t count;
    bool whole; /* false: the pattern ends in a backslash */
};

static bool is_hex_escape(const char *at, size_t left)
{
    return left >= 4 && at[0] == '\\' && at[1] == 'x' && isxdigit((unsigned char)at[2]) != 0 &&
           isxdigit((unsigned char)at[3]) != 0;
}

static struct symbols read_symbols(struct slice pattern)
{
    struct symbols symbols = {calloc(pattern.length + 1, sizeof(struct symbol)), 0, true};
    if (symbols.list == NULL) {
        abort();
    }
    for (size_t i = 0; i < pattern.length;) {
        struct symbol *symbol = &symbols.list[symbols.count++];
        const char *at = pattern.bytes + i;
        symbol->quoted = *at == '\\';
        if (is_hex_escape(at, pattern.length - i)) {
            char number[] = {at[2], at[3], '\0'};
            symbol->byte = (unsigned char)strtoul(number, NULL, 16);
            i += 4;
        } else if (symbol->quoted) {
            symbols.whole = i + 1 < pattern.length;
            symbol->byte = symbols.whole ? (unsigned char)at[1] : 0;
            i += 2;
        } else {
            symbol->byte = (unsigned char)*at;
            i++;
        }
    }
    return symbols;
}

/* Whether that symbol is there and means more than itself. */
static bool is_special(const struct symbols *symbols, size_t i, char c)
{
    return i < symbols->count && !symbols->list[i].quoted &&
           symbols->list[i].byte == (unsigned char)c;
}

static bool is_negated(const struct symbols *symbols, size_t open)
{
    return is_special(symbols, open + 1, '^') || is_special(symbols, open + 1, '!');
}

/* The `]` of the set whose `[` is at `open`: the first one that is not the set's first member.
 * symbols->count where there is none. */
static size_t close_of(const struct symbols *symbols, size_t open)
{
    size_t close = open + 1 + is_negated(symbols, open) + 1;
    while (close < symbols->count && !is_special(symbols, close, ']')) {
        close++;
    }
    return close < symbols->count ? close : symbols->count;
}

/* Marks the members of a set, negation apart. False where a range runs backwards. */
static bool mark_members(const struct symbols *symbols, size_t open, size_t close,
                         bool members[256])
{
    size_t i = open + 1 + is_negated(symbols, open);
    while (i < close) {
        bool is_range = is_special(symbols, i + 1, '-') && i + 2 < close;
        int low = symbols->list[i].byte;
        int high = is_range ? symbols->list[i + 2].byte : low;
        if (high < low) {
            return false;
        }
        for (int byte = low; byte <= high; byte++) {
            members[byte] = true;
        }
        i += is_range ? 3 : 1;
    }
    return true;
}

static bool is_set_valid(const struct symbols *symbols, size_t open)
{
    bool members[256] = {false};
    size_t close = close_of(symbols, open);
    return close < symbols->count && mark_members(symbols, open, close, members);
}

bool glob_model_valid(struct slice pattern)
{
    struct symbols symbols = read_symbols(pattern);
    bool valid = symbols.whole;
    for (size_t i = 0; i < symbols.count && valid; i++) {
        if (is_special(&symbols, i, '[')) {
            valid = is_set_valid(&symbols, i);
            i = close_of(&symbols, i);
        }
    }
    free(symbols.list);
    return valid;
}

/* Whether what stands at `i`, which is no `*`, takes that byte. *next: what follows it. */
static bool takes(const struct symbols *symbols, size_t i, unsigned char byte, size_t *next)
{
    bool members[256] = {false};
    *next = i + 1;
    if (is_special(symbols, i, '?')) {
        return true;
    }
    if (!is_special(symbols, i, '[')) {
        return symbols->list[i].byte == byte;
    }
    size_t close = close_of(symbols, i);
    mark_members(symbols, i, close, members);
    *next = close + 1;
    return members[byte] != is_negated(symbols, i);
}

static bool match(const struct symbols *symbols, struct slice text)
{
    size_t i = 0, c = 0;
    size_t behind_star = 0; /* 0: there was none yet */
    size_t star_end = 0;    /* the first byte that the last star leaves */
    while (c < text.length) {
        size_t next;
        if (is_special(symbols, i, '*')) {
            behind_star = ++i;
            star_end = c;
        } else if (i < symbols->count && takes(symbols, i, (unsigned char)text.bytes[c], &next)) {
            i = next;
            c++;
        } else if (behind_star == 0) {
            return false;
        } else {
            i = behind_star;
            c = ++star_end;
        }
    }
    while (is_special(symbols, i, '*')) {
        i++;
    }
    return i == symbols->count;
}

bool glob_model_match(struct slice pattern, struct slice text)
{
    struct symbols symbols = read_symbols(pattern);
    bool matched = match(&symbols, text);
    free(symbols.list);
    return matched;
}

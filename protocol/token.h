/*
 * token.h - the words of a line: which bytes a name or a key may have, numbers, times to live, and
 * escapes in keys.
 *
 * Functions take bytes with their length and read nothing beyond them. Any thread.
 */
#ifndef KVCACHED_PROTOCOL_TOKEN_H
#define KVCACHED_PROTOCOL_TOKEN_H

#include <stdint.h>

#include "protocol/slice.h"

/* Sets of bytes, as bits in token_classes. */
enum token_class {
    TOKEN_NAME = 1,  /* A-Z a-z 0-9 _ . - */
    TOKEN_KEY = 2,   /* all except white space and control characters; bytes from 0x80 up may be
                        UTF-8 */
    TOKEN_PLAIN = 4, /* the same without the backslash, which may begin an escape */
};

extern const uint8_t token_classes[256];

/* A mask of the bytes that are not of TOKEN_KEY: those below 0x21, and 0x7f; with `plain` of those
 * that are not of TOKEN_PLAIN. */
static inline uint64_t token_ends(uint64_t word, bool plain)
{
    uint64_t ends = bytes_below(word, 0x21) | bytes_equal(word, 0x7f);
    return plain ? ends | bytes_equal(word, '\\') : ends;
}

/* The same for 16 bytes: 0 where one is of the class. */
static inline bytes_16 token_ends_16(bytes_16 bytes, bool plain)
{
    bytes_16 ends = (bytes_16)(bytes < 0x21) | (bytes_16)(bytes == 0x7f);
    return plain ? ends | (bytes_16)(bytes == '\\') : ends;
}

/* The end of the run of bytes of that class that begins at `at`. Keys are the longest part of most
 * lines, so they are checked 16 or 8 bytes at a time. From `start` on the bytes are readable, too:
 * the last few of a line are read together with those before them. */
static inline __attribute__((always_inline)) const char *
token_span_behind(const char *start, const char *at, const char *end, enum token_class class)
{
    for (; class != TOKEN_NAME && end - at >= (int)sizeof(bytes_16); at += sizeof(bytes_16)) {
        size_t run = bytes_first_16(token_ends_16(bytes_load_16(at), class == TOKEN_PLAIN));
        if (run < sizeof(bytes_16)) {
            return at + run;
        }
    }
    for (; class != TOKEN_NAME && end - at >= BYTES_WORD; at += BYTES_WORD) {
        uint64_t ends = token_ends(bytes_load(at), class == TOKEN_PLAIN);
        if (ends != 0) {
            return at + bytes_first(ends);
        }
    }
    if (class != TOKEN_NAME && at < end && end - start >= BYTES_WORD) {
        uint64_t rest = bytes_load_last(end, (size_t)(end - at));
        return at + bytes_first(token_ends(rest, class == TOKEN_PLAIN)); /* its zeros end it, too */
    }
    while (at < end && (token_classes[(unsigned char)*at] & class) != 0) {
        at++;
    }
    return at;
}

static inline const char *token_span(const char *at, const char *end, enum token_class class)
{
    return token_span_behind(at, at, end, class);
}

/* An unsigned decimal of 64 bits: only digits. */
bool token_number(struct slice word, uint64_t *number);

enum token_time {
    TOKEN_NO_TIME,      /* not a time */
    TOKEN_TIME_TOO_FAR, /* above TOKEN_TIME_MAX */
    TOKEN_TIME_DEFAULT, /* `-` */
    TOKEN_TIME_NEVER,   /* `never`, or 0 in any unit */
    TOKEN_TIME_FOR,     /* *milliseconds is set, to 1 or more */
};

/* Milliseconds of 100 years of 365 days. */
#define TOKEN_TIME_MAX UINT64_C(3153600000000)

/*
 * A time to live: `90`, `1.5` (seconds), `500ms`, `1.5h`, `7d`, `0`, `never`, `-`. Units are ms s m
 * h d w, in lower case. The result is exact, and rounded up to a whole millisecond, so that no
 * record expires early and a time above 0 never becomes 0, which would mean `never`.
 */
enum token_time token_time(struct slice word, uint64_t *milliseconds);

/*
 * Escapes: keys of any bytes as words. A byte that no word can have (up to 0x20, and 0x7f) is
 * written \xNN with 2 hexadecimal digits, and so is a backslash before `x` and 2 such digits. All
 * other bytes, other backslashes too, stand for themselves: a key without such bytes is written
 * as it is.
 */

enum { TOKEN_ESCAPE = 4 }; /* bytes of an escape */
/* Whether an escape begins at `at`; *byte: the byte that it stands for. */
bool token_escape_at(const char *at, const char *end, unsigned char *byte);
/* Whether the word has an escape. */
bool token_is_escaped(struct slice word);
/* Decodes a word in place; returns how many bytes there are then. */
size_t token_unescape(char *bytes, size_t length);
/* Writes the word for these bytes, at most `most` bytes of it; returns where it ends. For a key
 * that was decoded, that is no longer than the word that it was decoded from. */
char *token_escape(char *to, size_t most, struct slice bytes);

enum { TOKEN_QUOTE_MAX = 48 };

/*
 * Writes the word between quotation marks for a message: bytes that are not printable ASCII become
 * \xNN, and a long word is truncated. Ends with a NUL.
 */
void token_quote(struct slice word, char to[TOKEN_QUOTE_MAX]);

#endif

/*
 * token.h - what the words of a line are made of: which bytes a name or a key
 * may hold, numbers, and times to live.
 *
 * Everything here takes bytes with their length, reads nothing beyond them and
 * knows no verb. What is refused is refused by name, so that the caller can
 * say what would have been right.
 */
#ifndef KVCACHED_PROTOCOL_TOKEN_H
#define KVCACHED_PROTOCOL_TOKEN_H

#include <stdint.h>

#include "protocol/slice.h"

/* Sets of bytes, as bits in token_classes. */
enum token_class {
    TOKEN_NAME = 1,  /* A-Z a-z 0-9 _ . - */
    TOKEN_KEY = 2,   /* all but white space and control characters; bytes from
                        0x80 up are letters of somebody's language */
    TOKEN_PLAIN = 4, /* the same, but for the backslash, with which an escape begins */
};

extern const uint8_t token_classes[256];

/* Whether the eight bytes are all of TOKEN_KEY: none below 0x21, none 0x7f. */
static inline bool token_eight_of_key(const char *at)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t bytes;
    memcpy(&bytes, at, sizeof bytes);
    uint64_t not_delete = bytes ^ (each * 0x7f);
    uint64_t below = (bytes - each * 0x21) & ~bytes;
    uint64_t zero = (not_delete - each) & ~not_delete;
    return ((below | zero) & (each * 0x80)) == 0;
}

/* Whether one of the eight bytes is a backslash. */
static inline bool token_eight_escape(const char *at)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t bytes;
    memcpy(&bytes, at, sizeof bytes);
    uint64_t rest = bytes ^ (each * '\\');
    return ((rest - each) & ~rest & (each * 0x80)) != 0;
}

/* Past the last byte of the run of that class that begins at `at`. Keys are the
 * longest part of most lines, so these are looked at eight bytes at a time. */
static inline const char *token_span(const char *at, const char *end, enum token_class class)
{
    while (class != TOKEN_NAME && end - at >= 8 && token_eight_of_key(at) &&
           (class == TOKEN_KEY || !token_eight_escape(at))) {
        at += 8;
    }
    while (at < end && (token_classes[(unsigned char)*at] & class) != 0) {
        at++;
    }
    return at;
}

/* An unsigned decimal of 64 bits: digits and nothing else. */
bool token_number(struct slice word, uint64_t *number);

enum token_time {
    TOKEN_NO_TIME,      /* it is none */
    TOKEN_TIME_TOO_FAR, /* beyond TOKEN_TIME_MAX */
    TOKEN_TIME_DEFAULT, /* `-` */
    TOKEN_TIME_NEVER,   /* `never`, or zero of any unit */
    TOKEN_TIME_FOR,     /* *milliseconds is set, to 1 or more */
};

/* A hundred years of 365 days. What is meant to live longer is to say `never`. */
#define TOKEN_TIME_MAX UINT64_C(3153600000000)

/*
 * A time to live: `90`, `1.5` (seconds), `500ms`, `1.5h`, `7d`, `0`, `never`,
 * `-`. Units are ms s m h d w, in small letters. The result is exact; what is
 * left below a millisecond counts as a whole one, so that nothing ends early
 * and what is above zero never becomes zero, which would mean `never`.
 */
enum token_time token_time(struct slice word, uint64_t *milliseconds);

/*
 * Keys of any bytes, in words. A byte that no word can hold (up to 0x20, and 0x7f) is written
 * \xNN with two hexadecimal digits, and so is a backslash that such an escape would seem to
 * begin with. All other bytes, other backslashes too, stand for themselves: a key that needs
 * no escape is written as it is.
 */

enum { TOKEN_ESCAPE = 4 }; /* bytes of an escape */
/* Whether one stands at `at`, and the byte that it stands for. */
bool token_escape_at(const char *at, const char *end, unsigned char *byte);
/* Whether there is one in the word. */
bool token_is_escaped(struct slice word);
/* Writes the bytes that the word stands for in its place; returns how many. */
size_t token_unescape(char *bytes, size_t length);
/* Writes the word for these bytes, at most `most` bytes of it; returns where it ends. A key
 * that came as a word is written in as many bytes, or in fewer. */
char *token_escape(char *to, size_t most, struct slice bytes);

enum { TOKEN_QUOTE_MAX = 48 };

/*
 * Writes the word between quotation marks, fit to be shown to a person: what is
 * not printable ASCII becomes \xNN, and a long word is cut. Ends with a NUL.
 */
void token_quote(struct slice word, char to[TOKEN_QUOTE_MAX]);

#endif

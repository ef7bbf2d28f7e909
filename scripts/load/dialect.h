/*
 * dialect.h - the same record asked for in each server's own words.
 *
 * A dialect writes requests and judges replies; it reads no socket and keeps no
 * state. It checks what is cheap to check: that the reply has the form that the
 * request calls for, that the value is as long as it was, and that it begins
 * with the record's own key, which every stored value does. A server that mixes
 * up records, loses its place or forgets a line end is found out.
 */
#ifndef KVCACHED_SCRIPTS_LOAD_DIALECT_H
#define KVCACHED_SCRIPTS_LOAD_DIALECT_H

#include "scripts/load/keyspace.h"

#include <string.h>

#define DIALECT_HEAD_MAX 1024 /* bytes of a reply before its value, with the checked part */
#define DIALECT_FORM_MAX 512  /* bytes of a request beside its value */

/* What a value is made of after the key that it begins with. */
struct payload {
    const char *filler; /* `bytes` letters */
    size_t bytes;       /* of a whole value */
};

struct expect {
    const struct record *record;
    size_t value_bytes;
    bool put;
    bool trust; /* take any value of any length: the floor's replies are fixed */
};

enum verdict {
    VERDICT_PARTIAL, /* more bytes are needed to say */
    VERDICT_STORED,
    VERDICT_HIT,
    VERDICT_MISS,
    VERDICT_REFUSED, /* an error line, or another record's value: the next reply can be read */
    VERDICT_BROKEN,  /* where the next reply begins cannot be known */
};

struct answer {
    enum verdict verdict;
    size_t head; /* bytes judged */
    size_t rest; /* bytes that follow and need only be skipped; the last is a line end */
};

struct dialect {
    const char *name;
    const char *items_request; /* asks how many records there are */
    const char *items_mark;    /* the number follows this text … */
    const char *items_end;     /* … in a reply that ends so */
    uint32_t ttl_unit;         /* milliseconds; ttls are rounded up to whole ones */

    /* Write a request at `out` and return its end. */
    char *(*put)(char *out, const struct record *r, const struct payload *p);
    char *(*get)(char *out, const struct record *r);

    struct answer (*judge)(const char *in, size_t length, const struct expect *e);
};

extern const struct dialect dialect_native;
extern const struct dialect dialect_memcache;
extern const struct dialect dialect_redis;  /* RESP arrays */
extern const struct dialect dialect_inline; /* Redis's lines, for values of plain letters */

/* The dialect of that name, or NULL. */
const struct dialect *dialect_find(const char *name);

/* For the implementations. */
char *dialect_number(char *out, uint64_t number);
char *dialect_value(char *out, const struct record *r, const struct payload *p);

/* The whole line at the front of `in` without its line end, its length in
 * *length and the bytes it takes in *taken; false when there is none yet. */
bool dialect_line(const char *in, size_t have, size_t *length, size_t *taken);

/* A value of `bytes` begins `taken` bytes into `in`; `after` bytes end the reply. */
struct answer dialect_judge_value(const char *in, size_t have, size_t taken, uint64_t bytes,
                                  size_t after, const struct expect *e);

/* The decimal number that is all of text[0..length); false when it is not one. */
bool dialect_read_number(const char *text, size_t length, uint64_t *number);

static inline char *dialect_add(char *out, const char *bytes, size_t length)
{
    memcpy(out, bytes, length);
    return out + length;
}

static inline bool dialect_is(const char *text, size_t length, const char *word, size_t word_length)
{
    return length == word_length && memcmp(text, word, length) == 0;
}

static inline bool dialect_begins(const char *text, size_t length, const char *word,
                                  size_t word_length)
{
    return length >= word_length && memcmp(text, word, word_length) == 0;
}

/* A literal, as the two arguments that the functions above take. */
#define LITERAL(text) (text), sizeof(text) - 1

/* The error words that memcached has and the native protocol shares. */
static inline bool dialect_is_error(const char *line, size_t length)
{
    return dialect_begins(line, length, LITERAL("ERROR")) ||
           dialect_begins(line, length, LITERAL("CLIENT_ERROR")) ||
           dialect_begins(line, length, LITERAL("SERVER_ERROR"));
}

#endif

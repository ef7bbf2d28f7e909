/*
 * request.h - what was asked, the same for every protocol.
 *
 * A parser fills one of these in place: every slice points into the buffer
 * that was parsed and is good for as long as that buffer is. Nothing here
 * says how it was spelled on the wire or how the answer will look there.
 */
#ifndef KVCACHED_REQUEST_H
#define KVCACHED_REQUEST_H

#include <stdint.h>

#include "protocol/slice.h"

/* Limits that every protocol shares. A parser hands on nothing beyond them. */
enum {
    REQUEST_NAMESPACE_MAX = 64, /* bytes of a namespace's name */
    REQUEST_KEY_MAX = 1024,     /* bytes of a key */
    REQUEST_LINE_MAX = 65536,   /* bytes of a line, its line end included */
};

enum verb {
#define VERB(id, word, arguments, help) VERB_##id,
#include "protocol/verbs.def"
#undef VERB
};

/* How long a record is asked to live. */
enum ttl_kind {
    TTL_DEFAULT, /* left out, or `-`: what the namespace says */
    TTL_NEVER,   /* `0` or `never` */
    TTL_FOR,     /* ttl milliseconds from now; ttl is at least 1 */
};

struct request {
    enum verb verb;
    struct slice ns;      /* the namespace's name; empty where none was given */
    struct slice keys;    /* the keys, separated by single spaces; see
                             request_next_key. One key for most verbs. */
    struct slice pattern; /* LIST and ALL: the glob; empty: everything */
    enum ttl_kind ttl_kind;
    uint64_t ttl;          /* milliseconds, with TTL_FOR */
    uint64_t number;       /* INCR and DECR: by how much */
    uint64_t value_length; /* PUT and ADD: bytes of the value */
    struct slice value;    /* PUT and ADD: the value, when the parser says
                              PARSE_REQUEST; nothing with PARSE_BODY */
};

/*
 * Takes the next key off *keys. False when there is none left. Cheap enough to
 * be the loop over a GET of thousands of keys, and resumable: *keys is all the
 * state there is.
 */
static inline bool request_next_key(struct slice *keys, struct slice *key)
{
    if (keys->length == 0) {
        return false;
    }
    const char *space = memchr(keys->bytes, ' ', keys->length);
    size_t length = space == NULL ? keys->length : (size_t)(space - keys->bytes);
    *key = (struct slice){keys->bytes, length};
    size_t taken = space == NULL ? length : length + 1;
    keys->bytes += taken;
    keys->length -= taken;
    return true;
}

#endif

/*
 * request.h - what was asked, the same for every protocol.
 *
 * A parser fills one of these in place: every slice points into the buffer
 * that was parsed and is good for as long as that buffer is. Nothing here says
 * how it was spelled on the wire or how the answer will look there, but for
 * `form` and `words`, which nobody reads but the protocol that set them.
 */
#ifndef KVCACHED_PROTOCOL_REQUEST_H
#define KVCACHED_PROTOCOL_REQUEST_H

#include <stdint.h>

#include "protocol/slice.h"

/* Limits that every protocol shares. A parser hands on nothing beyond them. */
enum {
    REQUEST_NAMESPACE_MAX = 64, /* bytes of a namespace's name */
    REQUEST_KEY_MAX = 1024,     /* bytes of a key */
    REQUEST_LINE_MAX = 65536,   /* bytes of a line, its line end included */
    REQUEST_WORDS_MAX = 512,    /* bytes of `words` */
    REQUEST_SECRET_MAX = 256,   /* bytes of a user's secret */
    REQUEST_NUMBER_MAX = 65535, /* number of a namespace */
};

enum verb {
#define VERB(id, word, arguments, help) VERB_##id,
#include "protocol/verbs.def"
#undef VERB
    /* What the native protocol has no word for. */
    VERB_REPLACE, /* PUT, where there is such a record */
    VERB_APPEND,  /* the value goes behind the record's; its ttl and flags stay */
    VERB_PREPEND, /* before it */
    VERB_LOOK,    /* GET on the request's terms: options, ttl, refresh */
    VERB_STALE,   /* the record stays, but is marked as stale */
    VERB_EMPTY,   /* the record stays, but its value goes */
    VERB_DUMP,    /* all records that the listener reaches, as `dump` says */
    VERB_MEMORY,  /* the daemon's memory is to be another */
    VERB_OK,      /* nothing but REPLY_OK */
    VERB_UNUSED,  /* how many verbs there are */
};

/* How long a record is asked to live. */
enum ttl_kind {
    TTL_DEFAULT, /* left out, `-`, or an exptime of 0: what the namespace says */
    TTL_NEVER,   /* `0` or `never` */
    TTL_FOR,     /* `ttl` milliseconds from now, at least 1 */
    TTL_UNTIL,   /* `ttl` milliseconds after the beginning of 1970 */
    TTL_GONE,    /* it has expired as soon as it is there */
    TTL_KEEP,    /* the record's own stays as it is */
};

struct ttl {
    enum ttl_kind kind;
    uint64_t milliseconds; /* with TTL_FOR and TTL_UNTIL */
};

/* Bits of request.options. */
enum request_option {
    REQUEST_QUIET = 1 << 0,        /* the protocol leaves some replies out */
    REQUEST_NO_VALUE = 1 << 1,     /* LOOK: the value is not asked for (REPLY_FOUND) */
    REQUEST_VERSION = 1 << 2,      /* the record's version is to be told: it must not
                                      change before the record is written again */
    REQUEST_NOTED = 1 << 3,        /* writes: what LOOK may ask for (when it was read
                                      last, whether it is stale) is kept with it */
    REQUEST_COMPARE = 1 << 4,      /* only where the record has version `compare` */
    REQUEST_OR_STALE = 1 << 5,     /* writes, with COMPARE: where `compare` is lower than
                                      the record's version, write all the same, keep the
                                      ttl, and mark what is written as stale */
    REQUEST_PEEK = 1 << 6,         /* LOOK: not to be taken for a read */
    REQUEST_MAKE = 1 << 7,         /* LOOK, INCR, DECR, APPEND, PREPEND: make the record
                                      where there is none, with the ttl `make` */
    REQUEST_WRAP = 1 << 8,         /* INCR: beyond 64 bits it begins at 0 again; INCR and
                                      DECR: blanks around the number are no error */
    REQUEST_CLEAR = 1 << 9,        /* writes: where the new value is refused, the old
                                      record goes too */
    REQUEST_BASE64 = 1 << 10,      /* the key came in base64, and was decoded */
    REQUEST_CONTEND = 1 << 11,     /* LOOK: this reader may be told to write the record again */
    REQUEST_WHOLE_KEY = 1 << 12,   /* all of `keys` is one key: of any bytes, blanks too */
    REQUEST_IN_PIECES = 1 << 13,   /* GET, LOOK, DEL: the keys of one line come in several
                                      requests; the last may have none left */
    REQUEST_MORE_FOLLOW = 1 << 14, /* with IN_PIECES: this one is not the last */
    REQUEST_LOGIN = 1 << 15,       /* PUT of a client that has not authenticated: the value is
                                      user and secret */
    REQUEST_ONLY_LOGIN = 1 << 16,  /* with LOGIN: it is nothing else, for its words are wrong */
    REQUEST_MARK = 1 << 17,        /* EMPTY: and mark the record as stale */
    REQUEST_LENGTH = 1 << 18,      /* writes: how long the whole value is now is to be told */
    REQUEST_UNCOUNTED = 1 << 24,   /* LOOK: for what is known of the record; no read in the
                                      figures */
};

/* STATS: which figures. */
enum stats_topic {
    STATS_ALL,        /* of the daemon, or of the namespace that is named */
    STATS_RESET,      /* set the counters to 0 */
    STATS_SETTINGS,   /* what it was told to do */
    STATS_ITEMS,      /* records, by namespace */
    STATS_SLABS,      /* memory, by namespace */
    STATS_NAMESPACES, /* reads and writes, by namespace */
    STATS_NUMBERS,    /* the number of each namespace, and its name */
    STATS_CONNS,      /* connections */
};

/* DUMP: what is told of the records. */
enum dump_form {
    DUMP_DETAILS,  /* all that is known of each */
    DUMP_REQUESTS, /* how each is asked for */
    DUMP_ITEMS,    /* key, size and expiry of those that can be asked for by text */
    DUMP_SIZES,    /* how many there are of each size */
};

struct request {
    enum verb verb;
    uint32_t options;      /* bits of enum request_option */
    struct slice ns;       /* the namespace's name; empty where none was given: then
                              the listener says where keys live, key by key.
                              AUTH: the user's name */
    struct slice keys;     /* the keys, separated by spaces; see request_next_key.
                              One key for most verbs */
    struct slice key;      /* the one that is being answered: whoever takes it off `keys`
                              sets it */
    struct slice pattern;  /* LIST and ALL: the glob; empty: everything. DUMP: the numbers of
                              namespaces, with commas between; empty: all that are reached */
    struct ttl ttl;        /* of what is written; FLUSH: when, TTL_DEFAULT: now */
    uint64_t number;       /* INCR and DECR: by how much. DUMP: how many records at most, 0: all.
                              MEMORY: megabytes of 2^20 bytes */
    uint64_t value_length; /* PUT and its like: bytes of the value */
    struct slice value;    /* PUT and its like: the value, when the parser says
                              PARSE_REQUEST; nothing with PARSE_BODY. AUTH: the secret */

    /* What only some protocols set; all of it 0 where they do not. */
    enum stats_topic topic; /* STATS */
    enum dump_form dump;    /* DUMP */
    uint32_t client_flags;  /* kept with the record and given back */
    uint64_t compare;       /* REQUEST_COMPARE */
    uint64_t version;       /* what is written shall have this one; 0: a new one */
    struct ttl make;        /* REQUEST_MAKE */
    uint64_t initial;       /* INCR and DECR with REQUEST_MAKE: the number to begin with */
    struct ttl refresh;     /* LOOK: the first client that finds less than that left is
                               told to write the record again; TTL_DEFAULT: none is */
    unsigned form;          /* the protocol's own: how it was asked */
    struct slice words;     /* the protocol's own: at most REQUEST_WORDS_MAX bytes
                               that the reply is spelled from */
};

/*
 * Takes the next key off *keys. False when there is none left. Cheap enough to
 * be the loop over a GET of thousands of keys, and resumable: *keys is all the
 * state there is. Not for a request with REQUEST_WHOLE_KEY.
 */
static inline bool request_next_key(struct slice *keys, struct slice *key)
{
    while (keys->length > 0 && keys->bytes[0] == ' ') {
        keys->bytes++;
        keys->length--;
    }
    if (keys->length == 0) {
        return false;
    }
    const char *space = memchr(keys->bytes, ' ', keys->length);
    size_t length = space == NULL ? keys->length : (size_t)(space - keys->bytes);
    *key = (struct slice){keys->bytes, length};
    keys->bytes += length;
    keys->length -= length;
    return true;
}

#endif

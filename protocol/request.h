/*
 * request.h - a request, the same for every protocol.
 *
 * A parser fills a struct request in place: its slices point into the buffer that was parsed and
 * are valid as long as that buffer. Only `form` and `words` depend on how the request was written;
 * they are read by the protocol that set them and by nothing else.
 */
#ifndef KVCACHED_PROTOCOL_REQUEST_H
#define KVCACHED_PROTOCOL_REQUEST_H

#include <stdint.h>

#include "protocol/slice.h"

/* Limits of every protocol. No parser returns a request beyond them. */
enum {
    REQUEST_NAMESPACE_MAX = 64, /* bytes of a namespace's name */
    REQUEST_KEY_MAX = 1024,     /* bytes of a key */
    REQUEST_LINE_MAX = 65536,   /* bytes of a line, its line end included */
    REQUEST_WORDS_MAX = 512,    /* bytes of `words` */
    REQUEST_SECRET_MAX = 256,   /* bytes of a user's secret */
    REQUEST_NUMBER_MAX = 65535, /* the largest number of a namespace */
};

enum verb {
#define VERB(id, ...) VERB_##id,
#include "protocol/verbs.def"
#undef VERB
    /* These have no word in the native protocol. */
    VERB_REPLACE,  /* PUT, only where there is such a record */
    VERB_APPEND,   /* adds the value at the end of the record's; keeps its ttl and flags */
    VERB_PREPEND,  /* the same at the beginning */
    VERB_LOOK,     /* GET with options, ttl and refresh */
    VERB_STALE,    /* marks the record as stale */
    VERB_EMPTY,    /* removes the record's value and keeps the record */
    VERB_METADUMP, /* lists all records that the listener reaches, as `metadump` says */
    VERB_MEMORY,   /* changes the daemon's memory */
    VERB_OK,       /* does nothing; the reply is REPLY_OK */
    VERB_UNUSED,   /* the number of verbs */
};

/* The time to live that a request asks for. */
enum ttl_kind {
    TTL_DEFAULT, /* omitted, `-`, or an exptime of 0: the namespace's */
    TTL_NEVER,   /* `0` or `never` */
    TTL_FOR,     /* for so many milliseconds from now, at least 1 */
    TTL_UNTIL,   /* until so many milliseconds after the beginning of 1970 */
    TTL_GONE,    /* the record has expired as soon as it is written */
    TTL_KEEP,    /* the record's own is kept */
};

struct ttl {
    enum ttl_kind kind;
    uint64_t milliseconds; /* with TTL_FOR and TTL_UNTIL */
};

/* Bits of request.options. */
enum request_option {
    REQUEST_QUIET = 1 << 0,        /* the protocol omits some replies */
    REQUEST_NO_VALUE = 1 << 1,     /* LOOK: without the value (REPLY_FOUND) */
    REQUEST_VERSION = 1 << 2,      /* the reply has the record's version, which must then not
                                      change before the record is written again */
    REQUEST_NOTED = 1 << 3,        /* writes: the record keeps what LOOK may ask for (when it was
                                      last read, whether it is stale) */
    REQUEST_COMPARE = 1 << 4,      /* only where the record has version `compare` */
    REQUEST_OR_STALE = 1 << 5,     /* writes, with COMPARE: where `compare` is lower than the
                                      record's version, write all the same, keep the ttl and mark
                                      the record as stale */
    REQUEST_PEEK = 1 << 6,         /* LOOK: the record does not count as read */
    REQUEST_MAKE = 1 << 7,         /* LOOK, INCR, DECR, APPEND, PREPEND: create a missing record,
                                      with the ttl `make` */
    REQUEST_WRAP = 1 << 8,         /* INCR: wraps around at 64 bits; INCR and DECR: blanks around
                                      the number are allowed */
    REQUEST_CLEAR = 1 << 9,        /* writes: where the new value is refused, the old record is
                                      removed */
    REQUEST_BASE64 = 1 << 10,      /* the key came in base64, and was decoded */
    REQUEST_CONTEND = 1 << 11,     /* LOOK: the client may be asked to write the record again */
    REQUEST_WHOLE_KEY = 1 << 12,   /* `keys` is one key of any bytes, perhaps with blanks */
    REQUEST_IN_PIECES = 1 << 13,   /* GET, LOOK, DEL: the keys of one line come in several
                                      requests; the last may have none */
    REQUEST_MORE_FOLLOW = 1 << 14, /* with IN_PIECES: this is not the last */
    REQUEST_LOGIN = 1 << 15,       /* PUT of an unauthenticated client: the value is user and
                                      secret */
    REQUEST_ONLY_LOGIN = 1 << 16,  /* with LOGIN: its other words are wrong, so it cannot be a
                                      write */
    REQUEST_MARK = 1 << 17,        /* EMPTY: marks the record as stale too */
    REQUEST_LENGTH = 1 << 18,      /* writes: the reply has the length of the whole value */
    REQUEST_HISTORY = 1 << 20,     /* LOOK: the reply tells whether and when it was read before */
    REQUEST_LEFT = 1 << 21,        /* LOOK: the reply tells the time to live that is left */
    REQUEST_ONE_KEY = 1 << 19,     /* `keys` is one key without spaces at its ends; also without
                                      this bit it may be one */
    REQUEST_UNCOUNTED = 1 << 24,   /* LOOK: does not count as a read in statistics */
};

/* STATS: which statistics. SLOW: ALL or RESET. */
enum stats_topic {
    STATS_ALL,        /* of the daemon, or of the namespace that is named */
    STATS_RESET,      /* sets the counters to 0 */
    STATS_SETTINGS,   /* options of the configuration */
    STATS_ITEMS,      /* records, by namespace */
    STATS_SLABS,      /* memory, by namespace */
    STATS_NAMESPACES, /* reads and writes, by namespace */
    STATS_NUMBERS,    /* the number of each namespace, and its name */
    STATS_CONNS,      /* connections */
};

/* METADUMP: what is listed. */
enum metadump_form {
    METADUMP_DETAILS,  /* all data of each record */
    METADUMP_REQUESTS, /* a request for each record */
    METADUMP_ITEMS,    /* key, size and expiry of each record that a text command can request */
    METADUMP_SIZES,    /* the number of records of each size */
};

struct request {
    enum verb verb;
    uint32_t options;  /* bits of enum request_option */
    struct slice ns;   /* the namespace's name; empty where the request has none: then the
                          listener determines it for each key. AUTH: the user's name */
    struct slice keys; /* the keys, separated by spaces, which may also be at either end; see
                          request_next_key.
                          One key for most verbs */
    struct slice key;  /* the key that is being executed; set by the caller of
                          request_next_key */
    struct slice
        pattern;     /* LIST, ALL, SURVEY and DUMP: the glob; empty: all keys. METADUMP: numbers of
                        namespaces,     separated by commas; empty: all that the listener reaches */
    struct ttl ttl;  /* of a write; FLUSH: when, TTL_DEFAULT: now */
    uint64_t number; /* INCR and DECR: the difference. METADUMP: how many records at most, 0:
                        all. MEMORY: units of 2^20 bytes. SLOW: how many requests, 0: all.
                        KILL: the connection. WATCH: one of so many events, at least 1 */
    uint64_t value_length; /* PUT and other writes: bytes of the value */
    struct slice value;    /* PUT and other writes: the value with PARSE_REQUEST, empty with
                              PARSE_BODY. AUTH: the secret */

    /* Set by some protocols only, else 0. */
    enum stats_topic topic;      /* STATS */
    enum metadump_form metadump; /* METADUMP */
    uint32_t client_flags;       /* stored with the record and returned */
    uint32_t events;             /* WATCH: bits of enum event_kind (inspect.h) */
    uint64_t compare;            /* REQUEST_COMPARE */
    uint64_t version;            /* of the written record; 0: a new one */
    struct ttl make;             /* REQUEST_MAKE */
    uint64_t initial;            /* INCR and DECR with REQUEST_MAKE: the first number */
    struct ttl refresh;          /* LOOK: the first client that reads the record with less time left
                                    is asked to write it again; TTL_DEFAULT: no client is */
    unsigned form;               /* the protocol's own: its command */
    struct slice words; /* the protocol's own: at most REQUEST_WORDS_MAX bytes from which the
                           reply is made */
};

/* Whether it walks over the records of a namespace, of those that the pattern matches. */
static inline bool request_lists(const struct request *request)
{
    return request->verb == VERB_LIST || request->verb == VERB_ALL ||
           request->verb == VERB_SURVEY || request->verb == VERB_DUMP;
}

/*
 * Removes the first key from *keys and returns it in *key. False when there is none left. *keys
 * is the whole state, so a loop over thousands of keys can be resumed at any of them. Not for a
 * request with REQUEST_WHOLE_KEY.
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

/*
 * reply.h - the result of a request, the same for every protocol.
 *
 * A command function fills a struct reply; a protocol writes it in its own words, or writes
 * nothing where clients expect no reply. A reply with a value is sent as head, value and tail: the
 * value is never copied through here.
 */
#ifndef KVCACHED_PROTOCOL_REPLY_H
#define KVCACHED_PROTOCOL_REPLY_H

#include <stdint.h>

#include "protocol/slice.h"

enum reply_kind {
    REPLY_STORED,  /* version; with REQUEST_LENGTH value_length, of the whole value */
    REPLY_EXISTS,  /* ADD: there is such a record already */
    REPLY_CHANGED, /* REQUEST_COMPARE: the record has another version */
    REPLY_NOT_FOUND,
    REPLY_DELETED,
    REPLY_TOUCHED,
    REPLY_RECORD,   /* name: the key; value_length, then the value */
    REPLY_REQUEST,  /* DUMP: a request that writes the record. name: the key; text: its namespace's
                       name; left; client_flags; value_length, then the value */
    REPLY_VALUE,    /* name: the key as the request has it; value_length, then the value;
                       client_flags; with LOOK: version, left, idle, notes */
    REPLY_FOUND,    /* the same without the value, which the request did not ask for */
    REPLY_KEYS_END, /* after the last key of a GET or LOOK, hit or miss */
    REPLY_TTL,      /* number: remaining milliseconds */
    REPLY_TTL_NEVER,
    REPLY_NUMBER, /* number; version and left, where the request asked for them */
    REPLY_KEY,    /* name: the key */
    REPLY_SIZES,  /* SURVEY: number: records with a value_length up to this one that no smaller one
                     counts; bytes: of their values */
    REPLY_TIMES,  /* SURVEY: number: records with a time to live up to `text` that no shorter one
                     counts */
    REPLY_LARGE,  /* SURVEY: name: the key of one of the largest values; value_length */
    REPLY_ENTRY,  /* METADUMP: name: the key as the listener's clients write it; bytes that the
                     record takes, value_length, client_flags, version, notes; number: of its
                     namespace; left and idle: when it expires and when it was last read or written,
                     in seconds since 1970, or REPLY_NEVER */
    REPLY_END,
    REPLY_FLUSHED,   /* number: records */
    REPLY_NAMESPACE, /* name; number: records; bytes */
    REPLY_STAT,      /* name; text: the value */
    REPLY_DETAIL,    /* name: a namespace; text: its statistics, as "get 2 hit 1 set 2 del 0" */
    REPLY_OK,        /* RELOAD: text */
    REPLY_DENIED,    /* AUTH: not that user's secret, or no such user */
    REPLY_KILLED,    /* KILL: the connection is closed */
    REPLY_SLOW,      /* text: what inspect_slow has written */
    REPLY_RESET,     /* the counters have been set to 0 */
    REPLY_MEMORY_TOO_SMALL, /* MEMORY: less than the daemon needs */
    REPLY_MEMORY_FAILED,    /* MEMORY; text: why it cannot have that memory */
    REPLY_PONG,
    REPLY_VERSION,      /* text: x.y.z */
    REPLY_HELP,         /* text: whole lines, with the protocol's line ends */
    REPLY_ERROR,        /* text; there is no such command */
    REPLY_CLIENT_ERROR, /* text: what is wrong, and what would be right; reason */
    REPLY_SERVER_ERROR, /* text: what could not be done; reason */
};

/* Why a request was refused, for protocols that have a text of their own for that reason. */
enum reply_reason {
    REASON_OTHER,
    REASON_NOT_A_NUMBER,
    REASON_TOO_LARGE,
    REASON_NO_MEMORY,
    REASON_UNAUTHENTICATED, /* the connection has to authenticate first */
    REASON_NO_SUCH_NUMBER,  /* of a namespace */
    REASON_TOO_MANY_WATCHERS,
    REASON_MEMCACHE, /* it is a request of memcached's protocol: the text says so as far as
                        a parser can; where that is spoken goes behind it */
};

/* Bits of reply.notes. */
enum reply_note {
    REPLY_READ_BEFORE = 1 << 0, /* the record was read before */
    REPLY_STALE = 1 << 1,       /* it is marked as stale */
    REPLY_WON = 1 << 2,         /* this client is asked to write it again */
    REPLY_TAKEN = 1 << 3,       /* another client has been asked before */
};

#define REPLY_NEVER UINT64_MAX /* `left` of a record that does not expire */

struct reply {
    enum reply_kind kind;
    enum reply_reason reason;
    struct slice name;
    struct slice text;
    uint64_t number;
    uint64_t bytes;
    uint64_t value_length;
    uint32_t client_flags;
    uint32_t notes;   /* bits of enum reply_note */
    bool last;        /* VALUE and NOT_FOUND of a GET: no key of its line follows, so that the end
                         of the keys goes with it, instead of KEYS_END */
    uint64_t version; /* 0: none */
    uint64_t left;    /* milliseconds to live, or REPLY_NEVER */
    uint64_t idle;    /* milliseconds since the record was last written or read */
};

static inline bool reply_is_error(const struct reply *reply)
{
    return reply->kind == REPLY_ERROR || reply->kind == REPLY_CLIENT_ERROR ||
           reply->kind == REPLY_SERVER_ERROR || reply->kind == REPLY_DENIED;
}

/* The most bytes of a head and of a tail. A longer `text` is truncated, except HELP's: see
 * protocol.h. */
enum { REPLY_HEAD_MAX = 2048, REPLY_TAIL_MAX = 16 };

#endif

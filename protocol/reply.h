/*
 * reply.h - what is answered, the same for every protocol.
 *
 * `execute` says what happened with one of these; a protocol turns it into the
 * words that its clients wait for, or into nothing where they wait for none. A
 * reply that carries a value is sent as head, value, tail: the value itself is
 * never copied through here.
 */
#ifndef KVCACHED_PROTOCOL_REPLY_H
#define KVCACHED_PROTOCOL_REPLY_H

#include <stdint.h>

#include "protocol/slice.h"

enum reply_kind {
    REPLY_STORED,  /* version, and with REQUEST_LENGTH value_length: of the whole value */
    REPLY_EXISTS,  /* ADD: there is such a record */
    REPLY_CHANGED, /* REQUEST_COMPARE: the record has another version */
    REPLY_NOT_FOUND,
    REPLY_DELETED,
    REPLY_TOUCHED,
    REPLY_VALUE,    /* name: the key as it was asked for; value_length, then the value;
                       client_flags; with LOOK: version, expiry, notes */
    REPLY_FOUND,    /* the same, but the value was not asked for */
    REPLY_KEYS_END, /* behind the last key of a GET or LOOK, hit or miss */
    REPLY_TTL,      /* number: milliseconds that are left */
    REPLY_TTL_NEVER,
    REPLY_NUMBER, /* number; version and left, where they were asked for */
    REPLY_KEY,    /* name: the key */
    REPLY_RECORD, /* name: the key; value_length, then the value */
    REPLY_ENTRY,  /* DUMP: name: the key as the listener's clients know it; bytes that the record
                     takes, value_length, client_flags, version, notes; number: its namespace's;
                     left and idle: when it ends and when it was read or written last, in seconds
                     since 1970, or REPLY_NEVER */
    REPLY_END,
    REPLY_FLUSHED,   /* number: records */
    REPLY_NAMESPACE, /* name; number: records; bytes */
    REPLY_STAT,      /* name; text: the value */
    REPLY_DETAIL,    /* name: a namespace; text: its figures, as "get 2 hit 1 set 2 del 0" */
    REPLY_OK,
    REPLY_DENIED,           /* AUTH: it is not that user's secret, or there is no such user */
    REPLY_RESET,            /* the counters are 0 */
    REPLY_MEMORY_TOO_SMALL, /* MEMORY: less than a daemon can work with */
    REPLY_MEMORY_FAILED,    /* MEMORY, text: why there is no such memory */
    REPLY_PONG,
    REPLY_VERSION,      /* text: x.y.z */
    REPLY_HELP,         /* text: whole lines, already ending as the wire wants */
    REPLY_ERROR,        /* text; the request is not known at all */
    REPLY_CLIENT_ERROR, /* text: what is wrong, and what would be right; reason */
    REPLY_SERVER_ERROR, /* text: what could not be done; reason */
};

/* Why a request was refused, where a protocol has words of its own for it. */
enum reply_reason {
    REASON_OTHER,
    REASON_NOT_A_NUMBER,
    REASON_TOO_LARGE,
    REASON_NO_MEMORY,
    REASON_UNAUTHENTICATED, /* who asks has to say first who it is */
    REASON_NO_SUCH_NUMBER,  /* of a namespace */
};

/* Bits of reply.notes. */
enum reply_note {
    REPLY_READ_BEFORE = 1 << 0, /* somebody has read the record before */
    REPLY_STALE = 1 << 1,       /* it is marked as stale */
    REPLY_WON = 1 << 2,         /* this client is the one to write it again */
    REPLY_TAKEN = 1 << 3,       /* another client was told so before */
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
    uint64_t version; /* 0: there is none to tell */
    uint64_t left;    /* milliseconds to live, or REPLY_NEVER */
    uint64_t idle;    /* milliseconds since it was written or read */
};

static inline bool reply_is_error(const struct reply *reply)
{
    return reply->kind == REPLY_ERROR || reply->kind == REPLY_CLIENT_ERROR ||
           reply->kind == REPLY_SERVER_ERROR || reply->kind == REPLY_DENIED;
}

/* A head is never longer than this, nor a tail longer than REPLY_TAIL_MAX.
 * `text` is cut where it would not fit, HELP's apart: see protocol.h. */
enum { REPLY_HEAD_MAX = 2048, REPLY_TAIL_MAX = 16 };

#endif

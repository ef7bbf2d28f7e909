/*
 * reply.h - what is answered, the same for every protocol.
 *
 * `execute` says what happened with one of these; a protocol turns it into the
 * words that its clients wait for. A reply that carries a value is sent as
 * head, value, tail: the value itself is never copied through here.
 */
#ifndef KVCACHED_REPLY_H
#define KVCACHED_REPLY_H

#include <stdint.h>

#include "protocol/slice.h"

enum reply_kind {
    REPLY_STORED,
    REPLY_EXISTS,
    REPLY_NOT_FOUND,
    REPLY_DELETED,
    REPLY_TOUCHED,
    REPLY_VALUE, /* value_length, then the value */
    REPLY_TTL,   /* number: milliseconds that are left */
    REPLY_TTL_NEVER,
    REPLY_NUMBER, /* number */
    REPLY_KEY,    /* name: the key */
    REPLY_RECORD, /* name: the key; value_length, then the value */
    REPLY_END,
    REPLY_FLUSHED,   /* number: records */
    REPLY_NAMESPACE, /* name; number: records; bytes */
    REPLY_STAT,      /* name; text: the value */
    REPLY_PONG,
    REPLY_VERSION,      /* text: x.y.z */
    REPLY_HELP,         /* text: whole lines, already ending as the wire wants */
    REPLY_ERROR,        /* text; the request is not known at all */
    REPLY_CLIENT_ERROR, /* text: what is wrong, and what would be right */
    REPLY_SERVER_ERROR, /* text: what could not be done */
};

struct reply {
    enum reply_kind kind;
    struct slice name;
    struct slice text;
    uint64_t number;
    uint64_t bytes;
    uint64_t value_length;
};

/* A head is never longer than this, nor a tail longer than REPLY_TAIL_MAX.
 * `text` is cut where it would not fit, HELP's apart: see protocol.h. */
enum { REPLY_HEAD_MAX = 2048, REPLY_TAIL_MAX = 16 };

#endif

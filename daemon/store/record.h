/*
 * record.h - how a record lies in a segment.
 *
 *   flags 1 | key length 1 or 2 | value length 1, 2 or 4 |
 *   expiry 0, 4 or 6 | client flags 0 or 4 | key | value
 *
 * Only the parts that a record needs are there: one with a 16-byte key, a small
 * value and a time to live pays 7 bytes, one without a time to live pays 3.
 * Expiry is in milliseconds after the base time of the segment. Namespace and
 * generation are the segment's. Numbers are little-endian and not aligned.
 *
 * A record is written once and never changes, but for its DEAD flag, which is
 * set under the lock of its index bucket and may be read at any time.
 */
#ifndef KVCACHED_RECORD_H
#define KVCACHED_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/slice.h"

enum {
    RECORD_DEAD = 1 << 0,
    RECORD_WIDE_KEY = 1 << 1, /* two bytes of key length */
    RECORD_VALUE_SHIFT = 2,   /* two bits: 1, 2 or 4 bytes of value length */
    RECORD_EXPIRY_SHIFT = 4,  /* two bits: 0, 4 or 6 bytes of expiry */
    RECORD_CLIENT_FLAGS = 1 << 6,
    RECORD_SPAN = 1 << 7, /* alone in its segment; the value goes on in
                             the segment's pieces, and the expiry is the
                             segment's `latest` */
    RECORD_HEADER_MAX = 1 + 2 + 4 + 6 + 4,
    RECORD_SIZE_MIN = 1 + 1 + 1 + 1,
};

struct record {
    struct slice key;
    const char *value;     /* what of it lies here: everything, but for a span */
    uint32_t value_length; /* of all of it */
    uint32_t client_flags;
    uint64_t after; /* expiry in ms after the segment's base time */
    bool expires;   /* false for spans: ask the segment */
    bool span;
};

/* Bytes of header that record_write will need. */
uint32_t record_header_size(const struct record *record);

/* Header, key and value; a span's value is left out. Not `value` where it is
 * NULL. Returns the place of the value. */
char *record_write(char *at, const struct record *record);

void record_read(const char *at, struct record *record);

/* Bytes of a record that is not a span. */
static inline uint32_t record_size(const struct record *record)
{
    return record_header_size(record) + (uint32_t)record->key.length + record->value_length;
}

static inline bool record_is_dead(const char *at)
{
    return (__atomic_load_n((const uint8_t *)at, __ATOMIC_RELAXED) & RECORD_DEAD) != 0;
}

static inline void record_kill(char *at)
{
    __atomic_fetch_or((uint8_t *)at, RECORD_DEAD, __ATOMIC_RELAXED);
}

#endif

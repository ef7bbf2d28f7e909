/*
 * record.h - how a record lies in a segment.
 *
 *   flags 1 | notes 0 or 5 | version 0 or 8 | key length 1 or 2 |
 *   value length 1, 2 or 4 | expiry 0, 4 or 6 | client flags 0 or 4 | key | value
 *
 * Only the parts that a record needs are there: one with a 16-byte key, a small
 * value and a time to live pays 7 bytes, one without a time to live pays 3.
 * Expiry is in milliseconds after the base time of the segment. Namespace and
 * generation are the segment's. Numbers are little-endian and not aligned.
 *
 * Notes are a byte of flags and when the record was read last. They are what
 * store_inspect can tell. A version is there only where the one that follows from
 * the record's place will not do: see record_version in lookup.h.
 *
 * A record is written once and never changes, but for its DEAD flag and its notes.
 * They are changed under the lock of its index bucket; DEAD and the notes' flags
 * may be read at any time, the time under that lock only.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_RECORD_H
#define KVCACHED_DAEMON_STORE_RECORDS_RECORD_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/slice.h"

enum {
    RECORD_DEAD = 1 << 0,
    RECORD_WIDE_KEY = 1 << 1, /* two bytes of key length */
    RECORD_VALUE_SHIFT = 2,   /* two bits: 1, 2 or 4 bytes of value length; or
                                 RECORD_NOTED: notes are there, and say it */
    RECORD_EXPIRY_SHIFT = 4,  /* two bits: 0, 4 or 6 bytes of expiry */
    RECORD_CLIENT_FLAGS = 1 << 6,
    RECORD_SPAN = 1 << 7, /* alone in its segment; the value goes on in
                             the segment's pieces, and expiry and version
                             are the segment's. Always noted */
    RECORD_NOTED = 3,
    RECORD_NOTES_SIZE = 1 + 4,
    RECORD_VERSION_SIZE = 8,
    RECORD_HEADER_MAX = 1 + RECORD_NOTES_SIZE + RECORD_VERSION_SIZE + 2 + 4 + 6 + 4,
    RECORD_SIZE_MIN = 1 + 1 + 1 + 1,
};

/* The flags among the notes; the low two bits are the width of the value length. */
enum {
    NOTE_READ = 1 << 2,    /* it was read */
    NOTE_STALE = 1 << 3,   /* marked so */
    NOTE_WON = 1 << 4,     /* a reader was told to write it again */
    NOTE_TOLD = 1 << 5,    /* a client was told its version: it goes along */
    NOTE_VERSION = 1 << 6, /* the version is in the header */
};

struct record {
    struct slice key;
    const char *value;     /* what of it lies here: everything, but for a span */
    uint32_t value_length; /* of all of it */
    uint32_t client_flags;
    uint64_t after;    /* expiry in ms after the segment's base time */
    uint64_t version;  /* in the header; 0: it follows from the place */
    struct slice rest; /* of a record to be written: the end of its value, where `value`
                          is only the beginning */
    uint32_t read_at;  /* of a noted record to be written; else see record_read_at */
    uint8_t notes;     /* flags, if `noted` */
    bool noted;
    bool expires; /* false for spans: ask the segment */
    bool span;
};

/* Of flags, both lengths and the client's flags. */
static inline uint32_t record_header_least(const struct record *record)
{
    uint32_t length = record->value_length;
    uint32_t size = 1u + 1u + (record->key.length > UINT8_MAX);
    size += 1u + (length > UINT8_MAX) + 2u * (length > UINT16_MAX);
    return size + (record->client_flags != 0 ? 4u : 0u);
}

/* Bytes of header that record_write will need at most, in any segment. */
static inline uint32_t record_header_most(const struct record *record, bool expires)
{
    return record_header_least(record) + RECORD_NOTES_SIZE + RECORD_VERSION_SIZE +
           (expires ? 6u : 0u);
}

/* Bytes of header that record_write will need. */
static inline uint32_t record_header_size(const struct record *record)
{
    uint32_t size = record_header_least(record);
    size += record->expires ? 4u + 2u * (record->after > UINT32_MAX) : 0u;
    size += record->noted ? (uint32_t)RECORD_NOTES_SIZE : 0u;
    return size + (record->noted && record->version != 0 ? (uint32_t)RECORD_VERSION_SIZE : 0u);
}

/* Header, key, and the value but for a span's. Returns the place of the value. */
char *record_write(char *at, const struct record *record);

/* Each takes a number off a header. */
static inline uint32_t record_take_2(const char **at)
{
    uint16_t little;
    memcpy(&little, *at, sizeof little);
    *at += sizeof little;
    return le16toh(little);
}

static inline uint32_t record_take_4(const char **at)
{
    uint32_t little;
    memcpy(&little, *at, sizeof little);
    *at += sizeof little;
    return le32toh(little);
}

static inline uint32_t record_take_length(const char **at, unsigned code)
{
    if (code == 0) {
        return *(const uint8_t *)(*at)++;
    }
    return code == 1 ? record_take_2(at) : record_take_4(at);
}

static inline uint64_t record_take_notes(const char **at, struct record *record)
{
    record->notes = __atomic_load_n((const uint8_t *)*at, __ATOMIC_RELAXED);
    *at += RECORD_NOTES_SIZE;
    if ((record->notes & NOTE_VERSION) == 0) {
        return 0;
    }
    uint64_t low = record_take_4(at);
    return low | (uint64_t)record_take_4(at) << 32;
}

/* Unpacks a header. A branch for each part is foreseen by the processor, since records that lie
 * together are mostly alike. In the header, because every hit passes here. */
static inline __attribute__((always_inline)) void record_read(const char *at, struct record *record)
{
    unsigned flags = __atomic_load_n((const uint8_t *)at, __ATOMIC_RELAXED);
    unsigned value_code = flags >> RECORD_VALUE_SHIFT & 3;
    unsigned expiry_code = flags >> RECORD_EXPIRY_SHIFT & 3;
    at++;
    record->notes = 0;
    record->version = record->after = 0;
    record->rest.length = 0;
    record->noted = value_code == RECORD_NOTED;
    if (record->noted) {
        record->version = record_take_notes(&at, record);
        value_code = record->notes & 3;
    }
    record->key.length = record_take_length(&at, (flags & RECORD_WIDE_KEY) != 0);
    record->value_length = record_take_length(&at, value_code);
    record->expires = expiry_code != 0;
    if (record->expires) {
        record->after = record_take_4(&at);
        record->after |= expiry_code == 1 ? 0 : (uint64_t)record_take_2(&at) << 32;
    }
    record->client_flags = (flags & RECORD_CLIENT_FLAGS) != 0 ? record_take_4(&at) : 0;
    record->span = (flags & RECORD_SPAN) != 0;
    record->key.bytes = at;
    record->value = at + record->key.length;
}

/* Bytes of a record that is not a span. */
static inline uint32_t record_size(const struct record *record)
{
    return record_header_size(record) + (uint32_t)record->key.length + record->value_length;
}

static inline bool record_is_dead(const char *at)
{
    return (__atomic_load_n((const uint8_t *)at, __ATOMIC_RELAXED) & RECORD_DEAD) != 0;
}

/* --- guards: records in a file have RECORD_GUARD bytes (layout.h) in front ------ */

/*
 * at[-3] is the XOR of the covered bytes, at[-2] and at[-1] are of their hash, complemented when
 * the record dies: together with RECORD_DEAD a death takes two flipped bytes to undo. Covered
 * are `size` bytes from the flags on, without what changes in place: DEAD; of notes READ, WON,
 * TOLD and the time. Of a span: header and key. `seed`: the segment's and the offset's.
 */
void record_guard(char *at, uint32_t size, uint64_t seed);

enum guard { GUARD_LIVE, GUARD_DEAD, GUARD_BAD };
enum guard record_guard_check(const char *at, uint32_t size, uint64_t seed);

/* Once, when the record dies. */
void record_guard_kill(char *at);

/*
 * Decodes what may be no record. False unless its key is of 1 .. STORE_KEY_MAX bytes and all of
 * it (of a span: header and key) lies in the `left` bytes from `at` on; *size is that much.
 */
bool record_measure(const char *at, uint32_t left, struct record *record, uint32_t *size);

/* The end of a record, under its bucket's lock. `guarded`: it has a guard, which dies with it;
 * not twice, since that would be a life. */
static inline void record_kill(char *at, bool guarded)
{
    uint8_t flags = __atomic_load_n((const uint8_t *)at, __ATOMIC_RELAXED);
    __atomic_store_n((uint8_t *)at, (uint8_t)(flags | RECORD_DEAD), __ATOMIC_RELEASE);
    if (guarded && (flags & RECORD_DEAD) == 0) {
        record_guard_kill(at);
    }
}

/* --- the notes of a record that has them; its bucket is locked ------------- */

static inline void record_set_notes(char *at, uint8_t notes)
{
    uint8_t old = __atomic_load_n((uint8_t *)at + 1, __ATOMIC_RELAXED);
    uint8_t kept = (uint8_t)(old & (NOTE_VERSION | 3));
    __atomic_store_n((uint8_t *)at + 1, (uint8_t)(kept | (notes & ~(NOTE_VERSION | 3))),
                     __ATOMIC_RELAXED);
}

/*
 * When it was read or written last: units of 128 ms on the store's clock, which
 * wrap around after 17 years.
 */
static inline uint32_t record_time(uint64_t now)
{
    return (uint32_t)(now >> 7);
}

static inline uint32_t record_read_at(const char *at)
{
    uint32_t time;
    memcpy(&time, at + 2, sizeof time);
    return time;
}

/*
 * How long ago that was, in milliseconds: counted from the beginning of the unit, so that
 * rounding makes it up to 127 ms too long and never too short. A reader on another thread may
 * have been a moment ahead of `now`: then it is 0. Known up to 8 years.
 */
static inline uint64_t record_idle(const char *at, uint64_t now)
{
    const uint64_t range = UINT64_C(1) << 39;
    uint64_t since = (now - ((uint64_t)record_read_at(at) << 7)) & (range - 1);
    return since < range / 2 ? since : 0;
}

static inline void record_set_read_at(char *at, uint32_t time)
{
    memcpy(at + 2, &time, sizeof time);
}

/* It is being read. Writes only what changes: a line that is only read may be in
 * the cache of more than one processor. */
static inline void record_note_read(char *at, uint8_t notes, uint64_t now)
{
    uint32_t time = record_time(now);
    if ((notes & NOTE_READ) == 0) {
        record_set_notes(at, (uint8_t)(notes | NOTE_READ));
    }
    if (record_read_at(at) != time) {
        record_set_read_at(at, time);
    }
}

#endif

/*
 * record.c - packing and unpacking of headers; see record.h.
 *
 * Every hit passes here.
 */
#include "daemon/store/records/record.h"

#include <endian.h>

#include "daemon/store/arena/checksum.h"
#include "daemon/store/store.h"
#include "protocol/bytes.h"

static inline unsigned value_code(uint32_t length)
{
    return (length > UINT8_MAX) + (unsigned)(length > UINT16_MAX);
}

static inline unsigned expiry_code(const struct record *record)
{
    return record->expires ? 1 + (unsigned)(record->after > UINT32_MAX) : 0;
}

static inline uint8_t flags_of(const struct record *record)
{
    unsigned value = record->noted ? (unsigned)RECORD_NOTED : value_code(record->value_length);
    unsigned flags = value << RECORD_VALUE_SHIFT | expiry_code(record) << RECORD_EXPIRY_SHIFT;
    if (record->key.length > UINT8_MAX) {
        flags |= RECORD_WIDE_KEY;
    }
    if (record->client_flags != 0) {
        flags |= RECORD_CLIENT_FLAGS;
    }
    if (record->span) {
        flags |= RECORD_SPAN;
    }
    return (uint8_t)flags;
}

static inline uint8_t notes_of(const struct record *record)
{
    return (uint8_t)((record->notes & ~(unsigned)(NOTE_VERSION | 3)) |
                     value_code(record->value_length) | (record->version != 0 ? NOTE_VERSION : 0));
}

static inline char *put_1(char *to, uint64_t number)
{
    *to = (char)number;
    return to + 1;
}

static inline char *put_2(char *to, uint64_t number)
{
    uint16_t little = htole16((uint16_t)number);
    memcpy(to, &little, sizeof little);
    return to + sizeof little;
}

static inline char *put_4(char *to, uint64_t number)
{
    uint32_t little = htole32((uint32_t)number);
    memcpy(to, &little, sizeof little);
    return to + sizeof little;
}

static inline char *put_8(char *to, uint64_t number)
{
    return put_4(put_4(to, number), number >> 32);
}

static inline char *put_notes(char *to, const struct record *record)
{
    __atomic_store_n((uint8_t *)to, notes_of(record), __ATOMIC_RELAXED);
    memcpy(to + 1, &record->read_at, sizeof record->read_at);
    to += RECORD_NOTES_SIZE;
    return record->version != 0 ? put_8(to, record->version) : to;
}

static inline char *put_value_length(char *to, uint32_t length)
{
    if (length <= UINT8_MAX) {
        return put_1(to, length);
    }
    return length <= UINT16_MAX ? put_2(to, length) : put_4(to, length);
}

static inline char *put_header(char *to, const struct record *record)
{
    __atomic_store_n((uint8_t *)to, flags_of(record), __ATOMIC_RELAXED);
    to++;
    if (record->noted) {
        to = put_notes(to, record);
    }
    size_t key = record->key.length;
    to = key <= UINT8_MAX ? put_1(to, key) : put_2(to, key);
    to = put_value_length(to, record->value_length);
    if (record->expires) {
        to = put_4(to, record->after);
        to = record->after <= UINT32_MAX ? to : put_2(to, record->after >> 32);
    }
    return record->client_flags != 0 ? put_4(to, record->client_flags) : to;
}

char *record_write(char *at, const struct record *record)
{
    char *to = put_header(at, record);
    to = bytes_copy(to, record->key.bytes, record->key.length);
    if (!record->span) {
        size_t first = record->value_length - record->rest.length;
        memcpy(to, record->value, first);
        if (record->rest.length > 0) {
            memcpy(to + first, record->rest.bytes, record->rest.length);
        }
    }
    return to;
}

/* --- guards ------------------------------------------------------------------- */

enum { WORD = sizeof(uint64_t) };

/* What is covered of the first word. Its bytes are flags, notes, four of time, two more. */
#define COVERED_BARE  UINT64_C(0xfffffffffffffffe) /* all but DEAD */
#define COVERED_NOTED UINT64_C(0xffff00000000cbfe) /* nor READ, WON, TOLD and the time */
#define COVERED_SPAN  UINT64_C(0xffff00000000c3fe) /* nor STALE: the label says it */

static inline uint64_t first_word(const char *at, uint32_t size)
{
    uint64_t word = 0;
    if (size >= WORD) {
        memcpy(&word, at, WORD);
    } else {
        memcpy(&word, at, size);
    }
    return le64toh(word);
}

static inline uint64_t covered(uint64_t word)
{
    if ((word >> RECORD_VALUE_SHIFT & 3) != RECORD_NOTED) {
        return word & COVERED_BARE;
    }
    return word & ((word & RECORD_SPAN) != 0 ? COVERED_SPAN : COVERED_NOTED);
}

/* Over the bytes as they lie there, not as they were meant. */
static inline struct checksum sum_record(const char *at, uint32_t size, uint64_t seed)
{
    uint64_t first = covered(first_word(at, size));
    uint32_t rest = size > WORD ? size - WORD : 0;
    struct checksum sum = checksum_sum(checksum_mix(seed, first), at + WORD, rest);
    sum.fold ^= checksum_fold(first);
    return sum;
}

void record_guard(char *at, uint32_t size, uint64_t seed)
{
    struct checksum sum = sum_record(at, size, seed);
    at[-3] = (char)sum.fold;
    at[-2] = (char)(sum.hash >> 8);
    at[-1] = (char)sum.hash;
}

enum guard record_guard_check(const char *at, uint32_t size, uint64_t seed)
{
    struct checksum sum = sum_record(at, size, seed);
    unsigned there = (unsigned)(uint8_t)at[-2] << 8 | (uint8_t)at[-1];
    unsigned differs = there ^ (unsigned)(sum.hash & UINT16_MAX);
    if ((uint8_t)at[-3] != sum.fold || (differs != 0 && differs != UINT16_MAX)) {
        return GUARD_BAD;
    }
    return differs == 0 ? GUARD_LIVE : GUARD_DEAD;
}

static inline void complement(char *byte)
{
    uint8_t old = __atomic_load_n((uint8_t *)byte, __ATOMIC_RELAXED);
    __atomic_store_n((uint8_t *)byte, (uint8_t)~old, __ATOMIC_RELEASE);
}

void record_guard_kill(char *at)
{
    complement(at - 2);
    complement(at - 1);
}

bool record_measure(const char *at, uint32_t left, struct record *record, uint32_t *size)
{
    char header[RECORD_HEADER_MAX] = {0};
    memcpy(header, at, left < sizeof header ? left : sizeof header);
    record_read(header, record);
    uint64_t before = (uint64_t)(record->key.bytes - header);
    uint64_t length =
        before + record->key.length + (record->span ? 0 : (uint64_t)record->value_length);
    if (record->key.length == 0 || record->key.length > STORE_KEY_MAX || length > left) {
        return false;
    }
    record->key.bytes = at + before;
    record->value = record->key.bytes + record->key.length;
    *size = (uint32_t)length;
    return true;
}

/*
 * record.c - packing and unpacking of headers; see record.h.
 *
 * Every hit passes here.
 */
#include "daemon/store/records/record.h"

#include <endian.h>

#include "daemon/store/arena/checksum.h"
#include "daemon/store/store.h"

static const uint8_t value_widths[4] = {1, 2, 4, 4};
static const uint8_t expiry_widths[4] = {0, 4, 6, 6};

static uint8_t value_code(uint32_t length)
{
    if (length <= UINT8_MAX) {
        return 0;
    }
    return length <= UINT16_MAX ? 1 : 2;
}

static uint8_t expiry_code(const struct record *record)
{
    if (!record->expires) {
        return 0;
    }
    return record->after <= UINT32_MAX ? 1 : 2;
}

static uint8_t flags_of(const struct record *record)
{
    unsigned value = record->noted ? RECORD_NOTED : value_code(record->value_length);
    unsigned flags = value << RECORD_VALUE_SHIFT | (unsigned)expiry_code(record)
                                                       << RECORD_EXPIRY_SHIFT;
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

static uint8_t notes_of(const struct record *record)
{
    return (uint8_t)((record->notes & ~(NOTE_VERSION | 3)) | value_code(record->value_length) |
                     (record->version != 0 ? NOTE_VERSION : 0));
}

uint32_t record_header_size(const struct record *record)
{
    uint32_t size = 1u + 1u + (record->key.length > UINT8_MAX) +
                    value_widths[value_code(record->value_length)] +
                    expiry_widths[expiry_code(record)] + (record->client_flags != 0 ? 4u : 0u);
    if (record->noted) {
        size += RECORD_NOTES_SIZE + (record->version != 0 ? RECORD_VERSION_SIZE : 0u);
    }
    return size;
}

static char *put_number(char *to, uint64_t number, uint8_t width)
{
    uint64_t little = htole64(number);
    memcpy(to, &little, width);
    return to + width;
}

static char *put_notes(char *to, const struct record *record)
{
    uint8_t notes = notes_of(record);
    __atomic_store_n((uint8_t *)to, notes, __ATOMIC_RELAXED);
    memcpy(to + 1, &record->read_at, sizeof record->read_at);
    return put_number(to + RECORD_NOTES_SIZE, record->version,
                      (notes & NOTE_VERSION) != 0 ? RECORD_VERSION_SIZE : 0);
}

char *record_write(char *at, const struct record *record)
{
    uint8_t flags = flags_of(record);
    char *to = at + 1;
    __atomic_store_n((uint8_t *)at, flags, __ATOMIC_RELAXED);
    if (record->noted) {
        to = put_notes(to, record);
    }
    to = put_number(to, record->key.length, (flags & RECORD_WIDE_KEY) != 0 ? 2 : 1);
    to = put_number(to, record->value_length, value_widths[value_code(record->value_length)]);
    to = put_number(to, record->after, expiry_widths[flags >> RECORD_EXPIRY_SHIFT & 3]);
    to = put_number(to, record->client_flags, (flags & RECORD_CLIENT_FLAGS) != 0 ? 4 : 0);
    memcpy(to, record->key.bytes, record->key.length);
    to += record->key.length;
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

/*
 * record.c - packing and unpacking of headers; see record.h.
 *
 * The widths are read off the flags byte without branches on the way in, since
 * every hit passes here.
 */
#include "daemon/store/record.h"

#include <endian.h>

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
    unsigned flags = (unsigned)value_code(record->value_length) << RECORD_VALUE_SHIFT |
                     (unsigned)expiry_code(record) << RECORD_EXPIRY_SHIFT;
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

static inline uint32_t header_size(uint8_t flags)
{
    return 1u + 1u + ((flags & RECORD_WIDE_KEY) != 0) +
           value_widths[flags >> RECORD_VALUE_SHIFT & 3] +
           expiry_widths[flags >> RECORD_EXPIRY_SHIFT & 3] +
           ((flags & RECORD_CLIENT_FLAGS) != 0 ? 4u : 0u);
}

uint32_t record_header_size(const struct record *record)
{
    return header_size(flags_of(record));
}

static char *put_number(char *to, uint64_t number, uint8_t width)
{
    uint64_t little = htole64(number);
    memcpy(to, &little, width);
    return to + width;
}

static inline uint64_t get_number(const char *from, uint8_t width)
{
    uint64_t little = 0;
    memcpy(&little, from, width);
    return le64toh(little);
}

char *record_write(char *at, const struct record *record)
{
    uint8_t flags = flags_of(record);
    char *to = at + 1;
    __atomic_store_n((uint8_t *)at, flags, __ATOMIC_RELAXED);
    to = put_number(to, record->key.length, (flags & RECORD_WIDE_KEY) != 0 ? 2 : 1);
    to = put_number(to, record->value_length, value_widths[flags >> RECORD_VALUE_SHIFT & 3]);
    to = put_number(to, record->after, expiry_widths[flags >> RECORD_EXPIRY_SHIFT & 3]);
    to = put_number(to, record->client_flags, (flags & RECORD_CLIENT_FLAGS) != 0 ? 4 : 0);
    memcpy(to, record->key.bytes, record->key.length);
    to += record->key.length;
    if (record->value != NULL && !record->span) {
        memcpy(to, record->value, record->value_length);
    }
    return to;
}

void record_read(const char *at, struct record *record)
{
    uint8_t flags = __atomic_load_n((const uint8_t *)at, __ATOMIC_RELAXED);
    uint8_t key_width = (flags & RECORD_WIDE_KEY) != 0 ? 2 : 1;
    uint8_t value_width = value_widths[flags >> RECORD_VALUE_SHIFT & 3];
    uint8_t expiry_width = expiry_widths[flags >> RECORD_EXPIRY_SHIFT & 3];
    uint8_t flags_width = (flags & RECORD_CLIENT_FLAGS) != 0 ? 4 : 0;
    at++;
    record->key.length = get_number(at, key_width);
    at += key_width;
    record->value_length = (uint32_t)get_number(at, value_width);
    at += value_width;
    record->expires = expiry_width != 0;
    record->after = get_number(at, expiry_width);
    at += expiry_width;
    record->client_flags = (uint32_t)get_number(at, flags_width);
    at += flags_width;
    record->span = (flags & RECORD_SPAN) != 0;
    record->key.bytes = at;
    record->value = at + record->key.length;
}

/*
 * remote_value.c - see remote_value.h.
 */
#include "daemon/request/remote_value.h"

#include "daemon/base/sha1.h"

static unsigned char byte_at(struct slice bytes, size_t at)
{
    return (unsigned char)bytes.bytes[at];
}

size_t remote_value_head(uint32_t client_flags, struct slice value, char head[REMOTE_HEAD])
{
    bool looks_like_one = value.length > 0 && byte_at(value, 0) == REMOTE_HEAD_FIRST;
    if (client_flags == 0 && !looks_like_one) {
        return 0;
    }
    head[0] = (char)REMOTE_HEAD_FIRST;
    head[1] = REMOTE_HEAD_SECOND;
    for (int i = 0; i < 4; i++) {
        head[2 + i] = (char)(client_flags >> (24 - 8 * i) & 0xff);
    }
    return REMOTE_HEAD;
}

struct slice remote_value_split(struct slice stored, uint32_t *client_flags)
{
    *client_flags = 0;
    if (stored.length < REMOTE_HEAD || byte_at(stored, 0) != REMOTE_HEAD_FIRST ||
        byte_at(stored, 1) != REMOTE_HEAD_SECOND) {
        return stored;
    }
    for (int i = 0; i < 4; i++) {
        *client_flags = *client_flags << 8 | byte_at(stored, 2 + (size_t)i);
    }
    return (struct slice){stored.bytes + REMOTE_HEAD, stored.length - REMOTE_HEAD};
}

uint64_t remote_value_version(struct slice head, struct slice value)
{
    struct sha1 sha1;
    unsigned char digest[SHA1_BYTES];
    uint64_t version = 0;
    sha1_begin(&sha1);
    sha1_add(&sha1, head);
    sha1_add(&sha1, value);
    sha1_end(&sha1, digest);
    for (int i = 0; i < 8; i++) {
        version = version << 8 | digest[i];
    }
    return version != 0 ? version : 1;
}

void remote_value_digits(uint64_t version, char digits[REMOTE_VERSION_DIGITS])
{
    for (int i = 0; i < REMOTE_VERSION_DIGITS; i++) {
        digits[i] = "0123456789abcdef"[version >> (60 - 4 * i) & 15];
    }
}

uint64_t remote_value_parse_version(struct slice digits)
{
    uint64_t version = 0;
    if (digits.length != REMOTE_VERSION_DIGITS) {
        return 0;
    }
    for (size_t i = 0; i < digits.length; i++) {
        unsigned char digit = byte_at(digits, i);
        unsigned value = digit >= 'a' && digit <= 'f' ? digit - 'a' + 10u : digit - '0' + 0u;
        if (value > 15) {
            return 0;
        }
        version = version << 4 | value;
    }
    return version;
}

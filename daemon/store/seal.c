/*
 * seal.c - see seal.h.
 *
 * Every record that is written to a file passes here, and at a start every byte of
 * the file. Four lanes keep the multiplier busy; the rest is a handful of
 * operations, because a record is rarely more than a few hundred bytes.
 */
#include "daemon/store/seal.h"

#include <endian.h>
#include <string.h>

/* Odd, and without pattern: the fractional parts of the square roots of 2, 3 and 5. */
#define ODD_TWO   UINT64_C(0x6a09e667f3bcc909)
#define ODD_THREE UINT64_C(0xbb67ae8584caa73b)
#define ODD_FIVE  UINT64_C(0x3c6ef372fe94f82b)

enum { PAYLOAD_BITS = 48, FOLD_SHIFT = 48, HASH_SHIFT = 56 };

#define PAYLOAD_MASK ((UINT64_C(1) << PAYLOAD_BITS) - 1)

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

/* The low bits of a product know only the low bits of its factors: brings the high ones
 * down, so that any bits of the result will do. */
static inline uint64_t finish(uint64_t x)
{
    x = (x ^ (x >> 32)) * ODD_TWO;
    x = (x ^ (x >> 29)) * ODD_THREE;
    return x ^ (x >> 32);
}

static inline uint64_t load(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return le64toh(word);
}

/* The last bytes, fewer than a word, with zeros above. Where there is a word before the
 * end, they are its upper bytes. */
static inline uint64_t load_rest(const char *bytes, size_t left, size_t length)
{
    uint64_t word = 0;
    if (left == 0) {
        return 0;
    }
    if (length >= sizeof word) {
        return load(bytes + left - sizeof word) >> (64 - 8 * left);
    }
    for (size_t i = 0; i < left; i++) {
        word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    }
    return word;
}

struct sum sum_bytes(uint64_t seed, const char *bytes, size_t length)
{
    uint64_t a = seed ^ ODD_TWO;
    uint64_t b = seed ^ ODD_THREE;
    uint64_t c = seed ^ ODD_FIVE;
    uint64_t d = seed;
    uint64_t fold = 0;
    size_t left = length;
    for (; left >= 32; bytes += 32, left -= 32) {
        uint64_t word[4] = {load(bytes), load(bytes + 8), load(bytes + 16), load(bytes + 24)};
        a = seal_mix(a, word[0]);
        b = seal_mix(b, word[1]);
        c = seal_mix(c, word[2]);
        d = seal_mix(d, word[3]);
        fold ^= word[0] ^ word[1] ^ word[2] ^ word[3];
    }
    if (left >= 16) {
        uint64_t word[2] = {load(bytes), load(bytes + 8)};
        a = seal_mix(a, word[0]);
        b = seal_mix(b, word[1]);
        fold ^= word[0] ^ word[1];
        bytes += 16;
        left -= 16;
    }
    if (left >= 8) {
        uint64_t word = load(bytes);
        c = seal_mix(c, word);
        fold ^= word;
        bytes += 8;
        left -= 8;
    }
    uint64_t rest = load_rest(bytes, left, length);
    d = seal_mix(d, rest);
    uint64_t all = rotate(a, 1) + rotate(b, 12) + rotate(c, 25) + rotate(d, 43) + length;
    return (struct sum){.hash = finish(all), .fold = seal_fold(fold ^ rest)};
}

uint32_t seal_bytes(uint64_t seed, const void *bytes, size_t length)
{
    struct sum sum = sum_bytes(seed, bytes, length);
    return (uint32_t)(sum.hash & ~UINT64_C(0xff)) | sum.fold;
}

uint64_t seal_word(uint64_t seed, uint64_t payload)
{
    uint64_t fold = seal_fold(payload & PAYLOAD_MASK);
    uint64_t hash = finish(seal_mix(seed, payload)) >> HASH_SHIFT;
    return (payload & PAYLOAD_MASK) | fold << FOLD_SHIFT | hash << HASH_SHIFT;
}

bool seal_open(uint64_t seed, uint64_t word, uint64_t *payload)
{
    *payload = word & PAYLOAD_MASK;
    return *payload != 0 && seal_word(seed, *payload) == word;
}

uint64_t seal_seed(const uint64_t secret[2], enum seal_what what, uint64_t number)
{
    return finish(seal_mix(seal_mix(secret[0], what) ^ secret[1], number));
}

/*
 * checksum.c - see checksum.h.
 *
 * Every record that is written to a file passes here, and at a start every byte of
 * the file. Four lanes keep the multiplier busy; the rest is a handful of
 * operations, because a record rarely has more than a few hundred bytes.
 */
#include "daemon/store/arena/checksum.h"

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

/* The low bits of a product depend on the low bits of its factors only. This brings the high ones
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

/* The last bytes, fewer than a word, with zeros above. If there are 8 bytes before the end, one
 * load gets them: they are its upper bytes. */
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

struct absorbed {
    uint64_t a, b, c, d;
    uint64_t fold; /* XOR of all words */
};

static inline void absorb_words(struct absorbed *lanes, const char *bytes)
{
    uint64_t word[4] = {load(bytes), load(bytes + 8), load(bytes + 16), load(bytes + 24)};
    lanes->a = checksum_mix(lanes->a, word[0]);
    lanes->b = checksum_mix(lanes->b, word[1]);
    lanes->c = checksum_mix(lanes->c, word[2]);
    lanes->d = checksum_mix(lanes->d, word[3]);
    lanes->fold ^= word[0] ^ word[1] ^ word[2] ^ word[3];
}

/* Two words to a lane and multiplication, one of them rotated: differences that cancel in the lane
 * are then in other bits of their bytes, and do not cancel in the fold. The words are added: XOR
 * would not change if all bits of both were inverted, and neither would the fold. */
static inline void absorb_pairs(struct absorbed *lanes, const char *bytes)
{
    uint64_t even[4] = {load(bytes), load(bytes + 16), load(bytes + 32), load(bytes + 48)};
    uint64_t odd[4] = {load(bytes + 8), load(bytes + 24), load(bytes + 40), load(bytes + 56)};
    lanes->a = checksum_mix(lanes->a, even[0] + rotate(odd[0], 29));
    lanes->b = checksum_mix(lanes->b, even[1] + rotate(odd[1], 29));
    lanes->c = checksum_mix(lanes->c, even[2] + rotate(odd[2], 29));
    lanes->d = checksum_mix(lanes->d, even[3] + rotate(odd[3], 29));
    lanes->fold ^= even[0] ^ even[1] ^ even[2] ^ even[3];
    lanes->fold ^= odd[0] ^ odd[1] ^ odd[2] ^ odd[3];
}

struct checksum checksum_sum(uint64_t seed, const char *bytes, size_t length)
{
    struct absorbed lanes = {seed ^ ODD_TWO, seed ^ ODD_THREE, seed ^ ODD_FIVE, seed, 0};
    size_t left = length;
    for (; left >= 64; bytes += 64, left -= 64) {
        absorb_pairs(&lanes, bytes);
    }
    if (left >= 32) {
        absorb_words(&lanes, bytes);
        bytes += 32;
        left -= 32;
    }
    if (left >= 16) {
        uint64_t word[2] = {load(bytes), load(bytes + 8)};
        lanes.a = checksum_mix(lanes.a, word[0]);
        lanes.b = checksum_mix(lanes.b, word[1]);
        lanes.fold ^= word[0] ^ word[1];
        bytes += 16;
        left -= 16;
    }
    if (left >= 8) {
        uint64_t word = load(bytes);
        lanes.c = checksum_mix(lanes.c, word);
        lanes.fold ^= word;
        bytes += 8;
        left -= 8;
    }
    uint64_t rest = load_rest(bytes, left, length);
    lanes.d = checksum_mix(lanes.d, rest);
    uint64_t all = rotate(lanes.a, 1) + rotate(lanes.b, 12) + rotate(lanes.c, 25) +
                   rotate(lanes.d, 43) + length;
    return (struct checksum){.hash = finish(all), .fold = checksum_fold(lanes.fold ^ rest)};
}

uint32_t checksum_bytes(uint64_t seed, const void *bytes, size_t length)
{
    struct checksum sum = checksum_sum(seed, bytes, length);
    return (uint32_t)(sum.hash & ~UINT64_C(0xff)) | sum.fold;
}

uint64_t checksum_word(uint64_t seed, uint64_t payload)
{
    uint64_t fold = checksum_fold(payload & PAYLOAD_MASK);
    uint64_t hash = finish(checksum_mix(seed, payload)) >> HASH_SHIFT;
    return (payload & PAYLOAD_MASK) | fold << FOLD_SHIFT | hash << HASH_SHIFT;
}

bool checksum_open(uint64_t seed, uint64_t word, uint64_t *payload)
{
    *payload = word & PAYLOAD_MASK;
    return *payload != 0 && checksum_word(seed, *payload) == word;
}

uint64_t checksum_seed(const uint64_t secret[2], enum checksum_domain what, uint64_t number)
{
    return finish(checksum_mix(checksum_mix(secret[0], what) ^ secret[1], number));
}

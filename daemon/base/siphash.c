/*
 * siphash.c - SipHash-2-4 with 128 bits; see siphash.h.
 *
 * The bytes are read in words of eight, little-endian on every machine, as the paper says.
 */
#include "daemon/base/siphash.h"

#include <endian.h>

enum {
    ROUNDS_OF_A_WORD = 2,
    ROUNDS_AT_THE_END = 4,
    /* What tells the long output from the short one. */
    LONG_START = 0xee,
    LONG_LOW = 0xee,
    LONG_HIGH = 0xdd,
};

struct state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static inline void turn(struct state *s, int rounds)
{
    while (rounds-- > 0) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 = rotate(s->v2, 32);
    }
}

static inline void absorb(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    turn(s, ROUNDS_OF_A_WORD);
    s->v0 ^= word;
}

static inline uint64_t squeeze(struct state *s)
{
    turn(s, ROUNDS_AT_THE_END);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

struct siphash_hash siphash_of(const struct siphash_key *key, struct slice bytes)
{
    struct state s = {
        key->k0 ^ UINT64_C(0x736f6d6570736575),
        key->k1 ^ UINT64_C(0x646f72616e646f6d) ^ LONG_START,
        key->k0 ^ UINT64_C(0x6c7967656e657261),
        key->k1 ^ UINT64_C(0x7465646279746573),
    };
    size_t whole = bytes.length / 8 * 8;

    for (size_t at = 0; at < whole; at += 8) {
        uint64_t word;
        memcpy(&word, bytes.bytes + at, sizeof word);
        absorb(&s, le64toh(word));
    }
    /* What is left, and the length on top. */
    uint64_t last = (uint64_t)bytes.length << 56;
    for (size_t at = whole; at < bytes.length; at++) {
        last |= (uint64_t)(unsigned char)bytes.bytes[at] << (8 * (at - whole));
    }
    absorb(&s, last);

    struct siphash_hash hash;
    s.v2 ^= LONG_LOW;
    hash.low = squeeze(&s);
    s.v1 ^= LONG_HIGH;
    hash.high = squeeze(&s);
    return hash;
}

bool siphash_equal(struct siphash_hash a, struct siphash_hash b)
{
    volatile uint64_t differs = (a.low ^ b.low) | (a.high ^ b.high);

    return differs == 0;
}

/*
 * siphash.c - SipHash-1-3 with 64 bits and SipHash-2-4 with 128 bits; see siphash.h.
 *
 * The bytes are read in words of 8, little-endian on every machine, as the paper says.
 */
#include "daemon/base/siphash.h"

#include "protocol/bytes.h"

enum {
    SHORT_END = 0xff, /* marks the end of the input, for 64 bits */
    /* What tells the output of 128 bits from that of 64. */
    LONG_START = 0xee,
    LONG_LOW = 0xee,
    LONG_HIGH = 0xdd,
};

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

/* Always inlined: the store hashes a key for each request, and its words stay in registers. */
__attribute__((always_inline)) static inline void mix(struct siphash_state *s)
{
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

static inline struct siphash_state begin(const struct siphash_key *key)
{
    return (struct siphash_state){
        key->k0 ^ UINT64_C(0x736f6d6570736575),
        key->k1 ^ UINT64_C(0x646f72616e646f6d),
        key->k0 ^ UINT64_C(0x6c7967656e657261),
        key->k1 ^ UINT64_C(0x7465646279746573),
    };
}

/* The last, partial word: the bytes that are left, and the length on top. */
static inline uint64_t load_tail(const char *at, size_t left, size_t length, size_t with_salt)
{
    uint64_t word = (uint64_t)with_salt << 56;
    if (left > 0 && length >= BYTES_WORD) {
        return word | bytes_load_last(at + left, left);
    }
    for (size_t i = 0; i < left; i++) {
        word |= (uint64_t)(unsigned char)at[i] << (8 * i);
    }
    return word;
}

static inline uint64_t fold(const struct siphash_state *s)
{
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* --- 1-3, 64 bits ---------------------------------------------------------------- */

static inline void absorb_1(struct siphash_state *s, uint64_t word)
{
    s->v3 ^= word;
    mix(s);
    s->v0 ^= word;
}

struct siphash_state siphash13_begin(const struct siphash_key *key, uint64_t salt)
{
    struct siphash_state s = begin(key);
    absorb_1(&s, salt);
    return s;
}

uint64_t siphash13_end(const struct siphash_state *begun, struct slice bytes)
{
    struct siphash_state s = *begun;
    const char *at = bytes.bytes;
    size_t left = bytes.length;
    for (; left >= BYTES_WORD; at += BYTES_WORD, left -= BYTES_WORD) {
        absorb_1(&s, bytes_load(at));
    }
    absorb_1(&s, load_tail(at, left, bytes.length, bytes.length + sizeof(uint64_t)));
    s.v2 ^= SHORT_END;
    mix(&s);
    mix(&s);
    mix(&s);
    return fold(&s);
}

uint64_t siphash13_64(const struct siphash_key *key, uint64_t salt, struct slice bytes)
{
    struct siphash_state begun = siphash13_begin(key, salt);
    return siphash13_end(&begun, bytes);
}

/* --- 2-4, 128 bits --------------------------------------------------------------- */

static inline void absorb_2(struct siphash_state *s, uint64_t word)
{
    s->v3 ^= word;
    mix(s);
    mix(s);
    s->v0 ^= word;
}

static inline uint64_t squeeze_4(struct siphash_state *s)
{
    mix(s);
    mix(s);
    mix(s);
    mix(s);
    return fold(s);
}

struct siphash_hash siphash24_128(const struct siphash_key *key, struct slice bytes)
{
    struct siphash_state s = begin(key);
    s.v1 ^= LONG_START;
    const char *at = bytes.bytes;
    size_t left = bytes.length;
    for (; left >= BYTES_WORD; at += BYTES_WORD, left -= BYTES_WORD) {
        absorb_2(&s, bytes_load(at));
    }
    absorb_2(&s, load_tail(at, left, bytes.length, bytes.length));

    struct siphash_hash hash;
    s.v2 ^= LONG_LOW;
    hash.low = squeeze_4(&s);
    s.v1 ^= LONG_HIGH;
    hash.high = squeeze_4(&s);
    return hash;
}

bool siphash_equal(struct siphash_hash a, struct siphash_hash b)
{
    volatile uint64_t differs = (a.low ^ b.low) | (a.high ^ b.high);
    return differs == 0;
}

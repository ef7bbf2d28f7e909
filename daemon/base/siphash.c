/*
 * siphash.c - SipHash-1-3 with 64 bits and SipHash-2-4 with 128 bits; see siphash.h.
 *
 * The bytes are read in words of 8, little-endian on every machine, as the paper says.
 */
#include "daemon/base/siphash.h"

enum {
    /* What tells the output of 128 bits from that of 64. */
    LONG_START = 0xee,
    LONG_LOW = 0xee,
    LONG_HIGH = 0xdd,
};

static inline struct siphash_state begin(const struct siphash_key *key)
{
    return (struct siphash_state){
        key->k0 ^ UINT64_C(0x736f6d6570736575),
        key->k1 ^ UINT64_C(0x646f72616e646f6d),
        key->k0 ^ UINT64_C(0x6c7967656e657261),
        key->k1 ^ UINT64_C(0x7465646279746573),
    };
}

/* --- 1-3, 64 bits ---------------------------------------------------------------- */

struct siphash_state siphash13_begin(const struct siphash_key *key, uint64_t salt)
{
    struct siphash_state s = begin(key);
    siphash13_absorb(&s, salt);
    return s;
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
    siphash_mix(s);
    siphash_mix(s);
    s->v0 ^= word;
}

static inline uint64_t squeeze_4(struct siphash_state *s)
{
    siphash_mix(s);
    siphash_mix(s);
    siphash_mix(s);
    siphash_mix(s);
    return siphash_fold(s);
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
    absorb_2(&s, siphash_tail(at, left, bytes.length, bytes.length));

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

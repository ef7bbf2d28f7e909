/*
 * hash.c - SipHash-1-3 over a salt and a slice; see hash.h.
 *
 * The message is read in words of eight bytes, little-endian on every machine,
 * so that a hash means the same wherever it was computed.
 */
#include "daemon/store/arena/hash.h"

#include <endian.h>

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static inline void sip_round(struct sip *s)
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

static inline void sip_absorb(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

static inline uint64_t load_word(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return le64toh(word);
}

/* The last, partial word: what is left of the bytes, and the length on top. */
static inline uint64_t load_tail(const char *bytes, size_t left, size_t length)
{
    uint64_t word = (uint64_t)length << 56;
    for (size_t i = 0; i < left; i++) {
        word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    }
    return word;
}

uint64_t hash_bytes(const struct hash_secret *secret, uint64_t salt, struct slice bytes)
{
    struct sip s = {
        secret->k0 ^ UINT64_C(0x736f6d6570736575),
        secret->k1 ^ UINT64_C(0x646f72616e646f6d),
        secret->k0 ^ UINT64_C(0x6c7967656e657261),
        secret->k1 ^ UINT64_C(0x7465646279746573),
    };
    sip_absorb(&s, salt);
    const char *at = bytes.bytes;
    size_t left = bytes.length;
    for (; left >= 8; at += 8, left -= 8) {
        sip_absorb(&s, load_word(at));
    }
    sip_absorb(&s, load_tail(at, left, bytes.length + sizeof salt));
    s.v2 ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

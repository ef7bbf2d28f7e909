/*
 * siphash.h - keyed hashes: 64 bits for tables, 128 bits where a collision would do harm.
 *
 * SipHash (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) in two variants:
 *
 *      siphash13_64    1 round a word and 3 at the end, as the hash tables of several languages
 *                      use it: without the key it is hard to choose keys that share a bucket
 *      siphash24_128   2 rounds a word and 4 at the end, with the output of twice the length that
 *                      the authors have added since: without the key no input to a given hash
 *                      can be found, nor two inputs with the same hash
 *
 * The time depends on the length alone. Both are the same on every machine, and safe in any thread.
 */
#ifndef KVCACHED_DAEMON_BASE_SIPHASH_H
#define KVCACHED_DAEMON_BASE_SIPHASH_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/slice.h"

/* Random, and kept secret. */
struct siphash_key {
    uint64_t k0, k1;
};

/* In the published byte order `low` comes first; both are little-endian. */
struct siphash_hash {
    uint64_t low, high;
};

struct siphash_state {
    uint64_t v0, v1, v2, v3;
};

/* The hash of `salt`, 8 bytes, followed by the bytes. */
uint64_t siphash13_64(const struct siphash_key *key, uint64_t salt, struct slice bytes);

/* The same in two steps, for a salt that many keys have: the first is done once. The state is as
 * secret as the key. */
struct siphash_state siphash13_begin(const struct siphash_key *key, uint64_t salt);
static inline uint64_t siphash13_end(const struct siphash_state *begun, struct slice bytes);

struct siphash_hash siphash24_128(const struct siphash_key *key, struct slice bytes);

/* Compares in a time that does not depend on which bits differ. */
bool siphash_equal(struct siphash_hash a, struct siphash_hash b);

/* --- inline: the store hashes a key for each request ------------------------------ */

static inline uint64_t siphash_rotate(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

/* A round. Always inlined, so that its words stay in registers. */
__attribute__((always_inline)) static inline void siphash_mix(struct siphash_state *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = siphash_rotate(s->v1, 13) ^ s->v0;
    s->v3 = siphash_rotate(s->v3, 16) ^ s->v2;
    s->v0 = siphash_rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = siphash_rotate(s->v1, 17) ^ s->v2;
    s->v3 = siphash_rotate(s->v3, 21) ^ s->v0;
    s->v2 = siphash_rotate(s->v2, 32);
}

static inline void siphash13_absorb(struct siphash_state *s, uint64_t word)
{
    s->v3 ^= word;
    siphash_mix(s);
    s->v0 ^= word;
}

/* The last, partial word: the bytes that are left, and the length on top. */
static inline uint64_t siphash_tail(const char *at, size_t left, size_t length, size_t with_salt)
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

static inline uint64_t siphash_fold(const struct siphash_state *s)
{
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline uint64_t siphash13_end(const struct siphash_state *begun, struct slice bytes)
{
    enum { SHORT_END = 0xff }; /* marks the end of the input, for 64 bits */
    struct siphash_state s = *begun;
    const char *at = bytes.bytes;
    size_t left = bytes.length;
    for (; left >= BYTES_WORD; at += BYTES_WORD, left -= BYTES_WORD) {
        siphash13_absorb(&s, bytes_load(at));
    }
    siphash13_absorb(&s, siphash_tail(at, left, bytes.length, bytes.length + sizeof(uint64_t)));
    s.v2 ^= SHORT_END;
    siphash_mix(&s);
    siphash_mix(&s);
    siphash_mix(&s);
    return siphash_fold(&s);
}

#endif

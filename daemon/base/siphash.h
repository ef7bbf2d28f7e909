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
uint64_t siphash13_end(const struct siphash_state *begun, struct slice bytes);

struct siphash_hash siphash24_128(const struct siphash_key *key, struct slice bytes);

/* Compares in a time that does not depend on which bits differ. */
bool siphash_equal(struct siphash_hash a, struct siphash_hash b);

#endif

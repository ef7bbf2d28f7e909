/*
 * siphash.h - a keyed hash of 128 bits.
 *
 * SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) with the
 * output of twice the length that its authors have added since. The store's hash.h is a
 * faster and shorter sister of it, for tables; this one is for what must not be guessed:
 * without the key nobody finds an input to a hash, or two with the same one.
 *
 * The time depends on the length alone.
 */
#ifndef KVCACHED_DAEMON_BASE_SIPHASH_H
#define KVCACHED_DAEMON_BASE_SIPHASH_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/slice.h"

struct siphash_key {
    uint64_t k0, k1;
};

/* In the published byte order `low` comes first; both are little-endian. */
struct siphash_hash {
    uint64_t low, high;
};

struct siphash_hash siphash_of(const struct siphash_key *key, struct slice bytes);

/* Looks at all bits, whichever differ. */
bool siphash_equal(struct siphash_hash a, struct siphash_hash b);

#endif

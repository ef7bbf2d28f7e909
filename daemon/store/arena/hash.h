/*
 * hash.h - the keyed hash of names and keys.
 *
 * SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012;
 * the variant with one compression and three finalization rounds that several
 * languages use for their hash tables). With a secret that is random for each
 * store nobody outside can choose keys that collide.
 */
#ifndef KVCACHED_DAEMON_STORE_ARENA_HASH_H
#define KVCACHED_DAEMON_STORE_ARENA_HASH_H

#include <stdint.h>

#include "protocol/slice.h"

struct hash_secret {
    uint64_t k0, k1;
};

/* The hash of `salt` followed by the bytes. */
uint64_t hash_bytes(const struct hash_secret *secret, uint64_t salt, struct slice bytes);

#endif

/*
 * checksum.h - checks of what lies in an arena file: sums of bytes, and sealed words.
 *
 * They find damage, not an enemy: but they are seeded from a secret in the file, so that a
 * value that a client sends cannot look like a record by design. One flipped byte is found
 * with certainty, since every check carries the XOR of the bytes that it covers. (Where the
 * byte says how much is covered, it is the hash that finds it, but for one in 2^24.)
 *
 * Pure functions; any thread.
 */
#ifndef KVCACHED_DAEMON_STORE_ARENA_CHECKSUM_H
#define KVCACHED_DAEMON_STORE_ARENA_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sum {
    uint64_t hash;
    uint8_t fold; /* XOR of all bytes */
};

/* XOR of the eight bytes. */
static inline uint8_t checksum_fold(uint64_t word)
{
    word ^= word >> 32;
    word ^= word >> 16;
    return (uint8_t)(word ^ (word >> 8));
}

/* A seed for what comes after the word; no two words make the same of one seed. */
static inline uint64_t checksum_mix(uint64_t seed, uint64_t word)
{
    uint64_t x = (seed ^ word) * UINT64_C(0x9e3779b97f4a7c15); /* odd: 2^64 / golden ratio */
    return (x << 31) | (x >> 33);
}

/*
 * Four lanes of 8 bytes, (lane ^ word) * odd, rotated by 31 (the round of xxHash64: Collet,
 * 2012), with two words at once while there are eight; a tail is padded with zeros, and the
 * length goes into the end. The rotation matters: without it two flipped top bits in one lane
 * cancel.
 */
struct sum sum_bytes(uint64_t seed, const char *bytes, size_t length);

/* 24 bits of hash above 8 of fold. */
uint32_t checksum_bytes(uint64_t seed, const void *bytes, size_t length);

#define SEAL_MAX ((UINT64_C(1) << 48) - 1) /* the largest payload */

/*
 * Payload (1 .. SEAL_MAX) with a check in one word, which is never 0 and never one byte away
 * from it: so 0 may mean "none". Stored and loaded whole, aligned.
 */
uint64_t checksum_word(uint64_t seed, uint64_t payload);
/* False: damaged. That the word is 0 is for the caller to see. */
bool checksum_open(uint64_t seed, uint64_t word, uint64_t *payload);

/* What is sealed: a domain of its own for each field. */
enum checksum_what {
    SEAL_HEAD = 1,
    SEAL_LIFE, /* of struct arena_head */
    SEAL_VERSIONS,
    SEAL_NAME,
    SEAL_GENERATION,
    SEAL_FLUSH_AT,
    SEAL_LABEL,
    SEAL_OWNER,
    SEAL_SPAN, /* segment descriptor.life */
    SEAL_SUM,  /* segment descriptor.sum */
    SEAL_RECORDS,
};

/* `number`: of the entry, segment descriptor or slot, so that what lies elsewhere is not valid
 * there. */
uint64_t checksum_seed(const uint64_t secret[2], enum checksum_what what, uint64_t number);

#endif

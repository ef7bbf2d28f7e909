/*
 * checksum.h - checks of what lies in an arena file: sums of bytes, and checked words.
 *
 * They find damage; they do not resist an attacker with access to the file. They are seeded from
 * a secret in the file, so that a value that a client sends cannot look like a record by design.
 * One flipped byte is always found, since every check carries the XOR of the bytes that it covers.
 * (A byte that says how many bytes are covered is the exception: there the hash finds it, but for
 * one in 2^24.)
 *
 * Pure functions; any thread.
 */
#ifndef KVCACHED_DAEMON_STORE_ARENA_CHECKSUM_H
#define KVCACHED_DAEMON_STORE_ARENA_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct checksum {
    uint64_t hash; /* any bits of it will do */
    uint8_t fold;  /* XOR of all bytes */
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
struct checksum checksum_sum(uint64_t seed, const char *bytes, size_t length);

/* 24 bits of hash above 8 of fold. */
uint32_t checksum_bytes(uint64_t seed, const void *bytes, size_t length);

/* --- checked words: one field with its check, in one store ------------------------ */

#define CHECKSUM_PAYLOAD_MAX ((UINT64_C(1) << 48) - 1) /* the largest payload */

/*
 * Payload (1 .. CHECKSUM_PAYLOAD_MAX) with a check in one word, which is never 0 and never one byte
 * away from it: so 0 may mean "none". Stored and loaded whole, aligned.
 */
uint64_t checksum_word(uint64_t seed, uint64_t payload);
/* False: damaged. That the word is 0 is for the caller to see. */
bool checksum_open(uint64_t seed, uint64_t word, uint64_t *payload);

static inline void checksum_store_word(uint64_t *field, uint64_t word)
{
    __atomic_store_n(field, word, __ATOMIC_RELEASE);
}

/* --- seeds -------------------------------------------------------------------------- */

/* What is checked: a domain of its own for each field, so that no value is valid in place of
 * another. */
enum checksum_domain {
    CHECKSUM_HEAD = 1,
    CHECKSUM_CLOCK,
    CHECKSUM_VERSIONS,
    CHECKSUM_NAMESPACE,
    CHECKSUM_GENERATION,
    CHECKSUM_FLUSH_AT,
    CHECKSUM_SEGMENT,
    CHECKSUM_OWNER,
    CHECKSUM_SPAN, /* segment_entry.expiry */
    CHECKSUM_SUM,  /* segment_entry.sum */
    CHECKSUM_RECORDS,
};

/* `number`: of the namespace, segment or clock record, so that an entry is valid in its own
 * place only. */
uint64_t checksum_seed(const uint64_t secret[2], enum checksum_domain what, uint64_t number);

#endif

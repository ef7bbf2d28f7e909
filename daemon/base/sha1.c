/*
 * sha1.c - SHA-1 in blocks of 64 bytes; see sha1.h.
 */
#include "daemon/base/sha1.h"

#include <string.h>

enum { BLOCK = 64, LENGTH_AT = 56 /* in the last block */ };

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static uint32_t word_at(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The function and the constant of a step, by its fifth of the 80. */
static uint32_t mix(unsigned step, uint32_t b, uint32_t c, uint32_t d)
{
    if (step < 20) {
        return ((b & c) | (~b & d)) + 0x5a827999U;
    }
    if (step < 40) {
        return (b ^ c ^ d) + 0x6ed9eba1U;
    }
    if (step < 60) {
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcU;
    }
    return (b ^ c ^ d) + 0xca62c1d6U;
}

static void add_block(struct sha1 *sha1, const unsigned char block[BLOCK])
{
    uint32_t words[80];
    for (unsigned i = 0; i < 16; i++) {
        words[i] = word_at(block + (size_t)i * 4);
    }
    for (unsigned i = 16; i < 80; i++) {
        words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    }
    uint32_t a = sha1->state[0], b = sha1->state[1], c = sha1->state[2], d = sha1->state[3],
             e = sha1->state[4];
    for (unsigned i = 0; i < 80; i++) {
        uint32_t next = rotate(a, 5) + mix(i, b, c, d) + e + words[i];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    sha1->state[0] += a;
    sha1->state[1] += b;
    sha1->state[2] += c;
    sha1->state[3] += d;
    sha1->state[4] += e;
}

void sha1_begin(struct sha1 *sha1)
{
    *sha1 = (struct sha1){
        .state = {0x67452301U, 0xefcdab89U, 0x98badcfeU, 0x10325476U, 0xc3d2e1f0U},
    };
}

void sha1_add(struct sha1 *sha1, struct slice bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.bytes;
    size_t left = bytes.length;
    while (left > 0) {
        size_t waiting = sha1->length % BLOCK;
        size_t part = left < BLOCK - waiting ? left : BLOCK - waiting;
        memcpy(sha1->block + waiting, at, part);
        sha1->length += part;
        at += part;
        left -= part;
        if (sha1->length % BLOCK == 0) {
            add_block(sha1, sha1->block);
        }
    }
}

/* Padding: a bit of 1, zeros, and the length in bits at the end of the last block. */
void sha1_end(struct sha1 *sha1, unsigned char digest[SHA1_BYTES])
{
    uint64_t bits = sha1->length * 8;
    size_t waiting = sha1->length % BLOCK;
    sha1->block[waiting++] = 0x80;
    if (waiting > LENGTH_AT) {
        memset(sha1->block + waiting, 0, BLOCK - waiting);
        add_block(sha1, sha1->block);
        waiting = 0;
    }
    memset(sha1->block + waiting, 0, LENGTH_AT - waiting);
    for (unsigned i = 0; i < 8; i++) {
        sha1->block[LENGTH_AT + i] = (unsigned char)(bits >> (56 - 8 * i));
    }
    add_block(sha1, sha1->block);
    for (unsigned i = 0; i < SHA1_BYTES; i++) {
        digest[i] = (unsigned char)(sha1->state[i / 4] >> (24 - 8 * (i % 4)));
    }
}

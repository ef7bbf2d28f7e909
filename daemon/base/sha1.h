/*
 * sha1.h - the digest by which Valkey and Redis name scripts.
 *
 * SHA-1 (FIPS 180-4). It is no defence: collisions can be made. It is here because a node names its
 * scripts so, and because kvcached can be built without OpenSSL. Safe in any thread.
 */
#ifndef KVCACHED_DAEMON_BASE_SHA1_H
#define KVCACHED_DAEMON_BASE_SHA1_H

#include <stdint.h>

#include "protocol/slice.h"

enum { SHA1_BYTES = 20 };

/* A message that comes in pieces. */
struct sha1 {
    uint32_t state[5];
    uint64_t length;         /* bytes so far */
    unsigned char block[64]; /* of which length % 64 bytes are waiting */
};

void sha1_begin(struct sha1 *sha1);
void sha1_add(struct sha1 *sha1, struct slice bytes);
void sha1_end(struct sha1 *sha1, unsigned char digest[SHA1_BYTES]);

#endif

/*
 * wrong_secrets.h - secrets that were found wrong.
 *
 * A secret that an address has said before and that was wrong is wrong again: to check it
 * once more would take time, and to count it once more would slow down those of its address
 * that have the right one. Kept are keyed hashes of 128 bits, of address, name, secret and
 * the hash that the secret was compared with; the key is random for each gate. So nothing is
 * remembered of a user whose secret was changed, and nothing that one address tried can be
 * found out from another.
 *
 * GATE_WRONGS_MAX are kept. One more replaces, of those in its set, the one that was not said
 * for longest, and that is checked again then. So one that is repeated stays, however many
 * others are tried: the gate checks fewer than GATE_WRONGS_MAX while one that is repeated
 * waits for its next turn.
 *
 * Owns no lock.
 */
#ifndef KVCACHED_DAEMON_AUTH_WRONG_SECRETS_H
#define KVCACHED_DAEMON_AUTH_WRONG_SECRETS_H

#include "daemon/auth/authenticator.h"
#include "daemon/base/siphash.h"

enum { GATE_WRONGS_WAYS = 16, GATE_WRONGS_MAX = 4096 };

struct gate_wrongs {
    struct siphash_key key;
    struct {
        struct siphash_hash of[GATE_WRONGS_WAYS]; /* the one that was said last first */
    } sets[GATE_WRONGS_MAX / GATE_WRONGS_WAYS];
};

/* Of one that is all zeros. False with errno. */
bool gate_wrongs_init(struct gate_wrongs *wrongs);

/* What is kept of a petition, once it was found wrong. */
struct siphash_hash gate_wrongs_token(const struct gate_wrongs *wrongs,
                                      const struct petition *petition);

/* It was said now. */
bool gate_wrongs_has(struct gate_wrongs *wrongs, struct siphash_hash token);
void gate_wrongs_add(struct gate_wrongs *wrongs, struct siphash_hash token);

#endif

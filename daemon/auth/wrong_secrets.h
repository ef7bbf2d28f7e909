/*
 * wrong_secrets.h - secrets that were found wrong.
 *
 * A secret that an address has said before and that was wrong is wrong again: to check it
 * once more would take time, and to count it once more would slow down those of its address
 * that have the right one. Kept are keyed hashes of 128 bits, of address, name, secret and
 * the hash that the secret was compared with; the key is random for each authenticator. So nothing
 * is remembered of a user whose secret was changed, and nothing that one address tried can be found
 * out from another.
 *
 * WRONG_SECRETS_MAX are kept. One more replaces, of those in its set, the one that was not said
 * for longest, and that is checked again then. So one that is repeated stays, however many
 * others are tried: the authenticator checks fewer than WRONG_SECRETS_MAX while one that is
 * repeated waits for its next turn.
 *
 * Owns no lock.
 */
#ifndef KVCACHED_DAEMON_AUTH_WRONG_SECRETS_H
#define KVCACHED_DAEMON_AUTH_WRONG_SECRETS_H

#include "daemon/auth/login.h"

enum { WRONG_SECRETS_WAYS = 16, WRONG_SECRETS_MAX = 4096 };

struct wrong_secrets {
    struct siphash_key key;
    struct {
        struct siphash_hash tokens[WRONG_SECRETS_WAYS]; /* the one that was said last first */
    } sets[WRONG_SECRETS_MAX / WRONG_SECRETS_WAYS];
};

/* Of one that is all zeros. False with errno. */
bool wrong_secrets_init(struct wrong_secrets *wrongs);

/* What is kept of a login, once it was found wrong. */
struct siphash_hash wrong_secrets_token(const struct wrong_secrets *wrongs,
                                        const struct login_request *login);

/* It was said now. */
bool wrong_secrets_has(struct wrong_secrets *wrongs, struct siphash_hash token);
void wrong_secrets_add(struct wrong_secrets *wrongs, struct siphash_hash token);

#endif

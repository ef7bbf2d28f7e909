/*
 * wrong_secrets.h - secrets that were found wrong.
 *
 * A secret that was wrong is wrong again when the same address repeats it. Checking it once more
 * would take time, and counting it as a failure once more would slow down clients at that address
 * that have the right secret. So 128-bit keyed hashes of address, name, secret and the hash that
 * the secret was compared with are kept; the key is random for each authenticator. After a user's
 * secret was changed, none of them applies any more; and what one address tried cannot be found out
 * from another.
 *
 * WRONG_SECRETS_MAX are kept. A new one replaces the least recently repeated one of its set, which
 * is checked again if it comes back. So one that is repeated stays, however many others are tried:
 * the authenticator checks fewer than WRONG_SECRETS_MAX while a repeated one waits for its next
 * turn.
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
        struct siphash_hash tokens[WRONG_SECRETS_WAYS]; /* the most recently repeated one first */
    } sets[WRONG_SECRETS_MAX / WRONG_SECRETS_WAYS];
};

/* Must be all zeros. False with errno. */
bool wrong_secrets_init(struct wrong_secrets *wrongs);

/* The hash that is kept of a login, once it was found wrong. */
struct siphash_hash wrong_secrets_token(const struct wrong_secrets *wrongs,
                                        const struct login_request *login);

/* Whether it is kept; it is the most recently repeated one then. */
bool wrong_secrets_has(struct wrong_secrets *wrongs, struct siphash_hash token);
void wrong_secrets_add(struct wrong_secrets *wrongs, struct siphash_hash token);

#endif

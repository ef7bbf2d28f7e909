/*
 * secret.h - salted hashes of secrets, as kvcached.conf holds them.
 *
 * The hashes are those of crypt(3), so that any tool that makes them will do; those made
 * here are yescrypt's. Checking one takes tens of milliseconds and some megabytes, on
 * purpose: whoever has stolen a configuration shall not find the secrets soon. So nobody
 * who serves requests calls secret_matches; see authenticator.h.
 *
 * Any thread. What was said in clear is wiped before a call returns.
 */
#ifndef KVCACHED_DAEMON_AUTH_SECRET_H
#define KVCACHED_DAEMON_AUTH_SECRET_H

#include <stdbool.h>

#include "protocol/request.h"

enum {
    SECRET_MAX = REQUEST_SECRET_MAX, /* bytes: no white space, no control characters */
    SECRET_HASH_MAX = 384,           /* bytes of a hash, its NUL included */
};

/* Whether these bytes may be a secret; if not, what is wrong in *why. */
bool secret_is_possible(struct slice secret, const char **why);

/* A new hash of it. False with errno where it cannot be had. */
bool secret_hash(struct slice secret, char hash[SECRET_HASH_MAX]);

/* Whether the hash is this secret's, in a time that says nothing about how much of it is
 * right. False for a hash that crypt(3) does not know. */
bool secret_matches(struct slice secret, const char *hash);

/* A hash that no secret has, and that takes as long to check as those of secret_hash: for
 * a user whom nobody knows. */
extern const char secret_of_nobody[];

#endif

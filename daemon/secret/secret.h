/*
 * secret.h - salted hashes of secrets, as kvcached.conf holds them.
 *
 * The hashes are those of crypt(3), so that any tool that makes them will do; those made
 * here are yescrypt's. Checking one takes tens of milliseconds and some megabytes, on
 * purpose: a stolen configuration shall not reveal the secrets soon. So threads that serve requests
 * never call secret_matches; see authenticator.h.
 *
 * Any thread. Copies of a secret are wiped before a call returns.
 */
#ifndef KVCACHED_DAEMON_SECRET_SECRET_H
#define KVCACHED_DAEMON_SECRET_SECRET_H

#include <stdbool.h>

#include "protocol/request.h"

enum {
    SECRET_MAX = REQUEST_SECRET_MAX, /* bytes: no white space, no control characters */
    SECRET_HASH_MAX = 384,           /* bytes of a hash, its NUL included */
};

/* Whether these bytes may be a secret; if not, what is wrong in *why. */
bool secret_is_possible(struct slice secret, const char **why);

/* Makes a new hash of it. False with errno. */
bool secret_hash(struct slice secret, char hash[SECRET_HASH_MAX]);

/* Whether the hash is this secret's, in a time that does not depend on how much of it is right.
 * False for a hash of a method that crypt(3) does not know. */
bool secret_matches(struct slice secret, const char *hash);

/* A hash that no secret has, and that takes as long to check as those of secret_hash: for a user
 * that does not exist. */
extern const char secret_of_no_user[];

#endif

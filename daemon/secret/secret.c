/*
 * secret.c - salted hashes of secrets, by crypt(3) of libxcrypt.
 *
 * crypt(3) works on a string, in a block of 32 KiB that the caller provides. The block is allocated
 * for each call and wiped after it, with the string inside, so that nothing of a secret stays in
 * memory. Bytes that cannot be a secret never get there: a zero byte would end the string early,
 * and the rest would not count.
 */
#include "daemon/secret/secret.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/token.h"

_Static_assert(SECRET_MAX < CRYPT_MAX_PASSPHRASE_SIZE, "crypt(3) takes every secret");
_Static_assert(SECRET_HASH_MAX >= CRYPT_OUTPUT_SIZE, "every hash has room");

/* yescrypt. A cost of 5 is 16 MiB and 4096 rounds; secret_of_no_user has the same. */
static const char method[] = "$y$";
enum { COST = 5 };

/* Made from 32 random bytes that were not kept. */
const char secret_of_no_user[] =
    "$y$j9T$j9jms9XQtxTOnBKJvnoPy1$aV1WKXue7jUBkTmoBQk88MpLtYesR0oUZRbt2HSC5r0";

static bool consists_of_key_bytes(struct slice secret)
{
    const char *end = secret.bytes + secret.length;
    return token_span(secret.bytes, end, TOKEN_KEY) == end;
}

bool secret_is_possible(struct slice secret, const char **why)
{
    if (secret.length == 0) {
        *why = "it is empty";
    } else if (secret.length > SECRET_MAX) {
        *why = "it is longer than 256 bytes";
    } else if (!consists_of_key_bytes(secret)) {
        *why = "it has white space or a control character in it";
    } else {
        return true;
    }
    return false;
}

/* The secret's hash with the salt, method and cost of `setting`; a whole hash is a setting, too.
 * False with errno. */
static bool hash_like(struct slice secret, const char *setting, char hash[SECRET_HASH_MAX])
{
    const char *why;
    if (!secret_is_possible(secret, &why)) {
        errno = EINVAL;
        return false;
    }
    struct crypt_data *block = calloc(1, sizeof *block);
    if (block == NULL) {
        return false;
    }
    memcpy(block->input, secret.bytes, secret.length);
    const char *made = crypt_rn(block->input, setting, block, sizeof *block);
    int error = errno;
    if (made != NULL) {
        memcpy(hash, made, strlen(made) + 1);
    }
    explicit_bzero(block, sizeof *block);
    free(block);
    errno = error;
    return made != NULL;
}

bool secret_hash(struct slice secret, char hash[SECRET_HASH_MAX])
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    if (crypt_gensalt_rn(method, COST, NULL, 0, setting, sizeof setting) == NULL) {
        return false;
    }
    return hash_like(secret, setting, hash);
}

/* Takes the same time whichever bytes differ. */
static bool same_bytes(const char *a, const char *b, size_t length)
{
    volatile unsigned char differs = 0;
    for (size_t i = 0; i < length; i++) {
        differs |= (unsigned char)(a[i] ^ b[i]);
    }
    return differs == 0;
}

/* A hash without a `$` in front would be DES's, which takes 8 bytes of a secret only. */
bool secret_matches(struct slice secret, const char *hash)
{
    char own[SECRET_HASH_MAX];
    if (*hash != '$' || !hash_like(secret, hash, own)) {
        return false;
    }
    size_t length = strlen(own);
    bool same = strlen(hash) == length && same_bytes(own, hash, length);
    explicit_bzero(own, sizeof own);
    return same;
}

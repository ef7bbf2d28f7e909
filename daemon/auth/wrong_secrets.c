/*
 * wrong_secrets.c - a table of sets; the token determines its set.
 *
 * Tokens depend on the key, so no choice of secrets fills one set and leaves the others empty.
 */
#include "daemon/auth/wrong_secrets.h"

#include <string.h>
#include <sys/random.h>

enum { SETS = WRONG_SECRETS_MAX / WRONG_SECRETS_WAYS };

bool wrong_secrets_init(struct wrong_secrets *wrongs)
{
    return getrandom(&wrongs->key, sizeof wrongs->key, 0) == sizeof wrongs->key;
}

/* The bytes that are hashed. Each part is of a fixed size, or its length comes before it: no two
 * logins make the same bytes. */
struct hashed {
    struct peer_address address;
    size_t name_length, secret_length;
    char rest[REQUEST_NAMESPACE_MAX + SECRET_MAX + SECRET_HASH_MAX];
};

struct siphash_hash wrong_secrets_token(const struct wrong_secrets *wrongs,
                                        const struct login_request *login)
{
    const struct slice name = {login->name, login->name_length};
    const struct user *user = users_find(login->users, name);
    const char *hash = user != NULL && user_hash(user) != NULL ? user_hash(user) : "";
    struct hashed hashed = {.address = login->address,
                            .name_length = login->name_length,
                            .secret_length = login->secret_length};
    char *at = hashed.rest;
    memcpy(at, login->name, login->name_length);
    at += login->name_length;
    memcpy(at, login->secret, login->secret_length);
    at += login->secret_length;
    size_t hash_length = strnlen(hash, SECRET_HASH_MAX);
    memcpy(at, hash, hash_length);
    at += hash_length;
    struct siphash_hash token = siphash24_128(
        &wrongs->key, (struct slice){(const char *)&hashed, (size_t)(at - (char *)&hashed)});
    explicit_bzero(&hashed, sizeof hashed);
    return token;
}

/* Puts the token first; those before `place` move up to it. */
static void put_first(struct siphash_hash *set, unsigned place, struct siphash_hash token)
{
    memmove(set + 1, set, place * sizeof *set);
    set[0] = token;
}

static struct siphash_hash *set_of(struct wrong_secrets *wrongs, struct siphash_hash token)
{
    return wrongs->sets[token.low % SETS].tokens;
}

bool wrong_secrets_has(struct wrong_secrets *wrongs, struct siphash_hash token)
{
    struct siphash_hash *set = set_of(wrongs, token);
    for (unsigned i = 0; i < WRONG_SECRETS_WAYS; i++) {
        if (siphash_equal(set[i], token)) {
            put_first(set, i, token);
            return true;
        }
    }
    return false;
}

void wrong_secrets_add(struct wrong_secrets *wrongs, struct siphash_hash token)
{
    put_first(set_of(wrongs, token), WRONG_SECRETS_WAYS - 1, token);
}

/*
 * gate_wrongs.c - a table of sets: a token says in which of them it is kept.
 *
 * Which token comes into which set is decided by the key, so no choice of secrets fills one
 * set and leaves the others empty.
 */
#include "daemon/gate_wrongs.h"

#include <string.h>
#include <sys/random.h>

enum { SETS = GATE_WRONGS_MAX / GATE_WRONGS_WAYS };

bool gate_wrongs_init(struct gate_wrongs *wrongs)
{
    return getrandom(&wrongs->key, sizeof wrongs->key, 0) == sizeof wrongs->key;
}

/* Each part is of a fixed size or says first how long it is: no two petitions make the same
 * bytes. */
struct said {
    struct gate_address address;
    size_t name_length, secret_length;
    char rest[REQUEST_NAMESPACE_MAX + SECRET_MAX + SECRET_HASH_MAX];
};

struct sip_hash gate_wrongs_token(const struct gate_wrongs *wrongs, const struct petition *petition)
{
    const struct slice name = {petition->name, petition->name_length};
    const struct user *user = users_find(petition->users, name);
    const char *hash = user != NULL && user_hash(user) != NULL ? user_hash(user) : "";
    struct said said = {.address = petition->address,
                        .name_length = petition->name_length,
                        .secret_length = petition->secret_length};
    char *at = said.rest;

    memcpy(at, petition->name, petition->name_length);
    at += petition->name_length;
    memcpy(at, petition->secret, petition->secret_length);
    at += petition->secret_length;
    size_t hash_length = strnlen(hash, SECRET_HASH_MAX);
    memcpy(at, hash, hash_length);
    at += hash_length;
    struct sip_hash token =
        sip_of(&wrongs->key, (struct slice){(const char *)&said, (size_t)(at - (char *)&said)});
    explicit_bzero(&said, sizeof said);
    return token;
}

bool gate_wrongs_has(const struct gate_wrongs *wrongs, struct sip_hash token)
{
    bool has = false;

    for (unsigned i = 0; i < GATE_WRONGS_WAYS; i++) {
        has |= sip_equal(wrongs->sets[token.low % SETS].of[i], token);
    }
    return has;
}

void gate_wrongs_add(struct gate_wrongs *wrongs, struct sip_hash token)
{
    unsigned *next = &wrongs->sets[token.low % SETS].next;

    wrongs->sets[token.low % SETS].of[*next] = token;
    *next = (*next + 1) % GATE_WRONGS_WAYS;
}

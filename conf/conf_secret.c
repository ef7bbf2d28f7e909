/*
 * conf_secret.c - whether any secret can have a hash: crypt(3) is asked to make one like it.
 *
 * What comes out must be as long as the hash and have the same setting. To make one takes as
 * long as it costs, and hashes shall cost much; so the cost is replaced by a small one, which
 * changes neither. What is a cost, and where it stands, is the one thing that is known here
 * of each method; one that is not in the table is asked for as it is.
 */
#include "conf/conf_secret.h"

#include <crypt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    HASH_MAX = 384,    /* bytes, the NUL included: the longest that options.def takes */
    REMEMBERED = 8192, /* hashes that were good */
    BCRYPT_SETTING = 29,
    NO_DIGITS = 9, /* of a cost: it would take hours */
};

static const char alphabet[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

enum cost {
    COST_NONE,
    COST_DIGITS, /* as many as there are */
    COST_TWO,    /* digits, 04 to 31 */
    COST_LETTER, /* of the alphabet, from `least` on */
};

static const struct method {
    const char *prefix; /* up to the cost; what begins with another one comes first */
    enum cost cost;
    const char *least; /* in its place; where none stands, this is put in */
} methods[] = {
    {"$y$j", COST_LETTER, "1"},
    {"$y$", COST_NONE, ""}, /* of a kind that is never made: as it is */
    {"$gy$j", COST_LETTER, "1"},
    {"$7$", COST_LETTER, "2"},
    {"$2a$", COST_TWO, "04"},
    {"$2b$", COST_TWO, "04"},
    {"$2x$", COST_TWO, "04"},
    {"$2y$", COST_TWO, "04"},
    {"$6$rounds=", COST_DIGITS, "1000"},
    {"$5$rounds=", COST_DIGITS, "1000"},
    {"$6$", COST_NONE, "rounds=1000$"},
    {"$5$", COST_NONE, "rounds=1000$"},
    {"$sha1$", COST_DIGITS, "10"},
    {"$md5,rounds=", COST_DIGITS, "1"},
};

static const struct method *find_method(const char *hash)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strncmp(hash, methods[i].prefix, strlen(methods[i].prefix)) == 0) {
            return &methods[i];
        }
    }
    return NULL;
}

/* Bytes of the cost that stands here; 0 where it is none. More memory or time than any
 * machine has is none, either. */
static size_t cost_length(const struct method *method, const char *at)
{
    size_t digits = strspn(at, "0123456789");
    switch (method->cost) {
    case COST_NONE:
        break;
    case COST_DIGITS:
        return digits < NO_DIGITS && at[digits] == '$' && at[0] != '0' ? digits : 0;
    case COST_TWO:
        return digits == 2 && at[2] == '$' && atoi(at) >= 4 && atoi(at) <= 31 ? 2 : 0;
    case COST_LETTER:
        return *at >= '/' && *at <= 'J' ? 1 : 0;
    }
    return 0;
}

/* The same with the least cost. False: its own is none. */
static bool make_cheap(const char *hash, char cheap[HASH_MAX + 16])
{
    const struct method *method = find_method(hash);
    size_t kept = method != NULL ? strlen(method->prefix) : 0;
    size_t cost = method != NULL ? cost_length(method, hash + kept) : 0;
    const char *least = method != NULL ? method->least : "";
    if (method != NULL && method->cost != COST_NONE && cost == 0) {
        return false;
    }
    memcpy(cheap, hash, kept);
    strcpy(cheap + kept, least);
    strcat(cheap, hash + kept + cost);
    return true;
}

/* Bytes of a hash that come before what is made of the secret. */
static size_t setting_length(const char *hash)
{
    return strncmp(hash, "$2", 2) == 0 ? BCRYPT_SETTING : (size_t)(strrchr(hash, '$') - hash) + 1;
}

static bool is_alike(const char *made, const char *cheap)
{
    size_t setting = setting_length(cheap), length = strlen(cheap);
    return strlen(made) == length && setting < length && memcmp(made, cheap, setting) == 0 &&
           strspn(cheap + setting, alphabet) == length - setting;
}

static bool check_hash(const char *hash, const char **why)
{
    char cheap[HASH_MAX + 16];
    if (crypt_checksalt(hash) == CRYPT_SALT_INVALID ||
        crypt_checksalt(hash) == CRYPT_SALT_METHOD_DISABLED) {
        *why = "crypt(3) has no such method";
        return false;
    }
    if (strlen(hash) >= HASH_MAX || !make_cheap(hash, cheap)) {
        *why = "its cost is none that crypt(3) takes";
        return false;
    }
    struct crypt_data *block = calloc(1, sizeof *block);
    if (block == NULL) {
        return true;
    }
    const char *made = crypt_rn("any", cheap, block, sizeof *block);
    bool alike = made != NULL && is_alike(made, cheap);
    *why = made == NULL ? "its salt or its cost is none that crypt(3) takes"
                        : "it is not whole, or has something in it that its method never writes";
    free(block);
    return alike;
}

/* FNV-1a (Fowler, Noll and Vo). Hashes of one file do not try to look like one another. */
static uint64_t hash_text(const char *text)
{
    uint64_t number = 0xcbf29ce484222325;
    for (; *text != '\0'; text++) {
        number = (number ^ (unsigned char)*text) * 0x100000001b3;
    }
    return number;
}

bool conf_secret_usable(const char *hash, const char **why)
{
    static uint64_t good[REMEMBERED];
    uint64_t number = hash_text(hash);
    if (good[number % REMEMBERED] == number) {
        return true;
    }
    if (!check_hash(hash, why)) {
        return false;
    }
    good[number % REMEMBERED] = number;
    return true;
}

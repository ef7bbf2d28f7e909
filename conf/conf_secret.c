/*
 * conf_secret.c - whether crypt(3) could make a hash of any secret: it makes one with the same
 * setting, and the two are compared.
 *
 * The result must be as long as the hash and have the same setting. A hash takes long to make,
 * by intention; so the cost in the setting is replaced by the least one first, which changes
 * neither. The table says where each method has its cost. A method that is not in the table is
 * tried with the cost that it has.
 */
#include "conf/conf_secret.h"

#include <crypt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    HASH_MAX = 384,      /* bytes, the NUL included: the longest that options.def takes */
    REMEMBERED = 8192,   /* good hashes in the cache */
    BCRYPT_SETTING = 29, /* bytes */
    NO_DIGITS = 9,       /* a cost of so many digits would take hours */
};

static const char alphabet[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

enum cost {
    COST_NONE,
    COST_DIGITS, /* a decimal number */
    COST_TWO,    /* 2 digits, 04 to 31 */
    COST_LETTER, /* a letter of the alphabet, from `least` on */
};

static const struct method {
    const char *prefix; /* up to the cost; a prefix stands before those that it begins with */
    enum cost cost;
    const char *least; /* replaces the cost; with COST_NONE it is inserted */
} methods[] = {
    {"$y$j", COST_LETTER, "1"},
    {"$y$", COST_NONE, ""}, /* a variant that crypt(3) never makes: tried as it is */
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

/* Bytes of the cost at `at`; 0 where it is malformed or takes more memory or time than any machine
 * has. */
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

/* Writes the hash with the least cost. False: its own cost is malformed. */
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

/* Bytes of a hash before the part that depends on the secret. */
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

/* FNV-1a (Fowler, Noll and Vo). The administrator chooses the texts, so collisions are no
 * attack. */
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

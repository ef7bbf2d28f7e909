/*
 * users.h - the users of a configuration, their secrets, and their rights in namespaces.
 *
 * A struct users does not change; a reload makes a new one. Workers and the authenticator hold
 * references, and it is freed with the last of them. Names, hashes and patterns are copies: the
 * configuration may be freed.
 */
#ifndef KVCACHED_DAEMON_AUTH_USERS_H
#define KVCACHED_DAEMON_AUTH_USERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol/slice.h"

struct conf;

/* Bits. */
enum right {
    RIGHT_READ = 1 << 0,
    RIGHT_WRITE = 1 << 1,
    RIGHT_ADMIN = 1 << 2, /* FLUSH, LIST and ALL */
    RIGHT_WATCH = 1 << 3, /* STATS and /metrics; granted with RIGHT_ADMIN too */
};

struct users;
struct user;

/* With one reference, the caller's. Secrets that were verified for users of `before` stay so where
 * the hash is the same; `before` may be NULL. NULL with errno: no memory, or a unix_user that was
 * removed since the configuration was checked (ENOENT). Calls getpwnam, so one thread at a
 * time. */
struct users *users_create(const struct conf *conf, struct users *before);

/* Any thread. Good for NULL. */
struct users *users_get(struct users *users);
/* Any thread. Sets *users to NULL. Good for NULL. */
void users_put(struct users **users);

/* Whether there are none, or `users` is NULL: then every connection may do everything. */
bool users_is_empty(const struct users *users);

/* A user lives as long as its users do. NULL: there is none. */
const struct user *users_find(const struct users *users, struct slice name);
const struct user *users_find_unix(const struct users *users, uid_t uid);

/* What became of a user after a reload. */
enum user_change {
    USER_SAME,    /* *now is the user; its rights may have changed */
    USER_CHANGED, /* its secret (`by_secret`), or its unix_user (else), has changed: it must
                     authenticate again */
    USER_GONE,
};
/* `before` is of the users before. *now is NULL unless USER_SAME. */
enum user_change users_follow(const struct users *users, const struct user *before, bool by_secret,
                              const struct user **now);

struct slice user_name(const struct user *user);
/* A number that depends on the name alone, and is not 0. */
uint64_t user_tag(const struct user *user);
/* NULL: it has no secret. */
const char *user_hash(const struct user *user);
/* The hash of some user's secret, to be checked for a name that has none: always the same one for a
 * name, so that the check takes as long as if it were the name's own. NULL: no user has a
 * secret. */
const char *users_decoy(const struct users *users, struct slice name);

/* The bits of enum right that it has in a namespace. */
unsigned user_rights(const struct user *user, struct slice ns);
/* Those that it has in every namespace there could be. */
unsigned user_rights_everywhere(const struct user *user);

/* Whether the secret is the first one that user_prove was given. Takes a microsecond, and a time
 * that depends on lengths alone. Only a keyed hash of 128 bits is kept; the key is random for each
 * process. Any thread. */
bool user_recalls(const struct user *user, struct slice secret);
/* The secret was checked, and matches the user's hash. Any thread. */
void user_prove(const struct user *user, struct slice secret);

#endif

/*
 * users.h - who may do what in which namespaces.
 *
 * One struct users is what one configuration says. It does not change; a reload makes the
 * next one. Workers and the authenticator hold references, and the last to let go frees it. Names,
 * hashes and patterns are copies: the configuration may go.
 */
#ifndef KVCACHED_DAEMON_AUTH_USERS_H
#define KVCACHED_DAEMON_AUTH_USERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "protocol/slice.h"

/* Bits. */
enum right {
    RIGHT_READ = 1 << 0,
    RIGHT_WRITE = 1 << 1,
    RIGHT_ADMIN = 1 << 2, /* FLUSH, LIST and ALL */
    RIGHT_WATCH = 1 << 3, /* STATS and /metrics; granted with RIGHT_ADMIN too */
};

struct users;
struct user;

/* With one reference, the caller's. What users of `before` have proved is remembered where
 * their secret is the same; it may be NULL. NULL with errno: no memory, or a unix_user that
 * is gone since the configuration was checked (ENOENT). Looks users of this machine up, so
 * one thread at a time. */
struct users *users_create(const struct conf *conf, struct users *before);

/* Any thread. Good for NULL. */
struct users *users_get(struct users *users);
/* Any thread. Sets *users to NULL. Good for NULL. */
void users_put(struct users **users);

/* None, or NULL: there is nothing to prove, and everybody may do everything. */
bool users_is_empty(const struct users *users);

/* A user lives as long as its users do. NULL: there is none. */
const struct user *users_find(const struct users *users, struct slice name);
const struct user *users_find_unix(const struct users *users, uid_t uid);

/* What became of a user of earlier users. */
enum user_change {
    USER_SAME,    /* it may go on, as *now: what it may do can have changed */
    USER_CHANGED, /* its secret (`by_secret`), or its unix_user (else), is another one: it must
                     prove again who it is */
    USER_GONE,
};
/* *now is NULL, but where it is the same. */
enum user_change users_follow(const struct users *users, const struct user *before, bool by_secret,
                              const struct user **now);

struct slice user_name(const struct user *user);
/* A number that follows from the name alone, and is not 0. */
uint64_t user_tag(const struct user *user);
/* NULL: it has no secret. */
const char *user_hash(const struct user *user);
/* The hash of some user's secret, for a name with which there is nothing to check: always the
 * same, so that it takes as long as if it were that name's own. NULL: nobody has a secret. */
const char *users_decoy(const struct users *users, struct slice name);

/* The bits of enum right that it has in a namespace. */
unsigned user_rights(const struct user *user, struct slice ns);
/* Those that it has in every namespace, whatever its name. */
unsigned user_rights_everywhere(const struct user *user);

/* Whether the secret is the one that user_prove saw first: takes a microsecond, and a time
 * that depends on lengths alone. A keyed hash of 128 bits is all that is kept for it; the
 * key is random for each process. Any thread. */
bool user_recalls(const struct user *user, struct slice secret);
/* The secret was found to match the user's hash. Any thread. */
void user_prove(const struct user *user, struct slice secret);

#endif

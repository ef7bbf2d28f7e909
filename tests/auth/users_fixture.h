/*
 * users_fixture.h - a configuration that has users and nothing else, made in a few words.
 *
 * Not read from a file: tests of daemon/auth/users.h have ten thousand of them, and some that
 * no file can have.
 */
#ifndef KVCACHED_TESTS_AUTH_USERS_FIXTURE_H
#define KVCACHED_TESTS_AUTH_USERS_FIXTURE_H

#include "conf/conf.h"
#include "daemon/auth/users.h"

/* For members_clear, when it is no longer needed. Zeros: none. */
struct members {
    struct conf conf;
};

/* One more user; NULL for what it does not have. */
void members_add(struct members *members, const char *name, const char *hash,
                 const char *unix_user);
/* Bits of enum right that the last one has where a pattern says. */
void members_allow(struct members *members, unsigned rights, const char *pattern);
void members_clear(struct members *members);

/* Of these, with what was proved to `before`, which it puts. Fails the test without. */
struct users *members_users(const struct members *members, struct users *before);

#endif

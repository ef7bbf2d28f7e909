/*
 * users_fixture.c - see users_fixture.h.
 */
#include "tests/auth/users_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static char *copy(const char *text)
{
    char *own = text != NULL ? strdup(text) : NULL;
    ck_assert(text == NULL || own != NULL);
    return own;
}

/* Room for one more; doubles at powers of two. */
static void *grow(void *array, size_t count, size_t size)
{
    if ((count & (count - 1)) == 0) {
        array = realloc(array, (count > 0 ? 2 * count : 1) * size);
        ck_assert_ptr_nonnull(array);
    }
    return array;
}

void members_add(struct members *members, const char *name, const char *hash, const char *unix_user)
{
    struct conf *conf = &members->conf;
    conf->users = grow(conf->users, conf->user_count, sizeof *conf->users);
    conf->users[conf->user_count++] = (struct conf_user){
        .name = copy(name),
        .secret = copy(hash),
        .unix_user = copy(unix_user),
    };
}

static void add_pattern(struct conf_patterns *patterns, const char *pattern)
{
    patterns->of = grow(patterns->of, patterns->count, sizeof *patterns->of);
    patterns->of[patterns->count++] = copy(pattern);
}

void members_allow(struct members *members, unsigned rights, const char *pattern)
{
    struct conf_user *user = &members->conf.users[members->conf.user_count - 1];
    if ((rights & RIGHT_READ) != 0) {
        add_pattern(&user->read, pattern);
    }
    if ((rights & RIGHT_WRITE) != 0) {
        add_pattern(&user->write, pattern);
    }
    if ((rights & RIGHT_ADMIN) != 0) {
        add_pattern(&user->admin, pattern);
    }
}

static void clear_patterns(struct conf_patterns *patterns)
{
    for (size_t i = 0; i < patterns->count; i++) {
        free(patterns->of[i]);
    }
    free(patterns->of);
}

void members_clear(struct members *members)
{
    for (size_t i = 0; i < members->conf.user_count; i++) {
        struct conf_user *user = &members->conf.users[i];
        free(user->name);
        free(user->secret);
        free(user->unix_user);
        clear_patterns(&user->read);
        clear_patterns(&user->write);
        clear_patterns(&user->admin);
    }
    free(members->conf.users);
    *members = (struct members){0};
}

struct users *members_users(const struct members *members, struct users *before)
{
    struct users *users = users_create(&members->conf, before);
    ck_assert_ptr_nonnull(users);
    users_put(&before);
    return users;
}

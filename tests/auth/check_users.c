/*
 * check_users.c - which user is found, what it may do where, what a reload leaves of it, and which
 * secret is known again.
 */
#include <check.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/auth/users_fixture.h"
#include "tests/support/suite.h"

enum {
    R = RIGHT_READ,
    W = RIGHT_WRITE,
    A = RIGHT_ADMIN | RIGHT_WATCH,
    MANY = 10000,
    MANY_PATTERNS = 1000,
};

static struct members members;
static struct users *users;

static void close_users(void)
{
    users_put(&users);
    ck_assert_ptr_null(users);
    members_clear(&members);
}

/* The members as they are now, and then none. */
static void reload(void)
{
    users = members_users(&members, users);
    members_clear(&members);
}

static const struct user *find(const char *name)
{
    return users_find(users, slice_of(name));
}

static unsigned rights(const char *ns)
{
    const struct user *user = find("ann");
    ck_assert_ptr_nonnull(user);
    return user_rights(user, slice_of(ns));
}

/* --- users ------------------------------------------------------------------ */

START_TEST(without_users_there_is_nobody)
{
    reload();
    ck_assert(users_is_empty(users));
    ck_assert_ptr_null(find("ann"));
    ck_assert_ptr_null(find(""));
    ck_assert_ptr_null(users_find_unix(users, 0));
}
END_TEST

START_TEST(a_user_is_found_by_its_whole_name)
{
    members_add(&members, "bob", "hash of bob", NULL);
    members_add(&members, "ann", NULL, NULL);
    members_add(&members, "anna", "hash of anna", NULL);
    reload();
    ck_assert(!users_is_empty(users));
    ck_assert(slice_equal(user_name(find("ann")), slice_of("ann")));
    ck_assert_ptr_null(user_hash(find("ann")));
    ck_assert_str_eq(user_hash(find("anna")), "hash of anna");
    ck_assert_str_eq(user_hash(find("bob")), "hash of bob");
    ck_assert_ptr_eq(users_find(users, (struct slice){"annabel", 4}), find("anna"));
    ck_assert_ptr_null(find("an"));
    ck_assert_ptr_null(find("annab"));
    ck_assert_ptr_null(find("Ann"));
    ck_assert_ptr_null(find(""));
    ck_assert_ptr_null(users_find(users, (struct slice){"ann\0", 4}));
}
END_TEST

START_TEST(many_users_are_told_apart)
{
    char name[16], hash[32], pattern[16];
    for (int i = 0; i < MANY; i++) {
        int mixed = (int)((long)i * 7919 % MANY); /* every one once, in no order */
        snprintf(name, sizeof name, "user%d", mixed);
        snprintf(hash, sizeof hash, "hash of %d", mixed);
        snprintf(pattern, sizeof pattern, "ns%d", mixed);
        members_add(&members, name, hash, NULL);
        members_allow(&members, R, pattern);
    }
    reload();
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "user%d", i);
        snprintf(hash, sizeof hash, "hash of %d", i);
        snprintf(pattern, sizeof pattern, "ns%d", i);
        const struct user *user = find(name);
        ck_assert_ptr_nonnull(user);
        ck_assert_str_eq(user_hash(user), hash);
        ck_assert_uint_eq(user_rights(user, slice_of(pattern)), R);
        ck_assert_uint_eq(user_rights(user, slice_of("ns")), 0);
    }
    ck_assert_ptr_null(find("user10000"));
}
END_TEST

/* The system users root and nobody are everywhere. */
START_TEST(a_process_is_known_by_its_unix_user)
{
    const struct passwd *entry = getpwnam("nobody");
    ck_assert_ptr_nonnull(entry);
    uid_t nobody = entry->pw_uid;

    members_add(&members, "zoe", NULL, "root");
    members_add(&members, "ann", "hash", NULL);
    members_add(&members, "bob", "hash", "nobody");
    reload();
    ck_assert_ptr_eq(users_find_unix(users, 0), find("zoe"));
    ck_assert_ptr_eq(users_find_unix(users, nobody), find("bob"));
    ck_assert_ptr_null(users_find_unix(users, nobody - 1));
    ck_assert_ptr_null(users_find_unix(users, nobody + 1));
    ck_assert_ptr_null(users_find_unix(users, 1));
}
END_TEST

START_TEST(of_two_with_one_unix_user_always_the_same_is_found)
{
    members_add(&members, "bob", NULL, "root");
    members_add(&members, "ann", NULL, "root");
    reload();
    ck_assert_ptr_eq(users_find_unix(users, 0), find("ann"));
    members_add(&members, "ann", NULL, "root");
    members_add(&members, "bob", NULL, "root");
    reload();
    ck_assert_ptr_eq(users_find_unix(users, 0), find("ann"));
}
END_TEST

START_TEST(a_unix_user_that_is_gone_is_said)
{
    members_add(&members, "ann", "hash", NULL);
    members_add(&members, "bob", NULL, "no such user here");
    members_allow(&members, R, "*");
    ck_assert_ptr_null(users_create(&members.conf, NULL));
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(users_last_as_long_as_somebody_holds_them)
{
    members_add(&members, "ann", "hash", NULL);
    reload();
    const struct user *ann = find("ann");
    struct users *held = users_get(users);

    ck_assert_ptr_eq(held, users);
    members_add(&members, "bob", "hash", NULL);
    reload();
    ck_assert_ptr_null(find("ann"));
    ck_assert_ptr_eq(users_find(held, slice_of("ann")), ann);
    ck_assert_str_eq(user_hash(ann), "hash");
    users_put(&held);
    users_put(&held);
}
END_TEST

/* --- what it may do -------------------------------------------------------- */

START_TEST(nothing_is_allowed_that_is_not_said)
{
    members_add(&members, "ann", "hash", NULL);
    reload();
    ck_assert_uint_eq(rights("web"), 0);
    ck_assert_uint_eq(rights(""), 0);
    ck_assert_uint_eq(user_rights_everywhere(find("ann")), 0);
}
END_TEST

START_TEST(a_name_means_itself)
{
    members_add(&members, "ann", "hash", NULL);
    members_allow(&members, R | W, "web");
    members_allow(&members, R, "shop");
    members_allow(&members, A, "web2");
    members_allow(&members, W, "shop");
    reload();
    ck_assert_uint_eq(rights("web"), R | W);
    ck_assert_uint_eq(rights("shop"), R | W);
    ck_assert_uint_eq(rights("web2"), A);
    ck_assert_uint_eq(rights("we"), 0);
    ck_assert_uint_eq(rights("web22"), 0);
    ck_assert_uint_eq(rights("Web"), 0);
    ck_assert_uint_eq(user_rights(find("ann"), (struct slice){"web2", 3}), R | W);
    ck_assert_uint_eq(user_rights(find("ann"), (struct slice){"web\0", 4}), 0);
}
END_TEST

START_TEST(a_star_at_the_end_means_what_begins_so)
{
    members_add(&members, "ann", "hash", NULL);
    members_allow(&members, R, "web-*");
    members_allow(&members, W, "web-shop*");
    members_allow(&members, A, "w**");
    reload();
    ck_assert_uint_eq(rights("web-"), R | A);
    ck_assert_uint_eq(rights("web-x"), R | A);
    ck_assert_uint_eq(rights("web-shop"), R | W | A);
    ck_assert_uint_eq(rights("web-shopping"), R | W | A);
    ck_assert_uint_eq(rights("web"), A);
    ck_assert_uint_eq(rights("v"), 0);
    ck_assert_uint_eq(rights(""), 0);
    ck_assert_uint_eq(user_rights_everywhere(find("ann")), 0);
}
END_TEST

START_TEST(any_other_pattern_is_a_glob)
{
    members_add(&members, "ann", "hash", NULL);
    members_allow(&members, R, "*-cache");
    members_allow(&members, W, "team[0-9]-*");
    members_allow(&members, A, "?");
    members_allow(&members, A, "a\\*");
    reload();
    ck_assert_uint_eq(rights("web-cache"), R);
    ck_assert_uint_eq(rights("team7-cache"), R | W);
    ck_assert_uint_eq(rights("team7-"), W);
    ck_assert_uint_eq(rights("teamx-"), 0);
    ck_assert_uint_eq(rights("a"), A);
    ck_assert_uint_eq(rights("a*"), A);
    ck_assert_uint_eq(rights("ab"), 0);
    ck_assert_uint_eq(rights("web-caches"), 0);
}
END_TEST

START_TEST(everywhere_is_what_a_star_alone_says)
{
    members_add(&members, "ann", "hash", NULL);
    members_allow(&members, R, "*");
    members_allow(&members, W, "web");
    members_allow(&members, A, "?*");
    reload();
    ck_assert_uint_eq(user_rights_everywhere(find("ann")), R);
    ck_assert_uint_eq(rights(""), R);
    ck_assert_uint_eq(rights("x"), R | A);
    ck_assert_uint_eq(rights("web"), R | W | A);

    members_add(&members, "ann", "hash", NULL);
    members_allow(&members, R | W | A, "*");
    reload();
    ck_assert_uint_eq(user_rights_everywhere(find("ann")), R | W | A);
    ck_assert_uint_eq(rights("anything"), R | W | A);
}
END_TEST

START_TEST(many_patterns_of_every_shape)
{
    char text[32];
    members_add(&members, "ann", "hash", NULL);
    for (int i = 0; i < MANY_PATTERNS; i++) {
        snprintf(text, sizeof text, "name%d", i);
        members_allow(&members, R, text);
        snprintf(text, sizeof text, "begin%d-*", i);
        members_allow(&members, W, text);
        snprintf(text, sizeof text, "*-end%d", i);
        members_allow(&members, A, text);
    }
    members_allow(&members, A, "name77");
    reload();
    for (int i = 0; i < MANY_PATTERNS; i++) {
        snprintf(text, sizeof text, "name%d", i);
        ck_assert_uint_eq(rights(text), i == 77 ? R | A : R);
        snprintf(text, sizeof text, "begin%d-end%d", i, MANY_PATTERNS - 1 - i);
        ck_assert_uint_eq(rights(text), W | A);
    }
    ck_assert_uint_eq(rights("name1000"), 0);
    ck_assert_uint_eq(rights("begin1000-x"), 0);
}
END_TEST

/* --- after a reload --------------------------------------------------------- */

static enum user_change follow(const char *name, bool by_secret)
{
    struct users *before = users_get(users);
    const struct user *user = find(name), *now = user;
    reload();
    enum user_change change = users_follow(users, user, by_secret, &now);
    ck_assert_ptr_eq(now, change == USER_SAME ? find(name) : NULL);
    users_put(&before);
    return change;
}

START_TEST(by_its_secret_it_goes_on_while_that_is_the_same)
{
    members_add(&members, "ann", "hash", "root");
    reload();
    members_add(&members, "aaron", "other", NULL); /* comes before */
    members_add(&members, "ann", "hash", "nobody");
    members_allow(&members, R, "*");
    ck_assert_int_eq(follow("ann", true), USER_SAME);
    ck_assert_uint_eq(user_rights_everywhere(find("ann")), R);
    members_add(&members, "ann", "hash2", "nobody");
    ck_assert_int_eq(follow("ann", true), USER_CHANGED);
    members_add(&members, "ann", NULL, "nobody");
    ck_assert_int_eq(follow("ann", true), USER_CHANGED);
    members_add(&members, "ann", NULL, "nobody");
    ck_assert_int_eq(follow("ann", true), USER_CHANGED);
    members_add(&members, "ann", "hash", NULL);
    ck_assert_int_eq(follow("ann", true), USER_CHANGED);
    members_add(&members, "anna", "hash", NULL);
    ck_assert_int_eq(follow("ann", true), USER_GONE);
}
END_TEST

START_TEST(by_its_unix_user_it_goes_on_while_that_is_the_same)
{
    members_add(&members, "ann", "hash", "root");
    reload();
    members_add(&members, "ann", "other", "root");
    ck_assert_int_eq(follow("ann", false), USER_SAME);
    members_add(&members, "ann", "other", "nobody");
    ck_assert_int_eq(follow("ann", false), USER_CHANGED);
    members_add(&members, "ann", "other", NULL);
    ck_assert_int_eq(follow("ann", false), USER_CHANGED);
    members_add(&members, "ann", "other", NULL);
    ck_assert_int_eq(follow("ann", false), USER_CHANGED);
    members_add(&members, "ann", "other", "root");
    ck_assert_int_eq(follow("ann", false), USER_CHANGED);
    ck_assert_int_eq(follow("ann", false), USER_GONE);
}
END_TEST

/* --- what was proved -------------------------------------------------------- */

static bool recalls(const char *name, const char *secret)
{
    return user_recalls(find(name), slice_of(secret));
}

START_TEST(what_was_proved_is_known_again)
{
    members_add(&members, "ann", "hash", NULL);
    members_add(&members, "bob", "hash", NULL);
    reload();
    ck_assert(!recalls("ann", "sesame"));
    ck_assert(!recalls("ann", ""));
    user_prove(find("ann"), slice_of("sesame"));
    ck_assert(recalls("ann", "sesame"));
    ck_assert(!recalls("ann", "sesam"));
    ck_assert(!recalls("ann", "sesame "));
    ck_assert(!recalls("ann", "Sesame"));
    ck_assert(!recalls("ann", ""));
    ck_assert(!recalls("bob", "sesame"));
    user_prove(find("ann"), slice_of("sesame"));
    ck_assert(recalls("ann", "sesame"));
}
END_TEST

START_TEST(of_two_secrets_the_first_one_is_kept)
{
    members_add(&members, "ann", "hash", NULL);
    reload();
    user_prove(find("ann"), slice_of("sesame"));
    user_prove(find("ann"), slice_of("sesame, and more than its hash looks at"));
    ck_assert(recalls("ann", "sesame"));
    ck_assert(!recalls("ann", "sesame, and more than its hash looks at"));
}
END_TEST

START_TEST(a_reload_keeps_it_while_the_hash_is_the_same)
{
    members_add(&members, "ann", "hash of ann", NULL);
    members_add(&members, "bob", "hash of bob", NULL);
    reload();
    user_prove(find("ann"), slice_of("sesame"));
    user_prove(find("bob"), slice_of("barley"));

    members_add(&members, "aaron", "hash of ann", NULL); /* has proved nothing */
    members_add(&members, "ann", "hash of ann", "root");
    members_add(&members, "bob", "hash of bob, with other salt", NULL);
    reload();
    ck_assert(!recalls("aaron", "sesame"));
    ck_assert(recalls("ann", "sesame"));
    ck_assert(!recalls("bob", "barley"));
    user_prove(find("bob"), slice_of("barley"));
    ck_assert(recalls("bob", "barley"));

    members_add(&members, "ann", NULL, "root");
    reload();
    ck_assert(!recalls("ann", "sesame"));
    members_add(&members, "ann", NULL, "root");
    reload();
    ck_assert(!recalls("ann", "sesame"));
}
END_TEST

/* What an arena file says of its namespaces has to mean the same user later. */
START_TEST(its_number_follows_from_the_name)
{
    members_add(&members, "ann", "hash of ann", NULL);
    members_add(&members, "bob", "hash of bob", NULL);
    reload();
    uint64_t ann = user_tag(find("ann"));
    ck_assert_uint_ne(ann, 0);
    ck_assert_uint_ne(user_tag(find("bob")), ann);
    close_users();
    members_add(&members, "ann", "another hash", "root");
    reload();
    ck_assert_uint_eq(user_tag(find("ann")), ann);
    ck_assert_uint_eq(ann, UINT64_C(0xe6f79d19051ffcb8));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("users");
    TCase *who = tcase_create("who");
    tcase_add_checked_fixture(who, NULL, close_users);
    tcase_add_test(who, without_users_there_is_nobody);
    tcase_add_test(who, a_user_is_found_by_its_whole_name);
    tcase_add_test(who, many_users_are_told_apart);
    tcase_add_test(who, a_process_is_known_by_its_unix_user);
    tcase_add_test(who, of_two_with_one_unix_user_always_the_same_is_found);
    tcase_add_test(who, a_unix_user_that_is_gone_is_said);
    tcase_add_test(who, users_last_as_long_as_somebody_holds_them);
    suite_add_tcase(suite, who);

    TCase *what = tcase_create("what");
    tcase_add_checked_fixture(what, NULL, close_users);
    tcase_add_test(what, nothing_is_allowed_that_is_not_said);
    tcase_add_test(what, a_name_means_itself);
    tcase_add_test(what, a_star_at_the_end_means_what_begins_so);
    tcase_add_test(what, any_other_pattern_is_a_glob);
    tcase_add_test(what, everywhere_is_what_a_star_alone_says);
    tcase_add_test(what, many_patterns_of_every_shape);
    suite_add_tcase(suite, what);

    TCase *later = tcase_create("later");
    tcase_add_checked_fixture(later, NULL, close_users);
    tcase_add_test(later, by_its_secret_it_goes_on_while_that_is_the_same);
    tcase_add_test(later, by_its_unix_user_it_goes_on_while_that_is_the_same);
    tcase_add_test(later, what_was_proved_is_known_again);
    tcase_add_test(later, of_two_secrets_the_first_one_is_kept);
    tcase_add_test(later, a_reload_keeps_it_while_the_hash_is_the_same);
    tcase_add_test(later, its_number_follows_from_the_name);
    suite_add_tcase(suite, later);

    return suite_run(suite);
}

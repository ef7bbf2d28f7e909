/*
 * check_secret.c - what may be a secret, which hash belongs to which, and what is no hash.
 */
#include "daemon/secret/secret.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/suite.h"

static char hash[SECRET_HASH_MAX];

/* Made by `openssl passwd -6`, which has SHA-crypt from elsewhere. */
static const char foreign[] = "$6$saltstring$jCZCf10n2UCglhcFN3ttiYtjPFeJ29s33sgSbZo43aUQ66CZobxPDK"
                              "s/c/2RJ.q84apEdxx23yz1uO.Jh49WH.";
static const char foreign_utf8[] =
    "$6$dX6NMKjA4Wg6lw7D$JlnTWo4PazPuvvzPv7W87NafXC0otXzLjSvVN7NGpDWFyGVXukKAVKs/mmPv3yrYjsz4mEw.p"
    "zDkmxRceli881";

START_TEST(a_secret_matches_its_hash_alone)
{
    static const char secret[] = "correct-horse";
    char wrong[sizeof secret + 1];
    ck_assert(secret_hash(slice_of(secret), hash));
    ck_assert(secret_matches(slice_of(secret), hash));
    for (size_t length = 0; length < strlen(secret); length++) {
        ck_assert(!secret_matches((struct slice){secret, length}, hash));
    }
    snprintf(wrong, sizeof wrong, "%s!", secret);
    ck_assert(!secret_matches(slice_of(wrong), hash));
    /* Beyond the length there is one that would match. */
    ck_assert(secret_matches((struct slice){wrong, strlen(secret)}, hash));
    wrong[0] ^= 1;
    ck_assert(!secret_matches((struct slice){wrong, strlen(secret)}, hash));
}
END_TEST

START_TEST(a_zero_byte_ends_no_secret)
{
    ck_assert(secret_hash(slice_of("open"), hash));
    ck_assert(!secret_matches((struct slice){"open\0sesame", 11}, hash));
    ck_assert(!secret_matches((struct slice){"open\0", 5}, hash));
}
END_TEST

START_TEST(each_hash_has_a_salt_of_its_own)
{
    char other[SECRET_HASH_MAX];
    ck_assert(secret_hash(slice_of("sesame"), hash));
    ck_assert(secret_hash(slice_of("sesame"), other));
    ck_assert_str_ne(hash, other);
    ck_assert(secret_matches(slice_of("sesame"), other));
}
END_TEST

START_TEST(a_foreign_hash_is_known)
{
    ck_assert(secret_matches(slice_of("Hello,world!"), foreign));
    ck_assert(!secret_matches(slice_of("Hello,world?"), foreign));
    ck_assert(secret_matches(slice_of("gr\xc3\xbcn"), foreign_utf8));
    ck_assert(!secret_matches(slice_of("gr\x43\x3cn"), foreign_utf8));
}
END_TEST

START_TEST(what_is_no_hash_matches_nothing)
{
    static const char *const none[] = {
        "",
        "$",
        "$$",
        "$y$",
        "$y$j9T$",
        "$9$salt$hash",
        "*0",
        "*1",
        "!",
        "$6$",
        "sesame",
        "$6$saltstring", /* a setting: crypt(3) would take it */
        "$6$saltstring$",
        "$y$j9T$j9jms9XQtxTOnBKJvnoPy1",
        "$6$salt string$abc",
        /* DES's, of "sesame12": eight bytes of a secret are all that it knows. */
        "saZaqhe7q00MY",
    };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        ck_assert_msg(!secret_matches(slice_of("sesame12"), none[i]), "%s", none[i]);
        ck_assert_msg(!secret_matches(slice_of("sesame"), none[i]), "%s", none[i]);
    }
}
END_TEST

START_TEST(every_byte_of_a_hash_counts)
{
    for (size_t i = 0; i < strlen(foreign); i++) {
        strcpy(hash, foreign);
        hash[i] = hash[i] == '.' ? '/' : '.';
        ck_assert_msg(!secret_matches(slice_of("Hello,world!"), hash), "%s", hash);
        strcpy(hash, foreign);
        hash[i] = '\0';
        ck_assert_msg(!secret_matches(slice_of("Hello,world!"), hash), "%s", hash);
    }
    snprintf(hash, sizeof hash, "%s.", foreign);
    ck_assert(!secret_matches(slice_of("Hello,world!"), hash));
}
END_TEST

START_TEST(the_longest_secret_counts_to_its_last_byte)
{
    char secret[SECRET_MAX + 1];
    const char *why = NULL;
    for (size_t i = 0; i < sizeof secret; i++) {
        secret[i] = (char)(i < 128 ? 0x80 + i : '!' + i % 90);
    }
    ck_assert(secret_hash((struct slice){secret, SECRET_MAX}, hash));
    ck_assert_uint_lt(strlen(hash), SECRET_HASH_MAX);
    ck_assert(secret_matches((struct slice){secret, SECRET_MAX}, hash));
    ck_assert(!secret_matches((struct slice){secret, SECRET_MAX - 1}, hash));
    secret[SECRET_MAX - 1] ^= 1;
    ck_assert(!secret_matches((struct slice){secret, SECRET_MAX}, hash));

    ck_assert(!secret_is_possible((struct slice){secret, SECRET_MAX + 1}, &why));
    ck_assert_str_eq(why, "it is longer than 256 bytes");
    errno = 0;
    ck_assert(!secret_hash((struct slice){secret, SECRET_MAX + 1}, hash));
    ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(bytes_of_a_secret)
{
    for (int byte = 0; byte < 256; byte++) {
        char secret[] = {'a', (char)byte, 'b'};
        const char *why = NULL;
        bool possible = byte > ' ' && byte != 0x7f;
        ck_assert_int_eq(secret_is_possible((struct slice){secret, 3}, &why), possible);
        ck_assert_int_eq(why == NULL, possible);
        if (!possible) {
            ck_assert_str_eq(why, "it has white space or a control character in it");
            ck_assert(!secret_hash((struct slice){secret, 3}, hash));
        }
    }
    const char *why = NULL;
    ck_assert(!secret_is_possible((struct slice){NULL, 0}, &why));
    ck_assert_str_eq(why, "it is empty");
    ck_assert(!secret_hash((struct slice){NULL, 0}, hash));
}
END_TEST

/* Method and cost stand before the third `$`: what takes the same time has the same. */
START_TEST(nobodys_takes_as_long_as_others)
{
    ck_assert(secret_hash(slice_of("sesame"), hash));
    ck_assert_uint_eq(strlen(secret_of_no_user), strlen(hash));
    const char *cost = strchr(hash + 3, '$');
    ck_assert_ptr_nonnull(cost);
    ck_assert_int_eq(strncmp(secret_of_no_user, hash, (size_t)(cost - hash) + 1), 0);
    ck_assert(!secret_matches(slice_of("sesame"), secret_of_no_user));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("secret");
    TCase *secrets_case = tcase_create("secrets");
    tcase_set_timeout(secrets_case, 120);
    tcase_add_test(secrets_case, a_secret_matches_its_hash_alone);
    tcase_add_test(secrets_case, a_zero_byte_ends_no_secret);
    tcase_add_test(secrets_case, each_hash_has_a_salt_of_its_own);
    tcase_add_test(secrets_case, a_foreign_hash_is_known);
    tcase_add_test(secrets_case, what_is_no_hash_matches_nothing);
    tcase_add_test(secrets_case, every_byte_of_a_hash_counts);
    tcase_add_test(secrets_case, the_longest_secret_counts_to_its_last_byte);
    tcase_add_test(secrets_case, bytes_of_a_secret);
    tcase_add_test(secrets_case, nobodys_takes_as_long_as_others);
    suite_add_tcase(suite, secrets_case);

    return suite_run(suite);
}

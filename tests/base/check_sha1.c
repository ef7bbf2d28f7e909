/*
 * check_sha1.c - the digests that FIPS 180 and RFC 3174 publish, and messages in pieces.
 */
#include "daemon/base/sha1.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/suite.h"

static const struct {
    const char *message;
    unsigned times;
    const char *digest;
} vectors[] = {
    {"", 1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    {"abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
     "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    {"a", 1000000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
    {"0123456701234567012345670123456701234567012345670123456701234567", 10,
     "dea356a2cddd90c7a7ecedc5ebb563934f460452"},
};

static void write_hex(struct sha1 *sha1, char hex[2 * SHA1_BYTES + 1])
{
    unsigned char digest[SHA1_BYTES];
    sha1_end(sha1, digest);
    for (size_t i = 0; i < SHA1_BYTES; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
}

START_TEST(it_is_the_published_one)
{
    char hex[2 * SHA1_BYTES + 1];
    struct sha1 sha1;
    sha1_begin(&sha1);
    for (unsigned i = 0; i < vectors[_i].times; i++) {
        sha1_add(&sha1, slice_of(vectors[_i].message));
    }
    write_hex(&sha1, hex);
    ck_assert_str_eq(hex, vectors[_i].digest);
}
END_TEST

/* Lengths around the ends of blocks, cut at every place. */
START_TEST(pieces_make_no_difference)
{
    enum { LENGTH = 200 };
    char message[LENGTH], whole[2 * SHA1_BYTES + 1], cut[2 * SHA1_BYTES + 1];
    struct sha1 sha1;
    for (size_t i = 0; i < LENGTH; i++) {
        message[i] = (char)(i * 7);
    }
    for (size_t length = 0; length <= LENGTH; length++) {
        sha1_begin(&sha1);
        sha1_add(&sha1, (struct slice){message, length});
        write_hex(&sha1, whole);
        for (size_t at = 0; at <= length; at++) {
            sha1_begin(&sha1);
            sha1_add(&sha1, (struct slice){message, at});
            sha1_add(&sha1, (struct slice){message + at, length - at});
            write_hex(&sha1, cut);
            ck_assert_str_eq(cut, whole);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sha1");
    TCase *tcase = tcase_create("sha1");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, it_is_the_published_one, 0, sizeof vectors / sizeof vectors[0]);
    tcase_add_test(tcase, pieces_make_no_difference);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

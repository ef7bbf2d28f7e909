/*
 * check_siphash.c - the hash that its authors published, and what it must tell apart.
 */
#include "daemon/base/siphash.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/suite.h"

/* Of the reference implementation's vectors for 128 bits: the key is the bytes 0 to 15, the
 * input the bytes 0, 1, 2 and so on. Lengths around a word's end, and the longest. */
static const struct {
    size_t length;
    const char *hash;
} vectors[] = {
    {0, "a3817f04ba25a8e66df67214c7550293"},  {1, "da87c1d86b99af44347659119b22fc45"},
    {7, "a1f1ebbed8dbc153c0b84aa61ff08239"},  {8, "3b62a9ba6258f5610f83e264f31497b4"},
    {15, "5493e99933b0a8117e08ec0f97cfc3d9"}, {16, "6ee2a4ca67b054bbfd3315bf85230577"},
    {63, "5150d1772f50834a503e069a973fbd7c"},
};
enum { VECTORS = sizeof vectors / sizeof vectors[0] };

/* Likewise of SipHash-1-3 with 64 bits; the first 8 bytes of the input are the salt. */
static const struct {
    size_t length;
    const char *hash;
} short_vectors[] = {
    {8, "8e9a298d11959036"},  {9, "e43d066cb38ea425"},  {15, "5699512a6dd820d3"},
    {16, "668b907d1add4fcc"}, {17, "0cd8db639068f29c"}, {63, "a8b3bbb76290199d"},
};
enum { SHORT_VECTORS = sizeof short_vectors / sizeof short_vectors[0] };

static struct siphash_key counting_key(void)
{
    return (struct siphash_key){UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
}

START_TEST(it_is_the_published_one)
{
    char input[64], text[33];
    struct siphash_key key = counting_key();
    for (size_t i = 0; i < sizeof input; i++) {
        input[i] = (char)i;
    }
    struct siphash_hash hash = siphash24_128(&key, (struct slice){input, vectors[_i].length});
    snprintf(text, sizeof text, "%016llx%016llx", (unsigned long long)__builtin_bswap64(hash.low),
             (unsigned long long)__builtin_bswap64(hash.high));
    ck_assert_str_eq(text, vectors[_i].hash);
}
END_TEST

START_TEST(the_short_one_is_the_published_one)
{
    char input[64], text[17];
    struct siphash_key key = counting_key();
    for (size_t i = 0; i < sizeof input; i++) {
        input[i] = (char)i;
    }
    struct slice behind_salt = {input + 8, short_vectors[_i].length - 8};
    uint64_t hash = siphash13_64(&key, UINT64_C(0x0706050403020100), behind_salt);
    snprintf(text, sizeof text, "%016llx", (unsigned long long)__builtin_bswap64(hash));
    ck_assert_str_eq(text, short_vectors[_i].hash);
}
END_TEST

START_TEST(every_bit_of_key_and_input_counts)
{
    char input[] = "correct-horse-battery";
    struct siphash_key key = counting_key(), other;
    struct slice bytes = {input, sizeof input};
    struct siphash_hash hash = siphash24_128(&key, bytes);
    for (size_t bit = 0; bit < 8 * sizeof input; bit++) {
        input[bit / 8] = (char)(input[bit / 8] ^ 1 << bit % 8);
        ck_assert(!siphash_equal(hash, siphash24_128(&key, bytes)));
        input[bit / 8] = (char)(input[bit / 8] ^ 1 << bit % 8);
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        other = (struct siphash_key){key.k0 ^ UINT64_C(1) << bit, key.k1};
        ck_assert(!siphash_equal(hash, siphash24_128(&other, bytes)));
        other = (struct siphash_key){key.k0, key.k1 ^ UINT64_C(1) << bit};
        ck_assert(!siphash_equal(hash, siphash24_128(&other, bytes)));
    }
    ck_assert(siphash_equal(hash, siphash24_128(&key, bytes)));
}
END_TEST

START_TEST(every_bit_is_compared)
{
    const struct siphash_hash hash = {UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210)};
    ck_assert(siphash_equal(hash, hash));
    for (unsigned bit = 0; bit < 64; bit++) {
        struct siphash_hash other = {hash.low ^ UINT64_C(1) << bit, hash.high};
        ck_assert(!siphash_equal(hash, other));
        other = (struct siphash_hash){hash.low, hash.high ^ UINT64_C(1) << bit};
        ck_assert(!siphash_equal(hash, other));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("siphash");
    TCase *hash = tcase_create("hash");
    tcase_add_loop_test(hash, it_is_the_published_one, 0, VECTORS);
    tcase_add_loop_test(hash, the_short_one_is_the_published_one, 0, SHORT_VECTORS);
    tcase_add_test(hash, every_bit_of_key_and_input_counts);
    tcase_add_test(hash, every_bit_is_compared);
    suite_add_tcase(suite, hash);

    return suite_run(suite);
}

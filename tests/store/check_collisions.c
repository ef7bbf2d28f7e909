/*
 * check_collisions.c - keys that were chosen to collide.
 *
 * An attacker with the secret of the hash could choose keys that fall into few buckets,
 * and every lookup would walk a long chain of them. The secret is random for each store, so
 * that keys which collide under one are as any others under the next. Prints the longest
 * chain, in slots, under both.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "daemon/base/siphash.h"
#include "daemon/store/index/index.h"
#include "tests/support/suite.h"

enum {
    KEYS_MOST = 1000000,
    CHAIN_SOUND = 50, /* slots, where eight keys belong */
    CASE_TIMEOUT = 300,
};

/* All keys' hashes under the known secret end in so many zeros. */
enum {
    ZEROS = 6,
    KEYS_KNOWN = 10000, /* under it, since inserting takes the square of them */
    CHAIN_AIMED = 1000, /* at least so many slots then, else this shows nothing */
};

static const struct siphash_key known = {UINT64_C(0x0123456789abcdef), 42};
static const uint64_t salt = 1;

static uint32_t names[KEYS_MOST]; /* a key is made from its name */
static uint64_t hashes[KEYS_MOST];

static uint64_t hash_of(const struct siphash_key *secret, uint32_t name)
{
    char key[16];
    int length = snprintf(key, sizeof key, "%x", name);
    return siphash13_64(secret, salt, (struct slice){key, (size_t)length});
}

static void choose(void)
{
    uint64_t mask = (UINT64_C(1) << ZEROS) - 1;
    uint32_t name = 0;
    for (uint32_t i = 0; i < KEYS_MOST; name++) {
        if ((hash_of(&known, name) & mask) == 0) {
            names[i++] = name;
        }
    }
}

static uint64_t hash_at(const void *context, uint32_t place)
{
    (void)context;
    return hashes[place - 1];
}

static void fetch_at(const void *context, uint32_t place)
{
    (void)context;
    (void)place;
}

static void insert(struct index *index, uint32_t place)
{
    struct slot slot;
    struct bucket *bucket = index_lock(index, hashes[place - 1]);
    if (!index_free_slot(index, bucket, &slot)) {
        ck_abort_msg("no memory");
    }
    index_fill(index, &slot, hashes[place - 1], place);
    index_unlock(bucket);
    index_grow(index);
}

static uint64_t longest_chain(const struct index *index)
{
    uint64_t longest = 0;
    for (uint64_t i = 0; i < index->size; i++) {
        uint64_t length = 0;
        for (struct slot slot = index_slots(&index->buckets[i]); index_next_filled(index, &slot);) {
            length++;
        }
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* The longest chain of an index of all those keys. */
static uint64_t chain_under(const struct siphash_key *secret, uint32_t keys)
{
    struct budget budget = {.limit = UINT64_C(1) << 30};
    struct index index;
    struct index_records records = {.hash_at = hash_at, .fetch_at = fetch_at};
    ck_assert(index_init(&index, KEYS_MOST, KEYS_MOST, &budget, records));
    for (uint32_t i = 0; i < keys; i++) {
        hashes[i] = hash_of(secret, names[i]);
    }
    for (uint32_t i = 0; i < keys; i++) {
        insert(&index, i + 1);
    }
    uint64_t longest = longest_chain(&index);
    index_deinit(&index);
    return longest;
}

START_TEST(they_collide_under_no_other_secret)
{
    struct siphash_key secret;
    ck_assert_int_eq(getrandom(&secret, sizeof secret, 0), sizeof secret);
    choose();
    uint64_t aimed = chain_under(&known, KEYS_KNOWN);
    uint64_t sound = chain_under(&secret, KEYS_MOST);
    printf("longest chain: %lu slots with %d keys chosen to collide under a known secret, %lu "
           "with %d under another\n",
           aimed, KEYS_KNOWN, sound, KEYS_MOST);
    ck_assert_uint_ge(aimed, CHAIN_AIMED);
    ck_assert_msg(sound <= CHAIN_SOUND, "%lu slots, with the secret %lx %lx", sound, secret.k0,
                  secret.k1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("collisions");
    TCase *tcase = tcase_create("keys");
    tcase_set_timeout(tcase, CASE_TIMEOUT);
    tcase_add_test(tcase, they_collide_under_no_other_secret);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

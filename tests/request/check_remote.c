/*
 * check_remote.c - keys, values and versions as they are in a cluster.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/request/remote_key.h"
#include "daemon/request/remote_value.h"
#include "tests/support/suite.h"

static void expect_key(const char *ns, const char *key, const char *wanted)
{
    struct remote_key made;
    remote_key_make(&made, slice_of(ns), slice_of(key));
    ck_assert_msg(slice_equal(remote_key_slice(&made), slice_of(wanted)), "%.*s is not %s",
                  (int)made.length, made.bytes, wanted);
    ck_assert(slice_equal((struct slice){made.bytes + made.prefix, made.length - made.prefix},
                          slice_of(key)));
}

/* The slot is that of the hash tag, as nodes compute it. */
static unsigned slot_of_tag(const struct remote_key *key)
{
    const char *end = memchr(key->bytes, '}', key->length);
    struct slice tag = {key->bytes + 1, (size_t)(end - key->bytes) - 1};
    return cluster_crc16(0, tag) % CLUSTER_SLOTS;
}

START_TEST(keys_have_their_namespace_and_bucket_before_them)
{
    expect_key("sessions", "alice", "{sessions.ed}alice");
    expect_key("s", "123456789", "{s.c3}123456789"); /* the check value of the CRC is 31C3 */
    expect_key("a}b%c", "123456789", "{a%7Db%25c.c3}123456789");
    expect_key("s", "{x}y", "{s.78}{x}y");
}
END_TEST

START_TEST(a_slot_is_that_of_the_tag)
{
    static const char *const names[] = {"a", "sessions", "}", "%%}}", "a.b"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        for (unsigned bucket = 0; bucket < REMOTE_BUCKETS; bucket++) {
            struct remote_key key;
            remote_key_bucket(&key, slice_of(names[i]), bucket);
            ck_assert_uint_eq(key.slot, slot_of_tag(&key));
            ck_assert_uint_eq(key.length, key.prefix);
        }
    }
}
END_TEST

/* No name is so long that it does not fit with everything escaped. */
START_TEST(the_longest_key_fits)
{
    char ns[REQUEST_NAMESPACE_MAX], name[REQUEST_KEY_MAX];
    struct remote_key key;
    memset(ns, '}', sizeof ns);
    memset(name, 'k', sizeof name);
    remote_key_make(&key, (struct slice){ns, sizeof ns}, (struct slice){name, sizeof name});
    ck_assert_uint_eq(key.length, REMOTE_KEY_MAX);
}
END_TEST

static void expect_round_trip(uint32_t flags, struct slice value, size_t head_size)
{
    char stored[64];
    uint32_t read = 1;
    size_t head = remote_value_head(flags, value, stored);
    ck_assert_uint_eq(head, head_size);
    memcpy(stored + head, value.bytes, value.length);
    struct slice back = remote_value_split((struct slice){stored, head + value.length}, &read);
    ck_assert(slice_equal(back, value));
    ck_assert_uint_eq(read, flags);
}

START_TEST(flags_stand_before_a_value_only_where_they_must)
{
    expect_round_trip(0, slice_of("42"), 0);
    expect_round_trip(0, slice_of(""), 0);
    expect_round_trip(1, slice_of("42"), REMOTE_HEAD);
    expect_round_trip(UINT32_MAX, slice_of(""), REMOTE_HEAD);
    expect_round_trip(0, slice_of("\xf8"), REMOTE_HEAD);
    expect_round_trip(0, (struct slice){"\xf8\x01\0\0\0\0", 6}, REMOTE_HEAD);
    expect_round_trip(7, (struct slice){"\xf8\x01\0\0\0\0x", 7}, REMOTE_HEAD);
}
END_TEST

/* Other clients' values that begin with the first byte of a head, and are none. */
START_TEST(what_only_looks_like_a_head_is_a_value)
{
    uint32_t flags = 1;
    struct slice value = {"\xf8\x01\0\0\0", 5};
    ck_assert(slice_equal(remote_value_split(value, &flags), value));
    value = (struct slice){"\xf8\x02\0\0\0\0", 6};
    ck_assert(slice_equal(remote_value_split(value, &flags), value));
    ck_assert_uint_eq(flags, 0);
}
END_TEST

START_TEST(a_version_follows_from_head_and_value)
{
    char digits[REMOTE_VERSION_DIGITS];
    uint64_t version = remote_value_version(slice_of("a"), slice_of("bc"));
    ck_assert(version == UINT64_C(0xa9993e364706816a)); /* SHA-1 of "abc" */
    ck_assert(version == remote_value_version(slice_of(""), slice_of("abc")));
    remote_value_digits(version, digits);
    ck_assert_mem_eq(digits, "a9993e364706816a", sizeof digits);
    ck_assert(remote_value_parse_version((struct slice){digits, sizeof digits}) == version);
    ck_assert(remote_value_parse_version(slice_of("")) == 0);
    ck_assert(remote_value_parse_version(slice_of("a9993e364706816g")) == 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("remote");
    TCase *table = tcase_create("remote");
    tcase_add_test(table, keys_have_their_namespace_and_bucket_before_them);
    tcase_add_test(table, a_slot_is_that_of_the_tag);
    tcase_add_test(table, the_longest_key_fits);
    tcase_add_test(table, flags_stand_before_a_value_only_where_they_must);
    tcase_add_test(table, what_only_looks_like_a_head_is_a_value);
    tcase_add_test(table, a_version_follows_from_head_and_value);
    suite_add_tcase(suite, table);
    return suite_run(suite);
}

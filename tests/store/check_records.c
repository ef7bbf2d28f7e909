/*
 * check_records.c - single records: what each call answers, values and keys of
 * every size around the boundaries, counters.
 */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum { MANY = 200000, LARGEST = 64 * FIXTURE_MIB };

static struct fixture fixture;

static void setup(void)
{
    fixture_open(&fixture, 64 * FIXTURE_MIB, FIXTURE_MIB);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

START_TEST(a_record_is_put_and_got)
{
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_DEFAULT, "value"));
    fixture_expect(&fixture, "ns", "key", "value");
    fixture_expect(&fixture, "ns", "key", "value");
    fixture_expect_left(&fixture, "ns", "key", FIXTURE_NEVER);
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
    uint64_t number;
    for (int round = 0; round < 2; round++) {
        fixture_expect_gone(&fixture, "ns", "key");
        ck_assert_int_eq(fixture_delete(&fixture, "ns", "key"), STORE_NOT_FOUND);
        ck_assert_int_eq(fixture_touch(&fixture, "ns", "key", TTL_FOR(1000)), STORE_NOT_FOUND);
        ck_assert_int_eq(fixture_incr(&fixture, "ns", "key", 1, &number), STORE_NOT_FOUND);
        ck_assert_int_eq(fixture_decr(&fixture, "ns", "key", 1, &number), STORE_NOT_FOUND);
        FIXTURE_OK(fixture_put(&fixture, "ns", "other", TTL_DEFAULT, "value"));
    }
}
END_TEST

START_TEST(reading_makes_no_namespace)
{
    struct store_namespace_stats stats;
    uint64_t left;
    ck_assert(!fixture_has(&fixture, "ghost", "key"));
    ck_assert_int_eq(fixture_left(&fixture, "ghost", "key", &left), STORE_NOT_FOUND);
    ck_assert_int_eq(fixture_delete(&fixture, "ghost", "key"), STORE_NOT_FOUND);
    ck_assert_int_eq(fixture_namespace(&fixture, "ghost", &stats), STORE_NOT_FOUND);
}
END_TEST

START_TEST(the_last_put_counts)
{
    char value[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(value, sizeof value, "%.*s", i % 30, "abcdefghijklmnopqrstuvwxyz012345");
        FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_DEFAULT, value));
        fixture_expect(&fixture, "ns", "key", value);
    }
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), 1);
}
END_TEST

START_TEST(add_writes_only_where_nothing_is)
{
    FIXTURE_OK(fixture_add(&fixture, "ns", "key", TTL_FOR(500), "first"));
    ck_assert_int_eq(fixture_add(&fixture, "ns", "key", TTL_FOR(9000), "second"), STORE_EXISTS);
    fixture_expect(&fixture, "ns", "key", "first");
    fixture_expect_left(&fixture, "ns", "key", 500);
    fixture_wait(&fixture, 499);
    ck_assert_int_eq(fixture_add(&fixture, "ns", "key", TTL_DEFAULT, "third"), STORE_EXISTS);
    fixture_outlive(&fixture, 1);
    FIXTURE_OK(fixture_add(&fixture, "ns", "key", TTL_DEFAULT, "fourth"));
    fixture_expect(&fixture, "ns", "key", "fourth");
    FIXTURE_OK(fixture_delete(&fixture, "ns", "key"));
    FIXTURE_OK(fixture_add(&fixture, "ns", "key", TTL_DEFAULT, "fifth"));
    fixture_expect(&fixture, "ns", "key", "fifth");
}
END_TEST

START_TEST(a_deleted_record_stays_deleted)
{
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_FOR(500), "old"));
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_DEFAULT, "new"));
    FIXTURE_OK(fixture_delete(&fixture, "ns", "key"));
    fixture_expect_gone(&fixture, "ns", "key");
    ck_assert_int_eq(fixture_delete(&fixture, "ns", "key"), STORE_NOT_FOUND);
    fixture_housekeep(&fixture);
    fixture_expect_gone(&fixture, "ns", "key");
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), 0);
}
END_TEST

START_TEST(an_expired_record_cannot_be_deleted)
{
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_FOR(500), "value"));
    fixture_outlive(&fixture, 500);
    ck_assert_int_eq(fixture_delete(&fixture, "ns", "key"), STORE_NOT_FOUND);
}
END_TEST

START_TEST(one_key_in_two_namespaces_is_two_records)
{
    FIXTURE_OK(fixture_put(&fixture, "a", "key", TTL_FOR(1000), "in a"));
    FIXTURE_OK(fixture_put(&fixture, "b", "key", TTL_FOR(2000), "in b"));
    FIXTURE_OK(fixture_add(&fixture, "c", "key", TTL_NEVER, "7"));
    fixture_expect(&fixture, "a", "key", "in a");
    fixture_expect(&fixture, "b", "key", "in b");
    fixture_expect_left(&fixture, "a", "key", 1000);
    fixture_expect_left(&fixture, "b", "key", 2000);
    fixture_expect_left(&fixture, "c", "key", FIXTURE_NEVER);
    FIXTURE_OK(fixture_touch(&fixture, "a", "key", TTL_FOR(500)));
    fixture_expect_left(&fixture, "b", "key", 2000);
    fixture_outlive(&fixture, 500);
    fixture_housekeep(&fixture);
    fixture_expect_gone(&fixture, "a", "key");
    fixture_expect(&fixture, "b", "key", "in b");
    ck_assert_uint_eq(fixture_flush(&fixture, "b"), 1);
    fixture_expect_gone(&fixture, "b", "key");
    fixture_expect(&fixture, "c", "key", "7");
    FIXTURE_OK(fixture_put(&fixture, "a", "key", TTL_DEFAULT, "again"));
    FIXTURE_OK(fixture_delete(&fixture, "c", "key"));
    fixture_expect(&fixture, "a", "key", "again");
}
END_TEST

START_TEST(name_and_key_do_not_run_together)
{
    FIXTURE_OK(fixture_put(&fixture, "ab", "c", TTL_DEFAULT, "ab c"));
    FIXTURE_OK(fixture_put(&fixture, "a", "bc", TTL_DEFAULT, "a bc"));
    fixture_expect(&fixture, "ab", "c", "ab c");
    fixture_expect(&fixture, "a", "bc", "a bc");
    fixture_expect_gone(&fixture, "ab", "bc");
    fixture_expect_gone(&fixture, "a", "c");
}
END_TEST

START_TEST(names_of_every_length)
{
    char name[STORE_NAMESPACE_MAX + 1];
    for (size_t length = 1; length <= STORE_NAMESPACE_MAX; length++) {
        memset(name, 'n', length);
        struct slice slice = {name, length};
        FIXTURE_OK(fixture_put_bytes(&fixture, slice, slice_of("key"), TTL_DEFAULT,
                                     (struct slice){name, length}));
    }
    for (size_t length = 1; length <= STORE_NAMESPACE_MAX; length++) {
        struct slice slice = {name, length};
        fixture_expect_bytes(&fixture, slice, slice_of("key"), slice);
    }
}
END_TEST

START_TEST(client_flags_are_kept)
{
    static const uint32_t flags[] = {0, 1, 255, 65536, UINT32_MAX, 0};
    struct store_key at;
    struct store_view view;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        store_enter(fixture.thread);
        FIXTURE_OK(store_locate(fixture.thread, slice_of("ns"), slice_of("key"), &at));
        struct store_terms terms = {.ttl = TTL_FOR(5000), .client_flags = flags[i]};
        FIXTURE_OK(store_put(fixture.thread, &at, &terms, slice_of("value"), fixture.now, NULL));
        store_leave(fixture.thread);
        fixture_expect_left(&fixture, "ns", "key", 5000);
        FIXTURE_OK(fixture_touch(&fixture, "ns", "key", TTL_NEVER));
        FIXTURE_OK(fixture_get(&fixture, "ns", "key", &view));
        fixture_give_back(&view);
        ck_assert_uint_eq(view.client_flags, flags[i]);
        fixture_expect(&fixture, "ns", "key", "value");
    }
}
END_TEST

/* --- sizes -------------------------------------------------------------- */

static const size_t sizes[] = {
    0,      1,      2,      3,      7,      8,       15,      16,    63,    64,     65,
    126,    127,    128,    129,    130,    254,     255,     256,   257,   258,    1023,
    1024,   1025,   4095,   4096,   4097,   8191,    8192,    8193,  16383, 16384,  16385,
    32767,  32768,  65519,  65535,  65536,  65537,   81920,   98304, 99999, 131071, 131072,
    131073, 262143, 262144, 262145, 524289, 1048575, 1048576,
};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Every value alone, put over another one of every kind, and deleted. */
START_TEST(values_of_every_size)
{
    size_t length = sizes[_i];
    size_t before = sizes[(_i * 7 + 3) % SIZES];
    FIXTURE_OK(fixture_put_pattern(&fixture, "ns", "key", TTL_DEFAULT, before, 1));
    fixture_expect_pattern(&fixture, "ns", "key", before, 1);
    FIXTURE_OK(fixture_put_pattern(&fixture, "ns", "key", TTL_FOR(777), length, 2));
    fixture_expect_pattern(&fixture, "ns", "key", length, 2);
    fixture_expect_left(&fixture, "ns", "key", 777);
    fixture_check(&fixture);
    fixture_outlive(&fixture, 777);
    fixture_expect_gone(&fixture, "ns", "key");
    FIXTURE_OK(fixture_put_pattern(&fixture, "ns", "key", TTL_DEFAULT, length, 3));
    fixture_expect_pattern(&fixture, "ns", "key", length, 3);
    FIXTURE_OK(fixture_delete(&fixture, "ns", "key"));
    fixture_expect_gone(&fixture, "ns", "key");
    fixture_housekeep(&fixture);
    ck_assert_uint_eq(fixture_figures(&fixture).items, 0);
    ck_assert_uint_eq(fixture_figures(&fixture).bytes, 0);
}
END_TEST

START_TEST(values_of_all_sizes_at_once)
{
    char key[32];
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < SIZES; i++) {
            snprintf(key, sizeof key, "key%zu", i);
            FIXTURE_OK(
                fixture_put_pattern(&fixture, "ns", key, TTL_DEFAULT, sizes[i], i + (size_t)round));
        }
        for (size_t i = 0; i < SIZES; i++) {
            snprintf(key, sizeof key, "key%zu", i);
            fixture_expect_pattern(&fixture, "ns", key, sizes[i], i + (size_t)round);
        }
        fixture_housekeep(&fixture);
    }
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), SIZES);
}
END_TEST

/* Places a record of each size behind others, so that every remainder of a
 * segment is met. */
START_TEST(values_near_a_segments_end)
{
    uint64_t segment = fixture_figures(&fixture).segment_size;
    char key[32];
    for (size_t i = 0; i < 300; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        size_t length = (size_t)segment / 3 + i;
        FIXTURE_OK(fixture_put_pattern(&fixture, "ns", key, TTL_DEFAULT, length, i));
        fixture_expect_pattern(&fixture, "ns", key, length, i);
        snprintf(key, sizeof key, "old%zu", i);
        FIXTURE_OK(fixture_put_pattern(&fixture, "ns", key, TTL_FOR(5), i, i));
        if (i >= 40) {
            snprintf(key, sizeof key, "key%zu", i - 40);
            fixture_expect_pattern(&fixture, "ns", key, (size_t)segment / 3 + i - 40, i - 40);
            FIXTURE_OK(fixture_delete(&fixture, "ns", key));
        }
        fixture_outlive(&fixture, 1);
    }
    fixture_check(&fixture);
}
END_TEST

START_TEST(keys_of_every_length)
{
    static const size_t values[] = {0, 1, 100, 254, 300, 5000, 20000};
    char key[STORE_KEY_MAX + 1] = "";
    size_t at;
    for (size_t length = 1; length <= STORE_KEY_MAX; length++) {
        memset(key, 'k', length);
        at = values[length % 7];
        FIXTURE_OK(fixture_put_pattern(&fixture, "ns", key, TTL_DEFAULT, at, length));
    }
    for (size_t length = 1; length <= STORE_KEY_MAX; length++) {
        key[length] = '\0';
        fixture_expect_pattern(&fixture, "ns", key, values[length % 7], length);
        key[length] = 'k';
    }
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), STORE_KEY_MAX);
}
END_TEST

START_TEST(keys_and_values_are_any_bytes)
{
    char bytes[256];
    struct slice name = slice_of("ns");
    for (int i = 0; i < 256; i++) {
        bytes[i] = (char)i;
    }
    for (size_t i = 0; i < 256; i++) {
        struct slice key = {bytes + i, 1 + i % 3 > 256 - i ? 256 - i : 1 + i % 3};
        FIXTURE_OK(fixture_put_bytes(&fixture, name, key, TTL_DEFAULT,
                                     (struct slice){bytes + i / 2, i / 2}));
    }
    FIXTURE_OK(fixture_put_bytes(&fixture, name, (struct slice){"a\0b", 3}, TTL_DEFAULT,
                                 (struct slice){"x\0y", 3}));
    FIXTURE_OK(fixture_put(&fixture, "ns", "a", TTL_DEFAULT, "x"));
    for (size_t i = 0; i < 256; i++) {
        struct slice key = {bytes + i, 1 + i % 3 > 256 - i ? 256 - i : 1 + i % 3};
        fixture_expect_bytes(&fixture, name, key, (struct slice){bytes + i / 2, i / 2});
    }
    fixture_expect_bytes(&fixture, name, (struct slice){"a\0b", 3}, (struct slice){"x\0y", 3});
    fixture_expect(&fixture, "ns", "a", "x");
}
END_TEST

START_TEST(too_large_a_value_leaves_the_old_one)
{
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_FOR(900), "old"));
    ck_assert_int_eq(fixture_put_pattern(&fixture, "ns", "key", TTL_DEFAULT, FIXTURE_MIB + 1, 1),
                     STORE_TOO_LARGE);
    fixture_expect(&fixture, "ns", "key", "old");
    fixture_expect_left(&fixture, "ns", "key", 900);
    ck_assert_int_eq(fixture_put_pattern(&fixture, "ns", "fresh", TTL_DEFAULT, 2 * FIXTURE_MIB, 1),
                     STORE_TOO_LARGE);
    fixture_expect_gone(&fixture, "ns", "fresh");
    FIXTURE_OK(fixture_put_pattern(&fixture, "ns", "key", TTL_DEFAULT, FIXTURE_MIB, 1));
    fixture_expect_pattern(&fixture, "ns", "key", FIXTURE_MIB, 1);
}
END_TEST

START_TEST(a_megabyte_fits_the_smallest_memory)
{
    struct fixture small;
    fixture_open(&small, STORE_MEMORY_MIN, FIXTURE_MIB);
    for (uint64_t i = 0; i < 50; i++) {
        FIXTURE_OK(
            fixture_put_pattern(&small, "ns", i % 2 ? "a" : "b", TTL_DEFAULT, FIXTURE_MIB, i));
        fixture_expect_pattern(&small, "ns", i % 2 ? "a" : "b", FIXTURE_MIB, i);
        fixture_check(&small);
    }
    fixture_close(&small);
}
END_TEST

START_TEST(the_largest_value)
{
    struct fixture large;
    fixture_open(&large, 4ULL * LARGEST, LARGEST);
    ck_assert_int_eq(fixture_put_pattern(&large, "ns", "key", TTL_FOR(100), LARGEST + 1, 1),
                     STORE_TOO_LARGE);
    for (uint64_t i = 1; i <= 4; i++) {
        FIXTURE_OK(fixture_put_pattern(&large, "ns", "key", TTL_FOR(100), LARGEST, i));
        FIXTURE_OK(fixture_put(&large, "ns", "other", TTL_NEVER, "stays"));
    }
    fixture_expect_pattern(&large, "ns", "key", LARGEST, 4);
    FIXTURE_OK(fixture_touch(&large, "ns", "key", TTL_FOR(1000)));
    fixture_wait(&large, 999);
    fixture_housekeep(&large);
    fixture_expect_pattern(&large, "ns", "key", LARGEST, 4);
    fixture_outlive(&large, 1);
    fixture_rest(&large);
    fixture_expect_gone(&large, "ns", "key");
    fixture_expect(&large, "ns", "other", "stays");
    ck_assert_uint_lt(fixture_figures(&large).memory_used, LARGEST / 2);
    fixture_close(&large);
}
END_TEST

START_TEST(many_records)
{
    char key[32];
    char value[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "key-%d", i);
        snprintf(value, sizeof value, "value-%d", i);
        FIXTURE_OK(fixture_put(&fixture, i % 3 ? "a" : "b", key, TTL_DEFAULT, value));
    }
    ck_assert_uint_eq(fixture_figures(&fixture).items, MANY);
    ck_assert_uint_eq(fixture_figures(&fixture).total_items, MANY);
    for (int i = 0; i < MANY; i += 2) {
        snprintf(key, sizeof key, "key-%d", i);
        FIXTURE_OK(fixture_delete(&fixture, i % 3 ? "a" : "b", key));
    }
    fixture_housekeep(&fixture);
    fixture_check(&fixture);
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "key-%d", i);
        snprintf(value, sizeof value, "value-%d", i);
        if (i % 2 != 0) {
            fixture_expect(&fixture, i % 3 ? "a" : "b", key, value);
        } else {
            fixture_expect_gone(&fixture, i % 3 ? "a" : "b", key);
        }
        fixture_expect_gone(&fixture, i % 3 ? "b" : "a", key);
    }
    ck_assert_uint_eq(fixture_figures(&fixture).items, MANY / 2);
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
}
END_TEST

/* --- counters ----------------------------------------------------------- */

static void expect_counters(const struct store_counters *counters, uint64_t times)
{
    ck_assert_uint_eq(counters->hits, 3 * times);
    ck_assert_uint_eq(counters->misses, 2 * times);
    ck_assert_uint_eq(counters->sets, 3 * times);
    ck_assert_uint_eq(counters->increments, times);
    ck_assert_uint_eq(counters->decrements, times);
    ck_assert_uint_eq(counters->deletes, times);
    ck_assert_uint_eq(counters->touches, times);
    ck_assert_uint_eq(counters->evictions, 0);
}

static void some_of_everything(const char *name)
{
    uint64_t number;
    FIXTURE_OK(fixture_put(&fixture, name, "a", TTL_DEFAULT, "1"));  /* 1 set */
    FIXTURE_OK(fixture_put(&fixture, name, "a", TTL_DEFAULT, "2"));  /* 2 */
    FIXTURE_OK(fixture_add(&fixture, name, "b", TTL_FOR(400), "3")); /* 3 */
    FIXTURE_OK(fixture_incr(&fixture, name, "a", 7, &number));
    FIXTURE_OK(fixture_decr(&fixture, name, "a", 1, &number));
    for (int i = 0; i < 3; i++) {
        fixture_expect(&fixture, name, "a", "8");
    }
    ck_assert(!fixture_has(&fixture, name, "c"));
    FIXTURE_OK(fixture_touch(&fixture, name, "b", TTL_FOR(300)));
    FIXTURE_OK(fixture_delete(&fixture, name, "a"));
    fixture_outlive(&fixture, 300);
    ck_assert(!fixture_has(&fixture, name, "b"));
    fixture_housekeep(&fixture);
}

START_TEST(counters_count)
{
    struct store_namespace_stats stats;
    some_of_everything("one");
    some_of_everything("two");
    FIXTURE_OK(fixture_put(&fixture, "one", "x", TTL_DEFAULT, "keeps the namespace"));
    FIXTURE_OK(fixture_delete(&fixture, "one", "x"));
    struct store_stats all = fixture_figures(&fixture);
    all.counters.sets--;
    all.counters.deletes--;
    expect_counters(&all.counters, 2);
    ck_assert_uint_eq(all.counters.expirations, 2);
    ck_assert_uint_eq(all.total_items, 7);

    store_enter(fixture.thread);
    store_reset_counters(fixture.thread);
    store_leave(fixture.thread);
    all = fixture_figures(&fixture);
    ck_assert_uint_eq(all.counters.hits + all.counters.misses + all.counters.sets +
                          all.counters.deletes + all.counters.touches + all.counters.expirations,
                      0);

    fixture_declare(&fixture, (struct store_namespace_options[]){{.name = slice_of("three")}}, 1,
                    STORE_NEVER);
    some_of_everything("three");
    FIXTURE_OK(fixture_namespace(&fixture, "three", &stats));
    expect_counters(&stats.counters, 1);
    ck_assert_uint_eq(stats.counters.expirations, 1);
}
END_TEST

START_TEST(figures_follow_the_records)
{
    struct store_stats before = fixture_figures(&fixture);
    ck_assert_uint_eq(before.items, 0);
    ck_assert_uint_eq(before.bytes, 0);
    ck_assert_uint_eq(before.memory_limit, 64 * FIXTURE_MIB);
    ck_assert_uint_gt(before.segment_size, 0);
    for (uint64_t i = 1; i <= 20; i++) {
        char key[32];
        snprintf(key, sizeof key, "key%ju", (uintmax_t)i);
        FIXTURE_OK(fixture_put_pattern(&fixture, "ns", key, TTL_DEFAULT, 1000, i));
        struct store_stats now = fixture_figures(&fixture);
        ck_assert_uint_eq(now.items, i);
        ck_assert_uint_ge(now.bytes, i * 1000);
        ck_assert_uint_le(now.bytes, i * 1100);
        ck_assert_uint_ge(now.memory_used, now.bytes);
        ck_assert_uint_eq(now.namespaces, 1);
    }
    for (uint64_t i = 1; i <= 20; i++) {
        FIXTURE_OK(fixture_put_pattern(&fixture, "ns", "key1", TTL_DEFAULT, 1000, i));
    }
    ck_assert_uint_eq(fixture_figures(&fixture).items, 20);
    ck_assert_uint_le(fixture_figures(&fixture).bytes, 20 * 1100);
}
END_TEST

enum { FETCHED = 4000 };

/* Key `number`, which is to be read where it was located before others came and went. */
static void expect_located(const struct store_key *at, unsigned number, bool exists)
{
    struct store_view view;
    enum store_status status = store_get(fixture.thread, at, fixture.now, &view);
    ck_assert_int_eq(status, exists ? STORE_OK : STORE_NOT_FOUND);
    if (exists) {
        bool same =
            view.length == at->key.length && memcmp(view.bytes, at->key.bytes, at->key.length) == 0;
        store_view_put(&view);
        ck_assert_msg(same, "another record's value for key %u", number);
    }
}

/* Deleting moves records within their buckets, and writing may fill the same slots. */
START_TEST(records_move_after_they_were_fetched)
{
    static char keys[FETCHED][16];
    static struct store_key at[FETCHED];
    for (unsigned i = 0; i < FETCHED; i++) {
        snprintf(keys[i], sizeof keys[i], "key%u", i);
        FIXTURE_OK(fixture_put(&fixture, "ns", keys[i], TTL_DEFAULT, keys[i]));
    }
    store_enter(fixture.thread);
    for (unsigned i = 0; i < FETCHED; i++) {
        FIXTURE_OK(store_locate(fixture.thread, slice_of("ns"), slice_of(keys[i]), &at[i]));
        store_fetch(fixture.thread, &at[i]);
    }
    for (unsigned i = 0; i < FETCHED; i += 2) {
        struct store_key gone = at[i];
        FIXTURE_OK(store_delete(fixture.thread, &gone, NULL, fixture.now));
    }
    for (unsigned i = 0; i < FETCHED; i++) {
        expect_located(&at[i], i, i % 2 != 0);
    }
    for (unsigned i = 0; i < FETCHED; i += 4) {
        FIXTURE_OK(store_put(fixture.thread, &at[i], TERMS(STORE_SET, TTL_DEFAULT), at[i].key,
                             fixture.now, NULL));
    }
    for (unsigned i = 0; i < FETCHED; i++) {
        expect_located(&at[i], i, i % 2 != 0 || i % 4 == 0);
    }
    store_leave(fixture.thread);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *records = tcase_create("records");
    TCase *large = tcase_create("sizes");
    tcase_add_checked_fixture(records, setup, teardown);
    tcase_set_timeout(records, FIXTURE_TIMEOUT);
    tcase_add_test(records, a_record_is_put_and_got);
    tcase_add_test(records, what_is_not_there_is_not_found);
    tcase_add_test(records, reading_makes_no_namespace);
    tcase_add_test(records, the_last_put_counts);
    tcase_add_test(records, add_writes_only_where_nothing_is);
    tcase_add_test(records, a_deleted_record_stays_deleted);
    tcase_add_test(records, an_expired_record_cannot_be_deleted);
    tcase_add_test(records, one_key_in_two_namespaces_is_two_records);
    tcase_add_test(records, name_and_key_do_not_run_together);
    tcase_add_test(records, names_of_every_length);
    tcase_add_test(records, client_flags_are_kept);
    tcase_add_test(records, many_records);
    tcase_add_test(records, counters_count);
    tcase_add_test(records, records_move_after_they_were_fetched);
    tcase_add_test(records, figures_follow_the_records);
    suite_add_tcase(suite, records);

    tcase_add_checked_fixture(large, setup, teardown);
    tcase_set_timeout(large, FIXTURE_TIMEOUT);
    tcase_add_loop_test(large, values_of_every_size, 0, SIZES);
    tcase_add_test(large, values_of_all_sizes_at_once);
    tcase_add_test(large, values_near_a_segments_end);
    tcase_add_test(large, keys_of_every_length);
    tcase_add_test(large, keys_and_values_are_any_bytes);
    tcase_add_test(large, too_large_a_value_leaves_the_old_one);
    tcase_add_test(large, a_megabyte_fits_the_smallest_memory);
    tcase_add_test(large, the_largest_value);
    suite_add_tcase(suite, large);
    return suite_run(suite);
}

/*
 * check_large_write.c - large values on their way in and out: writes in parts
 * that are not seen before they are committed, and views whose bytes stay put
 * whatever happens to their record.
 */
#include "tests/store/fixture.h"

#include <stdio.h>

enum { LARGE = 300000, OPEN_WRITES = 200, HELD_VIEWS = 50 };

static struct fixture fixture;

static void setup(void)
{
    fixture_open(&fixture, 32 * FIXTURE_MIB, 4 * FIXTURE_MIB);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

/* --- in ----------------------------------------------------------------- */

static const size_t lengths[] = {0,
                                 1,
                                 7,
                                 100,
                                 8191,
                                 16383,
                                 16384,
                                 16385,
                                 65535,
                                 65536,
                                 65537,
                                 131072,
                                 LARGE,
                                 1048576,
                                 2 * FIXTURE_MIB + 1,
                                 4 * FIXTURE_MIB};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

START_TEST(a_value_arrives_in_parts)
{
    static const size_t parts[] = {1, 3, 1000, 4096, 70000, 8 * FIXTURE_MIB};
    size_t length = lengths[_i];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (length / parts[i] > 400000) {
            continue;
        }
        FIXTURE_OK(fixture_stream_pattern(&fixture, "ns", "key", STORE_SET, TTL_FOR(50), length,
                                          parts[i], i));
        fixture_expect_pattern(&fixture, "ns", "key", length, i);
        fixture_expect_left(&fixture, "ns", "key", 50);
        ck_assert_uint_eq(fixture_items(&fixture, "ns"), 1);
    }
    fixture_outlive(&fixture, 50);
    fixture_housekeep(&fixture);
    ck_assert_uint_eq(fixture_figures(&fixture).items, 0);
}
END_TEST

START_TEST(nobody_sees_it_before_it_is_committed)
{
    struct store_write *write = NULL;
    uint64_t done = 0;
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_FOR(5000), "old"));
    FIXTURE_OK(fixture_begin(&fixture, "ns", "key", STORE_SET, TTL_FOR(700), LARGE, &write));
    while (done < LARGE) {
        uint64_t next = done + 50000 < LARGE ? done + 50000 : LARGE;
        FIXTURE_OK(fixture_write_pattern(&fixture, write, &done, next, 3000, 4));
        fixture_expect(&fixture, "ns", "key", "old");
        ck_assert_uint_eq(fixture_items(&fixture, "ns"), 1);
        fixture_housekeep(&fixture);
        fixture_wait(&fixture, 1);
    }
    fixture_check(&fixture);
    FIXTURE_OK(fixture_commit(&fixture, &write));
    fixture_expect_pattern(&fixture, "ns", "key", LARGE, 4);
    fixture_expect_left(&fixture, "ns", "key", 700);
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), 1);
    fixture_outlive(&fixture, 700);
    fixture_expect_gone(&fixture, "ns", "key");
}
END_TEST

START_TEST(an_aborted_write_leaves_nothing)
{
    struct store_write *write = NULL;
    uint64_t done = 0;
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_NEVER, "old"));
    fixture_housekeep(&fixture);
    uint64_t before = fixture_figures(&fixture).memory_used;
    for (uint64_t until = 0; until <= 4 * FIXTURE_MIB; until += FIXTURE_MIB / 2, done = 0) {
        FIXTURE_OK(
            fixture_begin(&fixture, "ns", "key", STORE_SET, TTL_NEVER, 4 * FIXTURE_MIB, &write));
        FIXTURE_OK(fixture_write_pattern(&fixture, write, &done, until, 100000, 4));
        ck_assert_uint_ge(fixture_figures(&fixture).memory_used, until);
        fixture_abort(&fixture, &write);
        fixture_expect(&fixture, "ns", "key", "old");
    }
    fixture_rest(&fixture);
    ck_assert_uint_le(fixture_figures(&fixture).memory_used, before + FIXTURE_MIB);
    ck_assert_uint_eq(fixture_figures(&fixture).items, 1);
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
}
END_TEST

/* Memory is taken as the bytes come: an announcement costs next to nothing. */
START_TEST(an_announcement_takes_no_memory)
{
    struct store_write *writes[OPEN_WRITES];
    char key[32];
    uint64_t before = fixture_figures(&fixture).memory_used;
    for (size_t i = 0; i < OPEN_WRITES; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        FIXTURE_OK(
            fixture_begin(&fixture, "ns", key, STORE_SET, TTL_NEVER, 4 * FIXTURE_MIB, &writes[i]));
    }
    ck_assert_uint_le(fixture_figures(&fixture).memory_used, before + 2 * FIXTURE_MIB);
    for (size_t i = 0; i < OPEN_WRITES; i++) {
        fixture_abort(&fixture, &writes[i]);
    }
    ck_assert_uint_eq(fixture_figures(&fixture).items, 0);
}
END_TEST

/* Nor does its first byte: the memory of a write that stays unfinished follows what came. */
START_TEST(a_write_takes_about_what_came)
{
    struct store_write *writes[OPEN_WRITES];
    uint64_t done[OPEN_WRITES] = {0};
    char key[32];
    uint64_t before = fixture_figures(&fixture).memory_used;
    for (size_t i = 0; i < OPEN_WRITES; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        FIXTURE_OK(
            fixture_begin(&fixture, "ns", key, STORE_SET, TTL_NEVER, 32 * FIXTURE_KIB, &writes[i]));
    }
    for (uint64_t until = 1; until <= 16384; until *= 4) {
        for (size_t i = 0; i < OPEN_WRITES; i++) {
            FIXTURE_OK(fixture_write_pattern(&fixture, writes[i], &done[i], until, until, i));
        }
        ck_assert_uint_le(fixture_figures(&fixture).memory_used,
                          before + OPEN_WRITES * (2 * until + 2 * FIXTURE_KIB) + FIXTURE_MIB);
    }
    for (size_t i = 0; i < OPEN_WRITES; i++) {
        fixture_abort(&fixture, &writes[i]);
    }
}
END_TEST

START_TEST(what_can_be_known_is_refused_at_once)
{
    struct store_write *write = NULL;
    ck_assert_int_eq(
        fixture_begin(&fixture, "ns", "key", STORE_SET, TTL_DEFAULT, 4 * FIXTURE_MIB + 1, &write),
        STORE_TOO_LARGE);
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_FOR(10), "there"));
    ck_assert_int_eq(fixture_begin(&fixture, "ns", "key", STORE_ADD, TTL_DEFAULT, LARGE, &write),
                     STORE_EXISTS);
    fixture_expect(&fixture, "ns", "key", "there");
    fixture_outlive(&fixture, 10);
    FIXTURE_OK(fixture_begin(&fixture, "ns", "key", STORE_ADD, TTL_DEFAULT, LARGE, &write));
    fixture_abort(&fixture, &write);
}
END_TEST

START_TEST(an_add_that_comes_second_is_refused)
{
    struct store_write *first = NULL;
    struct store_write *second = NULL;
    uint64_t done = 0;
    FIXTURE_OK(fixture_begin(&fixture, "ns", "key", STORE_ADD, TTL_NEVER, LARGE, &first));
    FIXTURE_OK(fixture_begin(&fixture, "ns", "key", STORE_ADD, TTL_NEVER, LARGE, &second));
    FIXTURE_OK(fixture_write_pattern(&fixture, first, &done, LARGE, LARGE, 1));
    done = 0;
    FIXTURE_OK(fixture_write_pattern(&fixture, second, &done, LARGE, LARGE, 2));
    FIXTURE_OK(fixture_commit(&fixture, &second));
    ck_assert_int_eq(fixture_commit(&fixture, &first), STORE_EXISTS);
    fixture_expect_pattern(&fixture, "ns", "key", LARGE, 2);
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), 1);

    FIXTURE_OK(fixture_begin(&fixture, "ns", "small", STORE_ADD, TTL_NEVER, LARGE, &first));
    done = 0;
    FIXTURE_OK(fixture_write_pattern(&fixture, first, &done, LARGE, LARGE, 1));
    FIXTURE_OK(fixture_put(&fixture, "ns", "small", TTL_FOR(100), "meanwhile"));
    ck_assert_int_eq(fixture_commit(&fixture, &first), STORE_EXISTS);
    fixture_expect(&fixture, "ns", "small", "meanwhile");
    fixture_expect_left(&fixture, "ns", "small", 100);
}
END_TEST

START_TEST(an_add_after_the_others_time_succeeds)
{
    struct store_write *write = NULL;
    uint64_t done = 0;
    FIXTURE_OK(fixture_begin(&fixture, "ns", "key", STORE_ADD, TTL_NEVER, LARGE, &write));
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_FOR(100), "meanwhile"));
    FIXTURE_OK(fixture_write_pattern(&fixture, write, &done, LARGE, LARGE, 1));
    fixture_outlive(&fixture, 100);
    FIXTURE_OK(fixture_commit(&fixture, &write));
    fixture_expect_pattern(&fixture, "ns", "key", LARGE, 1);
}
END_TEST

START_TEST(many_writes_are_open_at_once)
{
    struct store_write *writes[OPEN_WRITES];
    uint64_t done[OPEN_WRITES] = {0};
    char key[32];
    for (size_t i = 0; i < OPEN_WRITES; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        FIXTURE_OK(fixture_begin(&fixture, i % 2 ? "a" : "b", key, STORE_SET, TTL_FOR(1000),
                                 20000 + i * 300, &writes[i]));
    }
    for (uint64_t until = 5000; until < 100000; until += 5000) {
        for (size_t i = 0; i < OPEN_WRITES; i++) {
            uint64_t length = 20000 + i * 300;
            FIXTURE_OK(fixture_write_pattern(&fixture, writes[i], &done[i],
                                             until < length ? until : length, 1700, i));
        }
    }
    for (size_t i = 0; i < OPEN_WRITES; i++) {
        if (i % 5 == 4) {
            fixture_abort(&fixture, &writes[i]);
        } else {
            FIXTURE_OK(fixture_commit(&fixture, &writes[i]));
        }
    }
    for (size_t i = 0; i < OPEN_WRITES; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        if (i % 5 == 4) {
            fixture_expect_gone(&fixture, i % 2 ? "a" : "b", key);
        } else {
            fixture_expect_pattern(&fixture, i % 2 ? "a" : "b", key, 20000 + i * 300, i);
        }
    }
    ck_assert_uint_eq(fixture_figures(&fixture).items, OPEN_WRITES / 5 * 4);
}
END_TEST

START_TEST(a_write_outlives_a_flush)
{
    struct store_write *write = NULL;
    uint64_t done = 0;
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_NEVER, "old"));
    FIXTURE_OK(fixture_begin(&fixture, "ns", "key", STORE_SET, TTL_NEVER, LARGE, &write));
    FIXTURE_OK(fixture_write_pattern(&fixture, write, &done, LARGE / 2, LARGE, 1));
    ck_assert_uint_eq(fixture_flush(&fixture, "ns"), 1);
    for (int i = 0; i < 10; i++) {
        fixture_housekeep(&fixture);
        fixture_outlive(&fixture, 10000);
    }
    fixture_expect_gone(&fixture, "ns", "key");
    FIXTURE_OK(fixture_write_pattern(&fixture, write, &done, LARGE, LARGE, 1));
    FIXTURE_OK(fixture_commit(&fixture, &write));
    fixture_expect_pattern(&fixture, "ns", "key", LARGE, 1);
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), 1);
}
END_TEST

/* More is announced and written than there is memory: the last ones wait, and nothing else
 * does. What is being written cannot be evicted, so most is left to others. */
START_TEST(open_writes_cannot_take_more_than_there_is)
{
    struct store_write *writes[OPEN_WRITES];
    enum store_status status = STORE_OK;
    size_t count = 0;
    while (status == STORE_OK && count < OPEN_WRITES) {
        char key[32];
        uint64_t done = 0;
        snprintf(key, sizeof key, "key%zu", count);
        status =
            fixture_begin(&fixture, "ns", key, STORE_SET, TTL_NEVER, FIXTURE_MIB, &writes[count]);
        if (status != STORE_OK) {
            break;
        }
        status =
            fixture_write_pattern(&fixture, writes[count], &done, FIXTURE_MIB, FIXTURE_MIB, count);
        count++;
        fixture_check(&fixture);
    }
    ck_assert_int_eq(status, STORE_CROWDED);
    ck_assert_uint_ge(count, 6);
    ck_assert_uint_le(count, 9);
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
    for (size_t i = 0; i < 10 * OPEN_WRITES; i++) {
        char key[32];
        snprintf(key, sizeof key, "small%zu", i);
        FIXTURE_OK(fixture_put_pattern(&fixture, "other", key, TTL_NEVER, 4000, i));
    }
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
    for (size_t i = 0; i < count; i++) {
        fixture_abort(&fixture, &writes[i]);
    }
    fixture_housekeep(&fixture);
    FIXTURE_OK(fixture_put_pattern(&fixture, "ns", "key", TTL_NEVER, FIXTURE_MIB, 3));
    fixture_expect_pattern(&fixture, "ns", "key", FIXTURE_MIB, 3);
}
END_TEST

/* --- out ---------------------------------------------------------------- */

static void take(struct store_view *view, const char *key, size_t length, uint64_t seed)
{
    FIXTURE_OK(fixture_put_pattern(&fixture, "ns", key, TTL_FOR(60000), length, seed));
    FIXTURE_OK(fixture_get(&fixture, "ns", key, view));
    ck_assert(view->pinned);
    ck_assert_uint_eq(view->length, length);
}

/* Fills the memory several times over. */
static void pour(void)
{
    char key[32];
    for (size_t i = 0; i < 1500; i++) {
        snprintf(key, sizeof key, "pour%zu", i % 700);
        enum store_status status =
            fixture_put_pattern(&fixture, i % 3 ? "ns" : "other", key, TTL_FOR(5000), i * 67, i);
        FIXTURE_OK(status);
        if (i % 50 == 0) {
            fixture_housekeep(&fixture);
        }
    }
}

START_TEST(a_view_outlives_its_record)
{
    struct store_view views[6];
    for (size_t i = 0; i < 6; i++) {
        char key[32];
        snprintf(key, sizeof key, "key%zu", i);
        take(&views[i], key, LARGE + i, i);
    }
    FIXTURE_OK(fixture_delete(&fixture, "ns", "key0"));
    FIXTURE_OK(fixture_put(&fixture, "ns", "key1", TTL_NEVER, "small"));
    FIXTURE_OK(fixture_put_pattern(&fixture, "ns", "key2", TTL_NEVER, LARGE, 99));
    FIXTURE_OK(fixture_touch(&fixture, "ns", "key3", TTL_FOR(1)));
    fixture_outlive(&fixture, 1);
    fixture_housekeep(&fixture);
    pour();
    ck_assert_uint_ge(fixture_flush(&fixture, "ns"), 1);
    fixture_housekeep(&fixture);
    pour();
    fixture_outlive(&fixture, 60000);
    fixture_housekeep(&fixture);
    pour();
    fixture_expect_gone(&fixture, "ns", "key5");
    fixture_check(&fixture);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_msg(fixture_view_is_pattern(&views[i], i), "view %zu has changed", i);
    }
    for (size_t i = 0; i < 6; i++) {
        store_view_put(&views[i]);
    }
    fixture_outlive(&fixture, 60000);
    fixture_rest(&fixture);
    ck_assert_uint_eq(fixture_figures(&fixture).items, 0);
    ck_assert_uint_eq(fixture_figures(&fixture).bytes, 0);
    ck_assert_uint_lt(fixture_figures(&fixture).memory_used, 8 * FIXTURE_MIB);
}
END_TEST

START_TEST(many_views_of_one_record)
{
    struct store_view views[HELD_VIEWS];
    take(&views[0], "key", LARGE, 5);
    for (size_t i = 1; i < HELD_VIEWS; i++) {
        FIXTURE_OK(fixture_get(&fixture, "ns", "key", &views[i]));
    }
    FIXTURE_OK(fixture_delete(&fixture, "ns", "key"));
    for (size_t i = 0; i < HELD_VIEWS; i++) {
        ck_assert(fixture_view_is_pattern(&views[i], 5));
        store_view_put(&views[i]);
        if (i % 10 == 0) {
            pour();
        }
    }
}
END_TEST

START_TEST(pieces_from_any_byte_on)
{
    struct store_view view;
    struct iovec pieces[STORE_PIECES_MAX];
    take(&view, "key", LARGE, 6);
    size_t all = store_view_pieces(&view, 0, pieces, STORE_PIECES_MAX);
    ck_assert_uint_ge(all, 1);
    for (uint64_t from = 0; from < LARGE; from += 997) {
        struct iovec one;
        size_t count = store_view_pieces(&view, from, pieces, STORE_PIECES_MAX);
        uint64_t at = from;
        for (size_t i = 0; i < count; i++) {
            ck_assert(fixture_is_pattern(pieces[i].iov_base, at, pieces[i].iov_len, 6));
            at += pieces[i].iov_len;
        }
        ck_assert_uint_eq(at, LARGE);
        ck_assert_uint_eq(store_view_pieces(&view, from, &one, 1), 1);
        ck_assert_ptr_eq(one.iov_base, pieces[0].iov_base);
        ck_assert_uint_eq(one.iov_len, pieces[0].iov_len);
    }
    ck_assert_uint_eq(store_view_pieces(&view, LARGE, pieces, STORE_PIECES_MAX), 0);
    store_view_put(&view);
}
END_TEST

/* As much is pinned as may be: no further value is given out, new values find room among those
 * that are not pinned, and all is well once the views are given back. */
START_TEST(pinned_memory_is_not_taken_away)
{
    struct store_view views[OPEN_WRITES];
    struct fixture small;
    size_t count = 0;
    enum store_status status = STORE_OK;
    char key[32];
    fixture_open(&small, 8 * FIXTURE_MIB, FIXTURE_MIB);
    while (status == STORE_OK && count < OPEN_WRITES) {
        snprintf(key, sizeof key, "key%zu", count);
        FIXTURE_OK(fixture_put_pattern(&small, "ns", key, TTL_NEVER, FIXTURE_MIB / 2, count));
        status = fixture_get(&small, "ns", key, &views[count]);
        count += status == STORE_OK;
    }
    ck_assert_int_eq(status, STORE_CROWDED);
    ck_assert_uint_ge(count, 5);
    for (size_t i = 0; i < 20; i++) {
        snprintf(key, sizeof key, "more%zu", i);
        FIXTURE_OK(fixture_put_pattern(&small, "ns", key, TTL_NEVER, FIXTURE_MIB, 7));
    }
    for (size_t i = 0; i < count; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        fixture_expect_pattern(&small, "ns", key, FIXTURE_MIB / 2, i);
        ck_assert(fixture_view_is_pattern(&views[i], i));
    }
    fixture_check(&small);
    for (size_t i = 0; i < count; i++) {
        store_view_put(&views[i]);
    }
    FIXTURE_OK(fixture_put_pattern(&small, "ns", "key0", TTL_NEVER, FIXTURE_MIB, 7));
    fixture_expect_pattern(&small, "ns", "key0", FIXTURE_MIB, 7);
    fixture_close(&small);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store large write");
    TCase *in = tcase_create("in");
    TCase *out = tcase_create("out");
    tcase_add_checked_fixture(in, setup, teardown);
    tcase_set_timeout(in, FIXTURE_TIMEOUT);
    tcase_add_loop_test(in, a_value_arrives_in_parts, 0, LENGTHS);
    tcase_add_test(in, nobody_sees_it_before_it_is_committed);
    tcase_add_test(in, an_aborted_write_leaves_nothing);
    tcase_add_test(in, an_announcement_takes_no_memory);
    tcase_add_test(in, a_write_takes_about_what_came);
    tcase_add_test(in, what_can_be_known_is_refused_at_once);
    tcase_add_test(in, an_add_that_comes_second_is_refused);
    tcase_add_test(in, an_add_after_the_others_time_succeeds);
    tcase_add_test(in, many_writes_are_open_at_once);
    tcase_add_test(in, a_write_outlives_a_flush);
    tcase_add_test(in, open_writes_cannot_take_more_than_there_is);
    suite_add_tcase(suite, in);

    tcase_add_checked_fixture(out, setup, teardown);
    tcase_set_timeout(out, FIXTURE_TIMEOUT);
    tcase_add_test(out, a_view_outlives_its_record);
    tcase_add_test(out, many_views_of_one_record);
    tcase_add_test(out, pieces_from_any_byte_on);
    tcase_add_test(out, pinned_memory_is_not_taken_away);
    suite_add_tcase(suite, out);
    return suite_run(suite);
}

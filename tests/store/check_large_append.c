/*
 * check_large_append.c - large values that are appended to in steps: what others do meanwhile is
 * neither kept waiting nor lost.
 */
#include "tests/store/fixture.h"

#include <stdlib.h>
#include <string.h>

enum {
    LARGE = 3 * FIXTURE_MIB,
    ADDED = 300 * 1000, /* bytes: more than what needs no steps */
    STEPS_MAX = 1000,
    STEPS_LEAST = 10, /* to append to LARGE */
};

static struct fixture fixture;
static char *bytes;   /* the pattern with seed 1 */
static uint64_t told; /* length of the last value that was joined */

static void set_up(void)
{
    fixture_open(&fixture, 64 * FIXTURE_MIB, 8 * FIXTURE_MIB);
    bytes = malloc(LARGE + 2 * ADDED);
    ck_assert_ptr_nonnull(bytes);
    fixture_pattern(bytes, 0, LARGE + 2 * ADDED, 1);
}

static void tear_down(void)
{
    free(bytes);
    fixture_close(&fixture);
}

/* Begins to append, or to prepend, bytes of the pattern. */
static enum store_status begin(enum store_mode mode, size_t from, size_t length,
                               struct store_append **join)
{
    struct store_terms terms = {.mode = mode, .ttl = TTL_KEEP, .join = join, .length = &told};
    struct store_key at;
    store_enter(fixture.thread);
    FIXTURE_OK(store_locate(fixture.thread, slice_of("ns"), slice_of("key"), &at));
    enum store_status status = store_put(fixture.thread, &at, &terms,
                                         (struct slice){bytes + from, length}, fixture.now, NULL);
    store_leave(fixture.thread);
    return status;
}

static enum store_status step(struct store_append **join)
{
    store_enter(fixture.thread);
    enum store_status status = store_append_step(fixture.thread, join, fixture.now, NULL);
    store_leave(fixture.thread);
    return status;
}

static enum store_status finish(struct store_append **join, int *steps)
{
    enum store_status status = STORE_UNFINISHED;
    for (*steps = 0; status == STORE_UNFINISHED; (*steps)++) {
        ck_assert_int_lt(*steps, STEPS_MAX);
        status = step(join);
    }
    ck_assert_ptr_null(*join);
    return status;
}

static void put_part(size_t from, size_t length)
{
    FIXTURE_OK(fixture_put_bytes(&fixture, slice_of("ns"), slice_of("key"), TTL_FOR(5000),
                                 (struct slice){bytes + from, length}));
}

static void expect_part(size_t from, size_t length)
{
    struct store_view view;
    struct iovec pieces[STORE_PIECES_MAX];
    FIXTURE_OK(fixture_get(&fixture, "ns", "key", &view));
    ck_assert_uint_eq(view.length, length);
    size_t count = store_view_pieces(&view, 0, pieces, STORE_PIECES_MAX);
    size_t done = 0;
    for (size_t i = 0; i < count; i++) {
        FIXTURE_THAT(memcmp(pieces[i].iov_base, bytes + from + done, pieces[i].iov_len) == 0);
        done += pieces[i].iov_len;
    }
    ck_assert_uint_eq(done, length);
    store_view_put(&view);
}

static uint64_t sets(void)
{
    struct store_namespace_stats stats;
    FIXTURE_OK(fixture_namespace(&fixture, "ns", &stats));
    return stats.counters.sets;
}

START_TEST(what_is_joined_in_steps_is_whole_at_once)
{
    struct store_append *join = NULL;
    bool behind = _i == 0;
    size_t old = behind ? 0 : ADDED;
    int steps = 0;
    put_part(old, LARGE);
    ck_assert_int_eq(begin(behind ? STORE_APPEND : STORE_PREPEND, behind ? LARGE : 0, ADDED, &join),
                     STORE_UNFINISHED);
    ck_assert_ptr_nonnull(join);
    ck_assert_int_eq(step(&join), STORE_UNFINISHED);
    expect_part(old, LARGE);
    ck_assert_uint_eq(sets(), 1);
    FIXTURE_OK(finish(&join, &steps));
    ck_assert_int_gt(steps, STEPS_LEAST);
    ck_assert_uint_eq(told, LARGE + ADDED);
    ck_assert_uint_eq(sets(), 2);
    expect_part(0, LARGE + ADDED);
    fixture_expect_left(&fixture, "ns", "key", 5000);
    fixture_check(&fixture);
}
END_TEST

/* Another write comes in between: nothing of it is lost. */
START_TEST(another_write_in_between_is_seen)
{
    struct store_append *join = NULL;
    int steps = 0;
    put_part(0, LARGE - 10);
    ck_assert_int_eq(begin(STORE_APPEND, LARGE, ADDED, &join), STORE_UNFINISHED);
    for (int i = 0; i < STEPS_LEAST; i++) {
        ck_assert_int_eq(step(&join), STORE_UNFINISHED);
    }
    struct store_terms terms = {.mode = STORE_APPEND, .ttl = TTL_KEEP};
    struct store_key at;
    store_enter(fixture.thread);
    FIXTURE_OK(store_locate(fixture.thread, slice_of("ns"), slice_of("key"), &at));
    FIXTURE_OK(store_put(fixture.thread, &at, &terms, (struct slice){bytes + LARGE - 10, 10},
                         fixture.now, NULL));
    store_leave(fixture.thread);
    expect_part(0, LARGE);
    FIXTURE_OK(finish(&join, &steps));
    expect_part(0, LARGE + ADDED);
}
END_TEST

static void take_away(int how)
{
    if (how == 0) {
        FIXTURE_OK(fixture_delete(&fixture, "ns", "key"));
    } else if (how == 1) {
        fixture_flush(&fixture, "ns");
    } else {
        fixture_outlive(&fixture, 5000);
    }
    fixture_housekeep(&fixture);
}

START_TEST(a_record_that_goes_meanwhile_is_not_found)
{
    struct store_append *join = NULL;
    int steps = 0;
    put_part(0, LARGE);
    ck_assert_int_eq(begin(STORE_APPEND, LARGE, ADDED, &join), STORE_UNFINISHED);
    take_away(_i);
    ck_assert_int_eq(finish(&join, &steps), STORE_NOT_FOUND);
    fixture_expect_gone(&fixture, "ns", "key");
    fixture_rest(&fixture);
    ck_assert_uint_eq(fixture_figures(&fixture).items, 0);
}
END_TEST

START_TEST(an_aborted_join_leaves_nothing)
{
    struct store_append *join = NULL;
    FIXTURE_OK(fixture_put_bytes(&fixture, slice_of("ns"), slice_of("key"), TTL_NEVER,
                                 (struct slice){bytes, LARGE}));
    fixture_rest(&fixture);
    uint64_t before = fixture_figures(&fixture).memory_used;
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(begin(STORE_APPEND, LARGE, ADDED, &join), STORE_UNFINISHED);
        ck_assert_int_eq(step(&join), STORE_UNFINISHED);
        fixture_check(&fixture);
        store_append_abort(&join);
        ck_assert_ptr_null(join);
    }
    fixture_rest(&fixture);
    ck_assert_uint_le(fixture_figures(&fixture).memory_used, before + 2 * FIXTURE_MIB);
    expect_part(0, LARGE);
}
END_TEST

/* Of a thread, one at a time; but what is small goes at once. */
START_TEST(one_after_the_other)
{
    struct store_append *first = NULL;
    struct store_append *second = NULL;
    int steps = 0;
    put_part(0, LARGE);
    FIXTURE_OK(fixture_put_pattern(&fixture, "ns", "small", TTL_NEVER, 20000, 1));
    ck_assert_int_eq(begin(STORE_APPEND, LARGE, ADDED, &first), STORE_UNFINISHED);
    ck_assert_int_eq(begin(STORE_APPEND, LARGE, ADDED, &second), STORE_CROWDED);
    ck_assert_ptr_null(second);
    struct store_terms terms = {.mode = STORE_APPEND, .ttl = TTL_KEEP, .join = &second};
    struct store_key at;
    store_enter(fixture.thread);
    FIXTURE_OK(store_locate(fixture.thread, slice_of("ns"), slice_of("small"), &at));
    FIXTURE_OK(
        store_put(fixture.thread, &at, &terms, (struct slice){bytes, 10}, fixture.now, NULL));
    store_leave(fixture.thread);
    FIXTURE_OK(finish(&first, &steps));
    ck_assert_int_eq(begin(STORE_APPEND, LARGE + ADDED, ADDED, &second), STORE_UNFINISHED);
    FIXTURE_OK(finish(&second, &steps));
    expect_part(0, LARGE + 2 * ADDED);
}
END_TEST

static struct store_write *upload(size_t from, size_t length, struct store_append **join)
{
    struct store_terms terms = {
        .mode = STORE_APPEND, .ttl = TTL_KEEP, .join = join, .length = &told};
    struct store_write *write = NULL;
    struct store_key at;
    store_enter(fixture.thread);
    FIXTURE_OK(store_locate(fixture.thread, slice_of("ns"), slice_of("key"), &at));
    FIXTURE_OK(store_write_begin(fixture.thread, &at, &terms, length, fixture.now, &write));
    for (size_t done = 0; done < length;) {
        struct iovec space;
        FIXTURE_OK(store_write_space(fixture.thread, write, fixture.now, &space));
        memcpy(space.iov_base, bytes + from + done, space.iov_len);
        store_write_advance(write, space.iov_len);
        done += space.iov_len;
    }
    store_leave(fixture.thread);
    return write;
}

static enum store_status commit(struct store_write **write)
{
    store_enter(fixture.thread);
    enum store_status status = store_write_commit(fixture.thread, write, fixture.now, NULL);
    store_leave(fixture.thread);
    return status;
}

/* The added value has come in parts as well; one that has to wait can be committed later. */
START_TEST(an_uploaded_value_is_joined_in_steps)
{
    struct store_append *first = NULL;
    struct store_append *second = NULL;
    int steps = 0;
    put_part(0, LARGE);
    struct store_write *write = upload(LARGE, ADDED, &first);
    struct store_write *other = upload(LARGE + ADDED, ADDED, &second);
    ck_assert_int_eq(commit(&write), STORE_UNFINISHED);
    ck_assert_ptr_null(write);
    ck_assert_int_eq(commit(&other), STORE_CROWDED);
    ck_assert_ptr_nonnull(other);
    expect_part(0, LARGE);
    FIXTURE_OK(finish(&first, &steps));
    ck_assert_uint_eq(told, LARGE + ADDED);
    ck_assert_int_eq(commit(&other), STORE_UNFINISHED);
    FIXTURE_OK(finish(&second, &steps));
    ck_assert_uint_eq(told, LARGE + 2 * ADDED);
    ck_assert_uint_eq(sets(), 3);
    expect_part(0, LARGE + 2 * ADDED);
    write = upload(0, ADDED, &first);
    ck_assert_int_eq(commit(&write), STORE_UNFINISHED);
    store_append_abort(&first);
    expect_part(0, LARGE + 2 * ADDED);
    fixture_check(&fixture);
}
END_TEST

/* As much is being uploaded as may be: what is large waits as an upload does. */
START_TEST(a_join_is_granted_like_an_upload)
{
    enum { UPLOADS = 4, EACH = 5 * FIXTURE_MIB };
    struct store_write *writes[UPLOADS];
    struct store_append *join = NULL;
    uint64_t done = 0;
    int steps = 0;
    put_part(0, LARGE);
    for (int i = 0; i < UPLOADS; i++) {
        FIXTURE_OK(fixture_begin(&fixture, "ns", "other", STORE_SET, TTL_NEVER, EACH, &writes[i]));
    }
    ck_assert_int_eq(fixture_write_pattern(&fixture, writes[UPLOADS - 1], &done, 1, 1, 1),
                     STORE_CROWDED);
    ck_assert_int_eq(begin(STORE_APPEND, LARGE, ADDED, &join), STORE_CROWDED);
    ck_assert_ptr_null(join);
    fixture_check(&fixture);
    fixture_abort(&fixture, &writes[0]);
    ck_assert_int_eq(begin(STORE_APPEND, LARGE, ADDED, &join), STORE_UNFINISHED);
    FIXTURE_OK(finish(&join, &steps));
    expect_part(0, LARGE + ADDED);
    for (int i = 1; i < UPLOADS; i++) {
        fixture_abort(&fixture, &writes[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store large append");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_set_timeout(all, FIXTURE_TIMEOUT);
    tcase_add_loop_test(all, what_is_joined_in_steps_is_whole_at_once, 0, 2);
    tcase_add_test(all, another_write_in_between_is_seen);
    tcase_add_loop_test(all, a_record_that_goes_meanwhile_is_not_found, 0, 3);
    tcase_add_test(all, an_aborted_join_leaves_nothing);
    tcase_add_test(all, one_after_the_other);
    tcase_add_test(all, an_uploaded_value_is_joined_in_steps);
    tcase_add_test(all, a_join_is_granted_like_an_upload);
    suite_add_tcase(suite, all);
    return suite_run(suite);
}

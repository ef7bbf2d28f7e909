/*
 * check_resize.c - a store whose memory becomes another: larger at once, smaller by and
 * by, and no record is lost for nothing.
 */
#include "tests/store/fixture.h"

#include <stdio.h>

#include "daemon/store/records/state.h"

static struct fixture fixture;

static void setup(void)
{
    fixture_open(&fixture, 16 * FIXTURE_MIB, FIXTURE_MIB);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

/* --- larger --------------------------------------------------------------- */

START_TEST(more_memory_can_be_used_at_once)
{
    size_t length = _i ? 20000 : 300;
    size_t held = fixture_fill(&fixture, "ns", length);
    size_t put = 2 * held; /* numbers from here on are new */
    uint64_t evictions = fixture_figures(&fixture).counters.evictions;
    for (uint64_t memory = 32 * FIXTURE_MIB; memory <= 256 * FIXTURE_MIB; memory *= 2) {
        uint64_t items = fixture_figures(&fixture).items;
        fixture_set_memory(&fixture, memory);
        ck_assert_uint_eq(fixture_count_alive(&fixture, "ns", 0, put, length), items);
        /* As many again as there are, but for some. */
        fixture_pour(&fixture, "ns", put, items * 8 / 10, length);
        put += items * 8 / 10;
        fixture_check(&fixture);
        ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, evictions);
        ck_assert_uint_eq(fixture_count_alive(&fixture, "ns", 0, put, length),
                          items + items * 8 / 10);
    }
}
END_TEST

/* --- smaller --------------------------------------------------------------- */

/* A store that was made smaller holds about as much as one that was made small. */
static void expect_as_if_made(uint64_t memory, uint64_t from, size_t length, unsigned percent)
{
    size_t small = fixture_fill(&fixture, "ns", length);
    fixture_close(&fixture);
    fixture_open(&fixture, memory, FIXTURE_MIB);
    fixture_set_memory(&fixture, from);
    size_t large = fixture_fill(&fixture, "ns", length);
    ck_assert_msg(large * 100 > small * (from / memory) * percent, "%zu of %zu", large,
                  small * (size_t)(from / memory));
    fixture_shrink(&fixture, memory);
    size_t left = fixture_figures(&fixture).items;
    ck_assert_msg(left * 100 >= small * percent && left <= small * 11 / 10,
                  "%zu records of %zu bytes are left, of %zu; a small store has %zu", left, length,
                  large, small);
    ck_assert_uint_eq(fixture_count_alive(&fixture, "ns", 0, 2 * large, length), left);
    /* It is a small store from here on. */
    fixture_pour(&fixture, "other", 0, 2 * small, length);
    fixture_housekeep(&fixture);
    fixture_expect_within(&fixture);
    size_t held = fixture_figures(&fixture).items;
    ck_assert_msg(held * 100 >= small * percent && held <= small * 11 / 10, "%zu records, not %zu",
                  held, small);
}

static const size_t lengths[] = {10, 100, 1000, 9000, 70000, 500000};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

START_TEST(less_memory_holds_what_fits)
{
    expect_as_if_made(16 * FIXTURE_MIB, 128 * FIXTURE_MIB, lengths[_i],
                      lengths[_i] > 50000 ? 60 : 75);
}
END_TEST

/* Thousands of small segments, so that tables are a large part of what there is. */
static void fill_namespaces(size_t count)
{
    char name[32];
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "ns%zu", i);
        FIXTURE_OK(fixture_put(&fixture, name, "expires", TTL_FOR(10000000 + i), "by and by"));
        fixture_pour(&fixture, name, i + 1, 1, 700);
    }
}

START_TEST(many_namespaces_become_few)
{
    fixture_set_memory(&fixture, 128 * FIXTURE_MIB);
    fill_namespaces(50000);
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
    size_t entries = fixture.store->expire.resident;
    ck_assert_uint_gt(entries, 50000);
    fixture_shrink(&fixture, 8 * FIXTURE_MIB);
    fixture_rest(&fixture);
    ck_assert_uint_lt(fixture.store->expire.resident, entries / 2);
    struct store_stats stats = fixture_figures(&fixture);
    ck_assert_uint_gt(stats.items, 3000);
    ck_assert_uint_le(stats.namespaces, stats.items + 1);
    fixture_set_memory(&fixture, 128 * FIXTURE_MIB);
    fill_namespaces(30000);
    ck_assert_uint_ge(fixture_figures(&fixture).items, 60000);
    fixture_shrink(&fixture, 4 * FIXTURE_MIB);
}
END_TEST

/* Each slice gives some back, none takes long, and between two of them no more can be taken. */
START_TEST(it_shrinks_in_slices)
{
    fixture_set_memory(&fixture, 64 * FIXTURE_MIB);
    fixture_fill(&fixture, "ns", 200);
    uint64_t used = fixture_figures(&fixture).memory_used;
    uint64_t evictions = fixture_figures(&fixture).counters.evictions;
    bool more = true;
    size_t number = 1000000;
    unsigned slices = 0;

    fixture_set_memory(&fixture, 8 * FIXTURE_MIB);
    ck_assert_uint_eq(fixture_figures(&fixture).memory_used, used);
    ck_assert(store_wants_housekeeping(fixture.store));
    for (; more; slices++) {
        store_enter(fixture.thread);
        more = store_housekeep(fixture.thread, fixture.now, 64);
        store_leave(fixture.thread);
        struct store_stats stats = fixture_figures(&fixture);
        /* A frame of 64 KiB has 300 of these. */
        ck_assert_uint_lt(stats.counters.evictions - evictions, 1000);
        evictions = stats.counters.evictions;
        FIXTURE_THAT(fixture_is_within(&fixture));
        if (slices % 2 == 0) {
            fixture_pour(&fixture, "ns", number++, 1, 200);
        }
        if (slices % 100 == 0) {
            fixture_check(&fixture);
        }
        ck_assert_uint_lt(slices, 1000000);
    }
    ck_assert_uint_gt(slices, 200);
    fixture_expect_within(&fixture);
}
END_TEST

/* Without a housekeeper the writers make the room, each a little. */
START_TEST(writers_shrink_it_too)
{
    fixture_set_memory(&fixture, 64 * FIXTURE_MIB);
    fixture_fill(&fixture, "ns", 200);
    fixture_set_memory(&fixture, 16 * FIXTURE_MIB);
    uint64_t evictions = fixture_figures(&fixture).counters.evictions;
    for (size_t i = 0; i < 400000; i++) {
        fixture_pour(&fixture, "ns", 1000000 + i, 1, 200);
        if (i % 1000 == 0) {
            FIXTURE_THAT(fixture_is_within(&fixture));
        }
        if (i % 16 == 0) {
            uint64_t now = fixture_figures(&fixture).counters.evictions;
            ck_assert_uint_lt(now - evictions, 2000);
            evictions = now;
        }
    }
    fixture_expect_within(&fixture);
}
END_TEST

/* --- up and down ------------------------------------------------------------------ */

START_TEST(up_and_down_with_everything_in_it)
{
    uint64_t random = 11 + (uint64_t)_i;
    char name[32];
    char key[32];
    for (int i = 0; i < 60000; i++) {
        uint64_t dice = fixture_random(&random);
        size_t length = dice % 100 == 0 ? (dice >> 8) % 200000 : (dice >> 8) % 400;
        snprintf(name, sizeof name, "ns%ju", (uintmax_t)(dice >> 32) % 20);
        snprintf(key, sizeof key, "key%ju", (uintmax_t)(dice >> 40) % 9000);
        struct store_ttl ttl = dice % 3 ? TTL_FOR(1 + (dice >> 16) % 50000) : TTL_NEVER;
        enum store_status status = fixture_put_pattern(&fixture, name, key, ttl, length, dice);
        FIXTURE_THAT(status == STORE_OK || status == STORE_NO_MEMORY);
        if (status == STORE_OK) {
            fixture_expect_pattern(&fixture, name, key, length, dice);
        }
        fixture_wait(&fixture, 1);
        if (i % 97 == 0) {
            store_enter(fixture.thread);
            store_housekeep(fixture.thread, fixture.now, 500);
            store_leave(fixture.thread);
        }
        if (i % 500 == 0) {
            fixture_set_memory(&fixture, (4 + fixture_random(&random) % 60) * FIXTURE_MIB);
        }
        if (i % 1000 == 0) {
            fixture_check(&fixture);
        }
    }
    fixture_shrink(&fixture, 4 * FIXTURE_MIB);
    fixture_set_memory(&fixture, 16 * FIXTURE_MIB);
}
END_TEST

/* Nothing is evicted that need not be: back before it has gone, and all stays. */
START_TEST(taken_back_in_time)
{
    fixture_set_memory(&fixture, 64 * FIXTURE_MIB);
    fixture_pour(&fixture, "ns", 0, 40000, 1000);
    fixture_set_memory(&fixture, 16 * FIXTURE_MIB);
    fixture_set_memory(&fixture, 64 * FIXTURE_MIB);
    fixture_rest(&fixture);
    ck_assert_uint_eq(fixture_count_alive(&fixture, "ns", 0, 40000, 1000), 40000);
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
}
END_TEST

/* Of a store that is not full nothing is lost. */
START_TEST(what_fits_stays)
{
    fixture_set_memory(&fixture, 512 * FIXTURE_MIB);
    fixture_pour(&fixture, "ns", 0, 5000, 1000);
    fixture_pour(&fixture, "large", 0, 10, 200000);
    fixture_shrink(&fixture, 16 * FIXTURE_MIB);
    ck_assert_uint_eq(fixture_count_alive(&fixture, "ns", 0, 5000, 1000), 5000);
    ck_assert_uint_eq(fixture_count_alive(&fixture, "large", 0, 10, 200000), 10);
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
}
END_TEST

/* Large records keep what is said of them where they are moved out of the way. */
START_TEST(moved_records_keep_what_they_are)
{
    enum { KEYS = 3000 };
    uint64_t versions[KEYS] = {0};
    struct store_key at;
    struct store_view view;
    char key[32];
    const struct store_terms look = {.ttl = TTL_KEEP, .tells_version = true};
    fixture_set_memory(&fixture, 128 * FIXTURE_MIB);
    /* In front of them are many that go. */
    fixture_pour(&fixture, "front", 0, 6000, 9000);
    for (size_t i = 0; i < KEYS; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        FIXTURE_OK(fixture_put_pattern(&fixture, "ns", key, TTL_FOR(100000 + i), 9000, i));
        store_enter(fixture.thread);
        FIXTURE_OK(store_locate(fixture.thread, slice_of("ns"), slice_of(key), &at));
        if (i % 3 == 0) {
            FIXTURE_OK(
                store_make_stale(fixture.thread, &at, TERMS(STORE_SET, TTL_KEEP), fixture.now));
        }
        FIXTURE_OK(store_inspect(fixture.thread, &at, &look, fixture.now, &view));
        versions[i] = view.version;
        store_view_put(&view);
        store_leave(fixture.thread);
    }
    uint32_t numbers = segments_end(&fixture.store->segments);
    fixture_flush(&fixture, "front");
    fixture_housekeep(&fixture);
    /* Less and less, until it has to win back what their numbers take. */
    for (uint64_t memory = 48; segments_end(&fixture.store->segments) == numbers; memory--) {
        fixture_shrink(&fixture, memory * FIXTURE_MIB);
    }
    ck_assert_uint_gt(fixture_items(&fixture, "ns"), KEYS / 2);
    for (size_t i = 0; i < KEYS; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        if (!fixture_has(&fixture, "ns", key)) {
            continue;
        }
        fixture_expect_pattern(&fixture, "ns", key, 9000, i);
        fixture_expect_left(&fixture, "ns", key, 100000 + i);
        store_enter(fixture.thread);
        FIXTURE_OK(store_locate(fixture.thread, slice_of("ns"), slice_of(key), &at));
        FIXTURE_OK(store_inspect(fixture.thread, &at, &look, fixture.now, &view));
        FIXTURE_THAT(view.version == versions[i]);
        FIXTURE_THAT(view.stale == (i % 3 == 0));
        FIXTURE_THAT(view.read_before);
        store_view_put(&view);
        store_leave(fixture.thread);
    }
    fixture_wait(&fixture, 100000 + KEYS);
    fixture_housekeep(&fixture);
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store resize");
    TCase *resize = tcase_create("resize");
    tcase_add_checked_fixture(resize, setup, teardown);
    tcase_set_timeout(resize, 2 * FIXTURE_TIMEOUT);
    tcase_add_loop_test(resize, more_memory_can_be_used_at_once, 0, 2);
    tcase_add_loop_test(resize, less_memory_holds_what_fits, 0, LENGTHS);
    tcase_add_test(resize, many_namespaces_become_few);
    tcase_add_test(resize, it_shrinks_in_slices);
    tcase_add_test(resize, writers_shrink_it_too);
    tcase_add_loop_test(resize, up_and_down_with_everything_in_it, 0, 3);
    tcase_add_test(resize, taken_back_in_time);
    tcase_add_test(resize, what_fits_stays);
    tcase_add_test(resize, moved_records_keep_what_they_are);
    suite_add_tcase(suite, resize);
    return suite_run(suite);
}

/*
 * check_share.c - what is pinned and what is being uploaded: that it counts at its
 * namespace, is bounded there and in all, and takes nothing from namespaces that hold nothing.
 */
#include "tests/store/fixture.h"

#include <stdio.h>

enum {
    MEMORY = 48 * FIXTURE_MIB,
    MOST = FIXTURE_MIB, /* max_value */
    VALUE = 200 * 1000, /* bytes: a span */
    MIDDLE = 17 * 1000, /* pinned, and beside others in its segment */
    SMALL = 4000,
    MANY = 300,
};

static struct fixture fixture;
static struct store_view views[MANY];
static struct store_write *writes[MANY];

/* "tight" has a quota of a MiB, "calm" one of 16; what is left is the pool. */
static const struct store_namespace_options quotas[] = {
    {.name = {"tight", 5}, .memory = FIXTURE_MIB},
    {.name = {"calm", 4}, .memory = 16 * FIXTURE_MIB},
};

static void set_up(void)
{
    fixture_open(&fixture, MEMORY, MOST);
    fixture_declare(&fixture, quotas, 2, STORE_NEVER);
}

/* With segments that hold several values which are pinned. */
static void open_large(void)
{
    fixture_close(&fixture);
    fixture_open(&fixture, 256 * FIXTURE_MIB, MOST);
    fixture_declare(&fixture, quotas, 2, STORE_NEVER);
}

static void tear_down(void)
{
    fixture_close(&fixture);
}

static const char *name_of(const char *what, size_t number)
{
    static char name[32];
    snprintf(name, sizeof name, "%s%zu", what, number);
    return name;
}

static struct store_namespace_stats figures_of(const char *ns)
{
    struct store_namespace_stats stats;
    store_enter(fixture.thread);
    FIXTURE_OK(store_namespace_stats(fixture.thread, slice_of(ns), &stats));
    store_leave(fixture.thread);
    return stats;
}

static uint64_t memory_of(const char *ns)
{
    return figures_of(ns).memory;
}

/* Rewrites one key and pins each version, until that is not let; returns how many are held. */
static size_t pin_versions(const char *ns, size_t length, size_t most)
{
    size_t held = 0;
    enum store_status status = STORE_OK;
    while (status == STORE_OK && held < most) {
        FIXTURE_OK(fixture_put_pattern(&fixture, ns, "key", TTL_NEVER, length, held));
        status = fixture_get(&fixture, ns, "key", &views[held]);
        held += status == STORE_OK;
    }
    ck_assert(status == STORE_OK || status == STORE_CROWDED);
    return held;
}

static void give_back(size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        FIXTURE_THAT(fixture_view_is_pattern(&views[i], i));
        store_view_put(&views[i]);
    }
}

/* Values of a neighbour with a quota, up to three quarters of it. */
static size_t fill_calm(void)
{
    size_t count = 0;
    while (memory_of("calm") < 12 * FIXTURE_MIB) {
        const char *key = name_of("k", count);
        FIXTURE_OK(fixture_put_pattern(&fixture, "calm", key, TTL_NEVER, SMALL, count++));
    }
    return count;
}

static void expect_calm(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fixture_expect_pattern(&fixture, "calm", name_of("k", i), SMALL, i);
    }
    ck_assert_uint_eq(figures_of("calm").counters.evictions, 0);
}

static struct store_pressure pressure(void)
{
    struct store_pressure now;
    store_pressure(fixture.store, fixture.now, &now);
    return now;
}

static bool presses(const struct store_view *view)
{
    struct store_pressure now = pressure();
    return store_view_presses(view, &now);
}

static bool write_presses(const struct store_write *write)
{
    struct store_pressure now = pressure();
    return store_write_presses(write, &now);
}

/* --- pinned ------------------------------------------------------------------- */

START_TEST(what_readers_hold_counts_for_the_quota)
{
    size_t neighbours = fill_calm();
    size_t held = pin_versions("tight", VALUE, MANY);
    ck_assert_uint_ge(held, 2);
    ck_assert_uint_le(held * VALUE, FIXTURE_MIB / 2);
    ck_assert_uint_ge(memory_of("tight"), held * VALUE);
    ck_assert_uint_le(memory_of("tight"), FIXTURE_MIB);
    fixture_check(&fixture);
    for (size_t i = 0; i < 1000; i++) {
        FIXTURE_OK(fixture_put_pattern(&fixture, "tight", name_of("s", i), TTL_NEVER, SMALL, i));
        fixture_expect_pattern(&fixture, "tight", name_of("s", i), SMALL, i);
        FIXTURE_THAT(memory_of("tight") <= FIXTURE_MIB);
    }
    expect_calm(neighbours);
    give_back(0, held);
    fixture_housekeep(&fixture);
    ck_assert_uint_eq(pin_versions("tight", VALUE, held), held);
    give_back(0, held);
}
END_TEST

/* Deleted, flushed and expired ones are held like replaced ones. */
START_TEST(however_a_record_ends_its_memory_counts)
{
    for (int how = 0; how < 3; how++) {
        uint64_t before = memory_of("tight");
        FIXTURE_OK(fixture_put_pattern(&fixture, "tight", "key", TTL_FOR(1000), VALUE, 0));
        FIXTURE_OK(fixture_get(&fixture, "tight", "key", &views[0]));
        if (how == 0) {
            FIXTURE_OK(fixture_delete(&fixture, "tight", "key"));
        } else if (how == 1) {
            fixture_flush(&fixture, "tight");
        } else {
            fixture_wait(&fixture, 2000);
        }
        fixture_housekeep(&fixture);
        fixture_expect_gone(&fixture, "tight", "key");
        ck_assert_uint_ge(memory_of("tight"), before + VALUE);
        fixture_check(&fixture);
        give_back(0, 1);
        fixture_housekeep(&fixture);
        ck_assert_uint_le(memory_of("tight"), before + 2 * FIXTURE_KIB);
    }
}
END_TEST

START_TEST(readers_of_one_value_hold_it_once)
{
    FIXTURE_OK(fixture_put_pattern(&fixture, "tight", "key", TTL_NEVER, VALUE, 0));
    for (size_t i = 0; i < MANY; i++) {
        FIXTURE_OK(fixture_get(&fixture, "tight", "key", &views[i]));
    }
    ck_assert_uint_lt(memory_of("tight"), 2 * VALUE);
    fixture_check(&fixture);
    for (size_t i = 0; i < MANY; i++) {
        store_view_put(&views[i]);
    }
    fixture_check(&fixture);
}
END_TEST

/* One value is let through though it is more than the bound. */
START_TEST(the_first_is_never_kept_waiting)
{
    FIXTURE_OK(fixture_put_pattern(&fixture, "tight", "key", TTL_NEVER, 600 * 1000, 0));
    FIXTURE_OK(fixture_get(&fixture, "tight", "key", &views[0]));
    FIXTURE_OK(fixture_put_pattern(&fixture, "tight", "other", TTL_NEVER, MIDDLE, 0));
    ck_assert_int_eq(fixture_get(&fixture, "tight", "other", &views[1]), STORE_CROWDED);
    give_back(0, 1);
    FIXTURE_OK(fixture_get(&fixture, "tight", "other", &views[0]));
    give_back(0, 1);
}
END_TEST

START_TEST(what_is_small_is_read_though_much_is_pinned)
{
    size_t held = pin_versions("tight", VALUE, MANY);
    FIXTURE_OK(fixture_put_pattern(&fixture, "tight", "small", TTL_NEVER, SMALL, 1));
    fixture_expect_pattern(&fixture, "tight", "small", SMALL, 1);
    give_back(0, held);
}
END_TEST

/* Without a quota: a namespace has its share, all of them have theirs, and neither quotas nor
 * new records of the pool come to harm. */
START_TEST(the_pool_is_not_emptied)
{
    size_t neighbours = fill_calm();
    uint64_t pool = MEMORY - 17 * FIXTURE_MIB;
    size_t one = pin_versions("one", VALUE, MANY);
    ck_assert_uint_ge(one, 10);
    ck_assert_uint_le(one * VALUE, pool * 3 / 8);
    size_t held = one;
    enum store_status status = STORE_OK;
    while (status == STORE_OK) {
        FIXTURE_OK(fixture_put_pattern(&fixture, "two", "key", TTL_NEVER, VALUE, held));
        status = fixture_get(&fixture, "two", "key", &views[held]);
        held += status == STORE_OK;
    }
    ck_assert_int_eq(status, STORE_CROWDED);
    ck_assert_uint_gt(held, one);
    ck_assert_uint_le(held * VALUE, pool / 2);
    for (size_t i = 0; i < 2000; i++) {
        FIXTURE_OK(
            fixture_put_pattern(&fixture, "three", name_of("s", i), TTL_NEVER, 20 * SMALL, i));
    }
    expect_calm(neighbours);
    fixture_check(&fixture);
    give_back(0, held);
    fixture_check(&fixture);
}
END_TEST

/* Values that lie beside others, in a segment that is shrunk when it is sealed. */
START_TEST(segments_that_change_while_pinned_are_counted_right)
{
    open_large();
    size_t held = pin_versions("pool", MIDDLE, 100);
    ck_assert_uint_eq(held, 100);
    for (size_t i = 0; i < MANY; i++) {
        FIXTURE_OK(
            fixture_put_pattern(&fixture, "pool", name_of("m", i), TTL_FOR(i + 1), MIDDLE, i));
    }
    fixture_wait(&fixture, MANY);
    fixture_housekeep(&fixture);
    fixture_check(&fixture);
    give_back(0, held);
    fixture_housekeep(&fixture);
    fixture_check(&fixture);
}
END_TEST

START_TEST(a_quota_that_comes_or_goes_is_no_harm)
{
    size_t held = pin_versions("calm", VALUE, 5);
    fixture_declare(&fixture, quotas, 1, STORE_NEVER);
    for (size_t i = 0; i < 5; i++, held++) {
        FIXTURE_OK(fixture_put_pattern(&fixture, "pool", "key", TTL_NEVER, VALUE, held));
        FIXTURE_OK(fixture_get(&fixture, "pool", "key", &views[held]));
    }
    FIXTURE_OK(fixture_begin(&fixture, "pool", "up", STORE_SET, TTL_NEVER, VALUE, &writes[0]));
    struct store_namespace_options other = {.name = {"pool", 4}, .memory = 4 * FIXTURE_MIB};
    fixture_declare(&fixture, &other, 1, STORE_NEVER);
    fixture_check(&fixture);
    give_back(0, held);
    fixture_abort(&fixture, &writes[0]);
    fixture_check(&fixture);
}
END_TEST

START_TEST(a_namespace_goes_when_nothing_of_it_is_held)
{
    FIXTURE_OK(fixture_put_pattern(&fixture, "brief", "key", TTL_NEVER, VALUE, 0));
    FIXTURE_OK(fixture_get(&fixture, "brief", "key", &views[0]));
    FIXTURE_OK(fixture_delete(&fixture, "brief", "key"));
    fixture_rest(&fixture);
    ck_assert_uint_ge(memory_of("brief"), VALUE);
    give_back(0, 1);
    fixture_rest(&fixture);
    struct store_namespace_stats stats;
    ck_assert_int_eq(store_namespace_stats(fixture.thread, slice_of("brief"), &stats),
                     STORE_NOT_FOUND);
}
END_TEST

static bool keep_large(void *context, struct store_entry *entry)
{
    size_t *held = context;
    if (entry->large != NULL) {
        views[(*held)++] = *entry->large;
        entry->large = NULL;
    }
    return true;
}

START_TEST(a_listing_waits_like_a_reader)
{
    struct store_cursor *cursor = NULL;
    size_t held = 0;
    size_t seen = 0;
    bool ended = false;
    for (size_t i = 0; i < 4; i++) {
        FIXTURE_OK(fixture_put_pattern(&fixture, "tight", name_of("k", i), TTL_NEVER, VALUE, i));
    }
    store_enter(fixture.thread);
    FIXTURE_OK(store_cursor_open(fixture.thread, slice_of("tight"), &cursor));
    while (!ended) {
        ended = store_cursor_step(fixture.thread, cursor, fixture.now, 100, keep_large, &held);
        ck_assert_int_eq(store_cursor_is_crowded(cursor), !ended);
        ck_assert_uint_ge(held, 1);
        ck_assert_uint_le(held * VALUE, FIXTURE_MIB / 2);
        for (; held > 0; held--, seen++) {
            store_view_put(&views[held - 1]);
        }
    }
    ck_assert_uint_eq(seen, 4);
    store_leave(fixture.thread);
    store_cursor_close(&cursor);
}
END_TEST

static bool see_key(void *context, struct store_entry *entry)
{
    size_t *seen = context;
    ck_assert_ptr_null(entry->large);
    ck_assert_ptr_null(entry->value.bytes);
    ck_assert_uint_eq(entry->value_length, VALUE);
    (*seen)++;
    return true;
}

/* Nor does it have others give way. */
START_TEST(a_listing_of_keys_waits_for_nothing)
{
    struct store_cursor *cursor = NULL;
    struct store_pressure pressure;
    size_t seen = 0;
    for (size_t i = 0; i < 4; i++) {
        FIXTURE_OK(fixture_put_pattern(&fixture, "tight", name_of("k", i), TTL_NEVER, VALUE, i));
    }
    FIXTURE_OK(fixture_get(&fixture, "tight", name_of("k", 0), &views[0]));
    store_enter(fixture.thread);
    FIXTURE_OK(store_cursor_open(fixture.thread, slice_of("tight"), &cursor));
    store_cursor_skip_values(cursor);
    ck_assert(store_cursor_step(fixture.thread, cursor, fixture.now, 100, see_key, &seen));
    ck_assert_uint_eq(seen, 4);
    store_pressure(fixture.store, fixture.now, &pressure);
    ck_assert(!store_view_presses(&views[0], &pressure));
    store_leave(fixture.thread);
    store_cursor_close(&cursor);
    give_back(0, 1);
}
END_TEST

START_TEST(a_look_waits_like_a_read)
{
    struct store_terms touch = {.ttl = TTL_FOR(5000)};
    struct store_key at;
    struct store_view view;
    uint64_t left = 0;
    open_large();
    FIXTURE_OK(fixture_put_pattern(&fixture, "tight", "key", TTL_NEVER, 600 * 1000, 0));
    FIXTURE_OK(fixture_get(&fixture, "tight", "key", &views[0]));
    for (size_t length = MIDDLE; length <= VALUE; length += VALUE - MIDDLE) {
        FIXTURE_OK(fixture_put_pattern(&fixture, "tight", "other", TTL_NEVER, length, 1));
        store_enter(fixture.thread);
        FIXTURE_OK(store_locate(fixture.thread, slice_of("tight"), slice_of("other"), &at));
        ck_assert_int_eq(store_inspect(fixture.thread, &at, &touch, fixture.now, &view),
                         STORE_CROWDED);
        FIXTURE_OK(store_expiry(fixture.thread, &at, fixture.now, &left));
        store_leave(fixture.thread);
        ck_assert_uint_eq(left, STORE_NEVER);
    }
    give_back(0, 1);
}
END_TEST

START_TEST(only_what_is_in_the_way_presses)
{
    FIXTURE_OK(fixture_put_pattern(&fixture, "calm", "key", TTL_NEVER, VALUE, 0));
    FIXTURE_OK(fixture_get(&fixture, "calm", "key", &views[MANY - 1]));
    size_t held = pin_versions("tight", VALUE, MANY);
    ck_assert(presses(&views[0]));
    ck_assert(!presses(&views[MANY - 1]));
    fixture_wait(&fixture, 1000);
    size_t before = held;
    ck_assert(!presses(&views[0]));
    ck_assert_int_eq(fixture_get(&fixture, "tight", "key", &views[held]), STORE_CROWDED);
    ck_assert(presses(&views[0]));
    give_back(0, before);
    store_view_put(&views[MANY - 1]);
}
END_TEST

/* More than half of the bound is enough where memory has run out. */
START_TEST(much_that_is_held_presses_when_memory_is_scarce)
{
    size_t held = pin_versions("pool", VALUE, 40);
    ck_assert_uint_eq(held, 40);
    ck_assert(!presses(&views[0]));
    for (size_t i = 0; i < MANY; i++) {
        FIXTURE_OK(fixture_put_pattern(&fixture, "pool", name_of("x", i), TTL_NEVER, VALUE, i));
    }
    ck_assert(presses(&views[0]));
    give_back(20, held);
    ck_assert(!presses(&views[0]));
    give_back(0, 20);
}
END_TEST

/* --- uploads -------------------------------------------------------------------- */

/* Announces so many values; of those that may begin, most is written. Returns how many. */
static size_t announce(const char *ns, size_t first, size_t count, size_t length)
{
    size_t begun = 0;
    for (size_t i = first; i < first + count; i++) {
        uint64_t done = 0;
        FIXTURE_OK(
            fixture_begin(&fixture, ns, name_of("u", i), STORE_SET, TTL_NEVER, length, &writes[i]));
        enum store_status status =
            fixture_write_pattern(&fixture, writes[i], &done, length - 1000, 100000, i);
        ck_assert(status == STORE_OK || (status == STORE_CROWDED && done == 0));
        begun += status == STORE_OK;
    }
    return begun;
}

static void abort_all(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (writes[i] != NULL) {
            fixture_abort(&fixture, &writes[i]);
        }
    }
}

START_TEST(unfinished_values_stop_no_other)
{
    size_t neighbours = fill_calm();
    uint64_t pool = MEMORY - 17 * FIXTURE_MIB;
    size_t begun = announce("evil", 0, 100, MOST);
    ck_assert_uint_ge(begun, 5);
    ck_assert_uint_le(begun * MOST, pool / 4);
    begun += announce("worse", 100, 100, MOST);
    ck_assert_uint_le(begun * MOST, pool * 3 / 8);
    fixture_check(&fixture);
    for (size_t i = 0; i < MANY; i++) {
        FIXTURE_OK(fixture_put_pattern(&fixture, "tight", name_of("q", i), TTL_NEVER, 9000, i));
        FIXTURE_OK(fixture_put_pattern(&fixture, "pool", name_of("q", i), TTL_NEVER, VALUE, i));
        fixture_expect_pattern(&fixture, "pool", name_of("q", i), VALUE, i);
    }
    expect_calm(neighbours);
    abort_all(200);
    fixture_check(&fixture);
}
END_TEST

START_TEST(uploads_count_for_the_quota)
{
    FIXTURE_OK(fixture_put_pattern(&fixture, "tight", "old", TTL_NEVER, 700 * 1000, 0));
    size_t begun = announce("tight", 0, 10, 100 * 1000);
    ck_assert_uint_eq(begun, 3);
    ck_assert_uint_le(memory_of("tight"), FIXTURE_MIB);
    ck_assert_uint_ge(memory_of("tight"), 3 * 99 * 1000);
    fixture_check(&fixture);
    abort_all(10);
    fixture_housekeep(&fixture);
    fixture_check(&fixture);
}
END_TEST

/* Uploads that wait go on when others end, and each of them ends. */
START_TEST(all_that_wait_are_done_in_the_end)
{
    enum { COUNT = 100 };
    uint64_t done[COUNT] = {0};
    size_t stored = 0;
    for (size_t i = 0; i < COUNT; i++) {
        FIXTURE_OK(fixture_begin(&fixture, "pool", name_of("u", i), STORE_SET, TTL_NEVER, MOST,
                                 &writes[i]));
    }
    for (int rounds = 0; stored < COUNT; rounds++) {
        ck_assert_int_lt(rounds, 10000);
        fixture_wait(&fixture, 5);
        for (size_t i = 0; i < COUNT; i++) {
            uint64_t next = done[i] + 100000 < MOST ? done[i] + 100000 : MOST;
            enum store_status status =
                writes[i] == NULL
                    ? STORE_CROWDED
                    : fixture_write_pattern(&fixture, writes[i], &done[i], next, MOST, i);
            if (status == STORE_OK && done[i] == MOST) {
                FIXTURE_OK(fixture_commit(&fixture, &writes[i]));
                fixture_expect_pattern(&fixture, "pool", name_of("u", i), MOST, i);
                stored++;
            }
            ck_assert(status == STORE_OK || status == STORE_CROWDED);
        }
    }
}
END_TEST

/* A large one that waits has its turn, though small ones keep coming. */
START_TEST(the_first_that_waits_is_not_overtaken_for_ever)
{
    enum { LARGE = FIXTURE_MIB, LITTLE = 500 * 1000 };
    struct store_write *large = NULL;
    uint64_t done = 0;
    size_t first = 0;
    size_t end = announce("pool", 0, 100, LITTLE);
    abort_all(100);
    announce("pool", 0, end, LITTLE);
    FIXTURE_OK(fixture_begin(&fixture, "pool", "large", STORE_SET, TTL_NEVER, LARGE, &large));
    for (int rounds = 0; done == 0; rounds++) {
        ck_assert_int_lt(rounds, MANY);
        fixture_wait(&fixture, 20);
        fixture_abort(&fixture, &writes[first % MANY]); /* as much ends as comes */
        first++;
        size_t next = end++ % MANY;
        enum store_status status = fixture_write_pattern(&fixture, large, &done, 1000, 1000, 1);
        ck_assert(status == STORE_OK || status == STORE_CROWDED);
        FIXTURE_OK(
            fixture_begin(&fixture, "pool", "little", STORE_SET, TTL_NEVER, LITTLE, &writes[next]));
    }
    fixture_abort(&fixture, &large);
    abort_all(MANY);
}
END_TEST

START_TEST(uploads_press_while_others_wait)
{
    announce("pool", 0, 5, MOST);
    announce("tight", 5, 1, 100 * 1000);
    ck_assert(!write_presses(writes[0]));
    size_t begun = announce("pool", 6, 60, MOST);
    ck_assert(write_presses(writes[0]));
    ck_assert(!write_presses(writes[5]));
    ck_assert(!write_presses(writes[6 + begun])); /* holds nothing */
    fixture_wait(&fixture, 1000);
    ck_assert(!write_presses(writes[0]));
    abort_all(66);
}
END_TEST

/* What is appended, and large values that are there at once, never wait. */
START_TEST(values_that_are_there_do_not_wait)
{
    announce("pool", 0, 100, MOST);
    FIXTURE_OK(fixture_put_pattern(&fixture, "pool", "whole", TTL_NEVER, MOST, 1));
    fixture_expect_pattern(&fixture, "pool", "whole", MOST, 1);
    FIXTURE_OK(fixture_begin(&fixture, "pool", "empty", STORE_SET, TTL_NEVER, 0, &writes[100]));
    FIXTURE_OK(fixture_commit(&fixture, &writes[100]));
    abort_all(100);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store share");
    TCase *pins = tcase_create("pins");
    TCase *uploads = tcase_create("uploads");
    tcase_add_checked_fixture(pins, set_up, tear_down);
    tcase_set_timeout(pins, FIXTURE_TIMEOUT);
    tcase_add_test(pins, what_readers_hold_counts_for_the_quota);
    tcase_add_test(pins, however_a_record_ends_its_memory_counts);
    tcase_add_test(pins, readers_of_one_value_hold_it_once);
    tcase_add_test(pins, the_first_is_never_kept_waiting);
    tcase_add_test(pins, what_is_small_is_read_though_much_is_pinned);
    tcase_add_test(pins, the_pool_is_not_emptied);
    tcase_add_test(pins, segments_that_change_while_pinned_are_counted_right);
    tcase_add_test(pins, a_quota_that_comes_or_goes_is_no_harm);
    tcase_add_test(pins, a_namespace_goes_when_nothing_of_it_is_held);
    tcase_add_test(pins, a_listing_waits_like_a_reader);
    tcase_add_test(pins, a_listing_of_keys_waits_for_nothing);
    tcase_add_test(pins, a_look_waits_like_a_read);
    tcase_add_test(pins, only_what_is_in_the_way_presses);
    tcase_add_test(pins, much_that_is_held_presses_when_memory_is_scarce);
    suite_add_tcase(suite, pins);

    tcase_add_checked_fixture(uploads, set_up, tear_down);
    tcase_set_timeout(uploads, FIXTURE_TIMEOUT);
    tcase_add_test(uploads, unfinished_values_stop_no_other);
    tcase_add_test(uploads, uploads_count_for_the_quota);
    tcase_add_test(uploads, all_that_wait_are_done_in_the_end);
    tcase_add_test(uploads, the_first_that_waits_is_not_overtaken_for_ever);
    tcase_add_test(uploads, uploads_press_while_others_wait);
    tcase_add_test(uploads, values_that_are_there_do_not_wait);
    suite_add_tcase(suite, uploads);
    return suite_run(suite);
}

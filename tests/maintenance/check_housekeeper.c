/*
 * check_housekeeper.c - it comes when it is due, sooner when it is called, and
 * leaves when it is told.
 */
#include "daemon/maintenance/housekeeper.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/base/clock.h"
#include "daemon/base/instance.h"
#include "daemon/store/store.h"
#include "tests/support/suite.h"

enum {
    SOON_MS = 10,
    NEVER_MS = 3600 * 1000,
    PATIENCE_MS = 20 * 1000,
    RECORDS = 500,
};

static const struct instance instance; /* nothing is watched */
static struct store *store;
static struct store_thread *store_thread;
static struct housekeeper *housekeeper;

static void start(uint64_t interval)
{
    const struct store_options options = {.memory = 8 << 20, .max_value = 1 << 20};
    const struct store_policy policy = {.max_value = 1 << 20};
    store = store_create(&options);
    ck_assert_ptr_nonnull(store);
    store_thread = store_thread_create(store);
    ck_assert_ptr_nonnull(store_thread);
    store_enter(store_thread);
    ck_assert(store_set_policy(store, store_thread, &policy, clock_now()));
    store_leave(store_thread);
    housekeeper = housekeeper_create(store, &instance, interval);
    ck_assert_ptr_nonnull(housekeeper);
}

static void stop(void)
{
    housekeeper_destroy(&housekeeper);
    ck_assert_ptr_null(housekeeper);
    store_thread_destroy(&store_thread);
    store_destroy(&store);
}

/* Records that are over at once. */
static void put_records(void)
{
    const struct store_ttl ttl = {.kind = STORE_TTL_FOR, .milliseconds = 1};
    const struct store_terms terms = {.ttl = ttl};
    store_enter(store_thread);
    for (int i = 0; i < RECORDS; i++) {
        struct store_key at;
        char key[16];
        snprintf(key, sizeof key, "key%d", i);
        ck_assert_int_eq(store_locate(store_thread, slice_of("ns"), slice_of(key), &at), STORE_OK);
        ck_assert_int_eq(store_put(store_thread, &at, &terms, slice_of("value"), clock_now(), NULL),
                         STORE_OK);
    }
    store_leave(store_thread);
}

static uint64_t items(void)
{
    struct store_stats figures;
    store_enter(store_thread);
    store_stats(store_thread, &figures);
    store_leave(store_thread);
    return figures.items;
}

static void nap(void)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    nanosleep(&moment, NULL);
}

static void wait_until_empty(void)
{
    uint64_t deadline = clock_now() + PATIENCE_MS;
    while (items() > 0) {
        ck_assert_uint_lt(clock_now(), deadline);
        nap();
    }
}

START_TEST(it_comes_at_its_interval)
{
    start(SOON_MS);
    put_records();
    wait_until_empty();
    put_records();
    wait_until_empty();
    stop();
}
END_TEST

START_TEST(it_comes_when_poked)
{
    start(NEVER_MS);
    put_records();
    uint64_t deadline = clock_now() + PATIENCE_MS;
    while (items() > 0) { /* a poke may be too early for the records */
        ck_assert_uint_lt(clock_now(), deadline);
        housekeeper_poke(housekeeper);
        nap();
    }
    stop();
}
END_TEST

START_TEST(a_new_interval_counts_at_once)
{
    start(NEVER_MS);
    put_records();
    housekeeper_reconfigure(housekeeper, SOON_MS);
    wait_until_empty();
    stop();
}
END_TEST

START_TEST(it_leaves_at_once_and_in_the_midst_of_work)
{
    uint64_t before = clock_now();
    start(NEVER_MS);
    stop();
    start(SOON_MS);
    put_records();
    housekeeper_poke(housekeeper);
    stop();
    ck_assert_uint_lt(clock_now() - before, PATIENCE_MS);
}
END_TEST

START_TEST(its_heart_beats)
{
    start(NEVER_MS);
    uint64_t first = housekeeper_heartbeat(housekeeper);
    uint64_t deadline = clock_now() + PATIENCE_MS;
    while (housekeeper_heartbeat(housekeeper) == first) {
        ck_assert_uint_lt(clock_now(), deadline);
        nap();
    }
    stop();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("housekeeper");
    TCase *life = tcase_create("life");
    tcase_set_timeout(life, 60);
    tcase_add_test(life, it_comes_at_its_interval);
    tcase_add_test(life, it_comes_when_poked);
    tcase_add_test(life, a_new_interval_counts_at_once);
    tcase_add_test(life, it_leaves_at_once_and_in_the_midst_of_work);
    tcase_add_test(life, its_heart_beats);
    suite_add_tcase(suite, life);

    return suite_run(suite);
}

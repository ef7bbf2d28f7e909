/*
 * threads_windows.c - a housekeeper that rests between two looks at a segment (race_window.h) while
 * others use its number again, when what it belonged to before is gone.
 *
 * First it is done on purpose, by one thread: a segment waits for the housekeeper, its namespace
 * goes and is freed, and in the window its number is taken by another namespace. Then many
 * threads do what they happen to do.
 *
 * Namespaces come and go: they are written to, emptied, flushed and left to expire, so that
 * numbers of segments which wait in lists and in the heap of the due are free by the time
 * they come up, or another's. What is read must be whole, and in the end the store in order. A
 * look at memory that was freed is for AddressSanitizer to find.
 *
 * THREADS, WINDOWS_OPS and THREADS_SEED say how many, how long and what.
 */
#include "daemon/store/arena/race_window.h"
#include "tests/store/threads/threads.h"
#include "tests/support/suite.h"

#include <sched.h>
#include <stdio.h>

enum {
    OPS = 6000, /* of each worker */
    NAMES = 40, /* of each worker */
    KEYS = 40,
    VALUE_MOST = 700,
    LARGE = 40000,
    CHANGES = 300,      /* of others that a rest is long enough for */
    PATIENCE = 1000000, /* turns of the processor that it takes at most; where writers may wait */
    HASTE = 100,        /* for what the housekeeper holds, so many */
    TAKEN_AT_ONCE = 100,
    TAKEN_MOST = 4000,
    ONE_IN = 4, /* passes with a rest */
};

static struct fixture fixture;
static struct test_threads team;
static int patience;
static unsigned changes;                   /* made by workers; atomic */
static unsigned passes, rests, full_rests; /* atomic */

/* --- the window ----------------------------------------------------------------- */

static unsigned now_changed(void)
{
    return __atomic_load_n(&changes, __ATOMIC_ACQUIRE);
}

/* On purpose: takes numbers of segments, one for each namespace. */
static struct store_thread *taker; /* NULL: nothing is taken */
static unsigned taken;

static void take_numbers(void)
{
    char name[24];
    for (int i = 0; i < TAKEN_AT_ONCE && taken < TAKEN_MOST; i++) {
        struct store_key at;
        snprintf(name, sizeof name, "taker%u", taken++);
        store_enter(taker);
        FIXTURE_OK(store_locate(taker, slice_of(name), slice_of("key"), &at));
        FIXTURE_OK(store_put(taker, &at, TERMS(STORE_SET, TTL_NEVER), slice_of("value"),
                             fixture.now, NULL));
        store_leave(taker);
    }
}

/* On purpose: frees all that may be freed, so that nothing is left for the writer to free. */
static struct store_thread *housekeeper; /* NULL: it does nothing */
static unsigned came_before;

static void free_all(void)
{
    uint64_t before = fixture_figures(&fixture).counters.evictions;
    store_enter(housekeeper);
    while (store_housekeep(housekeeper, fixture.now, SIZE_MAX)) {
    }
    store_leave(housekeeper);
    came_before += fixture_figures(&fixture).counters.evictions > before;
}

static bool is_enough(unsigned from)
{
    return now_changed() - from >= CHANGES || __atomic_load_n(&team.busy, __ATOMIC_ACQUIRE) == 0;
}

void race_window_pass(enum race_window which)
{
    unsigned from = now_changed();
    if (housekeeper != NULL) {
        if (which == WINDOW_ROOM) {
            free_all();
        }
        return;
    }
    if (taker != NULL) {
        take_numbers();
        return;
    }
    if (__atomic_fetch_add(&passes, 1, __ATOMIC_RELAXED) % ONE_IN != 0) {
        return;
    }
    __atomic_fetch_add(&rests, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < patience && !is_enough(from); i++) {
        sched_yield();
    }
    if (is_enough(from)) {
        __atomic_fetch_add(&full_rests, 1, __ATOMIC_RELAXED);
    }
}

/* --- the workers ------------------------------------------------------------------ */

/* A record of the worker's own. */
struct place {
    char name[24], key[16];
    uint64_t number;
    struct store_key at;
};

static void find(struct worker *worker, unsigned name, unsigned key, struct place *place)
{
    snprintf(place->name, sizeof place->name, "w%u-%u", worker->number, name);
    snprintf(place->key, sizeof place->key, "key%u", key);
    place->number = ((uint64_t)worker->number * NAMES + name) * KEYS + key + 1;
    if (store_locate(worker->thread, slice_of(place->name), slice_of(place->key), &place->at) !=
        STORE_OK) {
        test_threads_wrong(worker->team, "%s cannot be located", place->name);
    }
}

static void has_changed(void)
{
    __atomic_fetch_add(&changes, 1, __ATOMIC_ACQ_REL);
}

static void put(struct worker *worker, struct place *place)
{
    uint64_t now = test_threads_now(worker->team);
    size_t least = CREW_VALUE_MIN + (test_threads_below(worker, 50) == 0 ? (size_t)LARGE : 0);
    size_t length = least + (size_t)test_threads_below(worker, VALUE_MOST);
    struct slice value = test_threads_value(worker, place->number, now, length);
    struct store_ttl ttl =
        test_threads_below(worker, 2) ? TTL_NEVER : TTL_FOR(1 + test_threads_below(worker, 300));
    enum store_status status =
        store_put(worker->thread, &place->at, TERMS(STORE_SET, ttl), value, now, NULL);
    if (status != STORE_OK && status != STORE_NO_MEMORY) {
        test_threads_wrong(worker->team, "put: status %d", (int)status);
    }
    has_changed();
}

static void drop(struct worker *worker, struct place *place)
{
    store_delete(worker->thread, &place->at, NULL, test_threads_now(worker->team));
    has_changed();
}

static void get(struct worker *worker, struct place *place)
{
    struct store_view view;
    uint64_t version = 0;
    if (store_get(worker->thread, &place->at, test_threads_now(worker->team), &view) != STORE_OK) {
        return;
    }
    bool whole = test_threads_is_view(worker, &view, place->number, &version);
    store_view_put(&view);
    if (!whole) {
        test_threads_wrong(worker->team, "%s %s is not what was written", place->name, place->key);
    }
}

static void each_key(struct worker *worker, void (*act)(struct worker *, struct place *))
{
    unsigned name = (unsigned)test_threads_below(worker, NAMES);
    unsigned count = 1 + (unsigned)test_threads_below(worker, KEYS);
    struct place place;
    for (unsigned key = 0; key < count; key++) {
        store_enter(worker->thread);
        find(worker, name, key, &place);
        act(worker, &place);
        store_leave(worker->thread);
    }
}

static void flush(struct worker *worker)
{
    struct place place;
    uint64_t records = 0;
    store_enter(worker->thread);
    find(worker, (unsigned)test_threads_below(worker, NAMES), 0, &place);
    enum store_status status =
        store_flush(worker->thread, slice_of(place.name), test_threads_now(worker->team), &records);
    store_leave(worker->thread);
    if (status != STORE_OK && status != STORE_NO_MEMORY) {
        test_threads_wrong(worker->team, "flush: status %d", (int)status);
    }
    has_changed();
}

static void churn(struct worker *worker)
{
    uint64_t ops = fixture_setting("WINDOWS_OPS", OPS);
    for (uint64_t i = 0; i < ops && !test_threads_failed(worker->team); i++) {
        uint64_t dice = test_threads_below(worker, 100);
        if (dice < 45) {
            each_key(worker, put);
        } else if (dice < 60) {
            each_key(worker, drop);
        } else if (dice < 80) {
            each_key(worker, get);
        } else {
            flush(worker);
        }
        test_threads_pass_time(worker->team, 1);
    }
}

static void run(uint64_t memory, int turns)
{
    patience = turns;
    fixture_open(&fixture, memory, FIXTURE_MIB);
    passes = rests = full_rests = 0;
    test_threads_open(&team, fixture.store, (unsigned)fixture_setting("THREADS", 3), 1);
    test_threads_run(&team, churn);
    fixture.now = test_threads_now(&team);
    fixture_check(&fixture);
    fixture_rest(&fixture);
    test_threads_close(&team);
    fixture_close(&fixture);
    ck_assert_uint_gt(rests, 0);
    if (turns == PATIENCE) {
        ck_assert_uint_gt(full_rests, 0);
    }
}

/* --- on purpose --------------------------------------------------------------------- */

enum { GOING = 4000, GOING_VALUE = 300 };

/* Segments more than half of which is dead wait to be compacted. */
static void leave_half_dead(const char *name)
{
    char key[16];
    fixture_pour(&fixture, name, 0, GOING, GOING_VALUE);
    for (unsigned i = 0; i < GOING; i++) {
        snprintf(key, sizeof key, "key%u", i);
        if (i % 4 != 0) {
            FIXTURE_OK(fixture_delete(&fixture, name, key));
        }
    }
}

/* In steps that are as small as can be: what waits comes after what frees it. */
static void keep_house(void)
{
    bool more = true;
    while (more) {
        store_enter(fixture.thread);
        more = store_housekeep(fixture.thread, fixture.now, 1);
        store_leave(fixture.thread);
    }
}

START_TEST(a_number_that_waits_is_used_again)
{
    fixture_open(&fixture, 64 * FIXTURE_MIB, FIXTURE_MIB);
    taker = store_thread_create(fixture.store);
    ck_assert_ptr_nonnull(taker);
    taken = 0;
    for (int i = 0; i < 10; i++) {
        leave_half_dead("goes");  /* waits first */
        leave_half_dead("stays"); /* passes the window, too */
        fixture_flush(&fixture, "goes");
        keep_house();
        ck_assert_uint_eq(fixture_count_alive(&fixture, "goes", 0, GOING, GOING_VALUE), 0);
        ck_assert_uint_eq(fixture_count_alive(&fixture, "stays", 0, GOING, GOING_VALUE), GOING / 4);
    }
    ck_assert_uint_gt(taken, 0);
    store_thread_destroy(&taker);
    ck_assert_ptr_null(taker);
    for (unsigned i = 0; i < taken; i++) {
        char name[24];
        snprintf(name, sizeof name, "taker%u", i);
        fixture_expect(&fixture, name, "key", "value");
    }
    fixture_close(&fixture);
}
END_TEST

/* A namespace near its quota, in which the housekeeper evicts what stands in the way before the
 * writer comes to it. */
START_TEST(room_that_the_housekeeper_made_is_found)
{
    enum { QUOTA = 4 * FIXTURE_MIB, ROUNDS = 40 };
    struct store_namespace_options quota = {
        .name = slice_of("n"), .ttl = STORE_NEVER, .max_ttl = STORE_NEVER, .memory = QUOTA};
    char key[16];
    fixture_open(&fixture, 64 * FIXTURE_MIB, QUOTA);
    fixture_declare(&fixture, &quota, 1, STORE_NEVER);
    housekeeper = store_thread_create(fixture.store);
    ck_assert_ptr_nonnull(housekeeper);
    came_before = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        size_t length = (size_t)QUOTA / 4 * 3 - 8192;
        snprintf(key, sizeof key, "key%u", i);
        FIXTURE_OK(
            fixture_stream_pattern(&fixture, "n", key, STORE_SET, TTL_NEVER, length, 65536, i));
        fixture_expect_pattern(&fixture, "n", key, length, i);
    }
    ck_assert_uint_gt(came_before, 0);
    store_thread_destroy(&housekeeper);
    ck_assert_ptr_null(housekeeper);
    fixture_close(&fixture);
}
END_TEST

/* --- by chance ---------------------------------------------------------------------- */

START_TEST(with_ample_memory)
{
    run(64 * FIXTURE_MIB, PATIENCE);
}
END_TEST

START_TEST(with_little_memory)
{
    run(STORE_MEMORY_MIN, HASTE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("windows");
    TCase *windows = tcase_create("windows");
    tcase_set_timeout(windows, FIXTURE_TIMEOUT);
    tcase_add_test(windows, a_number_that_waits_is_used_again);
    tcase_add_test(windows, room_that_the_housekeeper_made_is_found);
    tcase_add_test(windows, with_ample_memory);
    tcase_add_test(windows, with_little_memory);
    suite_add_tcase(suite, windows);
    return suite_run(suite);
}

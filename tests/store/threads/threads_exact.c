/*
 * threads_exact.c - what many threads do at once and what can be counted: sums of
 * INCR and of comparing versions, bytes appended, which thread wins an ADD, a DELETE or a
 * stale record, and listings among writers. With ample
 * memory all of it is exact.
 *
 * THREADS, THREADS_OPS and THREADS_SEED say how many, how long and what.
 */
#include "tests/store/threads/threads.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    COUNTERS = 50,
    PRIZES = 2000, /* keys that all try to add, and all try to delete */
    STILL = 1500,  /* records that stay while they are listed */
    OTHERS = 4000, /* keys that come and go beside them */
};

/* What a worker keeps to itself. */
struct own {
    uint64_t sum;
    uint64_t won;
    uint64_t renewals;
    struct store_cursor *cursor;
    uint8_t still_seen[STILL];
    struct store_key at;
    char name[16];
    char key_bytes[16];
};

static struct fixture fixture;
static bool rewrites; /* what stays is written again and again */

/* --- sums --------------------------------------------------------------- */

static void find_named(struct worker *worker, const char *name, const char *kind, size_t number)
{
    struct own *own = worker->own;
    snprintf(own->name, sizeof own->name, "%s", name);
    snprintf(own->key_bytes, sizeof own->key_bytes, "%s-%zu", kind, number);
    if (store_locate(worker->thread, slice_of(own->name), slice_of(own->key_bytes), &own->at) !=
        STORE_OK) {
        test_threads_wrong(worker->team, "locate");
    }
}

/* Writes or deletes one of the records that are in the way. */
static void disturb(struct worker *worker, const char *name)
{
    struct own *own = worker->own;
    size_t number = (size_t)test_threads_below(worker, OTHERS);
    struct store_ttl ttl =
        test_threads_below(worker, 2) ? TTL_NEVER : TTL_FOR(1 + test_threads_below(worker, 500));
    enum store_status status;
    store_enter(worker->thread);
    find_named(worker, name, "other", number);
    uint64_t now = test_threads_now(worker->team);
    if (test_threads_below(worker, 3)) {
        size_t length = CREW_VALUE_MIN + (size_t)test_threads_below(worker, 400);
        struct slice value = test_threads_value(worker, number, now, length);
        status = store_put(worker->thread, &own->at, TERMS(STORE_SET, ttl), value, now, NULL);
    } else {
        status = store_delete(worker->thread, &own->at, NULL, now);
    }
    store_leave(worker->thread);
    if (status != STORE_OK && status != STORE_NOT_FOUND) {
        test_threads_wrong(worker->team, "%s %zu: status %d", name, number, (int)status);
    }
}

static void count_up(struct worker *worker)
{
    struct own *own = worker->own;
    uint64_t by = test_threads_below(worker, 1000);
    struct store_sum sum = {.by = by};
    store_enter(worker->thread);
    find_named(worker, "sums", "counter", (size_t)test_threads_below(worker, COUNTERS));
    enum store_status status = store_add_number(
        worker->thread, &own->at, TERMS(STORE_SET, TTL_KEEP), &sum, test_threads_now(worker->team));
    store_leave(worker->thread);
    if (status != STORE_OK || sum.number < by) {
        test_threads_wrong(worker->team, "a counter: status %d", (int)status);
    }
    own->sum += by;
}

/* All threads try; one gets it. */
static void win_prizes(struct worker *worker, bool by_adding)
{
    struct own *own = worker->own;
    for (size_t i = 0; i < PRIZES && !test_threads_failed(worker->team); i++) {
        store_enter(worker->thread);
        find_named(worker, "prizes", "prize", i);
        uint64_t now = test_threads_now(worker->team);
        enum store_status status =
            by_adding ? store_put(worker->thread, &own->at, TERMS(STORE_ADD, TTL_NEVER),
                                  slice_of("mine"), now, NULL)
                      : store_delete(worker->thread, &own->at, NULL, now);
        store_leave(worker->thread);
        if (status == STORE_OK) {
            own->won++;
        } else if (status != (by_adding ? STORE_EXISTS : STORE_NOT_FOUND)) {
            test_threads_wrong(worker->team, "prize %zu: status %d", i, (int)status);
        }
    }
}

/* Adds one to a number that it has to read first: no other thread's may be lost. */
static void count_by_comparing(struct worker *worker)
{
    struct own *own = worker->own;
    enum store_status status = STORE_CHANGED;
    while (status == STORE_CHANGED) {
        struct store_terms terms = {.ttl = TTL_KEEP, .tells_version = true};
        struct store_view view;
        char digits[24] = "";
        store_enter(worker->thread);
        find_named(worker, "sums", "compared", 0);
        uint64_t now = test_threads_now(worker->team);
        status = store_inspect(worker->thread, &own->at, &terms, now, &view);
        if (status == STORE_OK) {
            memcpy(digits, view.bytes, view.length < 20 ? view.length : 20);
            store_view_put(&view);
            terms.compares = true;
            terms.expected = view.version;
            snprintf(digits, sizeof digits, "%llu", strtoull(digits, NULL, 10) + 1);
            terms.ttl = TTL_NEVER;
            status = store_put(worker->thread, &own->at, &terms, slice_of(digits), now, NULL);
        }
        store_leave(worker->thread);
    }
    if (status != STORE_OK) {
        test_threads_wrong(worker->team, "comparing: status %d", (int)status);
    }
}

/* Every byte that a thread appends has to be there in the end. */
static void append_byte(struct worker *worker)
{
    struct own *own = worker->own;
    const struct store_terms terms = {.mode = test_threads_below(worker, 2) ? STORE_APPEND
                                                                            : STORE_PREPEND};
    store_enter(worker->thread);
    find_named(worker, "sums", "appended", 0);
    enum store_status status = store_put(worker->thread, &own->at, &terms, slice_of("+"),
                                         test_threads_now(worker->team), NULL);
    store_leave(worker->thread);
    if (status != STORE_OK) {
        test_threads_wrong(worker->team, "appending: status %d", (int)status);
    }
}

/* Of all threads that look at a stale record, one is told to renew it. */
static void look_at_stale(struct worker *worker)
{
    struct own *own = worker->own;
    for (size_t i = 0; i < PRIZES && !test_threads_failed(worker->team); i++) {
        const struct store_terms terms = {.ttl = TTL_KEEP, .contends = true};
        struct store_view view;
        store_enter(worker->thread);
        find_named(worker, "stale", "prize", i);
        enum store_status status =
            store_inspect(worker->thread, &own->at, &terms, test_threads_now(worker->team), &view);
        if (status == STORE_OK) {
            own->renewals += view.won;
            store_view_put(&view);
        }
        store_leave(worker->thread);
        if (status != STORE_OK) {
            test_threads_wrong(worker->team, "stale %zu: status %d", i, (int)status);
        }
    }
}

static void add_up(struct worker *worker)
{
    uint64_t steps = fixture_setting("THREADS_OPS", 20000);
    win_prizes(worker, true);
    look_at_stale(worker);
    test_threads_meet(worker);
    for (uint64_t step = 0; step < steps && !test_threads_failed(worker->team); step++) {
        count_up(worker);
        if (step % 8 == 0) {
            count_by_comparing(worker);
        }
        if (step % 64 == 0) {
            append_byte(worker);
        }
        if (step % 4 == 0) {
            disturb(worker, "others");
        }
        if (step % 64 == 0) {
            test_threads_pass_time(worker->team, 1);
        }
    }
    test_threads_meet(worker);
    win_prizes(worker, false);
}

static void put_stale_ones(void)
{
    const struct store_terms terms = {.ttl = TTL_KEEP};
    struct store_key at;
    char key[32];
    for (int i = 0; i < PRIZES; i++) {
        snprintf(key, sizeof key, "prize-%d", i);
        FIXTURE_OK(fixture_put(&fixture, "stale", key, TTL_NEVER, "old"));
        store_enter(fixture.thread);
        FIXTURE_OK(store_locate(fixture.thread, slice_of("stale"), slice_of(key), &at));
        FIXTURE_OK(store_make_stale(fixture.thread, &at, &terms, fixture.now));
        store_leave(fixture.thread);
    }
}

START_TEST(sums_are_exact)
{
    struct test_threads team;
    char key[32];
    uint64_t expected = 0;
    uint64_t sum = 0;
    uint64_t won = 0;
    uint64_t renewals = 0;
    struct store_view view;
    fixture_open(&fixture, 256 * FIXTURE_MIB, FIXTURE_MIB);
    test_threads_open(&team, fixture.store, (unsigned)fixture_setting("THREADS", 6),
                      sizeof(struct own));
    for (int i = 0; i < COUNTERS; i++) {
        snprintf(key, sizeof key, "counter-%d", i);
        FIXTURE_OK(
            fixture_put(&fixture, "sums", key, i % 2 ? TTL_NEVER : TTL_FOR(1ULL << 40), "0"));
    }
    FIXTURE_OK(fixture_put(&fixture, "sums", "compared-0", TTL_NEVER, "0"));
    FIXTURE_OK(fixture_put(&fixture, "sums", "appended-0", TTL_NEVER, ""));
    put_stale_ones();
    test_threads_run(&team, add_up);
    fixture.now = test_threads_now(&team);
    for (unsigned i = 0; i < team.count; i++) {
        const struct own *own = team.workers[i].own;
        expected += own->sum;
        won += own->won;
        renewals += own->renewals;
    }
    uint64_t steps = team.count * fixture_setting("THREADS_OPS", 20000);
    FIXTURE_OK(fixture_incr(&fixture, "sums", "compared-0", 0, &sum));
    ck_assert_uint_eq(sum, steps / 8);
    FIXTURE_OK(fixture_get(&fixture, "sums", "appended-0", &view));
    ck_assert_uint_eq(view.length, team.count * ((steps / team.count + 63) / 64));
    fixture_give_back(&view);
    ck_assert_uint_eq(renewals, PRIZES);
    sum = 0;
    for (int i = 0; i < COUNTERS; i++) {
        uint64_t number = 0;
        snprintf(key, sizeof key, "counter-%d", i);
        FIXTURE_OK(fixture_incr(&fixture, "sums", key, 0, &number));
        sum += number;
    }
    ck_assert_uint_eq(sum, expected);
    ck_assert_uint_eq(won, 2 * PRIZES); /* each added once and deleted once */
    ck_assert_uint_eq(fixture_items(&fixture, "prizes"), 0);
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
    test_threads_close(&team);
    fixture_close(&fixture);
}
END_TEST

/* --- listings among writers --------------------------------------------- */

static bool visit_still(void *context, struct store_entry *entry)
{
    struct worker *worker = context;
    struct own *own = worker->own;
    char text[16] = "";
    size_t number;
    if (entry->key.length < sizeof text) {
        memcpy(text, entry->key.bytes, entry->key.length);
    }
    if (sscanf(text, "still-%zu", &number) == 1 && number < STILL) {
        own->still_seen[number]++;
    }
    return true;
}

static void list_still(struct worker *worker)
{
    struct own *own = worker->own;
    bool ended = false;
    memset(own->still_seen, 0, sizeof own->still_seen);
    store_enter(worker->thread);
    if (store_cursor_open(worker->thread, slice_of("still"), &own->cursor) != STORE_OK) {
        test_threads_wrong(worker->team, "listing cannot be opened");
    } else if (test_threads_below(worker, 2) == 0) {
        store_cursor_want_notes(own->cursor);
    }
    store_leave(worker->thread);
    while (own->cursor != NULL && !ended) {
        store_enter(worker->thread);
        ended = store_cursor_step(worker->thread, own->cursor, test_threads_now(worker->team), 200,
                                  visit_still, worker);
        store_leave(worker->thread);
    }
    if (own->cursor != NULL && store_cursor_status(own->cursor) != STORE_OK) {
        test_threads_wrong(worker->team, "a listing ended before its time");
    }
    if (own->cursor != NULL) {
        store_cursor_close(&own->cursor);
    }
    for (size_t i = 0; i < STILL; i++) {
        if (own->still_seen[i] != 1 && own->still_seen[i] != 2) {
            test_threads_wrong(worker->team, "still-%zu was seen %u times", i, own->still_seen[i]);
        }
    }
}

/* Writes one of the records that stay, with what ends in a value of its own. */
static void modify_still(struct worker *worker)
{
    struct own *own = worker->own;
    size_t number = (size_t)test_threads_below(worker, STILL);
    uint64_t version = test_threads_below(worker, 1 << 20);
    store_enter(worker->thread);
    find_named(worker, "still", "still", number);
    size_t length = CREW_VALUE_MIN + (size_t)test_threads_below(worker, 400);
    enum store_status status = store_put(worker->thread, &own->at, TERMS(STORE_SET, TTL_NEVER),
                                         test_threads_value(worker, number, version, length),
                                         test_threads_now(worker->team), NULL);
    store_leave(worker->thread);
    if (status != STORE_OK) {
        test_threads_wrong(worker->team, "still-%zu: status %d", number, (int)status);
    }
}

static void write_beside_listings(struct worker *worker)
{
    disturb(worker, "still");
    if (rewrites) {
        modify_still(worker);
    }
}

/* The first two list, the others write. */
static void list_or_write(struct worker *worker)
{
    uint64_t steps = fixture_setting("THREADS_OPS", 20000);
    for (uint64_t i = 0; worker->number < 2 && i < steps / 1000; i++) {
        if (!test_threads_failed(worker->team)) {
            list_still(worker);
        }
    }
    for (uint64_t i = 0; worker->number >= 2 && i < steps; i++) {
        if (test_threads_failed(worker->team)) {
            return;
        }
        write_beside_listings(worker);
        if (i % 16 == 0) {
            test_threads_pass_time(worker->team, 1);
        }
    }
}

START_TEST(what_stays_is_listed)
{
    struct test_threads team;
    char key[32];
    rewrites = _i == 1;

    fixture_open(&fixture, 128 * FIXTURE_MIB, FIXTURE_MIB);
    test_threads_open(&team, fixture.store, (unsigned)fixture_setting("THREADS", 6),
                      sizeof(struct own));
    for (int i = 0; i < STILL; i++) {
        snprintf(key, sizeof key, "still-%d", i);
        FIXTURE_OK(fixture_put_pattern(
            &fixture, "still", key, i % 2 ? TTL_NEVER : TTL_FOR(1ULL << 40), (size_t)i % 300, 1));
    }
    test_threads_run(&team, list_or_write);
    fixture.now = test_threads_now(&team);
    fixture_housekeep(&fixture);
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
    test_threads_close(&team);
    fixture_close(&fixture);
}
END_TEST

/* --- listings that stand still ------------------------------------------- */

enum { STANDING = 24 };

static bool visit_one(void *context, struct store_entry *entry)
{
    size_t *visits = context;
    (void)entry;
    (*visits)++;
    return true;
}

static bool step_standing(struct worker *worker, struct store_cursor *cursor, size_t *visits)
{
    store_enter(worker->thread);
    bool ended = store_cursor_step(worker->thread, cursor, test_threads_now(worker->team), 50,
                                   visit_one, visits);
    store_leave(worker->thread);
    return ended;
}

/* Opens many, lets time pass while it writes, and goes on with them: those that were not ended
 * have met all of what stays. */
static void stand_still(struct worker *worker)
{
    struct store_cursor *cursors[STANDING];
    size_t visits[STANDING] = {0};
    uint64_t steps = fixture_setting("THREADS_OPS", 20000) / 4;
    store_enter(worker->thread);
    for (size_t i = 0; i < STANDING; i++) {
        if (store_cursor_open(worker->thread, slice_of("still"), &cursors[i]) != STORE_OK) {
            test_threads_wrong(worker->team, "listing cannot be opened");
        }
    }
    store_leave(worker->thread);
    for (size_t i = 0; i < STANDING; i++) {
        step_standing(worker, cursors[i], &visits[i]);
    }
    for (uint64_t i = 0; i < steps && !test_threads_failed(worker->team); i++) {
        modify_still(worker);
        test_threads_pass_time(worker->team, i % 64 == 0 ? 500 : 0);
        if (i % 128 == 0) {
            step_standing(worker, cursors[0], &visits[0]);
        }
    }
    for (size_t i = 0; i < STANDING; i++) {
        while (!step_standing(worker, cursors[i], &visits[i])) {
            ;
        }
        if (store_cursor_status(cursors[i]) == STORE_OK && visits[i] < STILL) {
            test_threads_wrong(worker->team, "%zu records were listed", visits[i]);
        }
        store_cursor_close(&cursors[i]);
    }
}

START_TEST(listings_that_stand_still)
{
    struct test_threads team;
    char key[32];
    fixture_open(&fixture, 16 * FIXTURE_MIB, FIXTURE_MIB);
    test_threads_open(&team, fixture.store, (unsigned)fixture_setting("THREADS", 6),
                      sizeof(struct own));
    for (int i = 0; i < STILL; i++) {
        snprintf(key, sizeof key, "still-%d", i);
        FIXTURE_OK(fixture_put_pattern(&fixture, "still", key, TTL_NEVER, (size_t)i % 300, 1));
    }
    test_threads_run(&team, stand_still);
    fixture.now = test_threads_now(&team);
    fixture_housekeep(&fixture);
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
    test_threads_close(&team);
    fixture_close(&fixture);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store threads exact");
    TCase *threads = tcase_create("threads");
    tcase_set_timeout(threads, 2 * FIXTURE_TIMEOUT);
    tcase_add_test(threads, sums_are_exact);
    tcase_add_loop_test(threads, what_stays_is_listed, 0, 2);
    tcase_add_test(threads, listings_that_stand_still);
    suite_add_tcase(suite, threads);
    return suite_run(suite);
}

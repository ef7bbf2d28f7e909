/*
 * check_busy.c - listings of a namespace that is written faster than it is listed: they
 * end, with everything that lived throughout; compaction and eviction go on beside them; what
 * they owe is bounded.
 */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum { RECORDS = 20000, LARGE = 40, LARGE_LENGTH = 30000 };

static struct fixture fixture;

static void setup(void)
{
    fixture_open(&fixture, 64 * FIXTURE_MIB, FIXTURE_MIB);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

/* Records are named key<i>; their values are patterns of the seeds that are kept here. */
struct listing {
    struct store_cursor *cursor;
    unsigned seen[RECORDS];
    size_t visits;
    size_t wrong;
};

static uint64_t seeds[RECORDS];

static bool visit(void *context, struct store_entry *entry)
{
    struct listing *listing = context;
    char key[32] = "";
    size_t number = RECORDS;
    listing->visits++;
    if (entry->key.length < sizeof key) {
        memcpy(key, entry->key.bytes, entry->key.length);
    }
    if (sscanf(key, "key%zu", &number) != 1 || number >= RECORDS) {
        return true;
    }
    listing->seen[number]++;
    bool right = entry->large != NULL ? fixture_view_is_pattern(entry->large, seeds[number])
                                      : fixture_is_pattern(entry->value.bytes, 0,
                                                           entry->value.length, seeds[number]);
    listing->wrong += !right;
    return true;
}

static void begin(struct listing *listing, const char *name)
{
    memset(listing, 0, sizeof *listing);
    store_enter(fixture.thread);
    FIXTURE_OK(store_cursor_open(fixture.thread, slice_of(name), &listing->cursor));
    store_leave(fixture.thread);
}

static bool step(struct listing *listing, size_t limit)
{
    store_enter(fixture.thread);
    bool ended =
        store_cursor_step(fixture.thread, listing->cursor, fixture.now, limit, visit, listing);
    store_leave(fixture.thread);
    return ended;
}

static enum store_status finish(struct listing *listing)
{
    enum store_status status = store_cursor_status(listing->cursor);
    store_cursor_close(&listing->cursor);
    return status;
}

/* To its end, with no more steps than the records there were and their second copies ask for. */
static enum store_status run_out(struct listing *listing)
{
    size_t steps = 0;
    while (!step(listing, 64)) {
        ck_assert_uint_lt(steps++, RECORDS);
    }
    return finish(listing);
}

static size_t length_of(size_t number)
{
    return number % (RECORDS / LARGE) == 7 ? LARGE_LENGTH + number : number % 90;
}

static void put(const char *name, size_t number)
{
    static uint64_t seed;
    char key[32];
    snprintf(key, sizeof key, "key%zu", number);
    seeds[number] = ++seed;
    FIXTURE_OK(fixture_put_pattern(&fixture, name, key,
                                   number % 3 ? TTL_FOR(1ULL << 40) : TTL_NEVER, length_of(number),
                                   seeds[number]));
}

static void fill(const char *name)
{
    for (size_t i = 0; i < RECORDS; i++) {
        put(name, i);
    }
}

static void expect_all_seen(const struct listing *listing)
{
    ck_assert_uint_eq(listing->wrong, 0);
    for (size_t i = 0; i < RECORDS; i++) {
        ck_assert_msg(listing->seen[i] == 1 || listing->seen[i] == 2, "key%zu was seen %u times", i,
                      listing->seen[i]);
    }
}

/* Ten are written for each that is listed: everything many times, or only every so manyth. */
START_TEST(writers_that_are_faster)
{
    static const size_t apart[] = {1, 3, 50, 7919};
    struct listing *listing = malloc(sizeof *listing);
    uint64_t next = 0;
    size_t steps = 0;
    char key[32];
    fill("ns");
    begin(listing, "ns");
    while (!step(listing, 20)) {
        for (int i = 0; i < 200; i++, next += apart[_i]) {
            put("ns", next % RECORDS);
        }
        snprintf(key, sizeof key, "new%zu", steps);
        FIXTURE_OK(fixture_put(&fixture, "ns", key, TTL_FOR(500), key));
        fixture_wait(&fixture, 1);
        if (steps % 5 == 0) {
            fixture_housekeep(&fixture);
        }
        ck_assert_msg(++steps <= 10 * RECORDS / 20, "%zu steps were not enough", steps);
    }
    ck_assert_int_eq(finish(listing), STORE_OK);
    expect_all_seen(listing);
    ck_assert_uint_le(listing->visits, 2 * RECORDS + 1000);
    free(listing);
}
END_TEST

/* The writer chooses by chance, and one key is always written before each step. */
START_TEST(one_key_that_always_moves)
{
    struct listing *listing = malloc(sizeof *listing);
    uint64_t random = (uint64_t)_i;
    size_t steps = 0;
    fill("ns");
    begin(listing, "ns");
    do {
        for (int i = 0; i < 100; i++) {
            put("ns", (size_t)(fixture_random(&random) % RECORDS));
        }
        put("ns", 4711);
        if (steps % 9 == 0) {
            fixture_housekeep(&fixture);
        }
        ck_assert_uint_le(++steps, 10 * RECORDS / 20);
    } while (!step(listing, 20));
    ck_assert_int_eq(finish(listing), STORE_OK);
    expect_all_seen(listing);
    free(listing);
}
END_TEST

/* Writes at random to three of four records, so that each segment keeps some that live. */
static void scatter(size_t writes)
{
    uint64_t random = 1;
    for (size_t i = 0; i < writes; i++) {
        size_t number = (size_t)(fixture_random(&random) % RECORDS);
        put("ns", number % 4 != 0 ? number : number + 1);
        if (i % 500 == 0) {
            fixture_housekeep(&fixture);
            fixture_wait(&fixture, 20);
        }
    }
    fixture_housekeep(&fixture);
}

/* Dead space is won back below a listing that does not move. */
START_TEST(compaction_goes_on)
{
    struct listing *listing = malloc(sizeof *listing);
    fill("ns");
    uint64_t compactions = fixture_figures(&fixture).compactions;
    uint64_t before = fixture_figures(&fixture).memory_used;
    begin(listing, "ns");
    step(listing, 100);
    scatter(20 * RECORDS);
    ck_assert_uint_gt(fixture_figures(&fixture).compactions, compactions + 20);
    ck_assert_uint_lt(fixture_figures(&fixture).memory_used, 3 * before);
    ck_assert_int_eq(run_out(listing), STORE_OK);
    expect_all_seen(listing);
    free(listing);
}
END_TEST

/* A third of the memory lives, and a listing of it is not read. */
START_TEST(nothing_that_lives_is_evicted)
{
    struct fixture saved = fixture;
    struct listing *listing = malloc(sizeof *listing);
    fixture_open(&fixture, 10 * FIXTURE_MIB, FIXTURE_MIB);
    fill("ns");
    begin(listing, "ns");
    step(listing, 100);
    scatter(20 * RECORDS);
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), RECORDS);
    ck_assert_int_eq(run_out(listing), STORE_OK);
    expect_all_seen(listing);
    free(listing);
    fixture_close(&fixture);
    fixture = saved;
}
END_TEST

/* Records of others: the index gets eight times as many. */
static void fill_others(void)
{
    char key[32];
    for (size_t i = 0; i < 8 * RECORDS; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        FIXTURE_OK(fixture_put(&fixture, "other", key, TTL_NEVER, ""));
    }
}

/* The index grows and shrinks below the second round. */
START_TEST(the_index_changes_its_size)
{
    struct listing *listing = malloc(sizeof *listing);
    size_t steps = 0;
    if (_i == 1) {
        fill_others();
    }
    fill("ns");
    begin(listing, "ns");
    step(listing, 10);
    fill("ns");
    while (!step(listing, 7)) {
        if (steps == 1000 && _i == 0) {
            fill_others();
        }
        if ((steps == 1000 && _i == 1) || (steps == 2000 && _i == 0)) {
            fixture_flush(&fixture, "other");
            fixture_housekeep(&fixture);
        }
        ck_assert_uint_lt(++steps, 2 * RECORDS);
    }
    ck_assert_uint_gt(steps, 2000);
    ck_assert_int_eq(finish(listing), STORE_OK);
    expect_all_seen(listing);
    free(listing);
}
END_TEST

START_TEST(flushed_in_the_second_round)
{
    struct listing *listing = malloc(sizeof *listing);
    fill("ns");
    begin(listing, "ns");
    step(listing, 10);
    fill("ns");
    while (listing->visits < RECORDS / 2) {
        ck_assert(!step(listing, 64));
    }
    fixture_flush(&fixture, "ns");
    size_t visits = listing->visits;
    if (_i == 1) {
        fixture_housekeep(&fixture);
    }
    if (_i == 2) {
        fill("ns");
    }
    ck_assert_int_eq(run_out(listing), STORE_OK);
    ck_assert_uint_eq(listing->visits, visits);
    free(listing);
}
END_TEST

/* What so many owe is more than half of what all may, and more than all. */
enum { CROWD = 80, LARGE_CROWD = 160 };

static struct listing *begin_crowd(size_t count)
{
    struct listing *crowd = calloc(count, sizeof *crowd);
    ck_assert_ptr_nonnull(crowd);
    fill("ns");
    for (size_t i = 0; i < count; i++) {
        begin(&crowd[i], "ns");
        step(&crowd[i], 10);
    }
    return crowd;
}

/* Many that stand still owe more than all of them may; one that is read is not hurt. */
START_TEST(those_that_stand_still_give_way)
{
    struct listing *crowd = begin_crowd(CROWD);
    size_t ended = 0;
    for (size_t i = 0; i < 2500; i++) {
        put("ns", RECORDS - 1 - i);
    }
    fixture_wait(&fixture, 9999);
    fixture_housekeep(&fixture);
    ck_assert(!step(&crowd[0], 10));
    fixture_wait(&fixture, 1000);
    fixture_housekeep(&fixture);
    fill("ns");
    ck_assert_int_eq(run_out(&crowd[0]), STORE_OK);
    expect_all_seen(&crowd[0]);
    for (size_t i = 1; i < CROWD; i++) {
        ended += run_out(&crowd[i]) == STORE_FELL_BEHIND;
    }
    ck_assert_uint_ge(ended, CROWD / 8);
    ck_assert_uint_le(ended, CROWD - 2);
    free(crowd);
}
END_TEST

/* Nor do they when they are too many for it, though all of them are read. */
START_TEST(what_is_owed_is_bounded)
{
    struct listing *crowd = begin_crowd(LARGE_CROWD);
    struct listing *later = malloc(sizeof *later);
    size_t ended = 0;
    for (int turn = 0; turn < 5; turn++) {
        fill("ns");
    }
    for (size_t i = 0; i < LARGE_CROWD; i++) {
        enum store_status status = run_out(&crowd[i]);
        if (status == STORE_OK) {
            expect_all_seen(&crowd[i]);
        } else {
            ck_assert_int_eq(status, STORE_FELL_BEHIND);
        }
        ended += status != STORE_OK;
    }
    ck_assert_uint_ge(ended, 1);
    ck_assert_uint_lt(ended, LARGE_CROWD);
    begin(later, "ns");
    fill("ns");
    ck_assert_int_eq(run_out(later), STORE_OK);
    expect_all_seen(later);
    free(later);
    free(crowd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store busy");
    TCase *busy = tcase_create("busy");
    tcase_add_checked_fixture(busy, setup, teardown);
    tcase_set_timeout(busy, FIXTURE_TIMEOUT);
    tcase_add_loop_test(busy, writers_that_are_faster, 0, 4);
    tcase_add_loop_test(busy, one_key_that_always_moves, 0, 3);
    tcase_add_test(busy, compaction_goes_on);
    tcase_add_test(busy, nothing_that_lives_is_evicted);
    tcase_add_loop_test(busy, the_index_changes_its_size, 0, 2);
    tcase_add_loop_test(busy, flushed_in_the_second_round, 0, 3);
    tcase_add_test(busy, those_that_stand_still_give_way);
    tcase_add_test(busy, what_is_owed_is_bounded);
    suite_add_tcase(suite, busy);
    return suite_run(suite);
}

/*
 * check_ttl_ways.c - all ways to give a ttl, and a date: all of it passes before the record
 * is gone, by a clock that is rounded down, and no more than the millisecond that takes.
 */
#include "tests/store/fixture.h"

enum { TTL = 5000, LARGE = 300000 };

static struct fixture fixture;

static void setup(void)
{
    fixture_open(&fixture, 32 * FIXTURE_MIB, FIXTURE_MIB);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

static void declare(uint64_t ttl, uint64_t max_ttl, bool require_ttl)
{
    struct store_namespace_options options = {
        .name = slice_of("declared"), .ttl = ttl, .max_ttl = max_ttl, .require_ttl = require_ttl};
    fixture_declare(&fixture, &options, 1, STORE_NEVER);
}

/* --- the ways ----------------------------------------------------------------------- */

static void locate(struct store_key *at)
{
    store_enter(fixture.thread);
    FIXTURE_OK(store_locate(fixture.thread, slice_of("declared"), slice_of("key"), at));
}

static void put(const struct store_terms *terms)
{
    struct store_key at;
    locate(&at);
    FIXTURE_OK(store_put(fixture.thread, &at, terms, slice_of("1"), fixture.now, NULL));
    store_leave(fixture.thread);
}

static void put_with(struct store_ttl ttl)
{
    put(TERMS(STORE_SET, ttl));
}

static void look(const struct store_terms *terms)
{
    struct store_key at;
    struct store_view view;
    locate(&at);
    FIXTURE_OK(store_inspect(fixture.thread, &at, terms, fixture.now, &view));
    store_view_put(&view);
    store_leave(fixture.thread);
}

static void sum(const struct store_terms *terms)
{
    struct store_sum sum = {.by = 1, .initial = 1};
    struct store_key at;
    locate(&at);
    FIXTURE_OK(store_add_number(fixture.thread, &at, terms, &sum, fixture.now));
    store_leave(fixture.thread);
    ck_assert_uint_eq(sum.expires, fixture.now + TTL + 1);
}

static void by_set(void)
{
    put_with(TTL_FOR(TTL));
}

static void by_add(void)
{
    put(TERMS(STORE_ADD, TTL_FOR(TTL)));
}

static void by_replace(void)
{
    put_with(TTL_NEVER);
    put(TERMS(STORE_REPLACE, TTL_FOR(TTL)));
}

static void by_comparing(void)
{
    struct store_terms terms = {.tells_version = true};
    uint64_t version = 0;
    struct store_key at;
    locate(&at);
    FIXTURE_OK(store_put(fixture.thread, &at, &terms, slice_of("1"), fixture.now, &version));
    terms = (struct store_terms){.ttl = TTL_FOR(TTL), .compares = true, .expected = version};
    FIXTURE_OK(store_put(fixture.thread, &at, &terms, slice_of("2"), fixture.now, NULL));
    store_leave(fixture.thread);
}

/* They keep it, and where they make a record they give it. */
static void by_append(void)
{
    put_with(TTL_FOR(TTL));
    put(TERMS(STORE_APPEND, TTL_KEEP));
}

static void by_making_append(void)
{
    put(&(struct store_terms){
        .mode = STORE_APPEND, .ttl = TTL_KEEP, .makes = true, .make = TTL_FOR(TTL)});
}

static void by_prepend(void)
{
    put_with(TTL_FOR(TTL));
    put(TERMS(STORE_PREPEND, TTL_KEEP));
}

static void by_default(void)
{
    put_with(TTL_DEFAULT);
}

static void by_bound(void)
{
    declare(STORE_NEVER, TTL, false);
    put_with(TTL_NEVER);
    fixture_expect_left(&fixture, "declared", "key", TTL);
    put_with(TTL_FOR(TTL + 1));
}

static void by_touch(void)
{
    put_with(TTL_NEVER);
    FIXTURE_OK(fixture_touch(&fixture, "declared", "key", TTL_FOR(TTL)));
}

static void by_touch_by_default(void)
{
    put_with(TTL_NEVER);
    FIXTURE_OK(fixture_touch(&fixture, "declared", "key", TTL_DEFAULT));
}

static void by_look(void)
{
    put_with(TTL_NEVER);
    look(&(struct store_terms){.ttl = TTL_FOR(TTL)});
}

static void by_look_that_makes(void)
{
    look(&(struct store_terms){.ttl = TTL_KEEP, .makes = true, .make = TTL_FOR(TTL)});
}

static void by_sum(void)
{
    put_with(TTL_NEVER);
    sum(&(struct store_terms){.ttl = TTL_FOR(TTL)});
}

static void by_sum_that_makes(void)
{
    sum(&(struct store_terms){.ttl = TTL_KEEP, .makes = true, .make = TTL_FOR(TTL)});
}

static void by_marking_stale(void)
{
    struct store_key at;
    put_with(TTL_NEVER);
    locate(&at);
    FIXTURE_OK(store_make_stale(fixture.thread, &at, &(struct store_terms){.ttl = TTL_FOR(TTL)},
                                fixture.now));
    store_leave(fixture.thread);
}

static void by_emptying(void)
{
    struct store_key at;
    put_with(TTL_NEVER);
    locate(&at);
    FIXTURE_OK(store_empty(fixture.thread, &at, &(struct store_terms){.ttl = TTL_FOR(TTL)}, false,
                           fixture.now));
    store_leave(fixture.thread);
}

/* It counts from the end. */
static void by_upload(void)
{
    struct store_write *write = NULL;
    uint64_t done = 0;
    FIXTURE_OK(fixture_begin(&fixture, "declared", "key", STORE_SET, TTL_FOR(TTL), LARGE, &write));
    FIXTURE_OK(fixture_write_pattern(&fixture, write, &done, LARGE / 2, 5000, 1));
    fixture_wait(&fixture, 2 * TTL);
    FIXTURE_OK(fixture_write_pattern(&fixture, write, &done, LARGE, 5000, 1));
    FIXTURE_OK(fixture_commit(&fixture, &write));
}

static void by_touching_large(void)
{
    FIXTURE_OK(fixture_put_pattern(&fixture, "declared", "key", TTL_NEVER, LARGE, 1));
    FIXTURE_OK(fixture_touch(&fixture, "declared", "key", TTL_FOR(TTL)));
}

/* It is where the others end: a date was not rounded down. */
static void by_date(void)
{
    put_with((struct store_ttl){STORE_TTL_UNTIL, fixture.now + TTL + 1});
}

static void (*const ways[])(void) = {
    by_set,
    by_add,
    by_replace,
    by_comparing,
    by_append,
    by_prepend,
    by_making_append,
    by_default,
    by_bound,
    by_touch,
    by_look,
    by_touch_by_default,
    by_sum,
    by_look_that_makes,
    by_sum_that_makes,
    by_emptying,
    by_marking_stale,
    by_upload,
    by_touching_large,
    by_date,
};
enum { WAYS = sizeof ways / sizeof *ways };

/* In the last moment of its first millisecond a record may have been written, and in the first
 * one of its last be read. */
START_TEST(all_of_a_ttl_passes_first)
{
    declare(TTL, STORE_NEVER, false);
    ways[_i]();
    fixture_expect_left(&fixture, "declared", "key", TTL);
    fixture_wait(&fixture, TTL);
    fixture_housekeep(&fixture);
    ck_assert(fixture_has(&fixture, "declared", "key"));
    fixture_expect_left(&fixture, "declared", "key", 0);
    fixture_wait(&fixture, 1);
    fixture_expect_gone(&fixture, "declared", "key");
    fixture_housekeep(&fixture);
    ck_assert_uint_eq(fixture_items(&fixture, "declared"), 0);
}
END_TEST

START_TEST(a_date_is_kept_to)
{
    struct store_ttl date = {STORE_TTL_UNTIL, fixture.now + 2 * TTL};
    declare(STORE_NEVER, STORE_NEVER, true);
    put_with(date);
    fixture_wait(&fixture, 2 * TTL - 1);
    fixture_expect_left(&fixture, "declared", "key", 0);
    fixture_wait(&fixture, 1);
    fixture_expect_gone(&fixture, "declared", "key");
    put_with(date); /* it has passed */
    fixture_expect_gone(&fixture, "declared", "key");
    declare(STORE_NEVER, TTL, false);
    put_with((struct store_ttl){STORE_TTL_UNTIL, fixture.now + TTL + 2});
    fixture_expect_left(&fixture, "declared", "key", TTL);
    put_with((struct store_ttl){STORE_TTL_UNTIL, fixture.now + TTL});
    fixture_expect_left(&fixture, "declared", "key", TTL - 1);
    put_with((struct store_ttl){STORE_TTL_UNTIL, fixture.now + 1});
    fixture_expect_left(&fixture, "declared", "key", 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store ttl, given in all ways");
    TCase *ways_to = tcase_create("ways");
    tcase_add_checked_fixture(ways_to, setup, teardown);
    tcase_set_timeout(ways_to, FIXTURE_TIMEOUT);
    tcase_add_loop_test(ways_to, all_of_a_ttl_passes_first, 0, WAYS);
    tcase_add_test(ways_to, a_date_is_kept_to);
    suite_add_tcase(suite, ways_to);
    return suite_run(suite);
}

/*
 * check_store_stats.c - what each kind of request counts as, and how long a record was
 * left alone.
 */
#include <stdio.h>
#include <string.h>

#include "tests/store/terms_fixture.h"

/* --- looks ---------------------------------------------------------------------- */

START_TEST(looks_count_as_reads_or_as_touches)
{
    const struct store_terms plain = {.ttl = TTL_KEEP, .contends = true};
    const struct store_terms longer = {.ttl = TTL_FOR(900)};
    const struct store_terms making = {.ttl = TTL_KEEP, .makes = true, .make = TTL_FOR(700)};
    const struct store_terms unseen = {.ttl = TTL_KEEP, .peeks = true, .uncounted = true};
    struct store_view view;
    FIXTURE_OK(fixture_put(&terms_fixture, "ns", "key", TTL_FOR(100), "value"));
    FIXTURE_OK(terms_look("key", &plain, &view));
    ck_assert(!view.made);
    FIXTURE_OK(terms_look("key", &longer, &view));
    ck_assert_int_eq(terms_look("nothing", &longer, &view), STORE_NOT_FOUND);
    ck_assert_int_eq(terms_look("nothing", &plain, &view), STORE_NOT_FOUND);
    ck_assert_int_eq(terms_look("nothing", &unseen, &view), STORE_NOT_FOUND);
    FIXTURE_OK(terms_look("key", &unseen, &view));
    FIXTURE_OK(terms_look("made", &making, &view));
    ck_assert(view.won && view.made);
    FIXTURE_OK(terms_look("made", &making, &view));
    ck_assert(!view.won && view.taken && !view.made);
    struct store_stats stats = fixture_figures(&terms_fixture);
    ck_assert_uint_eq(stats.counters.hits, 2);
    ck_assert_uint_eq(stats.counters.misses, 2);
    ck_assert_uint_eq(stats.counters.touches, 1);
    ck_assert_uint_eq(stats.counters.sets, 1);
    ck_assert_uint_eq(stats.counters.made, 1);
    ck_assert_uint_eq(stats.total_items, 2);
    fixture_expect_left(&terms_fixture, "ns", "key", 900);
    fixture_expect_left(&terms_fixture, "ns", "made", 700);
}
END_TEST

/* --- writes --------------------------------------------------------------------- */

/* What a write of so many bytes counts as, by its terms and what becomes of it. */
static const struct {
    const char *name; /* key of a record that is there, or "nothing" */
    enum store_mode mode;
    enum { UNCOMPARED, RIGHT, WRONG } compares;
    size_t length;
    enum store_status status;
    struct store_counters counts;
} writes[] = {
    {"key", STORE_SET, UNCOMPARED, 1, STORE_OK, {.sets = 1}},
    {"nothing", STORE_SET, UNCOMPARED, 1, STORE_OK, {.sets = 1}},
    {"nothing", STORE_ADD, UNCOMPARED, 1, STORE_OK, {.sets = 1}},
    {"key", STORE_ADD, UNCOMPARED, 1, STORE_EXISTS, {.denied = 1}},
    {"key", STORE_ADD, WRONG, 1, STORE_EXISTS, {.denied = 1}},
    {"key", STORE_REPLACE, UNCOMPARED, 1, STORE_OK, {.sets = 1}},
    {"nothing", STORE_REPLACE, UNCOMPARED, 1, STORE_NOT_FOUND, {.denied = 1}},
    {"key", STORE_SET, RIGHT, 1, STORE_OK, {.sets = 1, .cas_hits = 1}},
    {"key", STORE_REPLACE, RIGHT, 1, STORE_OK, {.sets = 1, .cas_hits = 1}},
    {"key", STORE_SET, WRONG, 1, STORE_CHANGED, {.denied = 1, .cas_changed = 1}},
    {"nothing", STORE_SET, WRONG, 1, STORE_NOT_FOUND, {.denied = 1, .cas_missing = 1}},
    {"nothing", STORE_REPLACE, WRONG, 1, STORE_NOT_FOUND, {.denied = 1, .cas_missing = 1}},
    {"key", STORE_APPEND, UNCOMPARED, 1, STORE_OK, {.sets = 1}},
    {"key", STORE_APPEND, RIGHT, 1, STORE_OK, {.sets = 1}},
    {"key", STORE_APPEND, WRONG, 1, STORE_CHANGED, {.denied = 1}},
    {"nothing", STORE_PREPEND, UNCOMPARED, 1, STORE_NOT_FOUND, {.denied = 1}},
    {"key", STORE_SET, UNCOMPARED, FIXTURE_MIB + 1, STORE_TOO_LARGE, {.sets = 0}},
    {"key", STORE_SET, RIGHT, FIXTURE_MIB + 1, STORE_TOO_LARGE, {.sets = 0}},
    /* Of a size that is written in parts. */
    {"key", STORE_SET, UNCOMPARED, FIXTURE_MIB, STORE_OK, {.sets = 1}},
    {"key", STORE_SET, RIGHT, FIXTURE_MIB, STORE_OK, {.sets = 1, .cas_hits = 1}},
    {"key", STORE_SET, WRONG, FIXTURE_MIB, STORE_CHANGED, {.denied = 1, .cas_changed = 1}},
    {"key", STORE_ADD, UNCOMPARED, FIXTURE_MIB, STORE_EXISTS, {.denied = 1}},
    {"key", STORE_APPEND, UNCOMPARED, 500000, STORE_OK, {.sets = 1}},
    {"key", STORE_APPEND, RIGHT, 500000, STORE_OK, {.sets = 1}},
    {"nothing", STORE_APPEND, UNCOMPARED, 500000, STORE_NOT_FOUND, {.denied = 1}},
};
enum { WRITES = sizeof writes / sizeof writes[0] };

static struct store_terms terms_of(size_t i)
{
    struct store_terms terms = {.mode = writes[i].mode};
    FIXTURE_OK(fixture_put(&terms_fixture, "ns", "key", TTL_NEVER, "value"));
    if (writes[i].compares != UNCOMPARED) {
        terms.compares = true;
        terms.expected = terms_version_of("key") + (writes[i].compares == WRONG);
    }
    return terms;
}

static struct store_counters reset_counters(void)
{
    struct store_counters counters = fixture_figures(&terms_fixture).counters;
    store_enter(terms_fixture.thread);
    store_reset_counters(terms_fixture.thread);
    store_leave(terms_fixture.thread);
    return counters;
}

static void expect_counts(const char *how, size_t i)
{
    struct store_counters counters = reset_counters();
    counters.hits = counters.misses = 0;
    ck_assert_msg(memcmp(&counters, &writes[i].counts, sizeof counters) == 0,
                  "write %zu %s: %ju sets, %ju denied, cas %ju %ju %ju, %ju full", i, how,
                  (uintmax_t)counters.sets, (uintmax_t)counters.denied,
                  (uintmax_t)counters.cas_hits, (uintmax_t)counters.cas_changed,
                  (uintmax_t)counters.cas_missing, (uintmax_t)counters.full);
}

START_TEST(a_write_counts_once)
{
    static char value[FIXTURE_MIB + 1];
    size_t i = (size_t)_i;
    struct store_terms terms = terms_of(i);
    reset_counters();
    ck_assert_int_eq(
        terms_put(writes[i].name, &terms, (struct slice){value, writes[i].length}, NULL),
        writes[i].status);
    expect_counts("at once", i);
}
END_TEST

static enum store_status put_in_parts(const char *key, const struct store_terms *terms,
                                      uint64_t length)
{
    struct store_write *write = NULL;
    struct store_key at;
    uint64_t done = 0;
    terms_locate("ns", key, &at);
    enum store_status status =
        store_write_begin(terms_fixture.thread, &at, terms, length, terms_fixture.now, &write);
    store_leave(terms_fixture.thread);
    if (status != STORE_OK) {
        return status;
    }
    status = fixture_write_pattern(&terms_fixture, write, &done, length, 65536, 1);
    if (status == STORE_OK) {
        return fixture_commit(&terms_fixture, &write);
    }
    fixture_abort(&terms_fixture, &write);
    return status;
}

START_TEST(a_write_in_parts_counts_once)
{
    size_t i = (size_t)_i;
    struct store_terms terms = terms_of(i);
    reset_counters();
    ck_assert_int_eq(put_in_parts(writes[i].name, &terms, writes[i].length), writes[i].status);
    expect_counts("in parts", i);
}
END_TEST

/* One value that is kept, and one that arrives, do not wait and are all there is room for. */
START_TEST(a_write_that_finds_no_room_counts_as_that)
{
    enum { HALF = 8 * FIXTURE_MIB - STORE_KEY_MAX - 2048 };
    const struct store_terms plain = {.mode = STORE_SET};
    struct store_view kept;
    fixture_close(&terms_fixture);
    fixture_open(&terms_fixture, 16 * FIXTURE_MIB, 8 * FIXTURE_MIB);
    FIXTURE_OK(fixture_put_pattern(&terms_fixture, "ns", "kept", TTL_NEVER, HALF, 1));
    FIXTURE_OK(fixture_get(&terms_fixture, "ns", "kept", &kept));
    reset_counters();
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(put_in_parts("large", &plain, HALF), STORE_NO_MEMORY);
        struct store_counters counters = reset_counters();
        ck_assert_uint_eq(counters.full, 1);
        ck_assert_uint_eq(counters.sets + counters.denied, 0);
    }
    fixture_give_back(&kept);
}
END_TEST

/* It is the same request when it comes again. */
START_TEST(a_write_that_waits_counts_once_it_is_done)
{
    const struct store_terms plain = {.mode = STORE_SET};
    struct store_write *large[16] = {NULL};
    enum store_status status = STORE_OK;
    uint64_t done[16] = {0};
    size_t count = 0;
    for (; count < 16 && status == STORE_OK; count++) {
        FIXTURE_OK(fixture_begin(&terms_fixture, "ns", "large", STORE_SET, TTL_NEVER, FIXTURE_MIB,
                                 &large[count]));
        status = fixture_write_pattern(&terms_fixture, large[count], &done[count], FIXTURE_MIB,
                                       FIXTURE_MIB, 1);
    }
    ck_assert_int_eq(status, STORE_CROWDED);
    ck_assert_int_eq(put_in_parts("another", &plain, FIXTURE_MIB), STORE_CROWDED);
    struct store_counters counters = reset_counters();
    ck_assert_uint_eq(counters.full + counters.sets + counters.denied, 0);
    for (size_t i = 0; i < count; i++) {
        fixture_abort(&terms_fixture, &large[i]);
    }
    FIXTURE_OK(put_in_parts("another", &plain, FIXTURE_MIB));
    counters = reset_counters();
    ck_assert_uint_eq(counters.sets, 1);
    ck_assert_uint_eq(counters.full + counters.denied, 0);
}
END_TEST

START_TEST(a_record_that_is_dropped_was_not_deleted)
{
    struct store_key at;
    FIXTURE_OK(fixture_put(&terms_fixture, "ns", "key", TTL_NEVER, "value"));
    terms_locate("ns", "key", &at);
    store_drop(terms_fixture.thread, &at, terms_fixture.now);
    store_leave(terms_fixture.thread);
    fixture_expect_gone(&terms_fixture, "ns", "key");
    ck_assert_uint_eq(fixture_figures(&terms_fixture).counters.deletes, 0);
}
END_TEST

START_TEST(a_sum_counts_as_that_and_not_as_a_write)
{
    const struct store_terms making = {.ttl = TTL_KEEP, .makes = true};
    struct store_sum sum = {.by = 1, .initial = 5};
    struct store_key at;
    uint64_t number;
    terms_locate("ns", "n", &at);
    FIXTURE_OK(store_add_number(terms_fixture.thread, &at, &making, &sum, terms_fixture.now));
    ck_assert(sum.made);
    FIXTURE_OK(store_add_number(terms_fixture.thread, &at, &making, &sum, terms_fixture.now));
    ck_assert(!sum.made);
    store_leave(terms_fixture.thread);
    FIXTURE_OK(fixture_decr(&terms_fixture, "ns", "n", 1, &number));
    struct store_stats stats = fixture_figures(&terms_fixture);
    ck_assert_uint_eq(stats.counters.made, 1);
    ck_assert_uint_eq(stats.counters.increments, 1);
    ck_assert_uint_eq(stats.counters.decrements, 1);
    ck_assert_uint_eq(stats.counters.sets, 0);
    ck_assert_uint_eq(stats.total_items, 1);
}
END_TEST

/* --- how long a record was left alone ---------------------------------------------- */

/* Whenever in its unit it was read, and whenever in another it is asked. */
START_TEST(idleness_is_never_told_too_short)
{
    const struct store_terms read = {.ttl = TTL_KEEP};
    const struct store_terms peek = {.ttl = TTL_KEEP, .peeks = true};
    static const uint64_t waits[] = {0, 1, 127, 128, 999, 1000, 1920, 2003, 86400000};
    struct store_view view;
    FIXTURE_OK(fixture_put(&terms_fixture, "ns", "key", TTL_NEVER, "value"));
    for (unsigned start = 0; start < 128; start++) {
        for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
            FIXTURE_OK(terms_look("key", &read, &view));
            fixture_wait(&terms_fixture, waits[i]);
            FIXTURE_OK(terms_look("key", &peek, &view));
            FIXTURE_THAT(view.idle >= waits[i] && view.idle < waits[i] + 128);
        }
        fixture_wait(&terms_fixture, 1);
    }
}
END_TEST

/* The clocks of two threads are read at two times. */
START_TEST(a_reader_that_is_ahead_leaves_no_idleness)
{
    const struct store_terms read = {.ttl = TTL_KEEP};
    struct store_view view;
    FIXTURE_OK(fixture_put(&terms_fixture, "ns", "key", TTL_NEVER, "value"));
    FIXTURE_OK(terms_look("key", &read, &view));
    fixture_wait(&terms_fixture, 500);
    FIXTURE_OK(terms_look("key", &read, &view));
    terms_fixture.now -= 200;
    FIXTURE_OK(terms_look("key", &read, &view));
    ck_assert_uint_eq(view.idle, 0);
}
END_TEST

/* The first number is that of requests to namespaces that did not exist. */
static struct store_number_stats number_of(const char *name, uint32_t *number)
{
    struct store_number_stats stats, found = {.used = false};
    store_enter(terms_fixture.thread);
    for (uint32_t next = 0, at = 0; store_number_next(terms_fixture.thread, &next, &stats);
         at = next) {
        if (stats.used && strcmp(stats.of.name, name) == 0) {
            found = stats;
            *number = at;
        }
    }
    store_leave(terms_fixture.thread);
    return found;
}

START_TEST(a_reset_leaves_what_is_counted_since_the_start)
{
    uint32_t number = 0;
    FIXTURE_OK(fixture_put(&terms_fixture, "ns", "key", TTL_NEVER, "value"));
    fixture_expect(&terms_fixture, "ns", "key", "value");
    ck_assert_uint_eq(number_of("ns", &number).of.counters.hits, 1);
    ck_assert_uint_gt(number, 0);
    reset_counters();
    fixture_expect(&terms_fixture, "ns", "key", "value");
    struct store_namespace_stats told;
    store_enter(terms_fixture.thread);
    FIXTURE_OK(store_namespace_stats(terms_fixture.thread, slice_of("ns"), &told));
    store_leave(terms_fixture.thread);
    ck_assert_uint_eq(told.counters.hits, 1);
    ck_assert_uint_eq(told.counters.sets, 0);
    struct store_number_stats stats = number_of("ns", &number);
    ck_assert_uint_eq(stats.of.counters.hits, 2);
    ck_assert_uint_eq(stats.of.counters.sets, 1);
    ck_assert_uint_eq(stats.counters.hits, 2);
    ck_assert_uint_eq(stats.of.items, 1);
}
END_TEST

/* A namespace that comes after a reset, under a number that another one had, begins at 0. */
START_TEST(a_number_that_is_given_again_is_counted_anew)
{
    uint32_t first = 0, second = 0;
    FIXTURE_OK(fixture_put(&terms_fixture, "old", "key", TTL_NEVER, "value"));
    fixture_expect(&terms_fixture, "old", "key", "value");
    number_of("old", &first);
    reset_counters();
    fixture_expect(&terms_fixture, "old", "key", "value");
    fixture_flush(&terms_fixture, "old");
    for (int i = 0; i < 20; i++) { /* until its number is free */
        fixture_outlive(&terms_fixture, 1000);
        fixture_housekeep(&terms_fixture);
    }
    ck_assert(!number_of("old", &first).used);
    FIXTURE_OK(fixture_put(&terms_fixture, "new", "key", TTL_NEVER, "value"));
    struct store_number_stats stats = number_of("new", &second);
    ck_assert_uint_eq(second, first);
    ck_assert_uint_eq(stats.of.counters.hits, 0);
    ck_assert_uint_eq(stats.of.counters.sets, 1);
    ck_assert_uint_eq(stats.counters.hits, 2);
    struct store_namespace_stats told;
    store_enter(terms_fixture.thread);
    FIXTURE_OK(store_namespace_stats(terms_fixture.thread, slice_of("new"), &told));
    store_leave(terms_fixture.thread);
    ck_assert_uint_eq(told.counters.hits, 0);
    ck_assert_uint_eq(told.counters.sets, 1);
}
END_TEST

/* --- evictions -------------------------------------------------------------------- */

/* What the last look found, in the order of numbers. */
static struct looked {
    char name[STORE_NAMESPACE_MAX + 1];
    size_t namespaces;
    uint64_t quota, records, before;
} looked[8];
static size_t looked_count;

static void note_looked(void *context, const struct store_evicted *evicted)
{
    ck_assert_ptr_eq(context, looked);
    ck_assert_uint_lt(looked_count, 8);
    struct looked *at = &looked[looked_count++];
    *at = (struct looked){.namespaces = evicted->namespaces,
                          .quota = evicted->quota,
                          .records = evicted->records,
                          .before = evicted->before};
    memcpy(at->name, evicted->name.bytes, evicted->name.length);
}

/* A look at all namespaces, so many at a time; how many calls that took. */
static int look_at_evictions(size_t limit)
{
    uint32_t next = 0;
    int calls = 0;
    looked_count = 0;
    store_enter(terms_fixture.thread);
    bool done = false;
    while (!done) {
        calls++;
        done = store_evicted_step(terms_fixture.thread, &next, limit, terms_fixture.now,
                                  note_looked, looked);
    }
    store_leave(terms_fixture.thread);
    ck_assert_uint_eq(next, 0);
    return calls;
}

static uint64_t evictions_of(const char *name)
{
    struct store_namespace_stats stats;
    FIXTURE_OK(fixture_namespace(&terms_fixture, name, &stats));
    return stats.counters.evictions;
}

START_TEST(evictions_are_found_once)
{
    const struct store_namespace_options own = {.name = slice_of("own"), .memory = FIXTURE_MIB};
    fixture_declare(&terms_fixture, &own, 1, STORE_NEVER);
    FIXTURE_OK(fixture_put(&terms_fixture, "ns", "key", TTL_NEVER, "value"));
    FIXTURE_OK(fixture_put(&terms_fixture, "own", "key", TTL_FOR(1), "value"));
    fixture_wait(&terms_fixture, 100);
    fixture_housekeep(&terms_fixture);
    ck_assert_int_eq(look_at_evictions(100), 1);
    ck_assert_uint_eq(looked_count, 0);

    fixture_pour(&terms_fixture, "own", 0, 2000, 1000);
    uint64_t first = evictions_of("own"), when = terms_fixture.now;
    ck_assert_uint_gt(first, 0);
    ck_assert_int_gt(look_at_evictions(1), 2);
    ck_assert_uint_eq(looked_count, 1);
    ck_assert_str_eq(looked[0].name, "own");
    ck_assert_uint_eq(looked[0].quota, FIXTURE_MIB);
    ck_assert_uint_eq(looked[0].records, first);
    ck_assert_uint_eq(looked[0].before, 0);
    look_at_evictions(100);
    ck_assert_uint_eq(looked_count, 0);

    fixture_wait(&terms_fixture, 5000);
    fixture_pour(&terms_fixture, "own", 2000, 2000, 1000);
    fixture_fill(&terms_fixture, "ns", 1000);
    look_at_evictions(100);
    ck_assert_uint_eq(looked_count, 2);
    struct looked *of_own = &looked[looked[0].quota == 0];
    struct looked *of_ns = &looked[looked[0].quota != 0];
    ck_assert_str_eq(of_ns->name, "ns");
    ck_assert_uint_eq(of_ns->quota, 0);
    ck_assert_uint_eq(of_ns->records, evictions_of("ns"));
    ck_assert_uint_eq(of_own->records, evictions_of("own") - first);
    ck_assert_uint_eq(of_own->before, (when + 999) / 1000 * 1000);
}
END_TEST

/* A full store empties namespaces, and those that are not declared go then. */
START_TEST(evictions_of_namespaces_that_are_gone_are_found)
{
    enum { NAMESPACES = 3000 };
    char name[16];
    look_at_evictions(100);
    for (int i = 0; i < NAMESPACES; i++) {
        snprintf(name, sizeof name, "n%d", i);
        FIXTURE_OK(fixture_put_pattern(&terms_fixture, name, "key", TTL_NEVER, 8000, 1));
        fixture_housekeep(&terms_fixture);
    }
    fixture_rest(&terms_fixture);
    struct store_stats stats = fixture_figures(&terms_fixture);
    ck_assert_uint_gt(stats.counters.evictions, 0);
    ck_assert_uint_lt(stats.namespaces, NAMESPACES);
    look_at_evictions(100);
    ck_assert_uint_eq(looked_count, 1);
    ck_assert_uint_eq(looked[0].records, stats.counters.evictions);
    ck_assert_uint_eq(looked[0].namespaces, stats.counters.evictions);
    ck_assert_uint_eq(looked[0].namespaces, NAMESPACES - stats.namespaces);
    ck_assert_int_eq(looked[0].name[0], 'n');
    ck_assert_uint_eq(looked[0].quota, 0);
    look_at_evictions(100);
    ck_assert_uint_eq(looked_count, 0);
}
END_TEST

START_TEST(evictions_are_found_after_counters_were_reset)
{
    const struct store_namespace_options own = {.name = slice_of("own"), .memory = FIXTURE_MIB};
    fixture_declare(&terms_fixture, &own, 1, STORE_NEVER);
    fixture_pour(&terms_fixture, "own", 0, 4000, 1000);
    look_at_evictions(100);
    ck_assert_uint_eq(looked_count, 1);
    store_enter(terms_fixture.thread);
    store_reset_counters(terms_fixture.thread);
    store_leave(terms_fixture.thread);
    look_at_evictions(100);
    ck_assert_uint_eq(looked_count, 0);
    fixture_pour(&terms_fixture, "own", 4000, 1500, 1000);
    look_at_evictions(100);
    ck_assert_uint_eq(looked_count, 1);
    ck_assert_uint_eq(looked[0].records, evictions_of("own"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store stats");
    TCase *tcase = tcase_create("figures");
    tcase_set_timeout(tcase, FIXTURE_TIMEOUT);
    tcase_add_checked_fixture(tcase, terms_setup, terms_teardown);
    tcase_add_test(tcase, looks_count_as_reads_or_as_touches);
    tcase_add_loop_test(tcase, a_write_counts_once, 0, WRITES);
    tcase_add_loop_test(tcase, a_write_in_parts_counts_once, 0, WRITES);
    tcase_add_test(tcase, a_write_that_finds_no_room_counts_as_that);
    tcase_add_test(tcase, a_write_that_waits_counts_once_it_is_done);
    tcase_add_test(tcase, a_record_that_is_dropped_was_not_deleted);
    tcase_add_test(tcase, a_sum_counts_as_that_and_not_as_a_write);
    tcase_add_test(tcase, idleness_is_never_told_too_short);
    tcase_add_test(tcase, a_reader_that_is_ahead_leaves_no_idleness);
    tcase_add_test(tcase, a_reset_leaves_what_is_counted_since_the_start);
    tcase_add_test(tcase, a_number_that_is_given_again_is_counted_anew);
    tcase_add_test(tcase, evictions_are_found_once);
    tcase_add_test(tcase, evictions_of_namespaces_that_are_gone_are_found);
    tcase_add_test(tcase, evictions_are_found_after_counters_were_reset);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

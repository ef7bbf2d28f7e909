/*
 * check_cursor.c - listings: every record that stays is visited exactly
 * once, every record that is written again at least once, none that is not
 * there, whatever goes on between two steps; and every listing ends. What goes on in
 * the namespace meanwhile is in check_busy.c.
 */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum { RECORDS = 5000, STEPS_MAX = 1000000 };

static struct fixture fixture;

static void setup(void)
{
    fixture_open(&fixture, 64 * FIXTURE_MIB, FIXTURE_MIB);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

/* Records of these tests are named key<i> or large<i>; their values are the
 * pattern of the seed that is kept here. A value whose seed has changed, or is
 * 0, must not be seen. */
struct listing {
    unsigned seen[RECORDS];
    uint64_t seeds[RECORDS];
    size_t strangers; /* visits of other names */
    size_t wrong;     /* visits with a value that is not there */
    size_t visits;
    size_t refuse_every; /* the visitor stops at every so manyth visit */
    size_t refused;
    struct store_view kept[8]; /* views that the visitor took over */
    size_t kept_count;
    size_t keep;
};

static bool value_is_right(const struct store_entry *entry, uint64_t seed)
{
    if (entry->large != NULL) {
        return entry->large->pinned && entry->large->length == entry->value_length &&
               fixture_view_is_pattern(entry->large, seed);
    }
    return entry->value.length == entry->value_length &&
           fixture_is_pattern(entry->value.bytes, 0, entry->value.length, seed);
}

static bool visit(void *context, struct store_entry *entry)
{
    struct listing *listing = context;
    char key[32] = "";
    size_t number;
    if (listing->refuse_every != 0 && ++listing->refused % listing->refuse_every == 0) {
        return false;
    }
    listing->visits++;
    if (entry->key.length < sizeof key) {
        memcpy(key, entry->key.bytes, entry->key.length);
    }
    if (sscanf(key, "key%zu", &number) != 1 || number >= RECORDS) {
        listing->strangers++;
        return true;
    }
    listing->seen[number]++;
    if (listing->seeds[number] == 0 || !value_is_right(entry, listing->seeds[number])) {
        listing->wrong++;
    }
    if (entry->large != NULL && listing->kept_count < listing->keep) {
        listing->kept[listing->kept_count++] = *entry->large;
        entry->large = NULL;
    }
    return true;
}

static struct store_cursor *open_cursor(const char *name)
{
    struct store_cursor *cursor = NULL;
    store_enter(fixture.thread);
    FIXTURE_OK(store_cursor_open(fixture.thread, slice_of(name), &cursor));
    store_leave(fixture.thread);
    ck_assert_ptr_nonnull(cursor);
    return cursor;
}

static bool step(struct store_cursor *cursor, size_t limit, struct listing *listing)
{
    store_enter(fixture.thread);
    bool ended = store_cursor_step(fixture.thread, cursor, fixture.now, limit, visit, listing);
    store_leave(fixture.thread);
    return ended;
}

static void close_cursor(struct store_cursor **cursor)
{
    store_cursor_close(cursor);
    ck_assert_ptr_null(*cursor);
}

static void step_to_the_end(struct store_cursor *cursor, struct listing *listing)
{
    bool ended = false;
    for (int steps = 0; !ended && steps < STEPS_MAX; steps++) {
        ended = step(cursor, 64, listing);
    }
    ck_assert_msg(ended, "the listing never ends");
}

static size_t value_length(size_t number)
{
    return number % 500 == 7 ? 20000 + number : number % 90;
}

static void put_numbered(const char *name, struct listing *listing, size_t number,
                         struct store_ttl ttl, uint64_t seed)
{
    char key[32];
    snprintf(key, sizeof key, "key%zu", number);
    FIXTURE_OK(fixture_put_pattern(&fixture, name, key, ttl, value_length(number), seed));
    listing->seeds[number] = seed;
}

static void delete_numbered(const char *name, struct listing *listing, size_t number)
{
    char key[32];
    snprintf(key, sizeof key, "key%zu", number);
    FIXTURE_OK(fixture_delete(&fixture, name, key));
    listing->seeds[number] = 0;
}

static void fill(const char *name, struct listing *listing)
{
    for (size_t i = 0; i < RECORDS; i++) {
        put_numbered(name, listing, i, i % 3 ? TTL_FOR(60000 + i * 40) : TTL_NEVER, i + 1);
    }
}

/* Nothing seen but what was there, all of it once. */
static void expect_exactly(const struct listing *listing)
{
    ck_assert_uint_eq(listing->strangers, 0);
    ck_assert_uint_eq(listing->wrong, 0);
    for (size_t i = 0; i < RECORDS; i++) {
        ck_assert_msg(listing->seen[i] == (listing->seeds[i] != 0), "key%zu was seen %u times", i,
                      listing->seen[i]);
    }
}

START_TEST(nothing_to_list)
{
    struct listing listing = {.refuse_every = 0};
    struct store_cursor *cursor = open_cursor("ghost");
    ck_assert(step(cursor, 10, &listing));
    close_cursor(&cursor);
    FIXTURE_OK(fixture_put(&fixture, "ns", "key1", TTL_FOR(10), "value"));
    FIXTURE_OK(fixture_put(&fixture, "other", "key2", TTL_NEVER, "value"));
    fixture_outlive(&fixture, 10);
    cursor = open_cursor("ns");
    step_to_the_end(cursor, &listing);
    close_cursor(&cursor);
    ck_assert_uint_eq(listing.visits, 0);
}
END_TEST

/* With steps of one record, of a few, of all. */
START_TEST(everything_once)
{
    static const size_t limits[] = {1, 7, 1000, RECORDS, 10 * RECORDS};
    struct listing listing = {.refuse_every = 0};
    struct listing other = {.refuse_every = 0};
    bool ended = false;
    fill("ns", &listing);
    fill("other", &other);
    struct store_cursor *cursor = open_cursor("ns");
    for (int steps = 0; !ended && steps < STEPS_MAX; steps++) {
        size_t before = listing.visits;
        ended = step(cursor, limits[_i], &listing);
        ck_assert_uint_le(listing.visits - before, limits[_i]);
    }
    ck_assert(ended);
    close_cursor(&cursor);
    expect_exactly(&listing);
}
END_TEST

START_TEST(a_visitor_that_stops_misses_nothing)
{
    struct listing listing = {.refuse_every = (size_t)_i};
    bool ended = false;
    fill("ns", &listing);
    struct store_cursor *cursor = open_cursor("ns");
    for (int steps = 0; !ended && steps < STEPS_MAX; steps++) {
        ended = step(cursor, 50, &listing);
        if (steps % 100 == 0) {
            fixture_housekeep(&fixture);
        }
    }
    ck_assert(ended);
    close_cursor(&cursor);
    expect_exactly(&listing);
}
END_TEST

START_TEST(large_values_can_be_kept)
{
    struct listing listing = {.keep = 8};
    fill("ns", &listing);
    struct store_cursor *cursor = open_cursor("ns");
    step_to_the_end(cursor, &listing);
    close_cursor(&cursor);
    expect_exactly(&listing);
    ck_assert_uint_eq(listing.kept_count, 8);
    fixture_flush(&fixture, "ns");
    fixture_housekeep(&fixture);
    for (size_t i = 0; i < listing.kept_count; i++) {
        size_t number = (size_t)listing.kept[i].length - 20000;
        ck_assert_uint_lt(number, RECORDS);
        ck_assert(fixture_view_is_pattern(&listing.kept[i], number + 1));
        store_view_put(&listing.kept[i]);
    }
}
END_TEST

START_TEST(expired_records_are_not_listed)
{
    struct listing listing = {.refuse_every = 0};
    fill("ns", &listing);
    struct store_cursor *cursor = open_cursor("ns");
    fixture_outlive(&fixture, 60000 + 40 * 2000); /* all up to the 2000th that have a time */
    if (_i % 2 != 0) {
        fixture_housekeep(&fixture);
    }
    for (size_t i = 0; i <= 2000; i++) {
        if (i % 3 != 0) {
            listing.seeds[i] = 0;
        }
    }
    step_to_the_end(cursor, &listing);
    close_cursor(&cursor);
    expect_exactly(&listing);
}
END_TEST

/* A third of the records stays as it is, a third is written again, a third is
 * deleted; new ones come. All that while the listing goes on. */
START_TEST(others_come_and_go_meanwhile)
{
    struct listing listing = {.refuse_every = 0};
    uint64_t random = (uint64_t)_i;
    unsigned seen_before[RECORDS] = {0};
    bool ended = false;
    char key[32];
    fill("ns", &listing);
    struct store_cursor *cursor = open_cursor("ns");
    for (uint64_t steps = 1; !ended && steps < STEPS_MAX; steps++) {
        size_t number = fixture_random(&random) % (RECORDS / 3) * 3;
        put_numbered("ns", &listing, number + 1, TTL_NEVER, steps * 10000 + number);
        if (listing.seeds[number + 2] != 0) {
            seen_before[number + 2] = listing.seen[number + 2];
            delete_numbered("ns", &listing, number + 2);
        }
        snprintf(key, sizeof key, "new%ju", (uintmax_t)steps);
        FIXTURE_OK(fixture_put(&fixture, "ns", key, TTL_FOR(5 + steps % 500), key));
        FIXTURE_OK(fixture_put(&fixture, "other", key, TTL_FOR(5), key));
        fixture_wait(&fixture, steps % 3);
        if (steps % 11 == 0) {
            fixture_housekeep(&fixture);
        }
        ended = step(cursor, 5, &listing);
    }
    ck_assert(ended);
    close_cursor(&cursor);
    ck_assert_uint_eq(listing.wrong, 0);
    for (size_t i = 0; i < RECORDS; i++) {
        if (i % 3 == 0) {
            ck_assert_msg(listing.seen[i] == 1 || listing.seen[i] == 2, "key%zu was seen %u times",
                          i, listing.seen[i]);
        } else if (i % 3 == 1) {
            ck_assert_uint_ge(listing.seen[i], 1);
        } else if (listing.seeds[i] == 0) {
            ck_assert_uint_eq(listing.seen[i], seen_before[i]);
        }
    }
}
END_TEST

/* What was listed halfway is moved about by everything that moves records. */
START_TEST(housekeeping_between_all_steps)
{
    struct listing listing = {.refuse_every = 0};
    bool ended = false;
    fill("ns", &listing);
    fill("other", &listing);
    for (size_t i = 0; i < RECORDS; i++) {
        if (i % 10 != 0) {
            delete_numbered("ns", &listing, i);
        }
    }
    struct store_cursor *cursor = open_cursor("ns");
    for (int steps = 0; !ended && steps < STEPS_MAX; steps++) {
        ended = step(cursor, 13, &listing);
        fixture_housekeep(&fixture);
        fixture_wait(&fixture, 1);
    }
    ck_assert(ended);
    close_cursor(&cursor);
    expect_exactly(&listing);
}
END_TEST

START_TEST(flushed_in_between)
{
    struct listing listing = {.refuse_every = 0};
    struct listing before;
    fill("ns", &listing);
    struct store_cursor *cursor = open_cursor("ns");
    for (int steps = 0; steps < 10; steps++) {
        ck_assert(!step(cursor, 30, &listing));
    }
    ck_assert_uint_eq(fixture_flush(&fixture, "ns"), RECORDS);
    before = listing;
    memset(listing.seeds, 0, sizeof listing.seeds);
    if (_i % 2 != 0) {
        fixture_housekeep(&fixture);
    }
    if (_i >= 2) {
        for (size_t i = 0; i < 100; i++) {
            put_numbered("ns", &listing, i, TTL_NEVER, i + 5);
        }
    }
    step_to_the_end(cursor, &listing);
    close_cursor(&cursor);
    ck_assert_uint_eq(listing.wrong, 0);
    for (size_t i = 0; i < RECORDS; i++) {
        ck_assert_uint_le(listing.seen[i] - before.seen[i], i < 100 && _i >= 2);
    }
    fixture_housekeep(&fixture);
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), _i >= 2 ? 100 : 0);
}
END_TEST

START_TEST(several_listings_at_once)
{
    enum { CURSORS = 6 };
    struct store_cursor *cursors[CURSORS];
    struct listing *listings = calloc(CURSORS, sizeof *listings);
    unsigned open = CURSORS;
    ck_assert_ptr_nonnull(listings);
    for (size_t i = 0; i < CURSORS; i++) {
        fill(i % 2 ? "a" : "b", &listings[i]);
    }
    for (size_t i = 0; i < CURSORS; i++) {
        cursors[i] = open_cursor(i % 2 ? "a" : "b");
    }
    while (open > 0) {
        for (size_t i = 0; i < CURSORS; i++) {
            if (cursors[i] == NULL || !step(cursors[i], 10 + 30 * i, &listings[i])) {
                continue;
            }
            close_cursor(&cursors[i]);
            open--;
        }
        fixture_housekeep(&fixture);
    }
    for (size_t i = 0; i < CURSORS; i++) {
        expect_exactly(&listings[i]);
    }
    free(listings);
}
END_TEST

/* Bytes of memory after records were written again and again. */
static uint64_t overwrite_all(size_t listed_every)
{
    uint64_t random = 3;
    char key[32];
    for (size_t i = 0; i < 60000; i++) {
        snprintf(key, sizeof key, "key%d", (int)(fixture_random(&random) % RECORDS));
        ck_assert_int_eq(fixture_put_pattern(&fixture, "ns", key, TTL_NEVER, 1000, i), STORE_OK);
        if (listed_every != 0 && i % listed_every == 0) {
            struct store_cursor *cursor = open_cursor("ns");
            store_cursor_close(&cursor);
        }
        if (i % 50 == 0) {
            fixture_housekeep(&fixture);
        }
    }
    fixture_rest(&fixture);
    return fixture_figures(&fixture).memory_used;
}

/* A listing begins by sealing what is written to: the rest of it has to be used, too. */
START_TEST(many_listings_take_no_more_memory)
{
    uint64_t without = overwrite_all(0);
    fixture_flush(&fixture, "ns");
    fixture_rest(&fixture);
    ck_assert_uint_lt(overwrite_all(25), without + without / 4);
}
END_TEST

START_TEST(closed_early)
{
    struct listing listing = {.refuse_every = 0};
    fill("ns", &listing);
    for (size_t i = 0; i < 100; i++) {
        struct store_cursor *cursor = open_cursor("ns");
        if (i > 0) {
            ck_assert(!step(cursor, i, &listing));
        }
        close_cursor(&cursor);
    }
    for (size_t i = 0; i < RECORDS; i++) {
        delete_numbered("ns", &listing, i);
    }
    for (int i = 0; i < 20; i++) {
        fixture_wait(&fixture, 1000);
        fixture_housekeep(&fixture);
    }
    ck_assert_uint_eq(fixture_figures(&fixture).bytes, 0);
    ck_assert_uint_lt(fixture_figures(&fixture).memory_used, 4 * FIXTURE_MIB);
}
END_TEST

/* The cursor is still there when its namespace is not. */
START_TEST(the_namespace_goes_away)
{
    struct listing listing = {.refuse_every = 0};
    fill("ns", &listing);
    struct store_cursor *cursor = open_cursor("ns");
    ck_assert(!step(cursor, 10, &listing));
    fixture_flush(&fixture, "ns");
    memset(&listing, 0, sizeof listing);
    for (int i = 0; i < 20; i++) {
        fixture_wait(&fixture, 60000);
        fixture_housekeep(&fixture);
    }
    FIXTURE_OK(fixture_put(&fixture, "next", "key", TTL_NEVER, "value"));
    step_to_the_end(cursor, &listing);
    close_cursor(&cursor);
    ck_assert_uint_eq(listing.visits, 0);
}
END_TEST

/* Memory runs out while a listing is open: evicted records may be missing, but
 * those that are there at the end have been seen once. */
START_TEST(under_pressure)
{
    struct listing listing = {.refuse_every = 0};
    struct fixture saved = fixture;
    bool ended = false;
    char key[32];
    fixture_open(&fixture, 4 * FIXTURE_MIB, FIXTURE_MIB / 2);
    for (size_t i = 0; i < RECORDS; i++) {
        if (value_length(i) < 100) {
            put_numbered("ns", &listing, i, TTL_NEVER, i + 1);
        }
    }
    struct store_cursor *cursor = open_cursor("ns");
    for (int steps = 0; !ended && steps < STEPS_MAX; steps++) {
        ended = step(cursor, 9, &listing);
        snprintf(key, sizeof key, "more%d", steps);
        FIXTURE_OK(fixture_put_pattern(&fixture, "other", key, TTL_NEVER, 20000, 1));
        if (steps % 7 == 0) {
            fixture_housekeep(&fixture);
        }
    }
    ck_assert(ended);
    close_cursor(&cursor);
    ck_assert_uint_eq(listing.wrong, 0);
    for (size_t i = 0; i < RECORDS; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        ck_assert_uint_le(listing.seen[i], 1);
        if (fixture_has(&fixture, "ns", key)) {
            ck_assert_msg(listing.seen[i] == 1, "key%zu was seen %u times", i, listing.seen[i]);
        }
    }
    fixture_close(&fixture);
    fixture = saved;
}
END_TEST

/* --- what is told of a record --------------------------------------------------- */

struct told {
    struct store_entry of[4]; /* by the last letter of its key, a to d */
    size_t count;
};

static bool note_entry(void *context, struct store_entry *entry)
{
    struct told *told = context;
    unsigned letter = (unsigned)(entry->key.bytes[entry->key.length - 1] - 'a');
    FIXTURE_THAT(letter < 4);
    told->of[letter] = *entry;
    told->count++;
    return true;
}

static void look_at(const char *key, const struct store_terms *terms, struct store_view *view)
{
    struct store_key at;
    store_enter(fixture.thread);
    FIXTURE_OK(store_locate(fixture.thread, slice_of("ns"), slice_of(key), &at));
    FIXTURE_OK(store_inspect(fixture.thread, &at, terms, fixture.now, view));
    store_view_put(view);
    store_leave(fixture.thread);
}

static struct told list_told(bool wants_notes)
{
    struct told told = {.count = 0};
    struct store_cursor *cursor = open_cursor("ns");
    if (wants_notes) {
        store_cursor_want_notes(cursor);
    }
    store_enter(fixture.thread);
    ck_assert(store_cursor_step(fixture.thread, cursor, fixture.now, 100, note_entry, &told));
    store_leave(fixture.thread);
    close_cursor(&cursor);
    return told;
}

static void put_on_terms(const char *key, const struct store_terms *terms, size_t length)
{
    static char value[300000];
    struct store_key at;
    store_enter(fixture.thread);
    FIXTURE_OK(store_locate(fixture.thread, slice_of("ns"), slice_of(key), &at));
    FIXTURE_OK(
        store_put(fixture.thread, &at, terms, (struct slice){value, length}, fixture.now, NULL));
    store_leave(fixture.thread);
}

/* The same as a look tells: a is plain, b noted and read, c large, d plain and read. */
START_TEST(entries_tell_what_looks_tell)
{
    const struct store_terms peek = {.ttl = TTL_KEEP, .peeks = true};
    const struct store_terms read = {.ttl = TTL_KEEP};
    const struct store_terms noted = {.ttl = TTL_FOR(5000), .client_flags = 7, .noted = true};
    struct store_view view;
    FIXTURE_OK(fixture_put(&fixture, "ns", "a", TTL_NEVER, "value"));
    put_on_terms("b", &noted, 10);
    put_on_terms("c", &noted, 300000);
    FIXTURE_OK(fixture_put(&fixture, "ns", "d", TTL_NEVER, "value"));
    ck_assert(fixture_has(&fixture, "ns", "d"));
    fixture_wait(&fixture, 1000);
    look_at("b", &read, &view);
    fixture_wait(&fixture, 777);
    struct told told = list_told(true);
    ck_assert_uint_eq(told.count, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct store_entry *entry = &told.of[i];
        look_at((char[2]){(char)('a' + i), '\0'}, &peek, &view);
        ck_assert_uint_eq(entry->value_length, view.length);
        ck_assert_uint_eq(entry->size, view.size);
        ck_assert_uint_gt(entry->size, entry->value_length);
        ck_assert_uint_eq(entry->expires, view.expires);
        ck_assert_uint_eq(entry->version, view.version);
        ck_assert_uint_eq(entry->client_flags, view.client_flags);
        ck_assert_uint_eq(entry->idle, view.idle);
        ck_assert(entry->read_before == view.read_before);
    }
    ck_assert(told.of[1].idle >= 777 && told.of[2].idle >= 1777);
    ck_assert(!told.of[0].read_before && told.of[1].read_before && !told.of[2].read_before &&
              told.of[3].read_before);
    ck_assert_uint_eq(list_told(false).of[1].expires, told.of[1].expires);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store cursor");
    TCase *listing = tcase_create("listing");
    tcase_add_checked_fixture(listing, setup, teardown);
    tcase_set_timeout(listing, FIXTURE_TIMEOUT);
    tcase_add_test(listing, nothing_to_list);
    tcase_add_loop_test(listing, everything_once, 0, 5);
    tcase_add_loop_test(listing, a_visitor_that_stops_misses_nothing, 2, 6);
    tcase_add_test(listing, large_values_can_be_kept);
    tcase_add_loop_test(listing, expired_records_are_not_listed, 0, 2);
    tcase_add_loop_test(listing, others_come_and_go_meanwhile, 0, 5);
    tcase_add_test(listing, housekeeping_between_all_steps);
    tcase_add_loop_test(listing, flushed_in_between, 0, 4);
    tcase_add_test(listing, several_listings_at_once);
    tcase_add_test(listing, many_listings_take_no_more_memory);
    tcase_add_test(listing, closed_early);
    tcase_add_test(listing, the_namespace_goes_away);
    tcase_add_test(listing, under_pressure);
    tcase_add_test(listing, entries_tell_what_looks_tell);
    suite_add_tcase(suite, listing);
    return suite_run(suite);
}

/*
 * check_terms.c - what model_terms cannot see or would seldom meet: flushes
 * that are set for later, versions of records that are moved, values that grow
 * large.
 */
#include "tests/store/fixture.h"

#include <stdio.h>

static struct fixture fixture;

static void setup(void)
{
    fixture_open(&fixture, 16 * FIXTURE_MIB, FIXTURE_MIB);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

static void locate(const char *name, const char *key, struct store_key *at)
{
    store_enter(fixture.thread);
    store_tick(fixture.thread, fixture.now);
    FIXTURE_OK(store_locate(fixture.thread, slice_of(name), slice_of(key), at));
}

static enum store_status put(const char *key, const struct store_terms *terms, struct slice value,
                             uint64_t *version)
{
    struct store_key at;
    locate("ns", key, &at);
    enum store_status status = store_put(fixture.thread, &at, terms, value, fixture.now, version);
    store_leave(fixture.thread);
    return status;
}

/* Small values only; what was looked at stays in *view but for its bytes. */
static enum store_status look(const char *key, const struct store_terms *terms,
                              struct store_view *view)
{
    struct store_key at;
    locate("ns", key, &at);
    enum store_status status = store_inspect(fixture.thread, &at, terms, fixture.now, view);
    if (status == STORE_OK) {
        store_view_put(view);
    }
    store_leave(fixture.thread);
    return status;
}

static uint64_t version_of(const char *key)
{
    const struct store_terms terms = {.ttl = TTL_KEEP, .tells_version = true};
    struct store_view view;
    FIXTURE_OK(look(key, &terms, &view));
    return view.version;
}

/* --- flushes to come ------------------------------------------------------- */

static enum store_status flush_at(const char *name, uint64_t when)
{
    store_enter(fixture.thread);
    enum store_status status = store_flush_at(fixture.thread, slice_of(name), when);
    store_leave(fixture.thread);
    return status;
}

static void tick(void)
{
    store_enter(fixture.thread);
    store_tick(fixture.thread, fixture.now);
    store_leave(fixture.thread);
}

START_TEST(a_flush_comes_at_its_time)
{
    FIXTURE_OK(fixture_put(&fixture, "ns", "before", TTL_NEVER, "1"));
    FIXTURE_OK(fixture_put(&fixture, "other", "key", TTL_NEVER, "1"));
    FIXTURE_OK(flush_at("ns", fixture.now + 5000));
    FIXTURE_OK(flush_at("other", fixture.now + 7000));
    fixture_wait(&fixture, 4999);
    tick();
    FIXTURE_OK(fixture_put(&fixture, "ns", "after", TTL_NEVER, "1"));
    fixture_expect(&fixture, "ns", "before", "1");
    fixture_wait(&fixture, 1);
    tick();
    fixture_expect_gone(&fixture, "ns", "before");
    fixture_expect_gone(&fixture, "ns", "after");
    FIXTURE_OK(fixture_put(&fixture, "ns", "later", TTL_NEVER, "1"));
    fixture_expect(&fixture, "other", "key", "1");
    fixture_wait(&fixture, 2000);
    fixture_housekeep(&fixture);
    fixture_expect_gone(&fixture, "other", "key");
    fixture_expect(&fixture, "ns", "later", "1");
}
END_TEST

START_TEST(a_flush_to_come_can_be_taken_back_and_moved)
{
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_NEVER, "1"));
    FIXTURE_OK(flush_at("ns", fixture.now + 10));
    FIXTURE_OK(flush_at("ns", 0));
    fixture_wait(&fixture, 20);
    tick();
    fixture_expect(&fixture, "ns", "key", "1");
    FIXTURE_OK(flush_at("ns", fixture.now + 10));
    FIXTURE_OK(flush_at("ns", fixture.now + 100));
    fixture_wait(&fixture, 99);
    tick();
    fixture_expect(&fixture, "ns", "key", "1");
    fixture_wait(&fixture, 1);
    tick();
    fixture_expect_gone(&fixture, "ns", "key");
    ck_assert_int_eq(flush_at("nobody", fixture.now + 1), STORE_NOT_FOUND);
}
END_TEST

START_TEST(what_is_declared_is_known)
{
    const struct store_namespace_options declared = {.name = slice_of("sessions")};
    fixture_declare(&fixture, &declared, 1, STORE_NEVER);
    FIXTURE_OK(fixture_put(&fixture, "open", "key", TTL_NEVER, "1"));
    store_enter(fixture.thread);
    ck_assert(store_declares(fixture.thread, slice_of("sessions")));
    ck_assert(!store_declares(fixture.thread, slice_of("open")));
    ck_assert(!store_declares(fixture.thread, slice_of("nobody")));
    store_leave(fixture.thread);
}
END_TEST

/* --- versions ----------------------------------------------------------------- */

/* Nine records in ten go, so that what is left is moved together. */
START_TEST(a_version_that_was_told_outlives_compaction)
{
    enum { ALL = 20000, STEP = 10 };
    static uint64_t versions[ALL / STEP];
    char key[16];
    for (int i = 0; i < ALL; i++) {
        snprintf(key, sizeof key, "key%d", i);
        FIXTURE_OK(
            fixture_put(&fixture, "ns", key, i % 3 ? TTL_NEVER : TTL_FOR(1 << 30), "a value"));
        if (i % STEP == 0) {
            versions[i / STEP] = version_of(key);
        }
    }
    for (int i = 0; i < ALL; i++) {
        snprintf(key, sizeof key, "key%d", i);
        if (i % STEP != 0) {
            FIXTURE_OK(fixture_delete(&fixture, "ns", key));
        }
    }
    fixture_housekeep(&fixture);
    ck_assert_uint_gt(fixture_figures(&fixture).compactions, 0);
    for (int i = 0; i < ALL; i += STEP) {
        snprintf(key, sizeof key, "key%d", i);
        ck_assert_uint_eq(version_of(key), versions[i / STEP]);
        const struct store_terms terms = {.compares = true, .expected = versions[i / STEP]};
        FIXTURE_OK(put(key, &terms, slice_of("another"), NULL));
        ck_assert_int_eq(put(key, &terms, slice_of("a third"), NULL), STORE_CHANGED);
    }
}
END_TEST

START_TEST(a_version_outlives_a_touch)
{
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_FOR(100), "value"));
    uint64_t version = version_of("key");
    FIXTURE_OK(fixture_touch(&fixture, "ns", "key", TTL_FOR(1 << 20)));
    FIXTURE_OK(fixture_touch(&fixture, "ns", "key", TTL_NEVER));
    ck_assert_uint_eq(version_of("key"), version);
    FIXTURE_OK(fixture_put_pattern(&fixture, "ns", "large", TTL_FOR(100), 300000, 1));
    version = version_of("large");
    FIXTURE_OK(fixture_touch(&fixture, "ns", "large", TTL_FOR(1 << 20)));
    ck_assert_uint_eq(version_of("large"), version);
}
END_TEST

static enum store_status empty(const char *key, const struct store_terms *terms, bool stale)
{
    struct store_key at;
    locate("ns", key, &at);
    enum store_status status = store_empty(fixture.thread, &at, terms, stale, fixture.now);
    store_leave(fixture.thread);
    return status;
}

/* Its version as well, so that a client which has it is told of no change. */
START_TEST(an_emptied_record_stays)
{
    const struct store_terms keep = {.ttl = TTL_KEEP, .tells_version = true};
    const struct store_terms terms = {.ttl = TTL_FOR(5000), .client_flags = 7};
    struct store_view view;
    ck_assert_int_eq(empty("k", &terms, false), STORE_NOT_FOUND);
    FIXTURE_OK(fixture_put(&fixture, "ns", "k", TTL_FOR(1000), "value"));
    uint64_t version = version_of("k");
    FIXTURE_OK(empty("k", &terms, false));
    FIXTURE_OK(look("k", &keep, &view));
    ck_assert_uint_eq(view.length, 0);
    ck_assert_uint_eq(view.client_flags, 7);
    ck_assert_uint_eq(view.version, version);
    ck_assert_uint_eq(view.expires, fixture.now + 5001);
    ck_assert(!view.stale);
    FIXTURE_OK(empty("k", &terms, true));
    FIXTURE_OK(look("k", &keep, &view));
    ck_assert(view.stale);
    ck_assert_uint_gt(view.version, version);
    ck_assert_uint_eq(fixture_figures(&fixture).items, 1);
}
END_TEST

START_TEST(only_a_record_of_the_right_version_is_emptied)
{
    FIXTURE_OK(fixture_put(&fixture, "ns", "k", TTL_NEVER, "value"));
    struct store_terms terms = {.compares = true, .expected = version_of("k") + 1};
    ck_assert_int_eq(empty("k", &terms, false), STORE_CHANGED);
    fixture_expect(&fixture, "ns", "k", "value");
    terms.expected--;
    FIXTURE_OK(empty("k", &terms, false));
    fixture_expect(&fixture, "ns", "k", "");
}
END_TEST

START_TEST(a_version_does_not_come_back_after_a_delete)
{
    uint64_t last = 0;
    for (int i = 0; i < 1000; i++) {
        FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_NEVER, "value"));
        uint64_t version = version_of("key");
        ck_assert_uint_ne(version, last);
        last = version;
        FIXTURE_OK(fixture_delete(&fixture, "ns", "key"));
        fixture_housekeep(&fixture);
    }
}
END_TEST

/* --- values that grow ----------------------------------------------------------- */

START_TEST(a_value_grows_until_it_is_too_large)
{
    enum { PART = 1000 };
    static char part[PART];
    struct store_terms terms = {.mode = STORE_APPEND};
    size_t length = 0;
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_FOR(5000), ""));
    for (; length + PART <= FIXTURE_MIB; length += PART) {
        fixture_pattern(part, length, PART, 7);
        FIXTURE_OK(put("key", &terms, (struct slice){part, PART}, NULL));
    }
    ck_assert_int_eq(put("key", &terms, (struct slice){part, PART}, NULL), STORE_TOO_LARGE);
    fixture_expect_pattern(&fixture, "ns", "key", length, 7);
    fixture_expect_left(&fixture, "ns", "key", 5000);
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), 1);
    fixture_outlive(&fixture, 5000);
    fixture_expect_gone(&fixture, "ns", "key");
    fixture_housekeep(&fixture);
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), 0);
}
END_TEST

/* --- what looking means to others ----------------------------------------------- */

START_TEST(a_plain_put_takes_notes_and_stale_marks_away)
{
    const struct store_terms plain = {.ttl = TTL_KEEP, .contends = true};
    struct store_key at;
    struct store_view view;
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_NEVER, "old"));
    locate("ns", "key", &at);
    FIXTURE_OK(store_make_stale(fixture.thread, &at, &plain, fixture.now));
    store_leave(fixture.thread);
    fixture_expect(&fixture, "ns", "key", "old");
    FIXTURE_OK(look("key", &plain, &view));
    ck_assert(view.stale && view.won && !view.taken);
    FIXTURE_OK(look("key", &plain, &view));
    ck_assert(view.stale && !view.won && view.taken);
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_NEVER, "new"));
    FIXTURE_OK(look("key", &plain, &view));
    ck_assert(!view.stale && !view.won && !view.taken);
}
END_TEST

START_TEST(what_is_gone_at_once_is_purged)
{
    const struct store_terms gone = {.ttl = {STORE_TTL_GONE, 0}};
    FIXTURE_OK(fixture_put(&fixture, "ns", "key", TTL_NEVER, "value"));
    FIXTURE_OK(put("key", &gone, slice_of("new"), NULL));
    fixture_expect_gone(&fixture, "ns", "key");
    fixture_wait(&fixture, 1);
    fixture_housekeep(&fixture);
    ck_assert_uint_eq(fixture_items(&fixture, "ns"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store terms");
    TCase *tcase = tcase_create("terms");
    tcase_set_timeout(tcase, FIXTURE_TIMEOUT);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_flush_comes_at_its_time);
    tcase_add_test(tcase, a_flush_to_come_can_be_taken_back_and_moved);
    tcase_add_test(tcase, what_is_declared_is_known);
    tcase_add_test(tcase, a_version_that_was_told_outlives_compaction);
    tcase_add_test(tcase, a_version_outlives_a_touch);
    tcase_add_test(tcase, a_version_does_not_come_back_after_a_delete);
    tcase_add_test(tcase, an_emptied_record_stays);
    tcase_add_test(tcase, only_a_record_of_the_right_version_is_emptied);
    tcase_add_test(tcase, a_value_grows_until_it_is_too_large);
    tcase_add_test(tcase, a_plain_put_takes_notes_and_stale_marks_away);
    tcase_add_test(tcase, what_is_gone_at_once_is_purged);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

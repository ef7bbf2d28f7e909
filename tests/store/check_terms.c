/*
 * check_terms.c - what model_terms cannot see or would seldom meet: flushes
 * that are set for later, versions of records that are moved, values that grow
 * large.
 */
#include "tests/store/terms_fixture.h"

#include <stdio.h>

/* --- flushes to come ------------------------------------------------------- */

static enum store_status flush_at(const char *name, uint64_t when)
{
    store_enter(terms_fixture.thread);
    enum store_status status = store_flush_at(terms_fixture.thread, slice_of(name), when);
    store_leave(terms_fixture.thread);
    return status;
}

static void tick(void)
{
    store_enter(terms_fixture.thread);
    store_tick(terms_fixture.thread, terms_fixture.now);
    store_leave(terms_fixture.thread);
}

START_TEST(a_flush_comes_at_its_time)
{
    FIXTURE_OK(fixture_put(&terms_fixture, "ns", "before", TTL_NEVER, "1"));
    FIXTURE_OK(fixture_put(&terms_fixture, "other", "key", TTL_NEVER, "1"));
    FIXTURE_OK(flush_at("ns", terms_fixture.now + 5000));
    FIXTURE_OK(flush_at("other", terms_fixture.now + 7000));
    fixture_wait(&terms_fixture, 4999);
    tick();
    FIXTURE_OK(fixture_put(&terms_fixture, "ns", "after", TTL_NEVER, "1"));
    fixture_expect(&terms_fixture, "ns", "before", "1");
    fixture_wait(&terms_fixture, 1);
    tick();
    fixture_expect_gone(&terms_fixture, "ns", "before");
    fixture_expect_gone(&terms_fixture, "ns", "after");
    FIXTURE_OK(fixture_put(&terms_fixture, "ns", "later", TTL_NEVER, "1"));
    fixture_expect(&terms_fixture, "other", "key", "1");
    fixture_wait(&terms_fixture, 2000);
    fixture_housekeep(&terms_fixture);
    fixture_expect_gone(&terms_fixture, "other", "key");
    fixture_expect(&terms_fixture, "ns", "later", "1");
}
END_TEST

START_TEST(a_flush_to_come_can_be_taken_back_and_moved)
{
    FIXTURE_OK(fixture_put(&terms_fixture, "ns", "key", TTL_NEVER, "1"));
    FIXTURE_OK(flush_at("ns", terms_fixture.now + 10));
    FIXTURE_OK(flush_at("ns", 0));
    fixture_wait(&terms_fixture, 20);
    tick();
    fixture_expect(&terms_fixture, "ns", "key", "1");
    FIXTURE_OK(flush_at("ns", terms_fixture.now + 10));
    FIXTURE_OK(flush_at("ns", terms_fixture.now + 100));
    fixture_wait(&terms_fixture, 99);
    tick();
    fixture_expect(&terms_fixture, "ns", "key", "1");
    fixture_wait(&terms_fixture, 1);
    tick();
    fixture_expect_gone(&terms_fixture, "ns", "key");
    ck_assert_int_eq(flush_at("nobody", terms_fixture.now + 1), STORE_NOT_FOUND);
}
END_TEST

START_TEST(what_is_declared_is_known)
{
    const struct store_namespace_options declared = {.name = slice_of("sessions")};
    fixture_declare(&terms_fixture, &declared, 1, STORE_NEVER);
    FIXTURE_OK(fixture_put(&terms_fixture, "open", "key", TTL_NEVER, "1"));
    store_enter(terms_fixture.thread);
    ck_assert(store_declares(terms_fixture.thread, slice_of("sessions")));
    ck_assert(!store_declares(terms_fixture.thread, slice_of("open")));
    ck_assert(!store_declares(terms_fixture.thread, slice_of("nobody")));
    store_leave(terms_fixture.thread);
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
        FIXTURE_OK(fixture_put(&terms_fixture, "ns", key, i % 3 ? TTL_NEVER : TTL_FOR(1 << 30),
                               "a value"));
        if (i % STEP == 0) {
            versions[i / STEP] = terms_version_of(key);
        }
    }
    for (int i = 0; i < ALL; i++) {
        snprintf(key, sizeof key, "key%d", i);
        if (i % STEP != 0) {
            FIXTURE_OK(fixture_delete(&terms_fixture, "ns", key));
        }
    }
    fixture_housekeep(&terms_fixture);
    ck_assert_uint_gt(fixture_figures(&terms_fixture).compactions, 0);
    for (int i = 0; i < ALL; i += STEP) {
        snprintf(key, sizeof key, "key%d", i);
        ck_assert_uint_eq(terms_version_of(key), versions[i / STEP]);
        const struct store_terms terms = {.compares = true, .expected = versions[i / STEP]};
        FIXTURE_OK(terms_put(key, &terms, slice_of("another"), NULL));
        ck_assert_int_eq(terms_put(key, &terms, slice_of("a third"), NULL), STORE_CHANGED);
    }
}
END_TEST

START_TEST(a_version_outlives_a_touch)
{
    FIXTURE_OK(fixture_put(&terms_fixture, "ns", "key", TTL_FOR(100), "value"));
    uint64_t version = terms_version_of("key");
    FIXTURE_OK(fixture_touch(&terms_fixture, "ns", "key", TTL_FOR(1 << 20)));
    FIXTURE_OK(fixture_touch(&terms_fixture, "ns", "key", TTL_NEVER));
    ck_assert_uint_eq(terms_version_of("key"), version);
    FIXTURE_OK(fixture_put_pattern(&terms_fixture, "ns", "large", TTL_FOR(100), 300000, 1));
    version = terms_version_of("large");
    FIXTURE_OK(fixture_touch(&terms_fixture, "ns", "large", TTL_FOR(1 << 20)));
    ck_assert_uint_eq(terms_version_of("large"), version);
}
END_TEST

static enum store_status empty(const char *key, const struct store_terms *terms, bool stale)
{
    struct store_key at;
    terms_locate("ns", key, &at);
    enum store_status status =
        store_empty(terms_fixture.thread, &at, terms, stale, terms_fixture.now);
    store_leave(terms_fixture.thread);
    return status;
}

/* Its version as well, so that a client which has it is told of no change. */
START_TEST(an_emptied_record_stays)
{
    const struct store_terms keep = {.ttl = TTL_KEEP, .tells_version = true};
    const struct store_terms terms = {.ttl = TTL_FOR(5000), .client_flags = 7};
    struct store_view view;
    ck_assert_int_eq(empty("k", &terms, false), STORE_NOT_FOUND);
    FIXTURE_OK(fixture_put(&terms_fixture, "ns", "k", TTL_FOR(1000), "value"));
    uint64_t version = terms_version_of("k");
    FIXTURE_OK(empty("k", &terms, false));
    FIXTURE_OK(terms_look("k", &keep, &view));
    ck_assert_uint_eq(view.length, 0);
    ck_assert_uint_eq(view.client_flags, 7);
    ck_assert_uint_eq(view.version, version);
    ck_assert_uint_eq(view.expires, terms_fixture.now + 5001);
    ck_assert(!view.stale);
    FIXTURE_OK(empty("k", &terms, true));
    FIXTURE_OK(terms_look("k", &keep, &view));
    ck_assert(view.stale);
    ck_assert_uint_gt(view.version, version);
    ck_assert_uint_eq(fixture_figures(&terms_fixture).items, 1);
}
END_TEST

START_TEST(only_a_record_of_the_right_version_is_emptied)
{
    FIXTURE_OK(fixture_put(&terms_fixture, "ns", "k", TTL_NEVER, "value"));
    struct store_terms terms = {.compares = true, .expected = terms_version_of("k") + 1};
    ck_assert_int_eq(empty("k", &terms, false), STORE_CHANGED);
    fixture_expect(&terms_fixture, "ns", "k", "value");
    terms.expected--;
    FIXTURE_OK(empty("k", &terms, false));
    fixture_expect(&terms_fixture, "ns", "k", "");
}
END_TEST

START_TEST(a_version_does_not_come_back_after_a_delete)
{
    uint64_t last = 0;
    for (int i = 0; i < 1000; i++) {
        FIXTURE_OK(fixture_put(&terms_fixture, "ns", "key", TTL_NEVER, "value"));
        uint64_t version = terms_version_of("key");
        ck_assert_uint_ne(version, last);
        last = version;
        FIXTURE_OK(fixture_delete(&terms_fixture, "ns", "key"));
        fixture_housekeep(&terms_fixture);
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
    FIXTURE_OK(fixture_put(&terms_fixture, "ns", "key", TTL_FOR(5000), ""));
    for (; length + PART <= FIXTURE_MIB; length += PART) {
        fixture_pattern(part, length, PART, 7);
        FIXTURE_OK(terms_put("key", &terms, (struct slice){part, PART}, NULL));
    }
    ck_assert_int_eq(terms_put("key", &terms, (struct slice){part, PART}, NULL), STORE_TOO_LARGE);
    fixture_expect_pattern(&terms_fixture, "ns", "key", length, 7);
    fixture_expect_left(&terms_fixture, "ns", "key", 5000);
    ck_assert_uint_eq(fixture_items(&terms_fixture, "ns"), 1);
    fixture_outlive(&terms_fixture, 5000);
    fixture_expect_gone(&terms_fixture, "ns", "key");
    fixture_housekeep(&terms_fixture);
    ck_assert_uint_eq(fixture_items(&terms_fixture, "ns"), 0);
}
END_TEST

/* --- what looking means to others ----------------------------------------------- */

START_TEST(a_plain_put_takes_notes_and_stale_marks_away)
{
    const struct store_terms plain = {.ttl = TTL_KEEP, .contends = true};
    struct store_key at;
    struct store_view view;
    FIXTURE_OK(fixture_put(&terms_fixture, "ns", "key", TTL_NEVER, "old"));
    terms_locate("ns", "key", &at);
    FIXTURE_OK(store_make_stale(terms_fixture.thread, &at, &plain, terms_fixture.now));
    store_leave(terms_fixture.thread);
    fixture_expect(&terms_fixture, "ns", "key", "old");
    FIXTURE_OK(terms_look("key", &plain, &view));
    ck_assert(view.stale && view.won && !view.taken);
    FIXTURE_OK(terms_look("key", &plain, &view));
    ck_assert(view.stale && !view.won && view.taken);
    FIXTURE_OK(fixture_put(&terms_fixture, "ns", "key", TTL_NEVER, "new"));
    FIXTURE_OK(terms_look("key", &plain, &view));
    ck_assert(!view.stale && !view.won && !view.taken);
}
END_TEST

START_TEST(what_is_gone_at_once_is_purged)
{
    const struct store_terms gone = {.ttl = {STORE_TTL_GONE, 0}};
    FIXTURE_OK(fixture_put(&terms_fixture, "ns", "key", TTL_NEVER, "value"));
    FIXTURE_OK(terms_put("key", &gone, slice_of("new"), NULL));
    fixture_expect_gone(&terms_fixture, "ns", "key");
    fixture_wait(&terms_fixture, 1);
    fixture_housekeep(&terms_fixture);
    ck_assert_uint_eq(fixture_items(&terms_fixture, "ns"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store terms");
    TCase *tcase = tcase_create("terms");
    tcase_set_timeout(tcase, FIXTURE_TIMEOUT);
    tcase_add_checked_fixture(tcase, terms_setup, terms_teardown);
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

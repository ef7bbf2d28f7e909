/*
 * check_watch.c - a watcher gets the events that it asked for, and one that does not look
 * learns how many it has lost.
 */
#include "daemon/watch/watch.h"

#include <check.h>

#include "tests/support/suite.h"

enum { SOURCES = 3 };

static atomic_uint wanted;
static struct watch *watch;
static struct watch_source *source;
static int wakes, plans;

static void wake(void *own)
{
    (void)own;
    wakes++;
}

static void plan(void *own)
{
    (void)own;
    plans++;
}

static void open_watch(void)
{
    atomic_init(&wanted, 0);
    wakes = plans = 0;
    watch = watch_create(SOURCES, &wanted);
    ck_assert_ptr_nonnull(watch);
    for (unsigned i = 0; i < SOURCES; i++) {
        source = watch_source(watch, i);
        source->wake = wake;
        source->plan = plan;
    }
    source = watch_source(watch, 0);
}

static void close_watch(void)
{
    watch_destroy(&watch);
    ck_assert_ptr_null(watch);
}

static struct watcher *join(unsigned kinds, const char *ns, uint64_t sample)
{
    const struct watch_terms terms = {.kinds = kinds, .sample = sample, .ns = slice_of(ns)};
    struct watcher *watcher = NULL;
    ck_assert_int_eq(watch_join(source, &terms, NULL, &watcher), WATCH_OK);
    return watcher;
}

static void publish(unsigned from, enum event_kind kind, const char *ns, const char *key)
{
    watch_publish(watch_source(watch, from),
                  &(struct watch_event){.kind = kind, .ns = slice_of(ns), .key = slice_of(key)});
}

static void expect(struct watcher *watcher, enum event_kind kind, const char *ns, const char *key)
{
    struct watch_event event;
    ck_assert(watcher_peek(watcher, &event));
    ck_assert_int_eq(event.kind, kind);
    ck_assert(slice_equal(event.ns, slice_of(ns)));
    ck_assert(slice_equal(event.key, slice_of(key)));
    ck_assert_uint_eq(event.peer.length, 0);
    watcher_drop(watcher);
}

static void expect_none(struct watcher *watcher)
{
    struct watch_event event;
    ck_assert(!watcher_peek(watcher, &event));
}

START_TEST(what_is_wanted_is_known)
{
    ck_assert(!watch_wants(&wanted, ~0u));
    struct watcher *reads = join(EVENTS_READS, "", 1), *writes = join(EVENTS_WRITES, "", 1);
    ck_assert(watch_wants(&wanted, EVENT_BIT(EVENT_READ)));
    ck_assert(watch_wants(&wanted, EVENT_BIT(EVENT_DELETE)));
    ck_assert(!watch_wants(&wanted, EVENT_BIT(EVENT_EVICTION)));
    watch_leave(&reads);
    ck_assert_ptr_null(reads);
    ck_assert(!watch_wants(&wanted, EVENT_BIT(EVENT_READ)));
    watch_leave(&writes);
    ck_assert(!watch_wants(&wanted, ~0u));
}
END_TEST

START_TEST(events_are_those_asked_for)
{
    struct watcher *reads = join(EVENTS_READS, "a", 1), *all = join(EVENTS_RECORDS, "", 1);
    publish(0, EVENT_READ, "a", "k");
    publish(0, EVENT_READ, "ab", "l");
    publish(0, EVENT_WRITE, "a", "m");
    publish(0, EVENT_OPENED, "", "");
    expect(reads, EVENT_READ, "a", "k");
    expect_none(reads);
    expect(all, EVENT_READ, "a", "k");
    expect(all, EVENT_READ, "ab", "l");
    expect(all, EVENT_WRITE, "a", "m");
    expect_none(all);
    ck_assert_uint_eq(watcher_take_lost(all), 0);
}
END_TEST

START_TEST(events_of_all_sources_come)
{
    struct watcher *all = join(EVENTS_RECORDS, "", 1);
    publish(2, EVENT_EVICTION, "a", "two");
    publish(1, EVENT_READ, "a", "one");
    expect(all, EVENT_READ, "a", "one");
    expect(all, EVENT_EVICTION, "a", "two");
    expect_none(all);
}
END_TEST

START_TEST(a_watcher_that_does_not_look_is_told)
{
    struct watcher *slow = join(EVENTS_READS, "", 1), *quick = join(EVENTS_READS, "", 1);
    unsigned events = 0, kept = 0;
    for (; events < 10000; events++) {
        publish(0, EVENT_READ, "a", "a key of some length");
        expect(quick, EVENT_READ, "a", "a key of some length");
    }
    ck_assert_uint_eq(watcher_take_lost(quick), 0);
    struct watch_event event;
    for (; watcher_peek(slow, &event); kept++) {
        watcher_drop(slow);
    }
    ck_assert_uint_gt(kept, 100);
    ck_assert_uint_eq(kept + watcher_take_lost(slow), events);
    ck_assert_uint_eq(watcher_take_lost(slow), 0);
    publish(0, EVENT_READ, "a", "after");
    expect(slow, EVENT_READ, "a", "after");
}
END_TEST

START_TEST(a_sample_is_a_share)
{
    struct watcher *some = join(EVENTS_READS, "", 16);
    unsigned seen = 0;
    for (unsigned i = 0; i < 16000; i++) {
        struct watch_event event;
        publish(0, EVENT_READ, "a", "k");
        if (watcher_peek(some, &event)) {
            watcher_drop(some);
            seen++;
        }
    }
    ck_assert_uint_gt(seen, 850); /* 1000, with a deviation of 31 */
    ck_assert_uint_lt(seen, 1150);
}
END_TEST

START_TEST(the_ninth_is_refused)
{
    struct watcher *watchers[WATCH_MAX], *ninth = NULL;
    const struct watch_terms terms = {.kinds = EVENTS_READS, .sample = 1};
    for (int i = 0; i < WATCH_MAX; i++) {
        watchers[i] = join(EVENTS_READS, "", 1);
    }
    ck_assert_int_eq(watch_join(source, &terms, NULL, &ninth), WATCH_TOO_MANY);
    publish(0, EVENT_READ, "a", "old");
    watch_leave(&watchers[3]);
    ck_assert_int_eq(watch_join(source, &terms, NULL, &ninth), WATCH_OK);
    expect_none(ninth); /* what was in the ring before is gone */
    publish(0, EVENT_READ, "a", "new");
    expect(ninth, EVENT_READ, "a", "new");
    expect(watchers[0], EVENT_READ, "a", "old");
}
END_TEST

static int called;

static void call(void *context)
{
    (void)context;
    called++;
}

START_TEST(it_is_woken_once)
{
    struct watcher *reads = join(EVENTS_READS, "", 1);
    publish(1, EVENT_READ, "a", "k");
    publish(1, EVENT_READ, "a", "l");
    ck_assert_int_eq(plans, 1);
    ck_assert_int_eq(wakes, 0);
    watch_flush(watch_source(watch, 1));
    watch_flush(watch_source(watch, 1));
    ck_assert_int_eq(wakes, 1);
    publish(2, EVENT_READ, "a", "m");
    watch_flush(watch_source(watch, 2));
    ck_assert_int_eq(wakes, 1); /* it has not looked yet */
    watch_woken(watch_source(watch, 1), call);
    ck_assert_int_eq(called, 0); /* it is another one's */
    watch_woken(source, call);
    watch_woken(source, call);
    ck_assert_int_eq(called, 1);
    publish(1, EVENT_READ, "a", "n");
    watch_flush(watch_source(watch, 1));
    ck_assert_int_eq(wakes, 2);
    watch_leave(&reads);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("watch");
    TCase *events = tcase_create("events");
    tcase_add_checked_fixture(events, open_watch, close_watch);
    tcase_add_test(events, what_is_wanted_is_known);
    tcase_add_test(events, events_are_those_asked_for);
    tcase_add_test(events, events_of_all_sources_come);
    tcase_add_test(events, a_watcher_that_does_not_look_is_told);
    tcase_add_test(events, a_sample_is_a_share);
    tcase_add_test(events, the_ninth_is_refused);
    tcase_add_test(events, it_is_woken_once);
    suite_add_tcase(suite, events);
    return suite_run(suite);
}

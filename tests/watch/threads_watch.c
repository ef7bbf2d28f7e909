/*
 * threads_watch.c - sources publish and note slow requests, while watchers come and go and others
 * read.
 *
 * Each event has its number in its key and its namespace, and a watcher finds both equal and
 * growing for each source, whatever it has lost.
 */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/watch/slow_log.h"
#include "daemon/watch/watch.h"
#include "tests/support/suite.h"

enum { SOURCES = 3, WATCHERS = 2, EVENTS = 60000, TURNS = 200 };

static atomic_uint wanted;
static atomic_uint busy; /* sources that have not finished */
static atomic_uint wakes;
static struct watch *watch;
static struct slow_log *slow_log;

static void wake(void *own)
{
    (void)own;
    atomic_fetch_add(&wakes, 1);
}

static void *publish(void *number)
{
    unsigned source = (unsigned)(uintptr_t)number;
    for (unsigned i = 0; i < EVENTS; i++) {
        char text[16];
        snprintf(text, sizeof text, "%u.%u", source, i);
        watch_publish(watch_source(watch, source), &(struct watch_event){.kind = EVENT_READ,
                                                                         .bytes = i,
                                                                         .ns = slice_of(text),
                                                                         .key = slice_of(text)});
        watch_flush(watch_source(watch, source));
        if (i % 64 == 0) {
            struct slow_request slow = {.took = i, .worked = i};
            snprintf(slow.ns, sizeof slow.ns, "%u", i);
            slow_log_add(slow_log, source, &slow);
        }
    }
    atomic_fetch_sub(&busy, 1);
    return NULL;
}

static void look_at(const struct watch_event *event, uint64_t next[SOURCES])
{
    char text[16] = "";
    unsigned source = 0, number = 0;
    ck_assert(slice_equal(event->ns, event->key));
    ck_assert_uint_lt(event->key.length, sizeof text);
    memcpy(text, event->key.bytes, event->key.length);
    ck_assert_int_eq(sscanf(text, "%u.%u", &source, &number), 2);
    ck_assert_uint_lt(source, SOURCES);
    ck_assert_uint_eq(event->bytes, number);
    ck_assert_uint_ge(number, next[source]);
    next[source] = number + 1;
}

static void *look(void *number)
{
    struct watch_source *own = watch_source(watch, (unsigned)(uintptr_t)number);
    const struct watch_terms terms = {.kinds = EVENTS_READS, .sample = 1};
    while (atomic_load(&busy) > 0) {
        struct watcher *watcher = NULL;
        uint64_t next[SOURCES] = {0};
        ck_assert_int_eq(watch_join(own, &terms, NULL, &watcher), WATCH_OK);
        for (unsigned turn = 0; turn < TURNS && atomic_load(&busy) > 0; turn++) {
            struct watch_event event;
            for (; watcher_peek(watcher, &event); watcher_drop(watcher)) {
                look_at(&event, next);
            }
            watcher_take_lost(watcher);
            sched_yield();
        }
        watch_leave(&watcher);
    }
    return NULL;
}

static void *read_slow(void *unused)
{
    struct slow_request slow[8];
    while (atomic_load(&busy) > 0) {
        uint64_t after = slow_log_before(slow_log, 0);
        size_t count = slow_log_read(slow_log, after, slow, 8);
        for (size_t i = 0; i < count; i++) {
            char text[16];
            snprintf(text, sizeof text, "%u", (unsigned)slow[i].took);
            ck_assert_uint_gt(slow[i].id, after);
            ck_assert_uint_eq(slow[i].took, slow[i].worked);
            ck_assert_str_eq(slow[i].ns, text);
        }
        sched_yield();
    }
    return unused;
}

START_TEST(nothing_is_mixed_up)
{
    pthread_t sources[SOURCES], watchers[WATCHERS], reader;
    atomic_init(&busy, SOURCES);
    watch = watch_create(SOURCES, &wanted);
    slow_log = slow_log_create(SOURCES);
    slow_log_keep(slow_log, SLOW_ENTRIES_MAX);
    for (unsigned i = 0; i < SOURCES; i++) {
        watch_source(watch, i)->wake = wake;
    }
    for (uintptr_t i = 0; i < WATCHERS; i++) {
        ck_assert_int_eq(pthread_create(&watchers[i], NULL, look, (void *)i), 0);
    }
    ck_assert_int_eq(pthread_create(&reader, NULL, read_slow, NULL), 0);
    for (uintptr_t i = 0; i < SOURCES; i++) {
        ck_assert_int_eq(pthread_create(&sources[i], NULL, publish, (void *)i), 0);
    }
    for (unsigned i = 0; i < SOURCES; i++) {
        pthread_join(sources[i], NULL);
    }
    for (unsigned i = 0; i < WATCHERS; i++) {
        pthread_join(watchers[i], NULL);
    }
    pthread_join(reader, NULL);
    ck_assert_uint_gt(atomic_load(&wakes), 0);
    ck_assert(!watch_wants(&wanted, ~0u));
    watch_destroy(&watch);
    slow_log_destroy(&slow_log);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("threads_watch");
    TCase *threads = tcase_create("threads");
    tcase_set_timeout(threads, 120);
    tcase_add_test(threads, nothing_is_mixed_up);
    suite_add_tcase(suite, threads);
    return suite_run(suite);
}

/*
 * kill_operations.c - see kill_operations.h. What is asked afterwards fails the test by itself
 * where it finds neither of the two.
 */
#include "tests/store/crash/kill_operations.h"

#include <stdio.h>

#include "daemon/store/reclaim/housekeep.h"
#include "daemon/store/reclaim/relocate.h"
#include "daemon/store/reclaim/victims.h"

enum { LARGE = 20000 /* bytes: several pieces */ };

struct fixture kill_fixture;

/* --- what is asked ----------------------------------------------------------- */

static bool holds(const char *name, const char *key, const char *value)
{
    struct store_view view;
    enum store_status status = fixture_get(&kill_fixture, name, key, &view);
    if (status != STORE_OK || value == NULL) {
        return status != STORE_OK && value == NULL;
    }
    return !view.pinned && view.length == strlen(value) &&
           memcmp(view.bytes, value, view.length) == 0;
}

static enum state which(const char *name, const char *key, const char *before, const char *after)
{
    if (holds(name, key, before)) {
        return BEFORE;
    }
    if (!holds(name, key, after)) {
        ck_abort_msg("%s %s is neither as before nor as after", name, key);
    }
    return AFTER;
}

/* 0 bytes: it is not there. */
static bool holds_pattern(const char *name, const char *key, size_t length, uint64_t seed)
{
    struct store_view view;
    enum store_status status = fixture_get(&kill_fixture, name, key, &view);
    if (status != STORE_OK || length == 0) {
        return status != STORE_OK && length == 0;
    }
    bool same = view.length == length && fixture_view_is_pattern(&view, seed);
    fixture_give_back(&view);
    return same;
}

static enum state which_pattern(const char *key, size_t before, uint64_t before_seed, size_t after,
                                uint64_t after_seed)
{
    if (holds_pattern("a", key, before, before_seed)) {
        return BEFORE;
    }
    if (!holds_pattern("a", key, after, after_seed)) {
        ck_abort_msg("%s is neither as before nor as after", key);
    }
    return AFTER;
}

static bool has_left(const char *key, uint64_t left)
{
    uint64_t got = 0;
    return fixture_left(&kill_fixture, "a", key, &got) == STORE_OK && got == left;
}

/* --- small records ------------------------------------------------------------- */

static void no_preparation(void)
{
}

static void put_small(void)
{
    FIXTURE_OK(fixture_put(&kill_fixture, "a", "k", TTL_FOR(100000), "the first value"));
}

static void overwrite(void)
{
    FIXTURE_OK(
        fixture_put(&kill_fixture, "a", "k", TTL_FOR(100000), "the second value, and longer"));
}

static void overwrite_for_ever(void)
{
    FIXTURE_OK(fixture_put(&kill_fixture, "a", "k", TTL_NEVER, "the second value, and longer"));
}

static enum state is_put(void)
{
    return which("a", "k", NULL, "the first value");
}

static enum state is_overwritten(void)
{
    return which("a", "k", "the first value", "the second value, and longer");
}

static void delete_it(void)
{
    FIXTURE_OK(fixture_delete(&kill_fixture, "a", "k"));
}

static enum state is_deleted(void)
{
    return which("a", "k", "the first value", NULL);
}

static void put_number(void)
{
    FIXTURE_OK(fixture_put(&kill_fixture, "a", "k", TTL_FOR(100000), "99"));
}

static void add_number(void)
{
    uint64_t sum = 0;
    FIXTURE_OK(fixture_incr(&kill_fixture, "a", "k", 1, &sum));
}

static enum state is_added(void)
{
    return which("a", "k", "99", "100");
}

static void touch(void)
{
    FIXTURE_OK(fixture_touch(&kill_fixture, "a", "k", TTL_FOR(5000)));
}

static enum state is_touched(void)
{
    FIXTURE_THAT(holds("a", "k", "the first value"));
    if (has_left("k", 100000)) {
        return BEFORE;
    }
    FIXTURE_THAT(has_left("k", 5000));
    return AFTER;
}

static void append(void)
{
    struct store_key at;
    store_enter(kill_fixture.thread);
    FIXTURE_OK(store_locate(kill_fixture.thread, slice_of("a"), slice_of("k"), &at));
    FIXTURE_OK(store_put(kill_fixture.thread, &at, TERMS(STORE_APPEND, TTL_KEEP),
                         slice_of(", and more"), kill_fixture.now, NULL));
    store_leave(kill_fixture.thread);
}

static enum state is_appended(void)
{
    return which("a", "k", "the first value", "the first value, and more");
}

static void make_stale(void)
{
    struct store_key at;
    store_enter(kill_fixture.thread);
    FIXTURE_OK(store_locate(kill_fixture.thread, slice_of("a"), slice_of("k"), &at));
    FIXTURE_OK(store_make_stale(kill_fixture.thread, &at,
                                &(struct store_terms){.ttl = TTL_FOR(7000)}, kill_fixture.now));
    store_leave(kill_fixture.thread);
}

/* Both at once: stale, and with the new time to live. */
static enum state is_stale(void)
{
    struct store_key at;
    struct store_view view;
    store_enter(kill_fixture.thread);
    FIXTURE_OK(store_locate(kill_fixture.thread, slice_of("a"), slice_of("k"), &at));
    FIXTURE_OK(store_inspect(kill_fixture.thread, &at,
                             &(struct store_terms){.ttl = TTL_KEEP, .peeks = true},
                             kill_fixture.now, &view));
    store_view_put(&view);
    store_leave(kill_fixture.thread);
    bool shorter = view.expires == kill_fixture.now + 7001;
    FIXTURE_THAT(shorter || view.expires == kill_fixture.now + 100001);
    FIXTURE_THAT(shorter == view.stale);
    return view.stale ? AFTER : BEFORE;
}

/* --- large records --------------------------------------------------------------- */

/* Made beforehand, so that no steps are spent on it. */
static char large_bytes[3][LARGE];

void kill_prepare(void)
{
    for (unsigned seed = 0; seed < 3; seed++) {
        fixture_pattern(large_bytes[seed], 0, LARGE, seed);
    }
}

static void put_bytes(unsigned seed, size_t length)
{
    FIXTURE_OK(fixture_put_bytes(&kill_fixture, slice_of("a"), slice_of("k"), TTL_FOR(100000),
                                 (struct slice){large_bytes[seed], length}));
}

static void put_large(void)
{
    put_bytes(1, LARGE);
}

static void overwrite_large(void)
{
    put_bytes(2, LARGE / 2);
}

static enum state is_large_put(void)
{
    return which_pattern("k", 0, 0, LARGE, 1);
}

static enum state is_large_overwritten(void)
{
    return which_pattern("k", LARGE, 1, LARGE / 2, 2);
}

static enum state is_large_deleted(void)
{
    return which_pattern("k", LARGE, 1, 0, 0);
}

static enum state is_large_made_small(void)
{
    return holds_pattern("a", "k", LARGE, 1) ? BEFORE : which("a", "k", "", "the first value");
}

static enum state is_large_touched(void)
{
    FIXTURE_THAT(holds_pattern("a", "k", LARGE, 1));
    if (has_left("k", 100000)) {
        return BEFORE;
    }
    FIXTURE_THAT(has_left("k", 5000));
    return AFTER;
}

/* --- whole namespaces --------------------------------------------------------------- */

static void put_two(void)
{
    FIXTURE_OK(fixture_put(&kill_fixture, "n", "k", TTL_NEVER, "one"));
    FIXTURE_OK(fixture_put_pattern(&kill_fixture, "n", "l", TTL_NEVER, LARGE, 3));
}

static void flush(void)
{
    fixture_flush(&kill_fixture, "n");
}

static void flush_and_put(void)
{
    fixture_flush(&kill_fixture, "n");
    fixture_housekeep(&kill_fixture);
    FIXTURE_OK(fixture_put(&kill_fixture, "n", "k", TTL_NEVER, "two"));
}

static enum state is_flushed(void)
{
    enum state state = which("n", "k", "one", NULL);
    FIXTURE_THAT(holds_pattern("n", "l", state == BEFORE ? LARGE : 0, 3));
    return state;
}

static enum state is_flushed_and_put(void)
{
    bool there = holds("n", "k", "one");
    FIXTURE_THAT(holds_pattern("n", "l", there ? LARGE : 0, 3));
    FIXTURE_THAT(there || holds("n", "k", NULL) || holds("n", "k", "two"));
    return holds("n", "k", "two") ? AFTER : BEFORE;
}

static void flush_later(void)
{
    put_two();
    store_enter(kill_fixture.thread);
    FIXTURE_OK(store_flush_at(kill_fixture.thread, slice_of("n"), kill_fixture.now + 10));
    store_leave(kill_fixture.thread);
}

static void tick(void)
{
    store_enter(kill_fixture.thread);
    store_tick(kill_fixture.thread, kill_fixture.now + 10);
    store_leave(kill_fixture.thread);
    FIXTURE_OK(fixture_put(&kill_fixture, "n", "k", TTL_NEVER, "two"));
}

/* What was written after the flush is never taken by the same flush. */
static enum state is_ticked(void)
{
    store_enter(kill_fixture.thread);
    store_tick(kill_fixture.thread, kill_fixture.now + 10);
    store_leave(kill_fixture.thread);
    return which("n", "k", NULL, "two");
}

static void make_namespace(void)
{
    FIXTURE_OK(fixture_put(&kill_fixture, "n", "k", TTL_NEVER, "two"));
}

static enum state is_made(void)
{
    return which("n", "k", NULL, "two");
}

static void put_one(void)
{
    FIXTURE_OK(fixture_put(&kill_fixture, "n", "k", TTL_NEVER, "one"));
}

static void empty_namespace(void)
{
    FIXTURE_OK(fixture_delete(&kill_fixture, "n", "k"));
    fixture_housekeep(&kill_fixture);
    FIXTURE_OK(fixture_put(&kill_fixture, "m", "k", TTL_NEVER, "in its place"));
}

static enum state is_emptied(void)
{
    if (holds("n", "k", "one")) {
        FIXTURE_THAT(holds("m", "k", NULL));
        return BEFORE;
    }
    FIXTURE_THAT(holds("n", "k", NULL));
    return holds("m", "k", NULL) ? BEFORE : which("m", "k", "", "in its place");
}

/* --- what the housekeeper does --------------------------------------------------------- */

enum { MANY = 60 };

static void put_many(struct store_ttl ttl)
{
    char key[16];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "key%u", i);
        FIXTURE_OK(fixture_put_pattern(&kill_fixture, "a", key, ttl, 20 + i % 50, i));
    }
}

/* One in four, or none. */
static void expect_many(bool fourth)
{
    char key[16];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "key%u", i);
        if (!holds_pattern("a", key, fourth && i % 4 == 0 ? 20 + i % 50 : 0, i)) {
            ck_abort_msg("%s is not as it was", key);
        }
    }
}

static void prepare_purge(void)
{
    put_many(TTL_FOR(50));
    fixture_outlive(&kill_fixture, 50);
}

static enum state is_purged(void)
{
    expect_many(false);
    return EITHER;
}

static void prepare_compaction(void)
{
    char key[16];
    put_many(TTL_NEVER);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "key%u", i);
        if (i % 4 != 0) {
            FIXTURE_OK(fixture_delete(&kill_fixture, "a", key));
        }
    }
}

static void keep_house(void)
{
    fixture_housekeep(&kill_fixture);
}

static enum state is_compacted(void)
{
    expect_many(true);
    return EITHER;
}

static void fill(void)
{
    char key[16];
    for (unsigned i = 0; i < 3400; i++) {
        snprintf(key, sizeof key, "key%u", i);
        FIXTURE_OK(fixture_put_pattern(&kill_fixture, "a", key, TTL_NEVER, 1000, i));
    }
}

static void put_into_full(void)
{
    char key[16];
    for (unsigned i = 0; i < 8; i++) {
        snprintf(key, sizeof key, "new%u", i);
        FIXTURE_OK(fixture_put_pattern(&kill_fixture, "a", key, TTL_NEVER, 1000, i));
    }
}

static enum state is_right_or_gone(void)
{
    char key[16];
    unsigned there = 0;
    for (unsigned i = 0; i < 3400; i++) {
        snprintf(key, sizeof key, "key%u", i);
        bool gone = holds_pattern("a", key, 0, 0);
        FIXTURE_THAT(gone || holds_pattern("a", key, 1000, i));
        there += !gone;
    }
    FIXTURE_THAT(there > 2400);
    return EITHER;
}

/* --- another memory ------------------------------------------------------------------- */

static void grow_and_put(void)
{
    fixture_set_memory(&kill_fixture, 8 * FIXTURE_MIB);
    put_small();
}

static void prepare_relocation(void)
{
    prepare_compaction();
    put_large();
}

/* Every segment is emptied once: what lives in it is written elsewhere. */
static void relocate(void)
{
    struct segments *segments = &kill_fixture.store->segments;
    store_enter(kill_fixture.thread);
    pthread_mutex_lock(&kill_fixture.store->reclaim_lock);
    for (uint32_t number = segments_end(segments); number-- > 1;) {
        struct segment *segment = segment_at(segments, number);
        if (victims_is_eligible(segment)) {
            relocate_segment(kill_fixture.thread, segment, kill_fixture.now);
        }
    }
    pthread_mutex_unlock(&kill_fixture.store->reclaim_lock);
    store_leave(kill_fixture.thread);
}

static enum state is_relocated(void)
{
    expect_many(true);
    FIXTURE_THAT(holds_pattern("a", "k", LARGE, 1));
    return EITHER;
}

enum { SMALL_ONES = 100 }; /* namespaces, more than a chunk has numbers */

static void fill_more(void)
{
    char name[16];
    fixture_set_memory(&kill_fixture, 6 * FIXTURE_MIB);
    for (unsigned i = 0; i < SMALL_ONES; i++) {
        snprintf(name, sizeof name, "n%u", i);
        FIXTURE_OK(fixture_put(&kill_fixture, name, "k", TTL_NEVER, "the first value"));
    }
    fill();
    for (unsigned i = 0; i < 1200; i++) { /* more than fits when the memory is less */
        snprintf(name, sizeof name, "more%u", i);
        FIXTURE_OK(fixture_put_pattern(&kill_fixture, "a", name, TTL_NEVER, 1000, i));
    }
}

static void shrink(void)
{
    fixture_set_memory(&kill_fixture, STORE_MEMORY_MIN);
    fixture_housekeep(&kill_fixture);
}

static enum state is_shrunk(void)
{
    char name[16];
    for (unsigned i = 0; i < SMALL_ONES; i++) {
        snprintf(name, sizeof name, "n%u", i);
        FIXTURE_THAT(holds(name, "k", NULL) || holds(name, "k", "the first value"));
    }
    return is_right_or_gone();
}

/* --- the end and the beginning ------------------------------------------------------- */

static void prepare_recovery(void)
{
    prepare_compaction();
    put_large();
    put_two();
    fixture_flush(&kill_fixture, "n");
    FIXTURE_OK(fixture_put(&kill_fixture, "a", "soon", TTL_FOR(10), "gone"));
    fixture_outlive(&kill_fixture, 10);
    fixture_crash(&kill_fixture);
}

static enum state is_recovered(void)
{
    expect_many(true);
    FIXTURE_THAT(holds_pattern("a", "k", LARGE, 1));
    FIXTURE_THAT(holds("n", "k", NULL) && holds_pattern("n", "l", 0, 0));
    FIXTURE_THAT(holds("a", "soon", NULL));
    return EITHER;
}

static void recover(void)
{
    fixture_start(&kill_fixture);
}

static void stop(void)
{
    fixture_stop(&kill_fixture);
}

static enum state is_stopped(void)
{
    FIXTURE_THAT(holds("a", "k", "the first value"));
    return EITHER;
}

const struct operation kill_operations[] = {
    {"put", no_preparation, put_small, is_put, false},
    {"overwrite", put_small, overwrite, is_overwritten, false},
    {"overwrite with another ttl", put_small, overwrite_for_ever, is_overwritten, false},
    {"delete", put_small, delete_it, is_deleted, false},
    {"add to a number", put_number, add_number, is_added, false},
    {"touch", put_small, touch, is_touched, false},
    {"append", put_small, append, is_appended, false},
    {"make stale", put_small, make_stale, is_stale, false},
    {"put large", no_preparation, put_large, is_large_put, false},
    {"overwrite large", put_large, overwrite_large, is_large_overwritten, false},
    {"delete large", put_large, delete_it, is_large_deleted, false},
    {"large to small", put_large, put_small, is_large_made_small, false},
    {"touch large", put_large, touch, is_large_touched, false},
    {"make large stale", put_large, make_stale, is_stale, false},
    {"flush", put_two, flush, is_flushed, false},
    {"flush and put", put_two, flush_and_put, is_flushed_and_put, false},
    {"flush that is due", flush_later, tick, is_ticked, false},
    {"make namespace", no_preparation, make_namespace, is_made, false},
    {"last record of a namespace", put_one, empty_namespace, is_emptied, false},
    {"purge", prepare_purge, keep_house, is_purged, false},
    {"compaction", prepare_compaction, keep_house, is_compacted, false},
    {"eviction", fill, put_into_full, is_right_or_gone, true},
    {"growth", no_preparation, grow_and_put, is_put, false},
    {"relocation", prepare_relocation, relocate, is_relocated, false},
    {"shrinking", fill_more, shrink, is_shrunk, true},
    {"recovery", prepare_recovery, recover, is_recovered, false},
    {"clean stop", put_small, stop, is_stopped, false},
};

const int kill_operations_count = (int)(sizeof kill_operations / sizeof *kill_operations);

/* --- beside them ------------------------------------------------------------------------ */

/* Records that the operation has nothing to do with. */
void kill_put_bystanders(void)
{
    FIXTURE_OK(fixture_put(&kill_fixture, "a", "bystander", TTL_NEVER, "looks on"));
    FIXTURE_OK(fixture_put_pattern(&kill_fixture, "others", "large", TTL_NEVER, LARGE, 9));
}

bool kill_bystanders_are_there(void)
{
    return holds("a", "bystander", "looks on") && holds_pattern("others", "large", LARGE, 9);
}

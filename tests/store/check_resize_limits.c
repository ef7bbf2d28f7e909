/*
 * check_resize_limits.c - what stands in the way of another memory, what is refused, and
 * that the system has back what is not used.
 */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/store/records/state.h"

static struct fixture fixture;

static void setup(void)
{
    fixture_open(&fixture, 16 * FIXTURE_MIB, FIXTURE_MIB);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

static enum store_resize try_memory(uint64_t memory)
{
    uint64_t before = fixture_figures(&fixture).memory_limit;
    store_enter(fixture.thread);
    enum store_resize result = store_set_memory(fixture.thread, memory);
    store_leave(fixture.thread);
    if (result != STORE_RESIZED) {
        ck_assert_uint_eq(fixture_figures(&fixture).memory_limit, before);
    }
    return result;
}

/* --- what stands in the way -------------------------------------------------- */

START_TEST(what_is_read_is_waited_for)
{
    struct store_view views[40];
    char key[32];
    fixture_set_memory(&fixture, 64 * FIXTURE_MIB);
    fixture_pour(&fixture, "ns", 0, 80, 500000);
    for (size_t i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        FIXTURE_OK(fixture_get(&fixture, "ns", key, &views[i]));
        ck_assert(views[i].pinned);
    }
    fixture_set_memory(&fixture, 8 * FIXTURE_MIB);
    fixture_housekeep(&fixture);
    fixture_check(&fixture);
    ck_assert_uint_ge(fixture_figures(&fixture).memory_used, 40 * 500000);
    /* It can be used all the same. */
    for (int i = 0; i < 100; i++) {
        fixture_put_pattern(&fixture, "ns", "small", TTL_NEVER, 100, 1);
    }
    for (size_t i = 0; i < 40; i++) {
        ck_assert(fixture_view_is_pattern(&views[i], i));
        fixture_give_back(&views[i]);
    }
    fixture_rest(&fixture);
    fixture_expect_within(&fixture);
    ck_assert_uint_gt(fixture_figures(&fixture).items, 4);
}
END_TEST

START_TEST(what_is_being_written_is_waited_for)
{
    struct store_write *writes[8];
    uint64_t done[8] = {0};
    char key[32];
    fixture_set_memory(&fixture, 64 * FIXTURE_MIB);
    fixture_pour(&fixture, "ns", 0, 40, 500000);
    for (size_t i = 0; i < 8; i++) {
        snprintf(key, sizeof key, "write%zu", i);
        FIXTURE_OK(
            fixture_begin(&fixture, "ns", key, STORE_SET, TTL_NEVER, FIXTURE_MIB, &writes[i]));
        FIXTURE_OK(
            fixture_write_pattern(&fixture, writes[i], &done[i], FIXTURE_MIB * 3 / 4, 10000, i));
    }
    fixture_set_memory(&fixture, 8 * FIXTURE_MIB);
    fixture_housekeep(&fixture);
    fixture_check(&fixture);
    for (size_t i = 0; i < 8; i++) {
        snprintf(key, sizeof key, "write%zu", i);
        if (fixture_write_pattern(&fixture, writes[i], &done[i], FIXTURE_MIB, 10000, i) !=
            STORE_OK) {
            fixture_abort(&fixture, &writes[i]);
        } else if (fixture_commit(&fixture, &writes[i]) == STORE_OK) {
            fixture_expect_pattern(&fixture, "ns", key, FIXTURE_MIB, i);
        }
        fixture_check(&fixture);
    }
    fixture_rest(&fixture);
    fixture_expect_within(&fixture);
    FIXTURE_OK(fixture_stream_pattern(&fixture, "ns", "again", STORE_SET, TTL_NEVER, FIXTURE_MIB,
                                      10000, 1));
}
END_TEST

static bool count_entry(void *context, struct store_entry *entry)
{
    (void)entry;
    ++*(size_t *)context;
    return true;
}

/* A listing keeps records where they are; they may be evicted. */
START_TEST(a_listing_does_not_stop_it)
{
    struct store_cursor *cursor = NULL;
    size_t seen = 0;
    bool ended = false;
    fixture_set_memory(&fixture, 64 * FIXTURE_MIB);
    size_t all = fixture_fill(&fixture, "ns", 200);
    store_enter(fixture.thread);
    FIXTURE_OK(store_cursor_open(fixture.thread, slice_of("ns"), &cursor));
    ended = store_cursor_step(fixture.thread, cursor, fixture.now, all / 4, count_entry, &seen);
    store_leave(fixture.thread);
    ck_assert(!ended);
    fixture_shrink(&fixture, 8 * FIXTURE_MIB);
    store_enter(fixture.thread);
    ended = store_cursor_step(fixture.thread, cursor, fixture.now, all, count_entry, &seen);
    store_leave(fixture.thread);
    store_cursor_close(&cursor);
    ck_assert(ended);
    ck_assert_uint_ge(seen, all / 4);
    fixture_expect_within(&fixture);
}
END_TEST

/* --- quotas -------------------------------------------------------------------- */

enum { QUOTAS = 8 };

static void declare(uint64_t quota)
{
    static const char *const names[QUOTAS] = {"q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7"};
    struct store_namespace_options options[QUOTAS];
    for (size_t i = 0; i < QUOTAS; i++) {
        options[i] = (struct store_namespace_options){.name = slice_of(names[i]), .memory = quota};
    }
    fixture_declare(&fixture, options, QUOTAS, STORE_NEVER);
}

/* All memory is promised: then all namespaces give. */
START_TEST(quotas_that_claim_everything)
{
    static const size_t sizes[] = {50, 1000, 20000};
    size_t length = sizes[_i];
    char name[8];
    fixture_set_memory(&fixture, 64 * FIXTURE_MIB);
    declare(8 * FIXTURE_MIB);
    for (size_t i = 0; i < 16 * FIXTURE_MIB / length; i++) {
        for (unsigned q = 0; q < QUOTAS; q++) {
            snprintf(name, sizeof name, "q%u", q);
            fixture_pour(&fixture, name, i, 1, length);
        }
    }
    ck_assert_int_eq(try_memory(32 * FIXTURE_MIB), STORE_RESIZE_PROMISED);
    declare(2 * FIXTURE_MIB);
    fixture_shrink(&fixture, 16 * FIXTURE_MIB);
    for (unsigned q = 0; q < QUOTAS; q++) {
        snprintf(name, sizeof name, "q%u", q);
        uint64_t bytes = fixture_items(&fixture, name) * length;
        ck_assert_msg(bytes > FIXTURE_MIB / 4 && bytes <= 2 * FIXTURE_MIB, "%s has %ju bytes", name,
                      (uintmax_t)bytes);
    }
}
END_TEST

/* What a quota protects is kept, and the rest goes. */
START_TEST(a_quota_is_kept_where_it_can_be)
{
    struct store_namespace_stats stats;
    fixture_set_memory(&fixture, 64 * FIXTURE_MIB);
    declare(FIXTURE_MIB);
    fixture_pour(&fixture, "q0", 0, 600, 1000);
    size_t held = fixture_fill(&fixture, "ns", 1000);
    fixture_pour(&fixture, "q1", 0, 600, 1000);
    fixture_shrink(&fixture, 16 * FIXTURE_MIB);
    ck_assert_uint_eq(fixture_count_alive(&fixture, "q0", 0, 600, 1000), 600);
    ck_assert_uint_eq(fixture_count_alive(&fixture, "q1", 0, 600, 1000), 600);
    FIXTURE_OK(fixture_namespace(&fixture, "q0", &stats));
    ck_assert_uint_eq(stats.counters.evictions, 0);
    ck_assert_uint_gt(fixture_items(&fixture, "ns"), held / 8);
}
END_TEST

/* --- given back ----------------------------------------------------------------------- */

/* Bytes of the pages there that are in memory. */
static uint64_t resident_of(const void *from, size_t length)
{
    enum { AT_ONCE = 4096 };
    static unsigned char pages[AT_ONCE];
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t step = AT_ONCE * page;
    uint64_t resident = 0;
    for (size_t at = 0; at < length; at += step) {
        size_t size = length - at < step ? length - at : step;
        char *begin = (char *)(uintptr_t)from + at;
        ck_assert_int_eq(mincore(begin, size, pages), 0);
        for (size_t i = 0; i < (size + page - 1) / page; i++) {
            resident += (pages[i] & 1) * page;
        }
    }
    return resident;
}

static uint64_t resident(void)
{
    const struct store *store = fixture.store;
    const struct index *index = &store->index;
    const struct segments *segments = &store->segments;
    return resident_of(store->arena.base, store->arena.frames * arena_frame_size(&store->arena)) +
           resident_of(index->buckets, index->capacity * sizeof(struct bucket)) +
           resident_of(index->overflow.buckets,
                       index->overflow.capacity * sizeof(struct overflow)) +
           resident_of(segments->table, segments_end(segments) * sizeof(struct segment)) +
           resident_of(store->ghost.lines, store->ghost.count * sizeof(struct ghost_line));
}

/* What it says that it uses is there, and what it does not say is the system's. */
START_TEST(the_system_has_it_back)
{
    if (fixture.store->file.map != NULL) {
        return; /* check_resize_file.c */
    }
    fixture_pour(&fixture, "ns", 0, 10000, 1000);
    fixture_set_memory(&fixture, 128 * FIXTURE_MIB);
    fixture_fill(&fixture, "ns", _i ? 30 : 1000);
    uint64_t large = resident();
    fixture_shrink(&fixture, 16 * FIXTURE_MIB);
    uint64_t left = resident();
    uint64_t used = fixture_figures(&fixture).memory_used;
    ck_assert_msg(large > 110 * FIXTURE_MIB && left < used + FIXTURE_MIB &&
                      left > used - FIXTURE_MIB,
                  "%ju bytes were resident, then %ju, and %ju are used", (uintmax_t)large,
                  (uintmax_t)left, (uintmax_t)used);
}
END_TEST

/* --- how far, and what is refused ------------------------------------------------------- */

/* To the end of what it says, and no further. */
START_TEST(it_grows_as_far_as_it_says)
{
    uint64_t most = store_memory_most(fixture.store);
    ck_assert_uint_eq(most, UINT64_C(4) << 30);
    ck_assert_int_eq(try_memory(most + 1), STORE_RESIZE_TOO_LARGE);
    ck_assert_int_eq(try_memory(UINT64_MAX), STORE_RESIZE_TOO_LARGE);
    fixture_set_memory(&fixture, most);
    ck_assert_int_eq(try_memory(most + 1), STORE_RESIZE_TOO_LARGE);
    fixture_pour(&fixture, "ns", 0, 100000, 300);
    ck_assert_uint_eq(fixture_count_alive(&fixture, "ns", 0, 100000, 300), 100000);
    fixture_check(&fixture);
}
END_TEST

/* What a store may grow to follows from what it was made with: twice that at least. */
START_TEST(it_may_always_double)
{
    for (uint64_t memory = 4 * FIXTURE_MIB; memory <= UINT64_C(1) << 40; memory = memory * 3 / 2) {
        struct arena_shape shape = arena_shape_choose(memory);
        struct arena arena = {.frames_max = shape.frames_max,
                              .frame_order = shape.frame_order,
                              .place_shift = shape.place_shift};
        ck_assert_uint_ge(arena_most(&arena), 2 * memory);
        ck_assert_uint_ge(arena_most(&arena), UINT64_C(4) << 30);
        ck_assert_uint_le(arena_most(&arena) >> arena.place_shift, UINT64_C(1) << 32);
        ck_assert_uint_lt(arena_most(&arena), 4 * memory + (UINT64_C(4) << 30));
    }
}
END_TEST

START_TEST(what_is_refused_changes_nothing)
{
    fixture_pour(&fixture, "ns", 0, 10000, 1000);
    ck_assert_int_eq(try_memory(0), STORE_RESIZE_TOO_SMALL);
    ck_assert_int_eq(try_memory(STORE_MEMORY_MIN - 1), STORE_RESIZE_TOO_SMALL);
    ck_assert_int_eq(try_memory(STORE_MEMORY_MIN), STORE_RESIZED);
    ck_assert_int_eq(try_memory(16 * FIXTURE_MIB), STORE_RESIZED);
    declare(FIXTURE_MIB);
    ck_assert_int_eq(try_memory(8 * FIXTURE_MIB - 1), STORE_RESIZE_PROMISED);
    ck_assert_int_eq(try_memory(8 * FIXTURE_MIB), STORE_RESIZED);
    ck_assert_int_eq(try_memory(16 * FIXTURE_MIB), STORE_RESIZED);
    fixture.max_value = 3 * FIXTURE_MIB;
    declare(0);
    ck_assert_int_eq(try_memory(12 * FIXTURE_MIB - 1), STORE_RESIZE_PROMISED);
    ck_assert_int_eq(try_memory(12 * FIXTURE_MIB), STORE_RESIZED);
    ck_assert_uint_eq(fixture_count_alive(&fixture, "ns", 0, 10000, 1000), 10000);
}
END_TEST

/* Segments of 1 MiB are too few in a small memory. */
START_TEST(a_large_store_stays_larger_than_that)
{
    fixture_close(&fixture);
    fixture_open(&fixture, UINT64_C(1) << 30, FIXTURE_MIB);
    fixture_pour(&fixture, "ns", 0, 100000, 1000);
    ck_assert_int_eq(try_memory(8 * FIXTURE_MIB - 1), STORE_RESIZE_TOO_SMALL);
    fixture_shrink(&fixture, 8 * FIXTURE_MIB);
    ck_assert_uint_gt(fixture_figures(&fixture).items, 3000);
    for (size_t i = 100000; i < 200000; i += 100) {
        fixture_pour(&fixture, "ns", i, 100, 1000);
        fixture_housekeep(&fixture);
    }
    fixture_expect_within(&fixture);
    ck_assert_uint_gt(fixture_figures(&fixture).items, 3000);
    FIXTURE_OK(fixture_put_pattern(&fixture, "ns", "large", TTL_NEVER, FIXTURE_MIB, 1));
    fixture_expect_pattern(&fixture, "ns", "large", FIXTURE_MIB, 1);
}
END_TEST

/* Where address space is short there is a store, but it cannot grow. */
START_TEST(without_address_space_it_stays)
{
    struct rlimit limit = {.rlim_max = RLIM_INFINITY};
    FILE *file = fopen("/proc/self/statm", "r");
    uintmax_t pages = 0;
    fixture_close(&fixture);
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%ju", &pages), 1);
    fclose(file);
    limit.rlim_cur = pages * (rlim_t)sysconf(_SC_PAGESIZE) + (rlim_t)256 * FIXTURE_MIB;
    bool bounded = limit.rlim_cur < UINT64_C(1) << 36; /* else a sanitizer has it all */
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    fixture_open(&fixture, 16 * FIXTURE_MIB, FIXTURE_MIB);
    fixture_pour(&fixture, "ns", 0, 10000, 1000);
    ck_assert(!bounded || try_memory(64 * FIXTURE_MIB) == STORE_RESIZE_TOO_LARGE);
    ck_assert_int_eq(try_memory(8 * FIXTURE_MIB), STORE_RESIZED);
    ck_assert_int_eq(try_memory(16 * FIXTURE_MIB), STORE_RESIZED);
    ck_assert_uint_eq(fixture_count_alive(&fixture, "ns", 0, 10000, 1000), 10000);
    limit.rlim_cur = RLIM_INFINITY;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store resize limits");
    TCase *resize = tcase_create("resize");
    tcase_add_checked_fixture(resize, setup, teardown);
    tcase_set_timeout(resize, 2 * FIXTURE_TIMEOUT);
    tcase_add_test(resize, what_is_read_is_waited_for);
    tcase_add_test(resize, what_is_being_written_is_waited_for);
    tcase_add_test(resize, a_listing_does_not_stop_it);
    tcase_add_loop_test(resize, quotas_that_claim_everything, 0, 3);
    tcase_add_test(resize, a_quota_is_kept_where_it_can_be);
    tcase_add_loop_test(resize, the_system_has_it_back, 0, 2);
    tcase_add_test(resize, it_grows_as_far_as_it_says);
    tcase_add_test(resize, it_may_always_double);
    tcase_add_test(resize, what_is_refused_changes_nothing);
    tcase_add_test(resize, a_large_store_stays_larger_than_that);
    tcase_add_test(resize, without_address_space_it_stays);
    suite_add_tcase(suite, resize);
    return suite_run(suite);
}

/*
 * check_store_resize.c - a store whose memory becomes another: larger at once, smaller by and
 * by, without a record that is lost for nothing, and what is refused.
 */
#include "tests/box.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/store/file.h"
#include "daemon/store/state.h"

static struct box box;

static void setup(void)
{
    box_open(&box, 16 * BOX_MIB, BOX_MIB);
}

static void teardown(void)
{
    box_close(&box);
}

static void put_one(const char *name, size_t number, size_t length)
{
    char key[32];

    snprintf(key, sizeof key, "key%zu", number);
    BOX_OK(box_put_pattern(&box, name, key, TTL_NEVER, length, number));
}

static void pour(const char *name, size_t first, size_t count, size_t length)
{
    for (size_t i = first; i < first + count; i++) {
        put_one(name, i, length);
        if (i % 64 == 0)
            BOX_THAT(box_is_within(&box));
    }
}

/* How many of them are there; all that are must be right. */
static size_t count_alive(const char *name, size_t first, size_t count, size_t length)
{
    size_t alive = 0;
    char key[32];

    for (size_t i = first; i < first + count; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        if (box_has(&box, name, key)) {
            box_expect_pattern(&box, name, key, length, i);
            alive++;
        }
    }
    return alive;
}

/* Until nothing more is evicted by what is put: how many records a store holds. */
static size_t fill(const char *name, size_t length)
{
    size_t count = 0;

    while (box_figures(&box).counters.evictions == 0)
        put_one(name, count++, length);
    pour(name, count, count / 2, length);
    box_housekeep(&box);
    return box_figures(&box).items;
}

static void expect_within(void)
{
    struct store_figures figures = box_figures(&box);

    box_check(&box);
    if (figures.memory_used > figures.memory_limit)
        ck_abort_msg("%ju bytes are used, of %ju", (uintmax_t)figures.memory_used,
                     (uintmax_t)figures.memory_limit);
}

/* To a smaller memory, and until it is so. */
static void shrink(uint64_t memory)
{
    box_set_memory(&box, memory);
    box_housekeep(&box);
    expect_within();
}

static enum store_resize try_memory(uint64_t memory)
{
    uint64_t before = box_figures(&box).memory_limit;

    store_enter(box.lane);
    enum store_resize result = store_set_memory(box.lane, memory);
    store_leave(box.lane);
    if (result != STORE_RESIZED)
        ck_assert_uint_eq(box_figures(&box).memory_limit, before);
    return result;
}

/* --- larger --------------------------------------------------------------- */

START_TEST(more_memory_can_be_used_at_once)
{
    size_t length = _i ? 20000 : 300;
    size_t held = fill("ns", length);
    size_t put = 2 * held; /* numbers from here on are new */
    uint64_t evictions = box_figures(&box).counters.evictions;

    for (uint64_t memory = 32 * BOX_MIB; memory <= 256 * BOX_MIB; memory *= 2) {
        uint64_t items = box_figures(&box).items;
        box_set_memory(&box, memory);
        ck_assert_uint_eq(count_alive("ns", 0, put, length), items);
        /* As many again as there are, but for some. */
        pour("ns", put, items * 8 / 10, length);
        put += items * 8 / 10;
        box_check(&box);
        ck_assert_uint_eq(box_figures(&box).counters.evictions, evictions);
        ck_assert_uint_eq(count_alive("ns", 0, put, length), items + items * 8 / 10);
    }
}
END_TEST

/* To the end of what it says, and no further. */
START_TEST(it_grows_as_far_as_it_says)
{
    uint64_t most = store_memory_most(box.store);

    ck_assert_uint_eq(most, UINT64_C(4) << 30);
    ck_assert_int_eq(try_memory(most + 1), STORE_RESIZE_TOO_LARGE);
    ck_assert_int_eq(try_memory(UINT64_MAX), STORE_RESIZE_TOO_LARGE);
    box_set_memory(&box, most);
    ck_assert_int_eq(try_memory(most + 1), STORE_RESIZE_TOO_LARGE);
    pour("ns", 0, 100000, 300);
    ck_assert_uint_eq(count_alive("ns", 0, 100000, 300), 100000);
    box_check(&box);
}
END_TEST

/* What a store may grow to follows from what it was made with: twice that at least. */
START_TEST(it_may_always_double)
{
    for (uint64_t memory = 4 * BOX_MIB; memory <= UINT64_C(1) << 40; memory = memory * 3 / 2) {
        struct arena arena;
        arena_choose(&arena, memory);
        ck_assert_uint_ge(arena_most(&arena), 2 * memory);
        ck_assert_uint_ge(arena_most(&arena), UINT64_C(4) << 30);
        ck_assert_uint_le(arena_most(&arena) >> arena.place_shift, UINT64_C(1) << 32);
        ck_assert_uint_lt(arena_most(&arena), 4 * memory + (UINT64_C(4) << 30));
    }
}
END_TEST

/* --- smaller --------------------------------------------------------------- */

/* A store that was made smaller holds about as much as one that was made small. */
static void expect_as_if_made(uint64_t memory, uint64_t from, size_t length, unsigned percent)
{
    size_t small = fill("ns", length);

    box_close(&box);
    box_open(&box, memory, BOX_MIB);
    box_set_memory(&box, from);
    size_t large = fill("ns", length);
    ck_assert_msg(large * 100 > small * (from / memory) * percent, "%zu of %zu", large,
                  small * (size_t)(from / memory));
    shrink(memory);
    size_t left = box_figures(&box).items;
    ck_assert_msg(left * 100 >= small * percent && left <= small * 11 / 10,
                  "%zu records of %zu bytes are left, of %zu; a small store has %zu", left, length,
                  large, small);
    ck_assert_uint_eq(count_alive("ns", 0, 2 * large, length), left);
    /* It is a small store from here on. */
    pour("other", 0, 2 * small, length);
    box_housekeep(&box);
    expect_within();
    size_t held = box_figures(&box).items;
    ck_assert_msg(held * 100 >= small * percent && held <= small * 11 / 10, "%zu records, not %zu",
                  held, small);
}

static const size_t lengths[] = {10, 100, 1000, 9000, 70000, 500000};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

START_TEST(less_memory_holds_what_fits)
{
    expect_as_if_made(16 * BOX_MIB, 128 * BOX_MIB, lengths[_i], lengths[_i] > 50000 ? 60 : 75);
}
END_TEST

/* Thousands of small segments, so that tables are a large part of what there is. */
static void fill_namespaces(size_t count)
{
    char name[32];

    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "ns%zu", i);
        BOX_OK(box_put(&box, name, "expires", TTL_FOR(10000000 + i), "by and by"));
        put_one(name, i + 1, 700);
    }
}

START_TEST(many_namespaces_become_few)
{
    box_set_memory(&box, 128 * BOX_MIB);
    fill_namespaces(50000);
    ck_assert_uint_eq(box_figures(&box).counters.evictions, 0);
    size_t entries = box.store->expire.resident;
    ck_assert_uint_gt(entries, 50000);
    shrink(8 * BOX_MIB);
    box_rest(&box);
    ck_assert_uint_lt(box.store->expire.resident, entries / 2);
    struct store_figures figures = box_figures(&box);
    ck_assert_uint_gt(figures.items, 3000);
    ck_assert_uint_le(figures.namespaces, figures.items + 1);
    box_set_memory(&box, 128 * BOX_MIB);
    fill_namespaces(30000);
    ck_assert_uint_ge(box_figures(&box).items, 60000);
    shrink(4 * BOX_MIB);
}
END_TEST

/* Each slice gives some back, none takes long, and between two of them nobody can take more. */
START_TEST(it_shrinks_in_slices)
{
    box_set_memory(&box, 64 * BOX_MIB);
    fill("ns", 200);
    uint64_t used = box_figures(&box).memory_used;
    uint64_t evictions = box_figures(&box).counters.evictions;
    bool more = true;
    size_t number = 1000000;
    unsigned slices = 0;

    box_set_memory(&box, 8 * BOX_MIB);
    ck_assert_uint_eq(box_figures(&box).memory_used, used);
    ck_assert(store_wants_housekeeping(box.store));
    for (; more; slices++) {
        store_enter(box.lane);
        more = store_housekeep(box.lane, box.now, 64);
        store_leave(box.lane);
        struct store_figures figures = box_figures(&box);
        /* A frame of 64 KiB has 300 of these. */
        ck_assert_uint_lt(figures.counters.evictions - evictions, 1000);
        evictions = figures.counters.evictions;
        BOX_THAT(box_is_within(&box));
        if (slices % 2 == 0)
            put_one("ns", number++, 200);
        if (slices % 100 == 0)
            box_check(&box);
        ck_assert_uint_lt(slices, 1000000);
    }
    ck_assert_uint_gt(slices, 200);
    expect_within();
}
END_TEST

/* Without a housekeeper it is the writers who make the room, each a little. */
START_TEST(writers_shrink_it_too)
{
    box_set_memory(&box, 64 * BOX_MIB);
    fill("ns", 200);
    box_set_memory(&box, 16 * BOX_MIB);
    uint64_t evictions = box_figures(&box).counters.evictions;
    for (size_t i = 0; i < 400000; i++) {
        put_one("ns", 1000000 + i, 200);
        if (i % 1000 == 0) {
            BOX_THAT(box_is_within(&box));
        }
        if (i % 16 == 0) {
            uint64_t now = box_figures(&box).counters.evictions;
            ck_assert_uint_lt(now - evictions, 2000);
            evictions = now;
        }
    }
    expect_within();
}
END_TEST

/* --- who stands in the way --------------------------------------------------- */

START_TEST(what_is_read_is_waited_for)
{
    struct store_view views[40];
    char key[32];

    box_set_memory(&box, 64 * BOX_MIB);
    pour("ns", 0, 80, 500000);
    for (size_t i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        BOX_OK(box_get(&box, "ns", key, &views[i]));
        ck_assert(views[i].pinned);
    }
    box_set_memory(&box, 8 * BOX_MIB);
    box_housekeep(&box);
    box_check(&box);
    ck_assert_uint_ge(box_figures(&box).memory_used, 40 * 500000);
    /* It can be used all the same. */
    for (int i = 0; i < 100; i++)
        box_put_pattern(&box, "ns", "small", TTL_NEVER, 100, 1);
    for (size_t i = 0; i < 40; i++) {
        ck_assert(box_view_is_pattern(&views[i], i));
        box_give_back(&views[i]);
    }
    box_rest(&box);
    expect_within();
    ck_assert_uint_gt(box_figures(&box).items, 4);
}
END_TEST

START_TEST(what_is_being_written_is_waited_for)
{
    struct store_write *writes[8];
    uint64_t done[8] = {0};
    char key[32];

    box_set_memory(&box, 64 * BOX_MIB);
    pour("ns", 0, 40, 500000);
    for (size_t i = 0; i < 8; i++) {
        snprintf(key, sizeof key, "write%zu", i);
        BOX_OK(box_begin(&box, "ns", key, STORE_SET, TTL_NEVER, BOX_MIB, &writes[i]));
        BOX_OK(box_write_pattern(&box, writes[i], &done[i], BOX_MIB * 3 / 4, 10000, i));
    }
    box_set_memory(&box, 8 * BOX_MIB);
    box_housekeep(&box);
    box_check(&box);
    for (size_t i = 0; i < 8; i++) {
        snprintf(key, sizeof key, "write%zu", i);
        if (box_write_pattern(&box, writes[i], &done[i], BOX_MIB, 10000, i) != STORE_OK) {
            box_abort(&box, &writes[i]);
        } else if (box_commit(&box, &writes[i]) == STORE_OK) {
            box_expect_pattern(&box, "ns", key, BOX_MIB, i);
        }
        box_check(&box);
    }
    box_rest(&box);
    expect_within();
    BOX_OK(box_stream_pattern(&box, "ns", "again", STORE_SET, TTL_NEVER, BOX_MIB, 10000, 1));
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

    box_set_memory(&box, 64 * BOX_MIB);
    size_t all = fill("ns", 200);
    store_enter(box.lane);
    BOX_OK(store_cursor_open(box.lane, slice_of("ns"), &cursor));
    ended = store_cursor_step(box.lane, cursor, box.now, all / 4, count_entry, &seen);
    store_leave(box.lane);
    ck_assert(!ended);
    shrink(8 * BOX_MIB);
    store_enter(box.lane);
    ended = store_cursor_step(box.lane, cursor, box.now, all, count_entry, &seen);
    store_leave(box.lane);
    store_cursor_close(&cursor);
    ck_assert(ended);
    ck_assert_uint_ge(seen, all / 4);
    expect_within();
}
END_TEST

/* --- quotas -------------------------------------------------------------------- */

enum { QUOTAS = 8 };

static void declare(uint64_t quota)
{
    static const char *const names[QUOTAS] = {"q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7"};
    struct store_namespace_options options[QUOTAS];

    for (size_t i = 0; i < QUOTAS; i++)
        options[i] = (struct store_namespace_options){.name = slice_of(names[i]), .memory = quota};
    box_declare(&box, options, QUOTAS, STORE_NEVER);
}

/* All memory is promised to somebody: then all give. */
START_TEST(quotas_that_claim_everything)
{
    static const size_t sizes[] = {50, 1000, 20000};
    size_t length = sizes[_i];
    char name[8];

    box_set_memory(&box, 64 * BOX_MIB);
    declare(8 * BOX_MIB);
    for (size_t i = 0; i < 16 * BOX_MIB / length; i++)
        for (unsigned q = 0; q < QUOTAS; q++) {
            snprintf(name, sizeof name, "q%u", q);
            put_one(name, i, length);
        }
    ck_assert_int_eq(try_memory(32 * BOX_MIB), STORE_RESIZE_PROMISED);
    declare(2 * BOX_MIB);
    shrink(16 * BOX_MIB);
    for (unsigned q = 0; q < QUOTAS; q++) {
        snprintf(name, sizeof name, "q%u", q);
        uint64_t bytes = box_items(&box, name) * length;
        ck_assert_msg(bytes > BOX_MIB / 4 && bytes <= 2 * BOX_MIB, "%s has %ju bytes", name,
                      (uintmax_t)bytes);
    }
}
END_TEST

/* What a quota protects is kept, and the rest goes. */
START_TEST(a_quota_is_kept_where_it_can_be)
{
    struct store_namespace_figures figures;

    box_set_memory(&box, 64 * BOX_MIB);
    declare(BOX_MIB);
    pour("q0", 0, 600, 1000);
    size_t held = fill("ns", 1000);
    pour("q1", 0, 600, 1000);
    shrink(16 * BOX_MIB);
    ck_assert_uint_eq(count_alive("q0", 0, 600, 1000), 600);
    ck_assert_uint_eq(count_alive("q1", 0, 600, 1000), 600);
    BOX_OK(box_namespace(&box, "q0", &figures));
    ck_assert_uint_eq(figures.counters.evictions, 0);
    ck_assert_uint_gt(box_items(&box, "ns"), held / 8);
}
END_TEST

/* --- up and down ------------------------------------------------------------------ */

START_TEST(up_and_down_with_everything_in_it)
{
    uint64_t random = 11 + (uint64_t)_i;
    char name[32];
    char key[32];

    for (int i = 0; i < 60000; i++) {
        uint64_t dice = box_random(&random);
        size_t length = dice % 100 == 0 ? (dice >> 8) % 200000 : (dice >> 8) % 400;
        snprintf(name, sizeof name, "ns%ju", (uintmax_t)(dice >> 32) % 20);
        snprintf(key, sizeof key, "key%ju", (uintmax_t)(dice >> 40) % 9000);
        struct store_ttl ttl = dice % 3 ? TTL_FOR(1 + (dice >> 16) % 50000) : TTL_NEVER;
        enum store_status status = box_put_pattern(&box, name, key, ttl, length, dice);
        BOX_THAT(status == STORE_OK || status == STORE_NO_MEMORY);
        if (status == STORE_OK)
            box_expect_pattern(&box, name, key, length, dice);
        box_wait(&box, 1);
        if (i % 97 == 0) {
            store_enter(box.lane);
            store_housekeep(box.lane, box.now, 500);
            store_leave(box.lane);
        }
        if (i % 500 == 0)
            box_set_memory(&box, (4 + box_random(&random) % 60) * BOX_MIB);
        if (i % 1000 == 0)
            box_check(&box);
    }
    shrink(4 * BOX_MIB);
    box_set_memory(&box, 16 * BOX_MIB);
}
END_TEST

/* Nothing is evicted that need not be: back before it has gone, and all stays. */
START_TEST(taken_back_in_time)
{
    box_set_memory(&box, 64 * BOX_MIB);
    pour("ns", 0, 40000, 1000);
    box_set_memory(&box, 16 * BOX_MIB);
    box_set_memory(&box, 64 * BOX_MIB);
    box_rest(&box);
    ck_assert_uint_eq(count_alive("ns", 0, 40000, 1000), 40000);
    ck_assert_uint_eq(box_figures(&box).counters.evictions, 0);
}
END_TEST

/* Of a store that is not full nothing is lost. */
START_TEST(what_fits_stays)
{
    box_set_memory(&box, 512 * BOX_MIB);
    pour("ns", 0, 5000, 1000);
    pour("large", 0, 10, 200000);
    shrink(16 * BOX_MIB);
    ck_assert_uint_eq(count_alive("ns", 0, 5000, 1000), 5000);
    ck_assert_uint_eq(count_alive("large", 0, 10, 200000), 10);
    ck_assert_uint_eq(box_figures(&box).counters.evictions, 0);
}
END_TEST

/* Large records keep what is said of them where they are moved out of the way. */
START_TEST(moved_records_keep_what_they_are)
{
    enum { KEYS = 3000 };
    uint64_t versions[KEYS] = {0};
    struct store_key at;
    struct store_view view;
    char key[32];
    const struct store_terms look = {.ttl = TTL_KEEP, .tells_version = true};

    box_set_memory(&box, 128 * BOX_MIB);
    /* In front of them are many that go. */
    pour("front", 0, 6000, 9000);
    for (size_t i = 0; i < KEYS; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        BOX_OK(box_put_pattern(&box, "ns", key, TTL_FOR(100000 + i), 9000, i));
        store_enter(box.lane);
        BOX_OK(store_locate(box.lane, slice_of("ns"), slice_of(key), &at));
        if (i % 3 == 0)
            BOX_OK(store_make_stale(box.lane, &at, TERMS(STORE_SET, TTL_KEEP), box.now));
        BOX_OK(store_look(box.lane, &at, &look, box.now, &view));
        versions[i] = view.version;
        store_view_put(&view);
        store_leave(box.lane);
    }
    uint32_t numbers = segments_end(&box.store->segments);
    box_flush(&box, "front");
    box_housekeep(&box);
    /* Less and less, until it has to win back what their numbers take. */
    for (uint64_t memory = 48; segments_end(&box.store->segments) == numbers; memory--)
        shrink(memory * BOX_MIB);
    ck_assert_uint_gt(box_items(&box, "ns"), KEYS / 2);
    for (size_t i = 0; i < KEYS; i++) {
        snprintf(key, sizeof key, "key%zu", i);
        if (!box_has(&box, "ns", key))
            continue;
        box_expect_pattern(&box, "ns", key, 9000, i);
        box_expect_left(&box, "ns", key, 100000 + i);
        store_enter(box.lane);
        BOX_OK(store_locate(box.lane, slice_of("ns"), slice_of(key), &at));
        BOX_OK(store_look(box.lane, &at, &look, box.now, &view));
        BOX_THAT(view.version == versions[i]);
        BOX_THAT(view.stale == (i % 3 == 0));
        BOX_THAT(view.read_before);
        store_view_put(&view);
        store_leave(box.lane);
    }
    box_wait(&box, 100000 + KEYS);
    box_housekeep(&box);
    ck_assert_uint_eq(box_items(&box, "ns"), 0);
}
END_TEST

/* --- given back, and refused --------------------------------------------------------- */

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
        for (size_t i = 0; i < (size + page - 1) / page; i++)
            resident += (pages[i] & 1) * page;
    }
    return resident;
}

static uint64_t resident(void)
{
    const struct store *store = box.store;
    const struct index *index = &store->index;
    const struct segments *segments = &store->segments;

    return resident_of(store->arena.base, store->arena.frames * arena_frame_size(&store->arena)) +
           resident_of(index->buckets, index->capacity * sizeof(struct bucket)) +
           resident_of(index->overflow, index->capacity * sizeof(struct bucket)) +
           resident_of(segments->table, segments_end(segments) * sizeof(struct segment)) +
           resident_of(store->ghost.lines, store->ghost.count * sizeof(struct ghost_line));
}

/* What it says that it uses is there, and what it does not say is the system's. */
START_TEST(the_system_has_it_back)
{
    if (box.store->file.map != NULL)
        return; /* check_store_resize_file.c */
    pour("ns", 0, 10000, 1000);
    box_set_memory(&box, 128 * BOX_MIB);
    fill("ns", _i ? 30 : 1000);
    uint64_t large = resident();
    shrink(16 * BOX_MIB);
    uint64_t left = resident();
    uint64_t used = box_figures(&box).memory_used;
    ck_assert_msg(large > 110 * BOX_MIB && left < used + BOX_MIB && left > used - BOX_MIB,
                  "%ju bytes were resident, then %ju, and %ju are used", (uintmax_t)large,
                  (uintmax_t)left, (uintmax_t)used);
}
END_TEST

START_TEST(what_is_refused_changes_nothing)
{
    pour("ns", 0, 10000, 1000);
    ck_assert_int_eq(try_memory(0), STORE_RESIZE_TOO_SMALL);
    ck_assert_int_eq(try_memory(STORE_MEMORY_MIN - 1), STORE_RESIZE_TOO_SMALL);
    ck_assert_int_eq(try_memory(STORE_MEMORY_MIN), STORE_RESIZED);
    ck_assert_int_eq(try_memory(16 * BOX_MIB), STORE_RESIZED);
    declare(BOX_MIB);
    ck_assert_int_eq(try_memory(8 * BOX_MIB - 1), STORE_RESIZE_PROMISED);
    ck_assert_int_eq(try_memory(8 * BOX_MIB), STORE_RESIZED);
    ck_assert_int_eq(try_memory(16 * BOX_MIB), STORE_RESIZED);
    box.max_value = 3 * BOX_MIB;
    declare(0);
    ck_assert_int_eq(try_memory(12 * BOX_MIB - 1), STORE_RESIZE_PROMISED);
    ck_assert_int_eq(try_memory(12 * BOX_MIB), STORE_RESIZED);
    ck_assert_uint_eq(count_alive("ns", 0, 10000, 1000), 10000);
}
END_TEST

/* Segments of 1 MiB are too few in a small memory. */
START_TEST(a_large_store_stays_larger_than_that)
{
    box_close(&box);
    box_open(&box, UINT64_C(1) << 30, BOX_MIB);
    pour("ns", 0, 100000, 1000);
    ck_assert_int_eq(try_memory(16 * BOX_MIB - 1), STORE_RESIZE_TOO_SMALL);
    shrink(16 * BOX_MIB);
    ck_assert_uint_gt(box_figures(&box).items, 5000);
    pour("ns", 100000, 100000, 1000);
    expect_within();
    ck_assert_uint_gt(box_figures(&box).items, 5000);
}
END_TEST

/* Where address space is short there is a store, but it cannot grow. */
START_TEST(without_address_space_it_stays)
{
    struct rlimit limit = {.rlim_max = RLIM_INFINITY};
    FILE *file = fopen("/proc/self/statm", "r");
    uintmax_t pages = 0;

    box_close(&box);
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%ju", &pages), 1);
    fclose(file);
    limit.rlim_cur = pages * (rlim_t)sysconf(_SC_PAGESIZE) + (rlim_t)256 * BOX_MIB;
    bool bounded = limit.rlim_cur < UINT64_C(1) << 36; /* else a sanitizer has it all */
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    box_open(&box, 16 * BOX_MIB, BOX_MIB);
    pour("ns", 0, 10000, 1000);
    ck_assert(!bounded || try_memory(64 * BOX_MIB) == STORE_RESIZE_TOO_LARGE);
    ck_assert_int_eq(try_memory(8 * BOX_MIB), STORE_RESIZED);
    ck_assert_int_eq(try_memory(16 * BOX_MIB), STORE_RESIZED);
    ck_assert_uint_eq(count_alive("ns", 0, 10000, 1000), 10000);
    limit.rlim_cur = RLIM_INFINITY;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store resize");
    TCase *resize = tcase_create("resize");

    tcase_add_checked_fixture(resize, setup, teardown);
    tcase_set_timeout(resize, 2 * BOX_TIMEOUT);
    tcase_add_loop_test(resize, more_memory_can_be_used_at_once, 0, 2);
    tcase_add_test(resize, it_grows_as_far_as_it_says);
    tcase_add_test(resize, it_may_always_double);
    tcase_add_loop_test(resize, less_memory_holds_what_fits, 0, LENGTHS);
    tcase_add_test(resize, many_namespaces_become_few);
    tcase_add_test(resize, it_shrinks_in_slices);
    tcase_add_test(resize, writers_shrink_it_too);
    tcase_add_test(resize, what_is_read_is_waited_for);
    tcase_add_test(resize, what_is_being_written_is_waited_for);
    tcase_add_test(resize, a_listing_does_not_stop_it);
    tcase_add_loop_test(resize, quotas_that_claim_everything, 0, 3);
    tcase_add_test(resize, a_quota_is_kept_where_it_can_be);
    tcase_add_loop_test(resize, up_and_down_with_everything_in_it, 0, 3);
    tcase_add_test(resize, taken_back_in_time);
    tcase_add_test(resize, what_fits_stays);
    tcase_add_test(resize, moved_records_keep_what_they_are);
    tcase_add_loop_test(resize, the_system_has_it_back, 0, 2);
    tcase_add_test(resize, what_is_refused_changes_nothing);
    tcase_add_test(resize, a_large_store_stays_larger_than_that);
    tcase_add_test(resize, without_address_space_it_stays);
    suite_add_tcase(suite, resize);
    return suite_run(suite);
}

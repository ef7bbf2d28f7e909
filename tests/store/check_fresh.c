/*
 * check_fresh.c - what was stored stays until a 32nd of the memory, or of the quota, was
 * written after it, whatever its size; what cannot be kept so is refused, and nothing goes for it;
 * and while memory suffices nothing that lives goes at all.
 */
#include "tests/store/fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    SHARE = 32,
    MOST = 64 * FIXTURE_MIB, /* max_value */
    WAYS = 2,                /* put at once, or sent in pieces */
    PIECE = 16 * FIXTURE_KIB,
    ROUNDS = 4,
    MIXES = 10,
    LIVE = 75,      /* per cent */
    LESS_LIVE = 66, /* where blocks are few for what they hold: see live_of */
};

static struct fixture fixture;
static char bytes[MOST];

static void tear_down(void)
{
    if (fixture.store != NULL) {
        fixture_close(&fixture);
    }
}

static const char *number(const char *what, size_t value)
{
    static char name[32];
    snprintf(name, sizeof name, "%s%zu", what, value);
    return name;
}

static enum store_status put(const char *name, const char *key, uint64_t length)
{
    return fixture_put_bytes(&fixture, slice_of(name), slice_of(key), TTL_NEVER,
                             (struct slice){bytes, length});
}

static enum store_status put_by(unsigned way, const char *name, const char *key, uint64_t length)
{
    return way == 0 ? put(name, key, length)
                    : fixture_stream_pattern(&fixture, name, key, STORE_SET, TTL_NEVER, length,
                                             PIECE, 1);
}

static void declare(const char *name, uint64_t quota)
{
    struct store_namespace_options options = {
        .name = slice_of(name), .ttl = STORE_NEVER, .max_ttl = STORE_NEVER, .memory = quota};
    fixture_declare(&fixture, &options, 1, STORE_NEVER);
}

static bool is_there(const char *name, const char *key)
{
    uint64_t left;
    return fixture_left(&fixture, name, key, &left) == STORE_OK;
}

static uint64_t evictions(void)
{
    return fixture_figures(&fixture).counters.evictions;
}

/* What a record of that length takes, with a key of at most so many bytes. */
static uint64_t footprint(uint64_t length)
{
    struct store_namespace_stats stats;
    fixture_flush(&fixture, "measure");
    FIXTURE_OK(put("measure", "other00000", length));
    FIXTURE_OK(fixture_namespace(&fixture, "measure", &stats));
    return stats.bytes;
}

/* --- the share ---------------------------------------------------------------------- */

struct place {
    uint64_t memory;
    uint64_t quota;
};

static const struct place places[] = {
    {4 * FIXTURE_MIB, 0},
    {4 * FIXTURE_MIB, FIXTURE_MIB},
    {16 * FIXTURE_MIB, 0},
    {16 * FIXTURE_MIB, 4 * FIXTURE_MIB},
    {16 * FIXTURE_MIB, 8 * FIXTURE_MIB},
    {48 * FIXTURE_MIB, 0},
    {64 * FIXTURE_MIB, 2 * FIXTURE_MIB},
    {64 * FIXTURE_MIB, 0},
};

/* Beside them, the largest that is taken. */
static const uint64_t lengths[] = {1,       50,      400,     2000,   8000,   20000,
                                   50000,   65536,   100000,  200000, 573440, 1000000,
                                   1048576, 2050000, 4000000, 0};

/* So many bytes of records of that length, of which each counts with `takes`, until the next
 * would make the share full. */
static void write_nearly(const char *name, uint64_t length, uint64_t takes, uint64_t share)
{
    static size_t next;
    for (uint64_t written = 0; written + takes < share; written += takes) {
        FIXTURE_OK(put(name, number("other", next++ % 100000), length));
    }
}

/* Full of such records, and then some. */
static void fill(const char *name, uint64_t length, uint64_t size)
{
    uint64_t count = size * 2 / (length + 30);
    for (uint64_t i = 0; i < count + 4; i++) {
        FIXTURE_OK(put(name, number("fill", i), length));
    }
}

static void expect_kept(unsigned way, uint64_t length, uint64_t after, uint64_t share)
{
    uint64_t takes = footprint(after);
    for (unsigned round = 0; round < ROUNDS; round++) {
        const char *key = number("kept", round);
        char copy[32];
        snprintf(copy, sizeof copy, "%s", key);
        FIXTURE_OK(put_by(way, "n", copy, length));
        if (!is_there("n", copy)) {
            ck_abort_msg("%ju of %ju: %s is gone at once", (uintmax_t)length,
                         (uintmax_t)fixture.memory, copy);
        }
        write_nearly("n", after, takes, share);
        if (!is_there("n", copy)) {
            ck_abort_msg("%ju of %ju, %ju behind it, way %u: %s is gone", (uintmax_t)length,
                         (uintmax_t)fixture.memory, (uintmax_t)after, way, copy);
        }
        if (round % 2 == 1) {
            fixture_housekeep(&fixture);
        }
    }
}

START_TEST(a_share_is_written_before_a_record_goes)
{
    struct place place = places[_i];
    uint64_t size = place.quota != 0 ? place.quota : place.memory;
    uint64_t most = place.quota != 0 ? size / 4 * 3 : size / 4;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint64_t length = lengths[i] != 0 ? lengths[i] : most - 4096;
        if (length > most - 4096 || (length < 100 && size > 4 * FIXTURE_MIB)) {
            continue; /* too large, or millions of records */
        }
        fixture_open(&fixture, place.memory, MOST);
        declare(place.quota != 0 ? "n" : "other", place.quota != 0 ? place.quota : FIXTURE_MIB);
        uint64_t share = (place.quota != 0 ? size : size - FIXTURE_MIB) / SHARE;
        fill("n", length, size);
        for (unsigned way = 0; way < WAYS; way++) {
            expect_kept(way, length, length, share);
            expect_kept(way, length, 400, share);
            expect_kept(way, length, share / 3, share);
        }
        fixture_close(&fixture);
    }
}
END_TEST

/* --- refusals ------------------------------------------------------------------------- */

/* It is refused, nothing went for it, and the record of before is there. */
static void expect_refused(unsigned way, const char *name, uint64_t length,
                           enum store_status expected)
{
    FIXTURE_OK(put(name, "key", 7));
    uint64_t items = fixture_items(&fixture, name);
    uint64_t evicted = evictions();
    ck_assert_int_eq(put_by(way, name, "key", length), expected);
    ck_assert_uint_eq(fixture_items(&fixture, name), items);
    ck_assert_uint_eq(evictions(), evicted);
    fixture_expect_bytes(&fixture, slice_of(name), slice_of("key"), (struct slice){bytes, 7});
}

START_TEST(what_a_quota_cannot_keep_is_refused)
{
    fixture_open(&fixture, 64 * FIXTURE_MIB, MOST);
    declare("n", 2 * FIXTURE_MIB);
    fill("n", 2000, 2 * FIXTURE_MIB);
    for (unsigned way = 0; way < WAYS; way++) {
        expect_refused(way, "n", 2050000, STORE_TOO_LARGE);
        expect_refused(way, "n", 2 * FIXTURE_MIB, STORE_TOO_LARGE);
        expect_refused(way, "n", 2 * FIXTURE_MIB / 4 * 3, STORE_TOO_LARGE);
        FIXTURE_OK(put_by(way, "n", "largest", 2 * FIXTURE_MIB / 4 * 3 - 4096));
        ck_assert(is_there("n", "largest"));
        fill("n", 2000, 2 * FIXTURE_MIB);
    }
}
END_TEST

START_TEST(what_the_memory_cannot_keep_is_refused)
{
    fixture_open(&fixture, 4 * FIXTURE_MIB, MOST);
    fill("n", 2000, 4 * FIXTURE_MIB);
    for (unsigned way = 0; way < WAYS; way++) {
        expect_refused(way, "n", 4 * FIXTURE_MIB, STORE_TOO_LARGE);
        expect_refused(way, "n", 2 * FIXTURE_MIB, STORE_TOO_LARGE);
        FIXTURE_OK(put_by(way, "n", "largest", 2 * FIXTURE_MIB - 4096));
        ck_assert(is_there("n", "largest"));
        fill("n", 2000, 4 * FIXTURE_MIB);
    }
}
END_TEST

START_TEST(what_quotas_leave_cannot_keep_is_refused)
{
    fixture_open(&fixture, 16 * FIXTURE_MIB, MOST);
    declare("kept", 12 * FIXTURE_MIB);
    FIXTURE_OK(
        put("n", "early", 5 * FIXTURE_MIB)); /* there is room as long as the quota is not used */
    fill("kept", 2000, 12 * FIXTURE_MIB);
    fill("n", 2000, 4 * FIXTURE_MIB);
    for (unsigned way = 0; way < WAYS; way++) {
        expect_refused(way, "n", 4 * FIXTURE_MIB, STORE_TOO_LARGE);
        expect_refused(way, "n", 3 * FIXTURE_MIB, STORE_TOO_LARGE);
        FIXTURE_OK(put_by(way, "n", "large", 2 * FIXTURE_MIB));
        ck_assert(is_there("n", "large"));
        fill("n", 2000, 4 * FIXTURE_MIB);
    }
}
END_TEST

START_TEST(what_readers_leave_cannot_keep_is_refused)
{
    struct store_view view;
    fixture_open(&fixture, 64 * FIXTURE_MIB, MOST);
    declare("n", 4 * FIXTURE_MIB);
    FIXTURE_OK(put("n", "held", 2000000));
    FIXTURE_OK(fixture_get(&fixture, "n", "held", &view));
    fill("n", 2000, 2 * FIXTURE_MIB);
    expect_refused(0, "n", 2500000, STORE_NO_MEMORY);
    fixture_give_back(&view);
    FIXTURE_OK(put("n", "key", 2500000));
    ck_assert(is_there("n", "key"));
}
END_TEST

/* --- three quarters live --------------------------------------------------------------- */

struct mix {
    unsigned sizes;
    unsigned spaces;
    unsigned octaves; /* of times to live; 0: none expires */
    bool changes;     /* sizes */
};

static uint64_t length_of(unsigned sizes, uint64_t *chance)
{
    uint64_t r = fixture_random(chance);
    switch (sizes) {
    case 0:
        return 400;
    case 1:
        return 20 + (r >> 8) % 100;
    case 2:
        return r % 10 != 0 ? (r >> 8) % 1000 : (r >> 8) % 60000;
    case 3:
        return 9000 + (r >> 8) % 30000;
    case 4:
        return r % 100 != 0 ? (r >> 8) % 2000 : 100000 + (r >> 8) % 200000;
    case 5:
        return 7000;
    case 6:
        return UINT64_C(1) << ((r >> 8) % 17);
    case 7:
        return 50000;
    case 8:
        return (r >> 8) % 200000;
    default:
        return (r >> 8) % 8000;
    }
}

static struct store_ttl ttl_of(unsigned octaves, uint64_t *chance)
{
    return octaves == 0 ? TTL_NEVER
                        : TTL_FOR(UINT64_C(100000000) << (fixture_random(chance) % octaves));
}

enum { RECORDS_MAX = 300000 };
static uint32_t lengths_of[RECORDS_MAX];

static enum store_status put_of_mix(struct store_thread *thread, const struct mix *mix,
                                    size_t record, uint64_t *chance)
{
    char name[16], key[24];
    struct store_key at;
    int name_length = snprintf(name, sizeof name, "n%zu", record % mix->spaces);
    int key_length = snprintf(key, sizeof key, "k%zu", record);
    struct store_terms terms = {.ttl = ttl_of(mix->octaves, chance)};
    store_enter(thread);
    enum store_status status = store_locate(thread, (struct slice){name, (size_t)name_length},
                                            (struct slice){key, (size_t)key_length}, &at);
    if (status == STORE_OK) {
        status = store_put(thread, &at, &terms, (struct slice){bytes, lengths_of[record]},
                           fixture.now, NULL);
    }
    store_leave(thread);
    return status;
}

/* Records until so much of the memory is taken by what lives, with the index; how many. */
static size_t fill_to(const struct mix *mix, unsigned percent, uint64_t *chance)
{
    size_t count = 0;
    uint64_t used = 0;
    while (used < fixture.memory / 100 * percent && count < RECORDS_MAX) {
        lengths_of[count] = (uint32_t)length_of(mix->sizes, chance);
        FIXTURE_OK(put_of_mix(fixture.thread, mix, count++, chance));
        struct store_stats stats = fixture_figures(&fixture);
        used = stats.bytes + stats.index_bytes;
    }
    return count;
}

/* Every second one again and again, of which `step` is how many share the work. */
static void modify_half(struct store_thread *thread, const struct mix *mix, size_t first,
                        size_t step, size_t count, size_t writes)
{
    uint64_t chance = first + 17;
    for (size_t i = 0; i < writes; i++) {
        size_t one = (fixture_random(&chance) % (count / 2 / step)) * 2 * step + 2 * first;
        if (mix->changes && step == 1) { /* two change their sizes, the smaller first */
            size_t other = (fixture_random(&chance) % (count / 2)) * 2;
            size_t shrinks = lengths_of[one] > lengths_of[other] ? one : other;
            size_t grows = shrinks == one ? other : one;
            uint32_t length = lengths_of[one];
            lengths_of[one] = lengths_of[other];
            lengths_of[other] = length;
            FIXTURE_THAT(put_of_mix(thread, mix, shrinks, &chance) == STORE_OK);
            one = grows;
        }
        if (one < count) {
            FIXTURE_THAT(put_of_mix(thread, mix, one, &chance) == STORE_OK);
        }
    }
}

static void expect_all(const struct mix *mix, size_t count)
{
    if (evictions() != 0) {
        ck_abort_msg("%ju MiB, mix %u: %ju records were evicted",
                     (uintmax_t)(fixture.memory / FIXTURE_MIB), mix->sizes, (uintmax_t)evictions());
    }
    for (size_t i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%zu", i % mix->spaces);
        FIXTURE_THAT(is_there(name, number("k", i)));
    }
}

static void keep_house(void)
{
    store_enter(fixture.thread);
    store_housekeep(fixture.thread, fixture.now, 512);
    store_leave(fixture.thread);
}

/* Less where there are namespaces so many that each has a hundred records, or values of up to a
 * fourteenth of the memory. */
static unsigned live_of(const struct mix *mix, uint64_t memory)
{
    bool huge = mix->sizes == 4 && memory <= 4 * FIXTURE_MIB;
    return mix->spaces > 1 || huge ? LESS_LIVE : LIVE;
}

START_TEST(with_three_quarters_live_nothing_is_evicted)
{
    for (unsigned sizes = 0; sizes < MIXES; sizes++) {
        uint64_t memory = (_i & 1) != 0 ? 4 * FIXTURE_MIB : 16 * FIXTURE_MIB;
        struct mix mix = {.sizes = sizes,
                          .spaces = (_i & 2) != 0 ? 9 : 1,
                          .octaves = (_i & 4) != 0 ? 6 : 0,
                          .changes = (_i & 8) != 0};
        uint64_t chance = sizes + 100 + 1000 * (uint64_t)(_i / 16);
        fixture_open(&fixture, memory, MOST);
        size_t count = fill_to(&mix, live_of(&mix, memory), &chance);
        for (unsigned round = 0; round < 8; round++) {
            modify_half(fixture.thread, &mix, 0, 1, count, count / 2);
            if (round > 4) {
                keep_house();
            }
        }
        expect_all(&mix, count);
        fixture_close(&fixture);
    }
}
END_TEST

/* What is the default: 70000 records of 400 bytes are 27.6 of 64 MiB. */
START_TEST(with_less_than_half_live_nothing_is_evicted)
{
    struct mix mix = {.sizes = 0, .spaces = 1};
    uint64_t chance = 1;
    fixture_open(&fixture, 64 * FIXTURE_MIB, FIXTURE_MIB);
    for (size_t i = 0; i < 70000; i++) {
        lengths_of[i] = 400;
        FIXTURE_OK(put_of_mix(fixture.thread, &mix, i, &chance));
    }
    modify_half(fixture.thread, &mix, 0, 1, 70000, 400000);
    expect_all(&mix, 70000);
}
END_TEST

/* --- threads ---------------------------------------------------------------------------- */

enum { WRITERS = 3 };

struct writer {
    pthread_t pthread;
    const struct mix *mix;
    size_t number, count, writes;
    size_t lost;
};

static bool stop;        /* atomic */
static uint64_t written; /* bytes; atomic */

static void *keeper(void *unused)
{
    struct store_thread *thread = store_thread_create(fixture.store);
    struct timespec pause = {0, 200000};
    (void)unused;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        store_enter(thread);
        bool more = store_housekeep(thread, fixture.now, 512);
        store_leave(thread);
        if (!more) {
            nanosleep(&pause, NULL);
        }
    }
    store_thread_destroy(&thread);
    return NULL;
}

static void *rewriter(void *context)
{
    struct writer *writer = context;
    struct store_thread *thread = store_thread_create(fixture.store);
    modify_half(thread, writer->mix, writer->number, WRITERS, writer->count, writer->writes);
    store_thread_destroy(&thread);
    return NULL;
}

/* Puts, and looks at each at once. */
static void *put_and_get(void *context)
{
    uint64_t share = fixture.memory / SHARE;
    struct writer *writer = context;
    struct store_thread *thread = store_thread_create(fixture.store);
    uint64_t chance = writer->number + 5;
    for (size_t i = 0; i < writer->writes; i++) {
        char key[24];
        struct store_key at;
        struct store_terms terms = {.ttl = TTL_NEVER};
        struct store_view view;
        size_t length = length_of(writer->mix->sizes, &chance);
        int key_length = snprintf(key, sizeof key, "%zu-%zu", writer->number, i);
        store_enter(thread);
        store_locate(thread, (struct slice){"n", 1}, (struct slice){key, (size_t)key_length}, &at);
        /* Others may write a whole share in between, while this thread is not run. */
        FIXTURE_THAT(store_put(thread, &at, &terms, (struct slice){bytes, length}, fixture.now,
                               NULL) == STORE_OK);
        uint64_t before = __atomic_add_fetch(&written, length + 64, __ATOMIC_SEQ_CST);
        enum store_status status = store_get(thread, &at, fixture.now, &view);
        if (status == STORE_OK) {
            store_view_put(&view);
        }
        uint64_t after = __atomic_load_n(&written, __ATOMIC_SEQ_CST);
        writer->lost += status == STORE_NOT_FOUND && after + WRITERS * 200000 - before < share;
        store_leave(thread);
    }
    store_thread_destroy(&thread);
    return NULL;
}

static void run_threads(void *(*work)(void *), const struct mix *mix, size_t count, size_t writes)
{
    static struct writer writers[WRITERS];
    pthread_t house;
    __atomic_store_n(&stop, false, __ATOMIC_RELAXED);
    pthread_create(&house, NULL, keeper, NULL);
    for (size_t i = 0; i < WRITERS; i++) {
        writers[i] =
            (struct writer){.mix = mix, .number = i, .count = count, .writes = writes / WRITERS};
        pthread_create(&writers[i].pthread, NULL, work, &writers[i]);
    }
    for (size_t i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].pthread, NULL);
        ck_assert_uint_eq(writers[i].lost, 0);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    pthread_join(house, NULL);
}

START_TEST(several_writers_and_the_housekeeper_evict_nothing)
{
    for (unsigned sizes = 0; sizes < MIXES; sizes += 2) {
        struct mix mix = {.sizes = sizes, .spaces = 4, .octaves = 4};
        uint64_t chance = sizes;
        fixture_open(&fixture, 16 * FIXTURE_MIB, MOST);
        size_t count = fill_to(&mix, 75, &chance);
        run_threads(rewriter, &mix, count, 3 * count + 3000);
        expect_all(&mix, count);
        fixture_close(&fixture);
    }
}
END_TEST

START_TEST(what_several_writers_stored_is_there_at_once)
{
    for (unsigned sizes = 0; sizes < MIXES; sizes++) {
        struct mix mix = {.sizes = sizes, .spaces = 1};
        fixture_open(&fixture, 16 * FIXTURE_MIB, MOST);
        run_threads(put_and_get, &mix, 0, sizes == 3 || sizes > 6 ? 3000 : 60000);
        fixture_close(&fixture);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store fresh");
    TCase *share = tcase_create("share");
    TCase *live = tcase_create("live");
    tcase_add_checked_fixture(share, NULL, tear_down);
    tcase_set_timeout(share, FIXTURE_TIMEOUT);
    tcase_add_loop_test(share, a_share_is_written_before_a_record_goes, 0,
                        sizeof places / sizeof places[0]);
    tcase_add_test(share, what_a_quota_cannot_keep_is_refused);
    tcase_add_test(share, what_the_memory_cannot_keep_is_refused);
    tcase_add_test(share, what_quotas_leave_cannot_keep_is_refused);
    tcase_add_test(share, what_readers_leave_cannot_keep_is_refused);
    tcase_add_test(share, what_several_writers_stored_is_there_at_once);
    suite_add_tcase(suite, share);

    tcase_add_checked_fixture(live, NULL, tear_down);
    tcase_set_timeout(live, FIXTURE_TIMEOUT);
    tcase_add_loop_test(live, with_three_quarters_live_nothing_is_evicted, 0, 2 * 16);
    tcase_add_test(live, with_less_than_half_live_nothing_is_evicted);
    tcase_add_test(live, several_writers_and_the_housekeeper_evict_nothing);
    suite_add_tcase(suite, live);
    return suite_run(suite);
}

/*
 * check_segment_numbers.c - numbers of segments, beside an array that says the same in the
 * simplest way; and overflow buckets of an index that are moved to the front.
 */
#include "daemon/store/records/segment_numbers.h"

#include <check.h>
#include <string.h>

#include "daemon/store/index/index.h"
#include "tests/store/fixture.h"

/* --- numbers ------------------------------------------------------------ */

enum { CHUNKS = 300, NUMBERS = CHUNKS * NUMBER_CHUNK_NUMBERS };

enum number { ABSENT, FREE, TAKEN };

static struct segment_numbers set;
static uint8_t numbers[NUMBERS]; /* enum number */
static uint64_t chance;

static uint32_t below(uint32_t bound)
{
    return (uint32_t)(fixture_random(&chance) % bound);
}

static bool shelf_holds(uint32_t chunk, enum number what)
{
    for (uint32_t i = chunk == 0; i < NUMBER_CHUNK_NUMBERS; i++) {
        if (numbers[chunk * NUMBER_CHUNK_NUMBERS + i] == what) {
            return true;
        }
    }
    return false;
}

static void set_chunk(uint32_t chunk, enum number what)
{
    memset(numbers + chunk * NUMBER_CHUNK_NUMBERS, (int)what, NUMBER_CHUNK_NUMBERS);
    numbers[0] = ABSENT;
}

static void take(void)
{
    uint32_t lowest = 0;
    for (uint32_t i = 1; i < NUMBERS && lowest == 0; i++) {
        lowest = numbers[i] == FREE ? i : 0;
    }
    FIXTURE_THAT(segment_numbers_take(&set) == lowest);
    if (lowest != 0) {
        numbers[lowest] = TAKEN;
    }
}

/* The next one that is taken, from a random place on. */
static void give(void)
{
    uint32_t from = below(NUMBERS);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        uint32_t number = (from + i) % NUMBERS;
        if (numbers[number] == TAKEN) {
            segment_numbers_give(&set, number);
            numbers[number] = FREE;
            return;
        }
    }
}

static void add(void)
{
    uint32_t lowest = 0;
    while (lowest < CHUNKS && number_chunk_is_there(&set, lowest)) {
        lowest++;
    }
    FIXTURE_THAT(segment_numbers_absent(&set) == lowest);
    uint32_t chunk = below(8) ? lowest : below(CHUNKS); /* a file may have any */
    if (chunk < CHUNKS && !number_chunk_is_there(&set, chunk)) {
        segment_numbers_add(&set, chunk);
        set_chunk(chunk, FREE);
    }
}

static void drop(void)
{
    uint32_t chunk = below(4) ? below(CHUNKS) : set.end - (set.end > 0);
    bool empty = number_chunk_is_there(&set, chunk) && !shelf_holds(chunk, TAKEN);
    FIXTURE_THAT(segment_numbers_close(&set, chunk) == empty);
    if (!empty) {
        return;
    }
    set_chunk(chunk, ABSENT);
    take(); /* none of these */
    if (below(2)) {
        segment_numbers_reopen(&set, chunk);
        set_chunk(chunk, FREE);
    } else {
        segment_numbers_remove(&set, chunk);
    }
}

static void compare(void)
{
    uint32_t count = 0;
    uint32_t end = 0;
    for (uint32_t chunk = 0; chunk < CHUNKS; chunk++) {
        bool there = shelf_holds(chunk, FREE) || shelf_holds(chunk, TAKEN);
        FIXTURE_THAT(number_chunk_is_there(&set, chunk) == there);
        count += there;
        end = there ? chunk + 1 : end;
    }
    FIXTURE_THAT(set.count == count);
    FIXTURE_THAT(set.end == end);
}

START_TEST(numbers_are_the_lowest)
{
    static void (*const phases[][4])(void) = {
        {take, take, take, add}, {give, give, drop, take}, {take, give, add, drop}};
    chance = 1;
    memset(numbers, ABSENT, sizeof numbers);
    ck_assert(segment_numbers_init(&set, NUMBERS));
    ck_assert_uint_eq(segment_numbers_take(&set), 0);
    for (int i = 0; i < 60000; i++) {
        phases[i / 4000 % 3][below(4)]();
        if (i % 100 == 0) {
            compare();
        }
    }
    compare();
    segment_numbers_deinit(&set);
}
END_TEST

/* --- overflow buckets ---------------------------------------------------- */

/* Places stand for records; a record's hash follows from its place. */
enum { RECORDS = 400000, BUCKETS = RECORDS };

static struct index slots;
static struct budget budget;
static bool held[RECORDS + 1];

static uint64_t hash_of(uint32_t place)
{
    uint64_t state = place;
    return fixture_random(&state);
}

static uint64_t hash_at(const void *context, uint32_t place)
{
    (void)context;
    return hash_of(place);
}

static void fetch_at(const void *context, uint32_t place)
{
    (void)context;
    (void)place;
}

static void insert(uint32_t place)
{
    struct slot slot;
    struct bucket *home = index_lock(&slots, hash_of(place));
    FIXTURE_THAT(index_free_slot(&slots, home, &slot));
    index_fill(&slots, &slot, hash_of(place), place);
    index_unlock(home);
    index_grow(&slots);
    held[place] = true;
}

static bool find(uint32_t place, bool removes)
{
    struct slot slot;
    struct bucket *home = index_lock(&slots, hash_of(place));
    bool found = index_find_place(&slots, home, hash_of(place), place, &slot);
    if (found && removes) {
        index_remove(&slots, &slot);
        held[place] = false;
    }
    index_unlock(home);
    return found;
}

static void expect_all(void)
{
    uint64_t count = 0;
    for (uint32_t place = 1; place <= RECORDS; place++) {
        FIXTURE_THAT(find(place, false) == held[place]);
        count += held[place];
    }
    FIXTURE_THAT(slots.entries == count);
    FIXTURE_THAT(budget_used(&budget) == index_resident(&slots));
}

static void remove_all_but_each(uint32_t nth)
{
    for (uint32_t place = 1; place <= RECORDS; place++) {
        if (place % nth != 0 && held[place]) {
            FIXTURE_THAT(find(place, true));
        }
    }
}

/* Until nothing is to be won. In between `chances` records are written or removed, as requests
 * do. */
static void squeeze(unsigned chances)
{
    unsigned steps = 0;
    while (index_tighten(&slots, 64) + index_squeeze(&slots, 64) > 0) {
        for (unsigned i = 0; i < chances; i++) {
            uint32_t place = 1 + below(RECORDS);
            if (held[place]) {
                find(place, true);
            } else {
                insert(place);
            }
        }
        ck_assert_uint_lt(++steps, 10000000);
        if (steps > 20000) {
            chances = 0; /* as many come as go: there is always something to be won */
        }
    }
    ck_assert(!index_is_squeezed(&slots));
}

static void setup(void)
{
    const struct index_records records = {.hash_at = hash_at, .fetch_at = fetch_at};
    chance = 1;
    memset(held, 0, sizeof held);
    budget = (struct budget){.limit = UINT64_C(1) << 30};
    ck_assert(index_init(&slots, BUCKETS, BUCKETS, &budget, records));
    for (uint32_t place = 1; place <= RECORDS; place++) {
        insert(place);
    }
}

static void teardown(void)
{
    index_deinit(&slots);
}

/* What a sixteenth of the records needs is not much more than a sixteenth. */
START_TEST(an_index_that_is_squeezed_is_small)
{
    uint64_t full = budget_used(&budget);
    remove_all_but_each(16);
    expect_all();
    ck_assert_uint_gt(index_excess(&slots), full / 2);
    squeeze(0);
    expect_all();
    ck_assert_uint_lt(budget_used(&budget), full / 16 + full / 16 + 300000);
    ck_assert_uint_lt(index_excess(&slots), full / 16);
    for (uint32_t place = 1; place <= RECORDS; place++) {
        if (!held[place]) {
            insert(place);
        }
    }
    expect_all();
    ck_assert_uint_lt(budget_used(&budget), full + full / 8);
}
END_TEST

START_TEST(it_is_used_while_it_is_squeezed)
{
    for (uint32_t nth = 2; nth <= 32; nth *= 2) {
        remove_all_but_each(nth);
        squeeze(1 + nth);
        expect_all();
    }
}
END_TEST

/* It may be given more room in the middle of it, and be squeezed again later. */
START_TEST(squeezing_may_be_begun_again)
{
    for (int round = 0; round < 30; round++) {
        remove_all_but_each(8);
        for (int i = 0; i < round * 40; i++) {
            index_tighten(&slots, 64);
            index_squeeze(&slots, 64);
        }
        for (uint32_t i = 0; i < RECORDS / 2; i++) {
            uint32_t place = 1 + below(RECORDS);
            if (!held[place]) {
                insert(place);
            }
        }
    }
    expect_all();
    squeeze(0);
    expect_all();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store segment numbers");
    TCase *chunk = tcase_create("numbers");
    tcase_set_timeout(chunk, FIXTURE_TIMEOUT);
    tcase_add_test(chunk, numbers_are_the_lowest);
    suite_add_tcase(suite, chunk);
    TCase *overflow = tcase_create("overflow");
    tcase_set_timeout(overflow, FIXTURE_TIMEOUT);
    tcase_add_checked_fixture(overflow, setup, teardown);
    tcase_add_test(overflow, an_index_that_is_squeezed_is_small);
    tcase_add_test(overflow, it_is_used_while_it_is_squeezed);
    tcase_add_test(overflow, squeezing_may_be_begun_again);
    suite_add_tcase(suite, overflow);

    return suite_run(suite);
}

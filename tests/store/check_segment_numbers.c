/*
 * check_segment_numbers.c - numbers of segments, beside an array that says the same in the
 * simplest way.
 */
#include "daemon/store/records/segment_numbers.h"

#include <check.h>
#include <string.h>

#include "tests/store/fixture.h"

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

int main(void)
{
    Suite *suite = suite_create("store segment numbers");
    TCase *numbers_case = tcase_create("numbers");
    tcase_set_timeout(numbers_case, FIXTURE_TIMEOUT);
    tcase_add_test(numbers_case, numbers_are_the_lowest);
    suite_add_tcase(suite, numbers_case);
    return suite_run(suite);
}

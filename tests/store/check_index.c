/*
 * check_index.c - the size of an index: dense, squeezed, and used meanwhile.
 */
#include "daemon/store/index/index.h"

#include <check.h>
#include <string.h>

#include "tests/store/fixture.h"

/* Places stand for records; a record's hash follows from its place. */
enum { RECORDS = 400000, BUCKETS = RECORDS };

static struct index slots;
static struct budget budget;
static bool held[RECORDS + 1];
static uint64_t chance;

static uint32_t below(uint32_t bound)
{
    return (uint32_t)(fixture_random(&chance) % bound);
}

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

static void fill(bool dense)
{
    const struct index_records records = {.hash_at = hash_at, .fetch_at = fetch_at};
    memset(held, 0, sizeof held);
    budget = (struct budget){.limit = UINT64_C(1) << 30};
    ck_assert(index_init(&slots, BUCKETS, BUCKETS, &budget, records));
    index_set_dense(&slots, dense);
    for (uint32_t place = 1; place <= RECORDS; place++) {
        insert(place);
    }
}

static void setup(void)
{
    chance = 1;
    fill(false);
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

/* It becomes so by not growing, and ceases to be by growing. */
START_TEST(a_dense_index_is_smaller)
{
    uint64_t full = budget_used(&budget);
    index_deinit(&slots);
    fill(true);
    expect_all();
    ck_assert_uint_lt(budget_used(&budget), full - full / 32);
    ck_assert_uint_eq(slots.size, RECORDS / INDEX_LOAD_DENSE);
    index_set_dense(&slots, false);
    for (uint32_t i = 0; i < RECORDS / 10; i++) {
        FIXTURE_THAT(find(1, true));
        insert(1);
    }
    ck_assert_uint_eq(slots.size, RECORDS / INDEX_LOAD);
    expect_all();
    index_set_dense(&slots, true);
    squeeze(0);
    ck_assert_uint_le(slots.size, RECORDS / (INDEX_LOAD_DENSE - 1) + 1);
    expect_all();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store index");
    TCase *size = tcase_create("size");
    tcase_set_timeout(size, FIXTURE_TIMEOUT);
    tcase_add_checked_fixture(size, setup, teardown);
    tcase_add_test(size, an_index_that_is_squeezed_is_small);
    tcase_add_test(size, it_is_used_while_it_is_squeezed);
    tcase_add_test(size, a_dense_index_is_smaller);
    tcase_add_test(size, squeezing_may_be_begun_again);
    suite_add_tcase(suite, size);
    return suite_run(suite);
}

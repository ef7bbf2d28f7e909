/*
 * check_revisits.c - what a listing owes: nothing that was marked is forgotten, in a list or in a
 * map; the order is the buckets' own; and the memory is counted and bounded.
 */
#include "daemon/store/records/revisits.h"

#include <check.h>
#include <stdlib.h>

#include "daemon/store/index/index.h"
#include "tests/support/suite.h"

enum { BUCKETS = 4096 };

static struct revisits owed;
static struct revisits_total total;

static void set_up(void)
{
    owed = (struct revisits){.list = NULL};
    total = (struct revisits_total){.most = 1 << 20};
}

static void tear_down(void)
{
    revisits_clear(&owed, &total);
    ck_assert_uint_eq(total.bytes, 0);
}

/* Any spread will do: these stand for keyed hashes. */
static uint64_t hash_of(uint64_t number)
{
    uint64_t z = number * UINT64_C(0xbf58476d1ce4e5b9) + UINT64_C(0x94d049bb133111eb);
    z = (z ^ (z >> 30)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void add_all(uint64_t count, uint64_t buckets)
{
    for (uint64_t i = 0; i < count; i++) {
        if (!revisits_add(&owed, &total, hash_of(i), buckets)) {
            ck_abort_msg("number %ju has no room", (uintmax_t)i);
        }
    }
}

START_TEST(bits_are_reversed)
{
    ck_assert_uint_eq(revisits_reverse(0), 0);
    ck_assert_uint_eq(revisits_reverse(1), UINT64_C(1) << 63);
    ck_assert_uint_eq(revisits_reverse(6), UINT64_C(3) << 61);
    for (unsigned bit = 0; bit < 64; bit++) {
        ck_assert_uint_eq(revisits_reverse(UINT64_C(1) << bit), UINT64_C(1) << (63 - bit));
    }
    for (uint64_t i = 0; i < 1000; i++) {
        ck_assert_uint_eq(revisits_reverse(revisits_reverse(hash_of(i))), hash_of(i));
    }
}
END_TEST

START_TEST(few_are_a_list)
{
    add_all(100, BUCKETS);
    ck_assert_ptr_null(owed.map);
    ck_assert_uint_eq(owed.count, 100);
    for (uint64_t i = 0; i < 100; i++) {
        ck_assert_uint_eq(owed.list[i], revisits_reverse(hash_of(i)));
    }
    ck_assert_uint_eq(total.bytes, owed.room * sizeof(uint64_t));
}
END_TEST

/* The map never takes more than the list would. */
START_TEST(many_are_a_map)
{
    static const uint64_t buckets[] = {64, BUCKETS, 1 << 16, UINT64_C(1) << 33};
    static const unsigned bits[] = {17, 17, 20, 20};
    add_all(50000, buckets[_i]);
    ck_assert_ptr_nonnull(owed.map);
    ck_assert_ptr_null(owed.list);
    ck_assert_uint_eq(owed.bits, bits[_i]);
    ck_assert_uint_eq(total.bytes, UINT64_C(1) << (bits[_i] - 3));
    for (uint64_t i = 0; i < 50000; i++) {
        uint64_t at = revisits_reverse(hash_of(i));
        uint64_t next = at;
        ck_assert(revisits_has(&owed, at));
        ck_assert(revisits_next(&owed, &next));
        ck_assert_uint_eq(next, at);
    }
}
END_TEST

/* From one marked cell to the next, beside a plain walk over all cells. */
START_TEST(a_map_is_gone_through)
{
    add_all(2049 + (uint64_t)_i * 300, BUCKETS);
    ck_assert_ptr_nonnull(owed.map);
    uint64_t wide = UINT64_C(1) << (64 - owed.bits);
    uint64_t at = 0;
    for (uint64_t cell = 0; cell < UINT64_C(1) << owed.bits; cell++) {
        if (!revisits_has(&owed, cell * wide)) {
            continue;
        }
        ck_assert(revisits_next(&owed, &at));
        ck_assert_uint_eq(at, cell * wide);
        at += wide;
    }
    ck_assert(at == 0 || !revisits_next(&owed, &at));
}
END_TEST

START_TEST(no_more_than_may_be)
{
    uint64_t added = 0;
    total.most = 4096;
    while (revisits_add(&owed, &total, hash_of(added), BUCKETS)) {
        ck_assert_uint_le(++added, 512);
    }
    ck_assert_uint_eq(added, 512);
    ck_assert_uint_eq(total.bytes, 4096);
    struct revisits other = {.list = NULL};
    ck_assert(!revisits_add(&other, &total, 1, BUCKETS));
    revisits_clear(&owed, &total);
    ck_assert(revisits_add(&other, &total, 1, BUCKETS));
    revisits_clear(&other, &total);
}
END_TEST

/* Whatever the size, a bucket's hashes are all those of one range, and no others. */
START_TEST(a_bucket_is_a_range)
{
    enum { LARGEST = 300 };
    struct index index = {.buckets = calloc(LARGEST, sizeof(struct bucket))};
    ck_assert_ptr_nonnull(index.buckets);
    for (index.size = INDEX_BUCKETS_MIN; index.size < LARGEST; index.size++) {
        for (uint64_t i = 0; i < 2000; i++) {
            uint64_t number = index_address(hash_of(i), index.size);
            unsigned bits = index_shared_bits(&index, &index.buckets[number]);
            uint64_t first = revisits_reverse(hash_of(i)) & ~(UINT64_MAX >> bits);
            uint64_t last = first | UINT64_MAX >> bits;
            ck_assert_uint_eq(index_address(revisits_reverse(first), index.size), number);
            ck_assert_uint_eq(index_address(revisits_reverse(last), index.size), number);
            if (first > 0) {
                ck_assert_uint_ne(index_address(revisits_reverse(first - 1), index.size), number);
            }
            if (last < UINT64_MAX) {
                ck_assert_uint_ne(index_address(revisits_reverse(last + 1), index.size), number);
            }
        }
    }
    free(index.buckets);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("revisits");
    TCase *owes = tcase_create("owed");
    tcase_add_checked_fixture(owes, set_up, tear_down);
    tcase_set_timeout(owes, 120);
    tcase_add_test(owes, bits_are_reversed);
    tcase_add_test(owes, few_are_a_list);
    tcase_add_loop_test(owes, many_are_a_map, 0, 4);
    tcase_add_loop_test(owes, a_map_is_gone_through, 0, 5);
    tcase_add_test(owes, no_more_than_may_be);
    tcase_add_test(owes, a_bucket_is_a_range);
    suite_add_tcase(suite, owes);
    return suite_run(suite);
}

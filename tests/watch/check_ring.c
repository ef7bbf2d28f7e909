/*
 * check_ring.c - entries come out as they went in, over the end of the memory, and those that do
 * not fit are counted.
 */
#include "daemon/watch/ring.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/suite.h"

static struct ring ring;

static void open_ring(void)
{
    memset(&ring, 0, sizeof ring);
    ring.memory = aligned_alloc(8, RING_BYTES);
    ck_assert_ptr_nonnull(ring.memory);
}

static void close_ring(void)
{
    free(ring.memory);
}

static size_t length_of(unsigned number)
{
    return number * 7919 % 5000;
}

static bool put(unsigned number)
{
    size_t length = length_of(number);
    char *to = ring_reserve(&ring, length);
    if (to != NULL) {
        memset(to, (int)(number % 251), length);
        ring_commit(&ring, length);
    }
    return to != NULL;
}

static void expect(unsigned number)
{
    size_t length;
    const unsigned char *from = ring_peek(&ring, &length);
    ck_assert_ptr_nonnull(from);
    ck_assert_uint_eq(length, length_of(number));
    size_t same = 0; /* an assertion that holds takes long */
    while (same < length && from[same] == number % 251) {
        same++;
    }
    ck_assert_uint_eq(same, length);
    ring_drop(&ring);
}

START_TEST(entries_come_out_in_order)
{
    unsigned in = 0, out = 0;
    for (unsigned round = 0; round < 2000; round++) {
        for (unsigned i = 0; i < round % 7 && in - out < 40; i++) {
            ck_assert(put(in++));
        }
        for (unsigned i = 0; i < round % 5 && out < in; i++) {
            expect(out++);
        }
    }
    while (out < in) {
        expect(out++);
    }
    size_t length;
    ck_assert_ptr_null(ring_peek(&ring, &length));
    ck_assert_uint_eq(ring_take_lost(&ring), 0);
}
END_TEST

START_TEST(what_does_not_fit_is_counted)
{
    unsigned in = 0;
    while (put(in)) {
        in++;
    }
    ck_assert_uint_gt(in, RING_BYTES / 5000);
    put(in);
    put(in);
    ck_assert_uint_eq(ring_take_lost(&ring), 3);
    ck_assert_uint_eq(ring_take_lost(&ring), 0);
    for (unsigned out = 0; out < in; out++) {
        expect(out);
    }
    ck_assert(put(7));
    expect(7);
}
END_TEST

START_TEST(an_entry_of_no_bytes_is_one)
{
    ck_assert(put(0));
    expect(0);
}
END_TEST

START_TEST(an_entry_that_is_too_long_is_refused)
{
    ck_assert_ptr_null(ring_reserve(&ring, RING_ENTRY_MAX + 1));
    ck_assert_ptr_nonnull(ring_reserve(&ring, RING_ENTRY_MAX));
    ck_assert_uint_eq(ring_take_lost(&ring), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ring");
    TCase *entries = tcase_create("entries");
    tcase_add_checked_fixture(entries, open_ring, close_ring);
    tcase_add_test(entries, entries_come_out_in_order);
    tcase_add_test(entries, what_does_not_fit_is_counted);
    tcase_add_test(entries, an_entry_of_no_bytes_is_one);
    tcase_add_test(entries, an_entry_that_is_too_long_is_refused);
    suite_add_tcase(suite, entries);
    return suite_run(suite);
}

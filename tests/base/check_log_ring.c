/*
 * check_log_ring.c - lines come out as they went in, and what does not fit is refused.
 */
#include "daemon/base/log_ring.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/suite.h"

static struct log_ring ring;
static struct log_entry entry;

static void empty(void)
{
    memset(&ring, 0, sizeof ring);
}

static bool put(unsigned number, size_t length)
{
    entry = (struct log_entry){.level = (int)(number % 8), .time = {.tv_sec = number}};
    memset(entry.text, 'a' + (int)(number % 26), length);
    entry.length = length;
    return log_ring_put(&ring, &entry);
}

static void expect(unsigned number, size_t length)
{
    ck_assert(log_ring_get(&ring, &entry));
    ck_assert_int_eq(entry.level, (int)(number % 8));
    ck_assert_int_eq((int)entry.time.tv_sec, (int)number);
    ck_assert_uint_eq(entry.length, length);
    ck_assert_uint_eq(strlen(entry.text), length);
    ck_assert_uint_eq(strspn(entry.text, (char[]){(char)('a' + number % 26), '\0'}), length);
}

static size_t length_of(unsigned number)
{
    return number * 7919 % LOG_TEXT_MAX;
}

/* All lengths, over the ring's end many times. */
START_TEST(lines_come_out_in_order)
{
    unsigned in = 0, out = 0;
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 100; i++, in++) {
            ck_assert(put(in, length_of(in)));
        }
        for (int i = 0; i < (round == 199 ? 100 : 99) && out < in; i++, out++) {
            expect(out, length_of(out));
        }
        if (in - out > 50) {
            for (; out < in; out++) {
                expect(out, length_of(out));
            }
        }
    }
    for (; out < in; out++) {
        expect(out, length_of(out));
    }
    ck_assert(!log_ring_get(&ring, &entry));
    ck_assert_uint_eq(ring.put, in);
    ck_assert_uint_eq(ring.got, in);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    unsigned in = 0;
    while (put(in, LOG_TEXT_MAX - 1)) {
        in++;
    }
    ck_assert_uint_gt(in, 100);
    ck_assert_uint_lt(in, LOG_RING_BYTES / LOG_TEXT_MAX + 1);
    for (unsigned out = 0; out < in; out++) {
        expect(out, LOG_TEXT_MAX - 1);
    }
    ck_assert(!log_ring_get(&ring, &entry));
}
END_TEST

START_TEST(an_empty_line_is_one)
{
    ck_assert(put(3, 0));
    expect(3, 0);
    ck_assert(!log_ring_get(&ring, &entry));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log_ring");
    TCase *lines = tcase_create("lines");
    tcase_add_checked_fixture(lines, empty, NULL);
    tcase_add_test(lines, lines_come_out_in_order);
    tcase_add_test(lines, what_does_not_fit_is_refused);
    tcase_add_test(lines, an_empty_line_is_one);
    suite_add_tcase(suite, lines);

    return suite_run(suite);
}

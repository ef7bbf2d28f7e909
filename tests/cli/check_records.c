/*
 * check_records.c - dumps: their first line and their records; and which of many keys are frequent.
 */
#include <check.h>
#include <stdio.h>

#include "scripts/cli/dump.h"
#include "scripts/cli/sketch.h"
#include "tests/support/suite.h"

/* --- dumps ----------------------------------------------------------------------------- */

START_TEST(the_first_line_has_the_time)
{
    static const uint64_t times[] = {0, 1, 999, 1000, UINT64_C(1795934364643)};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct bytes head = {.at = NULL};
        uint64_t time = 7;
        dump_head(&head, times[i]);
        ck_assert(memcmp(head.at + head.length - 2, "\r\n", 2) == 0);
        ck_assert(dump_read_head((struct slice){head.at, head.length - 2}, &time));
        ck_assert_uint_eq(time, times[i]);
        bytes_deinit(&head);
    }
}
END_TEST

static const char *const no_heads[] = {
    "",
    "# kvcached dump, time ",
    "# kvcached dump, time 5",
    "# kvcached dump, time .500",
    "# kvcached dump, time 5.50",
    "# kvcached dump, time 5.5000",
    "# kvcached dump, time -5.500",
    "# kvcached dump, time 18446744073709551615.500",
    "# kvcached Dump, time 5.500",
    "PUT s k never 1",
};
enum { NO_HEADS = sizeof no_heads / sizeof no_heads[0] };

START_TEST(what_is_no_first_line)
{
    uint64_t time;
    ck_assert(!dump_read_head(slice_of(no_heads[_i]), &time));
}
END_TEST

/* What a record of the dump becomes after 10 seconds; key NULL: it is none. */
static const struct {
    const char *bytes;
    const char *ns, *key;
    uint64_t ttl, flags;
} records[] = {
    {"PUT s a never 1\r\nx\r\n", "s", "a", LOADER_NEVER, 0},
    {"PUT s a 0 1 9\r\nx\r\n", "s", "a", LOADER_NEVER, 9},
    {"PUT s a\\x20b 60 1 4294967295\r\nx\r\n", "s", "a\\x20b", 50000, 4294967295},
    {"PUT s a 10001ms 1\r\nx\r\n", "s", "a", 1, 0},
    {"PUT s a 10 1\r\nx\r\n", "s", "a", 0, 0},
    {"PUT s a 9999ms 1\r\nx\r\n", "s", "a", 0, 0},
    {"PUT s a soon 1\r\nx\r\n", NULL, NULL, 0, 0},
    {"PUT s a - 1\r\nx\r\n", NULL, NULL, 0, 0},
    {"PUT s a 60 1 x\r\nx\r\n", NULL, NULL, 0, 0},
    {"PUT  a 60 1\r\nx\r\n", NULL, NULL, 0, 0},
    {"RECORD a 1\r\nx\r\n", NULL, NULL, 0, 0},
    {"END\r\n", NULL, NULL, 0, 0},
};
enum { RECORDS = sizeof records / sizeof records[0] };

START_TEST(a_record_is_ten_seconds_older)
{
    struct reply reply;
    struct loader_record record;
    size_t taken, wanted;
    ck_assert_int_eq(reply_cut(slice_of(records[_i].bytes), REPLY_DUMP, &reply, &taken, &wanted),
                     REPLY_WHOLE);
    ck_assert_int_eq(dump_record(&reply, 10000, &record), records[_i].key != NULL);
    if (records[_i].key != NULL) {
        ck_assert(slice_equal(record.ns, slice_of(records[_i].ns)));
        ck_assert(slice_equal(record.key, slice_of(records[_i].key)));
        ck_assert_uint_eq(record.ttl, records[_i].ttl);
        ck_assert_uint_eq(record.flags, records[_i].flags);
        ck_assert(slice_equal(record.value, slice_of("x")));
    }
}
END_TEST

/* --- frequent keys ---------------------------------------------------------------------- */

enum { MANY = 20000, OFTEN = 3 };

static void add_number(struct sketch *sketch, unsigned number)
{
    char key[16];
    int length = snprintf(key, sizeof key, "%u", number);
    sketch_add(sketch, (struct slice){key, (size_t)length});
}

/* Among many keys that come once, three come often. */
START_TEST(frequent_keys_are_found)
{
    struct sketch sketch;
    sketch_init(&sketch);
    for (unsigned i = 0; i < MANY; i++) {
        add_number(&sketch, 100 + i);
        if (i % 10 == 0) {
            for (unsigned j = 0; j < OFTEN; j++) {
                add_number(&sketch, j);
            }
        }
    }
    sketch_sort(&sketch);
    ck_assert_uint_eq(sketch.used, SKETCH_KEYS);
    ck_assert_uint_eq(sketch.total, MANY + OFTEN * (MANY / 10));
    for (unsigned i = 0; i < OFTEN; i++) {
        const struct sketch_key *key = &sketch.keys[i];
        ck_assert_uint_eq(key->key.length, 1);
        ck_assert(key->key.at[0] >= '0' && key->key.at[0] < '0' + OFTEN);
        ck_assert_uint_ge(key->count, MANY / 10);
        ck_assert_uint_le(key->count - key->over, MANY / 10);
    }
    sketch_deinit(&sketch);
}
END_TEST

START_TEST(few_keys_are_counted_exactly)
{
    struct sketch sketch;
    sketch_init(&sketch);
    for (unsigned i = 0; i < SKETCH_KEYS; i++) {
        for (unsigned j = 0; j <= i % 7; j++) {
            add_number(&sketch, i);
        }
    }
    sketch_sort(&sketch);
    for (size_t i = 0; i < sketch.used; i++) {
        const struct sketch_key *key = &sketch.keys[i];
        char text[16] = {0};
        memcpy(text, key->key.at, key->key.length);
        ck_assert_uint_eq(key->over, 0);
        ck_assert_uint_eq(key->count, (unsigned)atoi(text) % 7 + 1);
    }
    sketch_deinit(&sketch);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("records");
    TCase *dumps = tcase_create("dumps"), *frequent = tcase_create("frequent");
    tcase_add_test(dumps, the_first_line_has_the_time);
    tcase_add_loop_test(dumps, what_is_no_first_line, 0, NO_HEADS);
    tcase_add_loop_test(dumps, a_record_is_ten_seconds_older, 0, RECORDS);
    suite_add_tcase(suite, dumps);
    tcase_add_test(frequent, frequent_keys_are_found);
    tcase_add_test(frequent, few_keys_are_counted_exactly);
    suite_add_tcase(suite, frequent);
    return suite_run(suite);
}

/*
 * check_survey.c - what a survey counts, at the bounds of its sizes and times, and which values
 * are the largest.
 */
#include "daemon/request/survey.h"

#include <check.h>
#include <stdio.h>

#include "tests/request/fake_transport.h"
#include "tests/support/suite.h"

enum { NOW = 5000 };

#define NEVER   STORE_NEVER
#define FOR(ms) (NOW + UINT64_C(1) + (ms)) /* as store_left has it */

static struct survey *survey;

static void set_up(void)
{
    survey = survey_create();
    ck_assert_ptr_nonnull(survey);
}

static void tear_down(void)
{
    survey_destroy(&survey);
    ck_assert_ptr_null(survey);
}

static void count(const char *key, uint64_t length, uint64_t expires)
{
    struct store_entry entry = {.key = slice_of(key), .value_length = length, .expires = expires};
    survey_count(survey, &entry, NOW);
}

/* The lines, without their line ends, that begin with the word. */
static void expect(const char *word, const char *wanted)
{
    static const struct request request = {.verb = VERB_SURVEY};
    struct pool chunks;
    struct reply_queue replies;
    struct wire wire;
    char told[1024] = "";
    size_t moved;
    pool_init(&chunks, REPLY_QUEUE_CHUNK, 4);
    reply_queue_init(&replies, &protocol_native, &chunks);
    wire_init(&wire, (struct slice){NULL, 0});
    survey_tell(survey, &replies, &request);
    while (!reply_queue_is_empty(&replies)) {
        ck_assert_int_eq(reply_queue_send(&replies, &wire.transport, SIZE_MAX, &moved),
                         TRANSPORT_OK);
    }
    for (size_t at = 0; at < wire.out_length;) {
        size_t length = strcspn(wire.out + at, "\r");
        if (strncmp(wire.out + at, word, strlen(word)) == 0) {
            snprintf(told + strlen(told), sizeof told - strlen(told), "%.*s|", (int)length,
                     wire.out + at);
        }
        at += length + 2;
    }
    ck_assert_str_eq(told, wanted);
    wire_deinit(&wire);
    reply_queue_deinit(&replies);
    pool_deinit(&chunks);
}

START_TEST(sizes_at_powers_of_two)
{
    static const uint64_t lengths[] = {0, 1, 2, 3, 4, 5, 1023, 1024, 1025, 1 << 20, 64 << 20};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        count("k", lengths[i], NEVER);
    }
    expect("SIZE", "SIZE 1 2 1|SIZE 2 1 2|SIZE 4 2 7|SIZE 8 1 5|SIZE 1024 2 2047|SIZE 2048 1 1025|"
                   "SIZE 1048576 1 1048576|SIZE 67108864 1 67108864|");
}
END_TEST

START_TEST(times_at_their_bounds)
{
    static const uint64_t seconds[] = {1, 10, 60, 600, 3600, 21600, 86400, 604800, 2592000};
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        count("k", 1, FOR(seconds[i] * 1000));     /* up to that */
        count("k", 1, FOR(seconds[i] * 1000 + 1)); /* more */
    }
    count("k", 1, FOR(0));
    count("k", 1, NEVER);
    expect("TTL", "TTL 1s 2|TTL 10s 2|TTL 1m 2|TTL 10m 2|TTL 1h 2|TTL 6h 2|TTL 1d 2|TTL 7d 2|"
                  "TTL 30d 2|TTL 36500d 1|TTL never 1|");
}
END_TEST

START_TEST(nothing)
{
    expect("SIZE", "");
    expect("LARGE", "");
    expect("TTL", "TTL 1s 0|TTL 10s 0|TTL 1m 0|TTL 10m 0|TTL 1h 0|TTL 6h 0|TTL 1d 0|TTL 7d 0|"
                  "TTL 30d 0|TTL never 0|");
}
END_TEST

START_TEST(the_ten_largest_in_order)
{
    char key[16];
    for (unsigned i = 0; i < 1000; i++) {
        unsigned number = i * 7 % 1000;
        snprintf(key, sizeof key, "k%u", number);
        count(key, number, NEVER);
    }
    expect("LARGE", "LARGE 999 k999|LARGE 998 k998|LARGE 997 k997|LARGE 996 k996|LARGE 995 k995|"
                    "LARGE 994 k994|LARGE 993 k993|LARGE 992 k992|LARGE 991 k991|LARGE 990 k990|");
}
END_TEST

/* A walk comes to a record twice that is written again meanwhile, smaller or larger. */
START_TEST(each_key_is_large_once)
{
    count("a", 10, NEVER);
    count("b", 20, NEVER);
    count("c", 30, NEVER);
    count("a", 40, NEVER);
    count("c", 5, NEVER);
    count("b", 20, NEVER);
    expect("LARGE", "LARGE 40 a|LARGE 20 b|LARGE 5 c|");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("survey");
    TCase *counts = tcase_create("counts");
    tcase_add_checked_fixture(counts, set_up, tear_down);
    tcase_add_test(counts, sizes_at_powers_of_two);
    tcase_add_test(counts, times_at_their_bounds);
    tcase_add_test(counts, nothing);
    tcase_add_test(counts, the_ten_largest_in_order);
    tcase_add_test(counts, each_key_is_large_once);
    suite_add_tcase(suite, counts);
    return suite_run(suite);
}

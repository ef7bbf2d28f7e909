/*
 * check_reply_queue.c - replies leave in order and whole, however little the peer
 * takes at a time, and no view stays behind.
 */
#include "daemon/request/reply_queue.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/request/fake_transport.h"
#include "tests/support/suite.h"

enum { MEMORY = 32 << 20, MAX_VALUE = 1 << 20, NOW = 1000, CASE_TIMEOUT = 120 };

/* The largest value that is copied, and some that are not. */
static const size_t sizes[] = {
    0, 5, STORE_COPY_MAX - 1, STORE_COPY_MAX, STORE_COPY_MAX + 1, 100, 70000, 200000, 1};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static struct store *store;
static struct store_thread *store_thread;
static struct pool chunks;
static struct reply_queue replies;
static char *value; /* MAX_VALUE bytes, of which every stored value is a front part */

static void set_up(void)
{
    struct store_options options = {.memory = MEMORY, .max_value = MAX_VALUE};
    struct store_policy policy = {.max_value = MAX_VALUE};
    store = store_create(&options);
    ck_assert_ptr_nonnull(store);
    store_thread = store_thread_create(store);
    ck_assert_ptr_nonnull(store_thread);
    store_enter(store_thread);
    ck_assert(store_set_policy(store, store_thread, &policy, NOW));
    store_leave(store_thread);
    value = malloc(MAX_VALUE);
    ck_assert_ptr_nonnull(value);
    for (size_t i = 0; i < MAX_VALUE; i++) {
        value[i] = (char)(i * 7 + i / 256 * 13);
    }
    pool_init(&chunks, REPLY_QUEUE_CHUNK, 4);
    reply_queue_init(&replies, &protocol_native, &chunks);
}

static void tear_down(void)
{
    reply_queue_deinit(&replies);
    pool_deinit(&chunks);
    free(value);
    store_enter(store_thread);
    const char *wrong = store_check(store_thread, NOW);
    ck_assert_msg(wrong == NULL, "%s", wrong);
    store_leave(store_thread);
    store_thread_destroy(&store_thread);
    store_destroy(&store);
}

static struct store_key locate(size_t size)
{
    static char key[24];
    struct store_key at;
    int length = snprintf(key, sizeof key, "k%zu", size);
    ck_assert_int_eq(
        store_locate(store_thread, slice_of("n"), (struct slice){key, (size_t)length}, &at),
        STORE_OK);
    return at;
}

static void answer_value(size_t size)
{
    struct store_view view;
    struct store_key at = locate(size);
    reply_queue_prepare(&replies);
    ck_assert_int_eq(store_get(store_thread, &at, NOW, &view), STORE_OK);
    ck_assert_uint_eq(view.length, size);
    reply_queue_value(&replies, NULL, &(struct reply){.kind = REPLY_VALUE, .value_length = size},
                      &view);
}

static void store_all(void)
{
    for (size_t i = 0; i < SIZES; i++) {
        struct store_key at = locate(sizes[i]);
        struct store_terms terms = {.ttl = {STORE_TTL_FOR, 60000}};
        ck_assert_int_eq(
            store_put(store_thread, &at, &terms, (struct slice){value, sizes[i]}, NOW, NULL),
            STORE_OK);
    }
}

/* Whether the wire got this next; *at goes past it. */
static bool got(const struct wire *wire, size_t *at, const char *bytes, size_t size)
{
    bool same =
        wire->out_length - *at >= size && (size == 0 || memcmp(wire->out + *at, bytes, size) == 0);
    *at += size;
    return same;
}

static void expect_text(const struct wire *wire, size_t *at, const char *text)
{
    ck_assert_msg(got(wire, at, text, strlen(text)), "not %s", text);
}

static void expect_value(const struct wire *wire, size_t *at, size_t size)
{
    char head[40];
    snprintf(head, sizeof head, "VALUE %zu\r\n", size);
    expect_text(wire, at, head);
    ck_assert_msg(got(wire, at, value, size), "the value of %zu bytes differs", size);
    expect_text(wire, at, "\r\n");
}

static void send_all(struct wire *wire)
{
    size_t moved;
    while (!reply_queue_is_empty(&replies)) {
        uint64_t before = replies.backlog;
        ck_assert_int_eq(reply_queue_send(&replies, &wire->transport, SIZE_MAX, &moved),
                         TRANSPORT_OK);
        ck_assert_uint_eq(before - replies.backlog, moved);
    }
}

static const size_t steps[] = {1, 2, 3, 100, 4096, 16384, 16385, 100000, 0};
enum { STEPS = sizeof steps / sizeof steps[0] };

/* Every value, with words between them, in pieces of each step. */
START_TEST(in_order_and_whole)
{
    struct wire wire;
    size_t at = 0;
    wire_init(&wire, (struct slice){NULL, 0});
    wire.write_step = steps[_i];
    store_enter(store_thread);
    store_all();
    for (size_t i = 0; i < SIZES; i++) {
        if (reply_queue_is_full(&replies)) {
            send_all(&wire);
        }
        answer_value(sizes[i]);
        reply_queue_status(&replies, NULL, i % 2 == 0 ? REPLY_PONG : REPLY_STORED);
    }
    store_leave(store_thread);
    send_all(&wire);
    for (size_t i = 0; i < SIZES; i++) {
        expect_value(&wire, &at, sizes[i]);
        expect_text(&wire, &at, i % 2 == 0 ? "PONG\r\n" : "STORED\r\n");
    }
    ck_assert_uint_eq(at, wire.out_length);
    wire_deinit(&wire);
}
END_TEST

START_TEST(replies_and_sending_by_turns)
{
    struct wire wire;
    size_t at = 0, moved;
    wire_init(&wire, (struct slice){NULL, 0});
    wire.write_step = 30011;
    store_enter(store_thread);
    store_all();
    for (size_t i = 0; i < 20 * SIZES; i++) {
        while (reply_queue_is_full(&replies)) {
            ck_assert_int_eq(reply_queue_send(&replies, &wire.transport, SIZE_MAX, &moved),
                             TRANSPORT_OK);
        }
        answer_value(sizes[i % SIZES]);
        if (i % 3 == 0) {
            ck_assert_int_eq(reply_queue_send(&replies, &wire.transport, SIZE_MAX, &moved),
                             TRANSPORT_OK);
        }
    }
    store_leave(store_thread);
    send_all(&wire);
    for (size_t i = 0; i < 20 * SIZES; i++) {
        expect_value(&wire, &at, sizes[i % SIZES]);
    }
    ck_assert_uint_eq(at, wire.out_length);
    wire_deinit(&wire);
}
END_TEST

/* A value that is overwritten while it waits is still sent as it was. */
START_TEST(a_pinned_value_outlives_its_record)
{
    struct wire wire;
    size_t at = 0;
    uint64_t records;
    wire_init(&wire, (struct slice){NULL, 0});
    store_enter(store_thread);
    store_all();
    answer_value(200000);
    ck_assert_int_eq(store_flush(store_thread, slice_of("n"), NOW, &records), STORE_OK);
    for (int i = 0; i < 100; i++) {
        store_housekeep(store_thread, NOW, 4096);
    }
    store_all();
    store_leave(store_thread);
    send_all(&wire);
    expect_value(&wire, &at, 200000);
    wire_deinit(&wire);
}
END_TEST

START_TEST(what_is_unsent_is_given_back)
{
    store_enter(store_thread);
    store_all();
    while (!reply_queue_is_full(&replies)) {
        answer_value(70000);
        reply_queue_status(&replies, NULL, REPLY_PONG);
    }
    store_leave(store_thread);
    ck_assert_uint_ge(replies.backlog, REPLY_QUEUE_BOUND);
    /* tear_down asks the store whether anything is left over */
}
END_TEST

START_TEST(full_and_drained)
{
    struct wire wire;
    size_t moved;
    wire_init(&wire, (struct slice){NULL, 0});
    wire.write_step = 1000;
    ck_assert(reply_queue_is_empty(&replies));
    ck_assert(reply_queue_has_drained(&replies));
    while (!reply_queue_is_full(&replies)) {
        reply_queue_status(&replies, NULL, REPLY_PONG);
    }
    ck_assert_uint_lt(replies.backlog, REPLY_QUEUE_BOUND + 10);
    ck_assert(!reply_queue_has_drained(&replies));
    ck_assert_int_eq(reply_queue_send(&replies, &wire.transport, SIZE_MAX, &moved), TRANSPORT_OK);
    ck_assert(!reply_queue_is_full(&replies));
    ck_assert(!reply_queue_has_drained(&replies));
    while (!reply_queue_has_drained(&replies)) {
        ck_assert_int_eq(reply_queue_send(&replies, &wire.transport, SIZE_MAX, &moved),
                         TRANSPORT_OK);
    }
    ck_assert_uint_le(replies.backlog, REPLY_QUEUE_BOUND / 2);
    ck_assert_uint_gt(replies.backlog, REPLY_QUEUE_BOUND / 2 - 2000);
    wire.full = true;
    uint64_t before = replies.backlog;
    ck_assert_int_eq(reply_queue_send(&replies, &wire.transport, SIZE_MAX, &moved),
                     TRANSPORT_AGAIN);
    ck_assert_uint_eq(before, replies.backlog);
    wire_deinit(&wire);
}
END_TEST

START_TEST(text_longer_than_a_chunk)
{
    struct wire wire;
    size_t at = 0;
    wire_init(&wire, (struct slice){NULL, 0});
    wire.write_step = 777;
    reply_queue_status(&replies, NULL, REPLY_PONG);
    reply_queue_text(&replies, (struct slice){value, 3 * REPLY_QUEUE_CHUNK});
    reply_queue_status(&replies, NULL, REPLY_END);
    send_all(&wire);
    expect_text(&wire, &at, "PONG\r\n");
    ck_assert(got(&wire, &at, value, (size_t)3 * REPLY_QUEUE_CHUNK));
    expect_text(&wire, &at, "END\r\n");
    wire_deinit(&wire);
}
END_TEST

/* Blocks of half the address space: malloc has none. */
START_TEST(no_memory_fails_for_good)
{
    struct pool none;
    pool_init(&none, SIZE_MAX / 2, 0);
    reply_queue_init(&replies, &protocol_native, &none);
    ck_assert(!reply_queue_is_full(&replies));
    store_enter(store_thread);
    store_all();
    answer_value(100);
    ck_assert(replies.failed);
    ck_assert(reply_queue_is_full(&replies));
    answer_value(70000);
    store_leave(store_thread);
    reply_queue_status(&replies, NULL, REPLY_PONG);
    reply_queue_text(&replies, slice_of("text"));
    ck_assert(reply_queue_is_empty(&replies));
}
END_TEST

/* Sanitizers end the process where malloc fails, unless they are told not to. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

int main(void)
{
    Suite *suite = suite_create("reply queue");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, CASE_TIMEOUT);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_loop_test(all, in_order_and_whole, 0, STEPS);
    tcase_add_test(all, replies_and_sending_by_turns);
    tcase_add_test(all, a_pinned_value_outlives_its_record);
    tcase_add_test(all, what_is_unsent_is_given_back);
    tcase_add_test(all, full_and_drained);
    tcase_add_test(all, text_longer_than_a_chunk);
    tcase_add_test(all, no_memory_fails_for_good);
    suite_add_tcase(suite, all);

    return suite_run(suite);
}

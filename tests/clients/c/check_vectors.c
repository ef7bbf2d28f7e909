/*
 * check_vectors.c - libkvcached and scripts/clients/vectors.txt: what is sent, and what is made of
 * each reply, whole, in two pieces, and cut off.
 */
#include <check.h>

#include "tests/clients/c/calls.h"
#include "tests/clients/c/scripted.h"
#include "tests/clients/c/vectors.h"
#include "tests/support/suite.h"

static struct scripted server;

static void open_server(void)
{
    scripted_init(&server);
}

static void close_server(void)
{
    scripted_deinit(&server);
}

/* One run of a vector. */
struct run {
    const struct vector *vector;
    bool pipeline;
    size_t length; /* of the reply, that is given */
    size_t cut;
    bool closes;
    struct text results[VECTOR_CALLS_MAX];
    bool is_connected; /* at the end */
};

static void make_calls(struct run *run, struct kvc *kvc)
{
    const struct vector *vector = run->vector;
    if (run->pipeline) {
        calls_pipeline(kvc, vector->calls, vector->call_count, run->results);
    } else {
        calls_make(kvc, vector->calls[0], &run->results[0]);
    }
}

static void make_run(struct run *run)
{
    const struct vector *vector = run->vector;
    scripted_reset(&server);
    server.answers[0] = (struct scripted_answer){.reply = {vector->reply.at, run->length},
                                                 .cut = run->cut,
                                                 .wait_for = vector->send.length,
                                                 .closes = run->closes};
    struct kvc_options options = scripted_options(&server);
    options.no_retry = 1;
    struct kvc *kvc = kvc_create(&options, NULL);
    ck_assert_ptr_nonnull(kvc);
    make_calls(run, kvc);
    run->is_connected = kvc_is_connected(kvc) != 0;
    ck_assert_msg(server.sent.length == vector->send.length &&
                      (server.sent.length == 0 ||
                       memcmp(server.sent.at, vector->send.at, server.sent.length) == 0),
                  "%s: sent %.*s", vector->name, (int)server.sent.length, server.sent.at);
    kvc_destroy(kvc);
}

static void free_run(struct run *run)
{
    for (size_t i = 0; i < VECTOR_CALLS_MAX; i++) {
        text_deinit(&run->results[i]);
    }
}

/* An expected result may have no text behind its kind. */
static bool is_result(const char *expected, const struct text *found)
{
    size_t length = strlen(expected);
    bool is_error = strncmp(expected, "error ", 6) == 0 && strchr(expected, '"') == NULL;
    return strcmp(expected, found->at) == 0 ||
           (is_error && strncmp(expected, found->at, length) == 0 && found->at[length] == ' ');
}

static bool is_closed(const struct text *found)
{
    return strcmp(found->at, "error closed") == 0;
}

static void expect_all(const struct vector *vector, bool pipeline, size_t cut)
{
    struct run run = {.vector = vector,
                      .pipeline = pipeline,
                      .length = vector->reply.length,
                      .cut = cut,
                      .closes = vector->closed};
    make_run(&run);
    for (size_t i = 0; i < vector->call_count; i++) {
        ck_assert_msg(is_result(vector->results[i], &run.results[i]),
                      "%s, cut at %zu: %s: expected %s, found %s", vector->name, cut,
                      vector->calls[i], vector->results[i], run.results[i].at);
    }
    const char *last = vector->results[vector->call_count - 1];
    if (strncmp(last, "error protocol", 14) == 0 || strncmp(last, "error closed", 12) == 0) {
        ck_assert_msg(!run.is_connected, "%s: the connection is open", vector->name);
    }
    free_run(&run);
}

/* Cut off there: calls before are as they were, the others are told of the end. */
static void expect_end(const struct vector *vector, bool pipeline, size_t length)
{
    struct run run = {
        .vector = vector, .pipeline = pipeline, .length = length, .cut = length, .closes = true};
    make_run(&run);
    bool closed = false;
    for (size_t i = 0; i < vector->call_count; i++) {
        const char *expected = vector->results[i];
        bool good = closed ? is_closed(&run.results[i])
                           : is_closed(&run.results[i]) || is_result(expected, &run.results[i]);
        closed = closed || is_closed(&run.results[i]);
        ck_assert_msg(good, "%s, ended at %zu: %s: found %s", vector->name, length,
                      vector->calls[i], run.results[i].at);
    }
    const char *last = vector->results[vector->call_count - 1];
    ck_assert_msg(closed || strncmp(last, "error ", 6) == 0, "%s, ended at %zu: %s", vector->name,
                  length, run.results[vector->call_count - 1].at);
    ck_assert(!run.is_connected || !closed);
    free_run(&run);
}

static void expect_vector(const struct vector *vector, bool pipeline)
{
    expect_all(vector, pipeline, 0);
    for (size_t cut = 1; cut < vector->reply.length; cut++) {
        expect_all(vector, pipeline, cut);
    }
    for (size_t length = 0; length < vector->reply.length; length++) {
        expect_end(vector, pipeline, length);
    }
}

START_TEST(a_vector_by_calls)
{
    const struct vector *vector = &vectors[_i];
    if (vector->call_count == 1) {
        expect_vector(vector, false);
    }
}
END_TEST

START_TEST(a_vector_by_a_pipeline)
{
    const struct vector *vector = &vectors[_i];
    if (vector->call_count > 1 || calls_can_be_appended(vector->calls[0])) {
        expect_vector(vector, true);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vectors");
    TCase *calls = tcase_create("calls"), *pipelines = tcase_create("pipelines");
    vectors_read();
    tcase_add_checked_fixture(calls, open_server, close_server);
    tcase_add_checked_fixture(pipelines, open_server, close_server);
    tcase_add_loop_test(calls, a_vector_by_calls, 0, (int)vector_count);
    suite_add_tcase(suite, calls);
    tcase_add_loop_test(pipelines, a_vector_by_a_pipeline, 0, (int)vector_count);
    suite_add_tcase(suite, pipelines);
    return suite_run(suite);
}

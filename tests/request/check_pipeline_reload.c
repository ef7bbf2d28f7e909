/*
 * check_pipeline_reload.c - what a reload changes between two turns of one request: an upload, a
 * listing, a flush of many namespaces. And how many turns that flush takes.
 *
 * A pipeline without a socket; the test is the reload.
 */
#include "daemon/request/pipeline.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/clock.h"
#include "tests/auth/users_fixture.h"
#include "tests/request/fake_transport.h"
#include "tests/request/workspace_fixture.h"
#include "tests/support/instance.h"
#include "tests/support/suite.h"

enum {
    MEMORY = 64 << 20,
    MAX_VALUE = 1 << 20,
    LARGE = 200000, /* bytes of a value that does not fit a receive buffer */
    MANY = 15000,   /* namespaces */
    A_TURN = 64,    /* of them, at most */
    CASE_TIMEOUT = 300,
};

static const struct endpoint native_door = {.protocol = &protocol_native, .name = "native"};
static const struct endpoint memcache_door = {.protocol = &protocol_memcache,
                                              .name = "memcache",
                                              .default_namespace = "cache",
                                              .default_length = 5,
                                              .separator = ':'};
static struct instance instance;
static struct metrics metrics[INSTANCE_SETS];
static struct workspace_fixture fixture;
static struct identity identity;
static struct users *users;
static struct wire wire;
static struct pipeline *pipeline;
static char value[LARGE];

/* --- what is configured --------------------------------------------------------- */

static struct store_namespace_options declared[MANY + 3];
static char names[MANY][16];

static void declare(size_t count, bool only)
{
    struct store_policy policy = {.declared = declared,
                                  .declared_count = count,
                                  .declared_only = only,
                                  .max_value = MAX_VALUE};
    store_enter(fixture.store_thread);
    ck_assert(store_set_policy(fixture.store, fixture.store_thread, &policy, clock_now()));
    store_leave(fixture.store_thread);
}

static void settle(const char *default_namespace)
{
    workspace_configure(&fixture, MAX_VALUE, default_namespace);
}

/* The one user there is has the rights where the pattern says. */
static void allow(unsigned rights, const char *pattern)
{
    struct members members = {0};
    members_add(&members, "web", NULL, NULL);
    members_allow(&members, rights, pattern);
    users = members_users(&members, users);
    members_clear(&members);
    identity = (struct identity){
        .state = IDENTITY_AUTHENTICATED, .fd = -1, .user = users_find(users, slice_of("web"))};
}

static void set_up(void)
{
    struct store_options options = {.memory = MEMORY, .max_value = MAX_VALUE};
    facts_of_one(&instance, metrics);
    workspace_open(&fixture, &options, &instance);
    settle("main");
    identity = (struct identity){.fd = -1};
    declared[0] = (struct store_namespace_options){.name = slice_of("cache")};
    declared[1] = (struct store_namespace_options){.name = slice_of("sessions")};
    declare(2, false);
    memset(value, 'v', sizeof value);
    wire_init(&wire, slice_of(""));
}

static void tear_down(void)
{
    pipeline_destroy(&pipeline, &fixture.workspace);
    wire_deinit(&wire);
    workspace_close(&fixture);
    users_put(&users);
}

/* --- a conversation ---------------------------------------------------------------- */

static void activate(const struct endpoint *endpoint)
{
    pipeline = pipeline_create(&fixture.workspace, endpoint, &identity);
    ck_assert_ptr_nonnull(pipeline);
}

static enum pipeline_state turn(void)
{
    size_t moved = 0;
    fixture.workspace.ctx.now = 0;
    store_enter(fixture.store_thread);
    pipeline_receive(pipeline, &fixture.workspace, &wire.transport, &moved);
    enum pipeline_state state = pipeline_work(pipeline, &fixture.workspace);
    store_leave(fixture.store_thread);
    if (!reply_queue_is_empty(&pipeline->replies)) {
        reply_queue_send(&pipeline->replies, &wire.transport, SIZE_MAX, &moved);
    }
    return state;
}

/* All of it arrives. How many turns it took. */
static unsigned say(struct slice bytes)
{
    unsigned turns = 1;
    wire.in = bytes;
    while (turn() != PIPELINE_NEEDS_INPUT || wire.in.length > 0) {
        turns++;
    }
    return turns;
}

static void expect_said(const char *answer)
{
    bool same = wire.out_length == strlen(answer) && memcmp(wire.out, answer, wire.out_length) == 0;
    ck_assert_msg(same, "said: %.*s\nnot: %s", (int)wire.out_length, wire.out, answer);
    wire.out_length = 0;
}

static uint64_t items(const char *name)
{
    struct store_namespace_stats figures = {.items = 0};
    store_enter(fixture.store_thread);
    store_namespace_stats(fixture.store_thread, slice_of(name), &figures);
    store_leave(fixture.store_thread);
    return figures.items;
}

static uint64_t all_items(void)
{
    struct store_stats figures;
    store_enter(fixture.store_thread);
    store_stats(fixture.store_thread, &figures);
    store_leave(fixture.store_thread);
    return figures.items;
}

static bool has(const char *name, const char *key)
{
    struct store_key at;
    uint64_t left;
    store_enter(fixture.store_thread);
    bool there =
        store_locate(fixture.store_thread, slice_of(name), slice_of(key), &at) == STORE_OK &&
        store_expiry(fixture.store_thread, &at, clock_now(), &left) == STORE_OK;
    store_leave(fixture.store_thread);
    return there;
}

/* --- uploads ---------------------------------------------------------------------- */

static void begin_upload(const char *line)
{
    say(slice_of(line));
    say((struct slice){value, LARGE - 1});
    ck_assert(upload_is_open(&pipeline->upload));
}

static void end_upload(const char *answer)
{
    say(slice_of("v\r\n"));
    expect_said(answer);
}

START_TEST(a_record_goes_where_its_upload_began)
{
    activate(&memcache_door);
    begin_upload("set sessions:alice 0 0 200000\r\n");
    declare(1, false); /* with this, the same key would live in the endpoint's namespace */
    end_upload("STORED\r\n");
    ck_assert(has("sessions", "alice"));
    ck_assert(!has("cache", "sessions:alice"));
}
END_TEST

START_TEST(and_one_that_had_no_prefix_gets_none)
{
    declare(1, false);
    activate(&memcache_door);
    begin_upload("set sessions:alice 0 0 200000\r\n");
    declare(2, false);
    end_upload("STORED\r\n");
    ck_assert(!has("sessions", "alice"));
    ck_assert(has("cache", "sessions:alice"));
}
END_TEST

START_TEST(another_default_namespace)
{
    activate(&native_door);
    begin_upload("PUT - key 1h 200000\r\n");
    settle("other");
    end_upload("STORED\r\n");
    ck_assert(has("main", "key"));
    ck_assert(!has("other", "key"));
}
END_TEST

START_TEST(rights_are_asked_for_where_it_goes)
{
    allow(RIGHT_WRITE, "*");
    activate(&memcache_door);
    begin_upload("set sessions:alice 0 0 200000\r\n");
    allow(RIGHT_WRITE, "sessions");
    declare(1, false);
    end_upload("STORED\r\n");
    ck_assert_uint_eq(items("sessions"), 1);
}
END_TEST

START_TEST(a_right_that_is_gone_where_it_goes)
{
    allow(RIGHT_WRITE, "*");
    activate(&memcache_door);
    begin_upload("set sessions:alice 0 0 200000\r\n");
    allow(RIGHT_WRITE, "cache");
    declare(1, false);
    end_upload("CLIENT_ERROR not allowed: user \"web\" needs the right \"write\" in "
               "\"sessions\"\r\n");
    ck_assert_uint_eq(all_items(), 0);
}
END_TEST

START_TEST(what_is_declared_no_more_takes_no_upload)
{
    activate(&memcache_door);
    say(slice_of("set sessions:alice 0 0 3\r\nold\r\n"));
    expect_said("STORED\r\n");
    begin_upload("set sessions:alice 0 0 200000\r\n");
    declare(1, true);
    end_upload("CLIENT_ERROR namespace \"sessions\" is not declared; NAMESPACES lists those that "
               "are\r\n");
    ck_assert_uint_eq(all_items(), 0);
    declare(1, false);
    ck_assert(!has("sessions", "alice"));
}
END_TEST

/* It is written when it is whole: what was flushed before that is older. */
START_TEST(a_flush_before_the_end)
{
    uint64_t records = 0;
    activate(&native_door);
    begin_upload("PUT n key 1h 200000\r\n");
    store_enter(fixture.store_thread);
    store_flush(fixture.store_thread, slice_of("n"), clock_now(), &records);
    store_leave(fixture.store_thread);
    end_upload("STORED\r\n");
    ck_assert(has("n", "key"));
}
END_TEST

/* --- listings ---------------------------------------------------------------------- */

static void put_many(const char *name, size_t count)
{
    char line[64];
    for (size_t i = 0; i < count; i++) {
        snprintf(line, sizeof line, "PUT %s key%zu 1h\nv\n", name, i);
        say(slice_of(line));
    }
    wire.out_length = 0;
}

START_TEST(a_listing_stays_where_it_began)
{
    enum { RECORDS = 1000 };
    activate(&native_door);
    put_many("main", RECORDS);
    allow(RIGHT_ADMIN, "main");
    wire.in = slice_of("LIST -\r\n");
    ck_assert_int_eq(turn(), PIPELINE_YIELDED);
    settle("other"); /* where the user may not list */
    say(slice_of(""));
    wire.out[wire.out_length] = '\0';
    ck_assert_str_eq(wire.out + wire.out_length - 5, "END\r\n");
    wire.out_length = 0;
    wire.in = slice_of("LIST -\r\n");
    settle("main");
    ck_assert_int_eq(turn(), PIPELINE_YIELDED);
    settle("other");
    allow(RIGHT_ADMIN, "other"); /* and where it began it may not any more */
    say(slice_of(""));
    wire.out[wire.out_length] = '\0';
    ck_assert_ptr_nonnull(strstr(wire.out, "CLIENT_ERROR not allowed"));
    ck_assert_ptr_null(strstr(wire.out, "END"));
}
END_TEST

/* --- flushes ------------------------------------------------------------------------ */

static void fill_many(void)
{
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "ns%zu", i);
        declared[i + 2] = (struct store_namespace_options){.name = slice_of(names[i])};
    }
    declare(MANY + 2, false);
    for (size_t i = 0; i < MANY; i++) {
        struct store_key at;
        store_enter(fixture.store_thread);
        ck_assert_int_eq(
            store_locate(fixture.store_thread, slice_of(names[i]), slice_of("key"), &at), STORE_OK);
        struct store_terms terms = {.mode = STORE_SET};
        enum store_status status =
            store_put(fixture.store_thread, &at, &terms, slice_of("v"), clock_now(), NULL);
        store_leave(fixture.store_thread);
        if (status != STORE_OK) {
            ck_abort_msg("put: %d", (int)status);
        }
    }
    ck_assert_uint_eq(all_items(), MANY);
}

START_TEST(a_flush_of_many_namespaces_takes_turns)
{
    fill_many();
    activate(&memcache_door);
    say(slice_of("set mine 0 0 1\r\nx\r\n"));
    expect_said("STORED\r\n");
    wire.in = slice_of("flush_all\r\nset mine 0 0 1\r\ny\r\n");
    unsigned turns = 1;
    for (uint64_t before = all_items(), after = 0; turn() != PIPELINE_NEEDS_INPUT; before = after) {
        after = all_items();
        ck_assert_uint_le(before - after, A_TURN);
        turns++;
    }
    ck_assert_uint_ge(turns, 2 * MANY / A_TURN);
    expect_said("OK\r\nSTORED\r\n");
    ck_assert_uint_eq(all_items(), 1);
}
END_TEST

START_TEST(one_that_is_to_come_is_set_in_turns_too)
{
    fill_many();
    activate(&memcache_door);
    ck_assert_uint_ge(say(slice_of("flush_all 100\r\n")), 2 * MANY / A_TURN);
    expect_said("OK\r\n");
    ck_assert_uint_eq(all_items(), MANY);
    store_enter(fixture.store_thread);
    store_tick(fixture.store_thread, clock_now() + 90000);
    store_leave(fixture.store_thread);
    ck_assert_uint_eq(all_items(), MANY);
    store_enter(fixture.store_thread);
    store_tick(fixture.store_thread, clock_now() + 101000);
    store_leave(fixture.store_thread);
    ck_assert_uint_eq(all_items(), 0);
}
END_TEST

#define EVERYWHERE                                                                                 \
    "CLIENT_ERROR not allowed: user \"web\" needs the right \"admin\" in every namespace that "    \
    "is declared\r\n"

START_TEST(who_may_not_flush_all_flushes_none)
{
    fill_many();
    activate(&memcache_door);
    allow(RIGHT_ADMIN, "[a-mo-z]*"); /* not ns1 and so on */
    say(slice_of("flush_all\r\n"));
    expect_said(EVERYWHERE);
    ck_assert_uint_eq(all_items(), MANY);
    allow(RIGHT_ADMIN, "*"); /* and without the right no more is flushed */
    wire.in = slice_of("flush_all\r\n");
    while (all_items() == MANY) {
        ck_assert_int_eq(turn(), PIPELINE_YIELDED);
    }
    uint64_t left = all_items();
    allow(RIGHT_READ, "*");
    say(slice_of(""));
    expect_said("CLIENT_ERROR not allowed: user \"web\" needs the right \"admin\" in "
                "\"cache\"\r\n");
    ck_assert_uint_eq(all_items(), left);
}
END_TEST

START_TEST(a_flush_that_is_left_in_the_middle)
{
    fill_many();
    activate(&memcache_door);
    wire.in = slice_of("flush_all\r\n");
    for (int i = 0; i < 3 * MANY / A_TURN; i++) {
        turn();
    }
    ck_assert_uint_lt(all_items(), MANY); /* tear_down does the rest */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pipeline and reload");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, CASE_TIMEOUT);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, a_record_goes_where_its_upload_began);
    tcase_add_test(all, and_one_that_had_no_prefix_gets_none);
    tcase_add_test(all, another_default_namespace);
    tcase_add_test(all, rights_are_asked_for_where_it_goes);
    tcase_add_test(all, a_right_that_is_gone_where_it_goes);
    tcase_add_test(all, what_is_declared_no_more_takes_no_upload);
    tcase_add_test(all, a_flush_before_the_end);
    tcase_add_test(all, a_listing_stays_where_it_began);
    tcase_add_test(all, a_flush_of_many_namespaces_takes_turns);
    tcase_add_test(all, one_that_is_to_come_is_set_in_turns_too);
    tcase_add_test(all, who_may_not_flush_all_flushes_none);
    tcase_add_test(all, a_flush_that_is_left_in_the_middle);
    suite_add_tcase(suite, all);
    return suite_run(suite);
}

/*
 * check_daemon.c - libkvcached and daemons, which scripts/clients/with-daemon has started: over
 * TCP, a Unix socket and TLS, and as users.
 */
#include <check.h>
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/clients/c/calls.h"
#include "tests/clients/c/vectors.h"
#include "tests/support/suite.h"

/* --- daemons ---------------------------------------------------------------------- */

/* Variables of the environment that say where a daemon is. */
static const struct door {
    const char *address;
    bool tls;
    const char *user, *secret; /* or NULL */
} doors[] = {
    {"KVCACHED_ADDRESS", false, NULL, NULL},
    {"KVCACHED_SOCKET", false, NULL, NULL},
    {"KVCACHED_TLS_ADDRESS", true, NULL, NULL},
    {"KVCACHED_USERS_ADDRESS", false, "KVCACHED_USER", "KVCACHED_PASSWORD"},
    {"KVCACHED_USERS_TLS_ADDRESS", true, "KVCACHED_USER", "KVCACHED_PASSWORD"},
};
enum { DOORS = sizeof doors / sizeof *doors };
static const struct door users = {"KVCACHED_USERS_ADDRESS", false, NULL, NULL};
static const struct door reader = {"KVCACHED_USERS_ADDRESS", false, "KVCACHED_READER",
                                   "KVCACHED_READER_PASSWORD"};

/* False: there is no such daemon, since this kvcached was built without TLS. */
static bool options_of(const struct door *door, struct kvc_options *options)
{
    *options = (struct kvc_options){.size = sizeof *options,
                                    .address = getenv(door->address),
                                    .tls = door->tls,
                                    .ca = door->tls ? getenv("KVCACHED_TLS_CA") : NULL};
    if (door->user != NULL) {
        options->user = getenv(door->user);
        options->secret = kvc_text(getenv(door->secret));
    }
    ck_assert(options->address != NULL || door->tls);
    return options->address != NULL;
}

static struct kvc *open_door(const struct door *door)
{
    struct kvc_options options;
    struct kvc *kvc = options_of(door, &options) ? kvc_create(&options, NULL) : NULL;
    ck_assert(kvc != NULL || door->tls);
    return kvc;
}

static void must(struct kvc *kvc, enum kvc_result result)
{
    ck_assert_msg(result == KVC_OK, "%d: %s", result, kvc_last_error(kvc)->text);
}

/* --- vectors ---------------------------------------------------------------------- */

/* Sends what is given, and waits until it was executed. */
static void give(const struct vector *vector)
{
    struct kvc_reply reply;
    struct kvc *kvc = open_door(&doors[0]);
    must(kvc, kvc_connect(kvc));
    must(kvc, kvc_send(kvc, (struct kvc_bytes){vector->given.at, vector->given.length}));
    must(kvc, kvc_send(kvc, kvc_text("PING\r\n")));
    do {
        must(kvc, kvc_read(kvc, KVC_VALUES, &reply));
    } while (reply.line.length != 4 || memcmp(reply.line.bytes, "PONG", 4) != 0);
    kvc_destroy(kvc);
}

static void expect_results(const struct vector *vector, struct text *results)
{
    for (size_t i = 0; i < vector->call_count; i++) {
        const char *expected = vector->results[i], *found = results[i].at;
        ck_assert_msg(strncmp(expected, found, strlen(expected)) == 0, "%s: %s: found %s",
                      vector->name, vector->calls[i], found);
        text_deinit(&results[i]);
    }
}

static void try_vector(const struct vector *vector, const struct door *door)
{
    struct text results[VECTOR_CALLS_MAX] = {{.at = NULL}};
    struct kvc *kvc = open_door(door);
    if (kvc == NULL) {
        return;
    }
    give(vector);
    if (vector->call_count == 1) {
        calls_make(kvc, vector->calls[0], results);
    } else {
        calls_pipeline(kvc, vector->calls, vector->call_count, results);
    }
    expect_results(vector, results);
    kvc_destroy(kvc);
}

START_TEST(a_daemon_answers_a_vector)
{
    const struct vector *vector = &vectors[_i];
    if (vector->daemon == NULL) {
        for (size_t i = 0; i < 3; i++) {
            try_vector(vector, &doors[i]);
        }
    } else if (strcmp(vector->daemon, "users") == 0) {
        try_vector(vector, &users);
    }
}
END_TEST

/* --- records ---------------------------------------------------------------------- */

static struct kvc *kvc;

/* False: there is no such daemon. */
static bool begin(int door)
{
    kvc = open_door(&doors[door]);
    if (kvc != NULL) {
        must(kvc, kvc_flush_namespace(kvc, "c", NULL));
    }
    return kvc != NULL;
}

static void end(void)
{
    kvc_destroy(kvc);
}

/* Waits until the record has gone, for half a minute at most. */
static bool goes(const char *key)
{
    struct kvc_bytes value;
    time_t until = time(NULL) + 30;
    while (time(NULL) < until) {
        enum kvc_result result = kvc_get(kvc, "c", kvc_text(key), &value);
        if (result == KVC_NOT_FOUND) {
            return true;
        }
        must(kvc, result);
    }
    return false;
}

START_TEST(a_record_expires)
{
    int64_t ttl;
    if (!begin(_i)) {
        return;
    }
    must(kvc, kvc_put(kvc, "c", kvc_text("k"), kvc_text("v"), 3600000, 0));
    must(kvc, kvc_ttl(kvc, "c", kvc_text("k"), &ttl));
    ck_assert_int_gt(ttl, 3000000);
    ck_assert_int_le(ttl, 3600000);
    must(kvc, kvc_touch(kvc, "c", kvc_text("k"), 40));
    ck_assert(goes("k"));
    ck_assert_int_eq(kvc_touch(kvc, "c", kvc_text("k"), 40), KVC_NOT_FOUND);
    end();
}
END_TEST

enum { LARGEST = 1 << 20 };

/* The largest value, and one that is refused, behind which the connection goes on. */
START_TEST(values_may_be_large)
{
    char *bytes = malloc(LARGEST + 1);
    struct kvc_bytes value = {bytes, LARGEST}, found;
    if (begin(_i)) {
        memset(bytes, '\r', LARGEST + 1);
        must(kvc, kvc_put(kvc, "c", kvc_text("k"), value, KVC_TTL_NEVER, 0));
        must(kvc, kvc_get(kvc, "c", kvc_text("k"), &found));
        ck_assert_uint_eq(found.length, LARGEST);
        ck_assert(memcmp(found.bytes, bytes, LARGEST) == 0);
        value.length++;
        ck_assert_int_eq(kvc_put(kvc, "c", kvc_text("k"), value, KVC_TTL_NEVER, 0),
                         KVC_ERROR_CLIENT);
        must(kvc, kvc_ping(kvc));
        end();
    }
    free(bytes);
}
END_TEST

enum { MANY = 5000, KEY_ROOM = 16, VALUE = 1000 };

/* More than the sockets' buffers hold, in both directions: neither side waits for the other. */
START_TEST(many_at_once)
{
    static char keys[MANY][KEY_ROOM], filler[VALUE];
    static struct kvc_record records[MANY];
    static struct kvc_bytes names[MANY], values[MANY];
    static enum kvc_result results[MANY];
    if (!begin(_i)) {
        return;
    }
    for (size_t i = 0; i < MANY; i++) {
        snprintf(keys[i], KEY_ROOM, "key %zu", i);
        names[i] = kvc_text(keys[i]);
        records[i] = (struct kvc_record){names[i], {filler, i % VALUE}, KVC_TTL_NEVER, 0};
    }
    must(kvc, kvc_mput(kvc, "c", records, MANY, results));
    must(kvc, kvc_mget(kvc, "c", names, MANY, values));
    for (size_t i = 0; i < MANY; i++) {
        ck_assert_ptr_nonnull(values[i].bytes);
        ck_assert_uint_eq(values[i].length, i % VALUE);
    }
    must(kvc, kvc_mdelete(kvc, "c", names, MANY / 2, results));
    ck_assert_int_eq(results[0], KVC_OK);
    must(kvc, kvc_mget(kvc, "c", names + MANY / 2 - 1, 2, values));
    ck_assert_ptr_null(values[0].bytes);
    ck_assert_ptr_nonnull(values[1].bytes);
    end();
}
END_TEST

static int count_row(void *context, struct kvc_bytes key, struct kvc_bytes value)
{
    (void)key;
    (void)value;
    ++*(int *)context;
    return 0;
}

static int take_first(void *context, struct kvc_bytes key, struct kvc_bytes value)
{
    count_row(context, key, value);
    return 1;
}

START_TEST(listings_have_rows)
{
    char key[KEY_ROOM];
    int rows = 0, first = 0;
    if (!begin(_i)) {
        return;
    }
    for (int i = 0; i < 300; i++) {
        snprintf(key, sizeof key, "%d", i);
        must(kvc, kvc_append_put(kvc, "c", kvc_text(key), kvc_text("x"), KVC_TTL_NEVER, 0));
    }
    for (struct kvc_reply reply; kvc_awaited(kvc) > 0;) {
        must(kvc, kvc_next(kvc, &reply));
    }
    must(kvc, kvc_list(kvc, "c", "1*", count_row, &rows));
    ck_assert_int_eq(rows, 111);
    must(kvc, kvc_all(kvc, "c", NULL, take_first, &first));
    ck_assert_int_eq(first, 1);
    must(kvc, kvc_stats(kvc, NULL, count_row, &rows));
    ck_assert_int_gt(rows, 130);
    end();
}
END_TEST

/* --- connections ------------------------------------------------------------------- */

/* The daemon closes a connection while nothing is asked; the next request makes another. */
START_TEST(a_connection_is_made_anew)
{
    struct kvc_reply reply;
    if (!begin(_i)) {
        return;
    }
    must(kvc, kvc_connect(kvc));
    must(kvc, kvc_send(kvc, kvc_text("QUIT\r\n")));
    ck_assert_int_eq(kvc_read(kvc, KVC_VALUES, &reply), KVC_ERROR_CLOSED);
    must(kvc, kvc_put(kvc, "c", kvc_text("k"), kvc_text("v"), KVC_TTL_NEVER, 0));
    must(kvc, kvc_connect(kvc));
    must(kvc, kvc_ping(kvc));
    end();
}
END_TEST

START_TEST(users_have_rights)
{
    struct kvc_bytes value;
    kvc = open_door(&reader);
    ck_assert_int_eq(kvc_get(kvc, "c", kvc_text("none"), &value), KVC_NOT_FOUND);
    ck_assert_int_eq(kvc_put(kvc, "c", kvc_text("k"), kvc_text("v"), KVC_TTL_NEVER, 0),
                     KVC_ERROR_CLIENT);
    ck_assert_ptr_nonnull(strstr(kvc_last_error(kvc)->text, "not allowed"));
    must(kvc, kvc_auth(kvc, getenv("KVCACHED_USER"), kvc_text(getenv("KVCACHED_PASSWORD"))));
    must(kvc, kvc_put(kvc, "c", kvc_text("k"), kvc_text("v"), KVC_TTL_NEVER, 0));
    end();
}
END_TEST

START_TEST(a_wrong_secret_is_denied)
{
    struct kvc_options options;
    options_of(&reader, &options);
    options.secret = kvc_text("wrong");
    kvc = kvc_create(&options, NULL);
    ck_assert_int_eq(kvc_ping(kvc), KVC_ERROR_DENIED);
    ck_assert(!kvc_is_connected(kvc));
    end();
}
END_TEST

/* Without its authority; with that as a pinned one; and where there is no TLS. */
START_TEST(a_certificate_is_checked)
{
    struct kvc_options options;
    if (!options_of(&doors[2], &options)) {
        return;
    }
    options.ca = NULL;
    kvc = kvc_create(&options, NULL);
    ck_assert_int_eq(kvc_ping(kvc), KVC_ERROR_UNREACHABLE);
    ck_assert_ptr_nonnull(strstr(kvc_last_error(kvc)->text, "not trusted"));
    end();
    options.pinned = getenv("KVCACHED_TLS_CA");
    kvc = kvc_create(&options, NULL);
    ck_assert_int_eq(kvc_ping(kvc), KVC_OK);
    end();
    options.address = getenv("KVCACHED_ADDRESS");
    kvc = kvc_create(&options, NULL);
    ck_assert_int_eq(kvc_ping(kvc), KVC_ERROR_UNREACHABLE);
    end();
}
END_TEST

START_TEST(another_protocol_is_told_apart)
{
    struct kvc_options options = {.size = sizeof options,
                                  .address = getenv("KVCACHED_MEMCACHE_ADDRESS")};
    kvc = kvc_create(&options, NULL);
    ck_assert_int_ge(kvc_ping(kvc), KVC_ERROR_ARGUMENT);
    end();
}
END_TEST

/* --- a pool ------------------------------------------------------------------------ */

enum { THREADS = 8, HANDLES = 3, ROUNDS = 300 };

static void count_in(struct kvc *borrowed, const char *key)
{
    uint64_t number;
    struct kvc_bytes value;
    must(borrowed, kvc_incr(borrowed, "c", kvc_text(key), 1, NULL));
    must(borrowed, kvc_incr(borrowed, "c", kvc_text("all"), 1, &number));
    must(borrowed, kvc_get(borrowed, "c", kvc_text(key), &value));
}

struct worker {
    pthread_t thread;
    struct kvc_pool *pool;
    char key[KEY_ROOM];
};

static void *work(void *context)
{
    struct worker *worker = context;
    for (int i = 0; i < ROUNDS; i++) {
        struct kvc *borrowed = kvc_pool_get(worker->pool, -1);
        count_in(borrowed, worker->key);
        if (i % 50 == 7) {
            struct kvc_bytes key = kvc_text(worker->key);
            must(borrowed, kvc_append_get(borrowed, "c", &key, 1)); /* left, and so closed */
        }
        kvc_pool_put(worker->pool, borrowed);
    }
    return NULL;
}

static void run_workers(struct kvc_pool *pool)
{
    struct worker workers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i].pool = pool;
        snprintf(workers[i].key, KEY_ROOM, "worker %d", i);
        must(kvc, kvc_put(kvc, "c", kvc_text(workers[i].key), kvc_text("0"), KVC_TTL_NEVER, 0));
    }
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
    }
}

START_TEST(threads_share_a_pool)
{
    struct kvc_options options;
    uint64_t number;
    struct kvc *borrowed[HANDLES];
    if (!begin(_i)) {
        return;
    }
    must(kvc, kvc_put(kvc, "c", kvc_text("all"), kvc_text("0"), KVC_TTL_NEVER, 0));
    options_of(&doors[_i], &options);
    struct kvc_pool *pool = kvc_pool_create(&options, HANDLES, NULL);
    run_workers(pool);
    must(kvc, kvc_incr(kvc, "c", kvc_text("all"), 0, &number));
    ck_assert_uint_eq(number, THREADS * ROUNDS);
    for (int i = 0; i < HANDLES; i++) {
        borrowed[i] = kvc_pool_get(pool, 0);
        ck_assert_ptr_nonnull(borrowed[i]);
    }
    ck_assert_ptr_null(kvc_pool_get(pool, 1));
    for (int i = 0; i < HANDLES; i++) {
        kvc_pool_put(pool, borrowed[i]);
    }
    kvc_pool_destroy(pool);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("daemon");
    TCase *vector_case = tcase_create("vectors"), *records = tcase_create("records"),
          *connections = tcase_create("connections");
    if (getenv("KVCACHED_ADDRESS") == NULL) {
        errx(77, "run it by scripts/clients/with-daemon, as scripts/clients/c/check does");
    }
    vectors_read();
    tcase_add_loop_test(vector_case, a_daemon_answers_a_vector, 0, (int)vector_count);
    suite_add_tcase(suite, vector_case);
    tcase_set_timeout(records, 60);
    tcase_add_loop_test(records, a_record_expires, 0, DOORS);
    tcase_add_loop_test(records, values_may_be_large, 0, DOORS);
    tcase_add_loop_test(records, many_at_once, 0, DOORS);
    tcase_add_loop_test(records, listings_have_rows, 0, DOORS);
    tcase_add_loop_test(records, threads_share_a_pool, 0, DOORS);
    suite_add_tcase(suite, records);
    tcase_add_loop_test(connections, a_connection_is_made_anew, 0, DOORS);
    tcase_add_test(connections, users_have_rights);
    tcase_add_test(connections, a_wrong_secret_is_denied);
    tcase_add_test(connections, a_certificate_is_checked);
    tcase_add_test(connections, another_protocol_is_told_apart);
    suite_add_tcase(suite, connections);
    return suite_run(suite);
}

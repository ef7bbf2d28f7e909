/*
 * loop.c - see loop.h.
 */
#include "tests/store/threads/threads.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { EFFORT = 512, PIECES = 8 };

void test_threads_open(struct test_threads *team, struct store *store, unsigned count,
                       size_t own_size)
{
    *team = (struct test_threads){.store = store, .count = count, .clock = 1000};
    ck_assert_uint_ge(count, 1);
    ck_assert_uint_le(count, CREW_MOST);
    ck_assert_int_eq(pthread_mutex_init(&team->telling, NULL), 0);
    ck_assert_int_eq(pthread_barrier_init(&team->barrier, NULL, count), 0);
    team->workers = calloc(count, sizeof *team->workers);
    ck_assert_ptr_nonnull(team->workers);
    for (unsigned i = 0; i < count; i++) {
        team->workers[i] =
            (struct worker){.team = team,
                            .number = i,
                            .random = fixture_setting("THREADS_SEED", 1) * CREW_MOST + i};
        team->workers[i].own = calloc(1, own_size);
        ck_assert_ptr_nonnull(team->workers[i].own);
    }
}

void test_threads_close(struct test_threads *team)
{
    for (unsigned i = 0; i < team->count; i++) {
        free(team->workers[i].own);
    }
    free(team->workers);
    pthread_barrier_destroy(&team->barrier);
    pthread_mutex_destroy(&team->telling);
}

static void *be_worker(void *argument)
{
    struct worker *worker = argument;
    worker->thread = store_thread_create(worker->team->store);
    if (worker->thread == NULL) {
        test_threads_wrong(worker->team, "no lane for worker %u", worker->number);
    } else {
        worker->team->work(worker);
    }
    if (worker->thread != NULL) {
        store_thread_destroy(&worker->thread);
    }
    __atomic_fetch_sub(&worker->team->busy, 1, __ATOMIC_ACQ_REL);
    return NULL;
}

static void *be_housekeeper(void *argument)
{
    struct test_threads *team = argument;
    struct store_thread *thread = store_thread_create(team->store);
    if (thread == NULL) {
        test_threads_wrong(team, "no lane for the housekeeper");
    }
    while (thread != NULL && __atomic_load_n(&team->busy, __ATOMIC_ACQUIRE) > 0) {
        store_enter(thread);
        bool more = store_housekeep(thread, test_threads_now(team), EFFORT);
        struct store_stats stats;
        store_stats(thread, &stats);
        store_leave(thread);
        if (stats.memory_used > (team->most != 0 ? team->most : stats.memory_limit)) {
            test_threads_wrong(team, "%ju bytes are used", (uintmax_t)stats.memory_used);
        }
        if (!more) {
            sched_yield();
        }
    }
    if (thread != NULL) {
        store_thread_destroy(&thread);
    }
    return NULL;
}

void test_threads_run(struct test_threads *team, test_threads_work *work)
{
    pthread_t housekeeper;
    team->work = work;
    team->busy = team->count;
    ck_assert_int_eq(pthread_create(&housekeeper, NULL, be_housekeeper, team), 0);
    for (unsigned i = 0; i < team->count; i++) {
        struct worker *worker = &team->workers[i];
        ck_assert_int_eq(pthread_create(&worker->pthread, NULL, be_worker, worker), 0);
    }
    for (unsigned i = 0; i < team->count; i++) {
        pthread_join(team->workers[i].pthread, NULL);
    }
    pthread_join(housekeeper, NULL);
    ck_assert_msg(!team->failed, "%s", team->wrong);
}

/* --- for workers -------------------------------------------------------- */

void test_threads_wrong(struct test_threads *team, const char *format, ...)
{
    va_list arguments;
    pthread_mutex_lock(&team->telling);
    if (!test_threads_failed(team)) {
        va_start(arguments, format);
        vsnprintf(team->wrong, sizeof team->wrong, format, arguments);
        va_end(arguments);
    }
    __atomic_store_n(&team->failed, true, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&team->telling);
}

bool test_threads_failed(const struct test_threads *team)
{
    return __atomic_load_n(&team->failed, __ATOMIC_ACQUIRE);
}

uint64_t test_threads_now(const struct test_threads *team)
{
    return __atomic_load_n(&team->clock, __ATOMIC_ACQUIRE);
}

void test_threads_pass_time(struct test_threads *team, uint64_t milliseconds)
{
    __atomic_fetch_add(&team->clock, milliseconds, __ATOMIC_ACQ_REL);
}

void test_threads_meet(struct worker *worker)
{
    pthread_barrier_wait(&worker->team->barrier);
}

uint64_t test_threads_below(struct worker *worker, uint64_t bound)
{
    return fixture_random(&worker->random) % bound;
}

/* --- values ------------------------------------------------------------- */

void test_threads_fill(char *bytes, uint64_t from, size_t length, uint64_t place, uint64_t version)
{
    size_t head = 0;
    for (; head < length && from + head < CREW_VALUE_MIN; head++) {
        bytes[head] = (char)(version >> (8 * (from + head)));
    }
    fixture_pattern(bytes + head, from + head, length - head, place << 40 ^ version);
}

struct slice test_threads_value(struct worker *worker, uint64_t place, uint64_t version,
                                size_t length)
{
    test_threads_fill(worker->bytes, 0, length, place, version);
    return (struct slice){worker->bytes, length};
}

bool test_threads_is_value(struct slice value, uint64_t place, uint64_t *version)
{
    if (value.length < CREW_VALUE_MIN) {
        return false;
    }
    *version = 0;
    for (size_t i = 0; i < CREW_VALUE_MIN; i++) {
        *version |= (uint64_t)(unsigned char)value.bytes[i] << (8 * i);
    }
    return fixture_is_pattern(value.bytes + CREW_VALUE_MIN, CREW_VALUE_MIN,
                              value.length - CREW_VALUE_MIN, place << 40 ^ *version);
}

bool test_threads_is_view(struct worker *worker, const struct store_view *view, uint64_t place,
                          uint64_t *version)
{
    struct iovec pieces[PIECES];
    uint64_t from = 0;
    if (!view->pinned) {
        return test_threads_is_value((struct slice){view->bytes, view->length}, place, version);
    }
    if (view->length > sizeof worker->bytes) {
        return false;
    }
    while (from < view->length) {
        size_t count = store_view_pieces(view, from, pieces, PIECES);
        for (size_t i = 0; i < count; i++) {
            if (pieces[i].iov_len > view->length - from) {
                return false;
            }
            memcpy(worker->bytes + from, pieces[i].iov_base, pieces[i].iov_len);
            from += pieces[i].iov_len;
        }
        if (count == 0) {
            return false;
        }
    }
    return test_threads_is_value((struct slice){worker->bytes, view->length}, place, version);
}

/*
 * loop.c - see loop.h.
 */
#include "tests/store/threads/threads.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { EFFORT = 512, PIECES = 8 };

void crew_open(struct crew *crew, struct store *store, unsigned count, size_t own_size)
{
    *crew = (struct crew){.store = store, .count = count, .clock = 1000};
    ck_assert_uint_ge(count, 1);
    ck_assert_uint_le(count, CREW_MOST);
    ck_assert_int_eq(pthread_mutex_init(&crew->telling, NULL), 0);
    ck_assert_int_eq(pthread_barrier_init(&crew->barrier, NULL, count), 0);
    crew->workers = calloc(count, sizeof *crew->workers);
    ck_assert_ptr_nonnull(crew->workers);
    for (unsigned i = 0; i < count; i++) {
        crew->workers[i] = (struct worker){
            .crew = crew, .number = i, .random = box_setting("THREADS_SEED", 1) * CREW_MOST + i};
        crew->workers[i].own = calloc(1, own_size);
        ck_assert_ptr_nonnull(crew->workers[i].own);
    }
}

void crew_close(struct crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++)
        free(crew->workers[i].own);
    free(crew->workers);
    pthread_barrier_destroy(&crew->barrier);
    pthread_mutex_destroy(&crew->telling);
}

static void *be_worker(void *argument)
{
    struct worker *worker = argument;

    worker->lane = store_lane_create(worker->crew->store);
    if (worker->lane == NULL)
        crew_wrong(worker->crew, "no lane for worker %u", worker->number);
    else
        worker->crew->work(worker);
    if (worker->lane != NULL)
        store_lane_destroy(&worker->lane);
    __atomic_fetch_sub(&worker->crew->busy, 1, __ATOMIC_ACQ_REL);
    return NULL;
}

static void *be_housekeeper(void *argument)
{
    struct crew *crew = argument;
    struct lane *lane = store_lane_create(crew->store);

    if (lane == NULL)
        crew_wrong(crew, "no lane for the housekeeper");
    while (lane != NULL && __atomic_load_n(&crew->busy, __ATOMIC_ACQUIRE) > 0) {
        store_enter(lane);
        bool more = store_housekeep(lane, crew_now(crew), EFFORT);
        struct store_figures figures;
        store_figures(lane, &figures);
        store_leave(lane);
        if (figures.memory_used > (crew->most != 0 ? crew->most : figures.memory_limit))
            crew_wrong(crew, "%ju bytes are used", (uintmax_t)figures.memory_used);
        if (!more)
            sched_yield();
    }
    if (lane != NULL)
        store_lane_destroy(&lane);
    return NULL;
}

void crew_run(struct crew *crew, crew_work *work)
{
    pthread_t housekeeper;

    crew->work = work;
    crew->busy = crew->count;
    ck_assert_int_eq(pthread_create(&housekeeper, NULL, be_housekeeper, crew), 0);
    for (unsigned i = 0; i < crew->count; i++) {
        struct worker *worker = &crew->workers[i];
        ck_assert_int_eq(pthread_create(&worker->thread, NULL, be_worker, worker), 0);
    }
    for (unsigned i = 0; i < crew->count; i++)
        pthread_join(crew->workers[i].thread, NULL);
    pthread_join(housekeeper, NULL);
    ck_assert_msg(!crew->failed, "%s", crew->wrong);
}

/* --- for workers -------------------------------------------------------- */

void crew_wrong(struct crew *crew, const char *format, ...)
{
    va_list arguments;

    pthread_mutex_lock(&crew->telling);
    if (!crew_failed(crew)) {
        va_start(arguments, format);
        vsnprintf(crew->wrong, sizeof crew->wrong, format, arguments);
        va_end(arguments);
    }
    __atomic_store_n(&crew->failed, true, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&crew->telling);
}

bool crew_failed(const struct crew *crew)
{
    return __atomic_load_n(&crew->failed, __ATOMIC_ACQUIRE);
}

uint64_t crew_now(const struct crew *crew)
{
    return __atomic_load_n(&crew->clock, __ATOMIC_ACQUIRE);
}

void crew_pass_time(struct crew *crew, uint64_t milliseconds)
{
    __atomic_fetch_add(&crew->clock, milliseconds, __ATOMIC_ACQ_REL);
}

void crew_meet(struct worker *worker)
{
    pthread_barrier_wait(&worker->crew->barrier);
}

uint64_t crew_below(struct worker *worker, uint64_t bound)
{
    return box_random(&worker->random) % bound;
}

/* --- values ------------------------------------------------------------- */

void crew_fill(char *bytes, uint64_t from, size_t length, uint64_t place, uint64_t version)
{
    size_t head = 0;

    for (; head < length && from + head < CREW_VALUE_MIN; head++)
        bytes[head] = (char)(version >> (8 * (from + head)));
    box_pattern(bytes + head, from + head, length - head, place << 40 ^ version);
}

struct slice crew_value(struct worker *worker, uint64_t place, uint64_t version, size_t length)
{
    crew_fill(worker->bytes, 0, length, place, version);
    return (struct slice){worker->bytes, length};
}

bool crew_is_value(struct slice value, uint64_t place, uint64_t *version)
{
    if (value.length < CREW_VALUE_MIN)
        return false;
    *version = 0;
    for (size_t i = 0; i < CREW_VALUE_MIN; i++)
        *version |= (uint64_t)(unsigned char)value.bytes[i] << (8 * i);
    return box_is_pattern(value.bytes + CREW_VALUE_MIN, CREW_VALUE_MIN,
                          value.length - CREW_VALUE_MIN, place << 40 ^ *version);
}

bool crew_is_view(struct worker *worker, const struct store_view *view, uint64_t place,
                  uint64_t *version)
{
    struct iovec pieces[PIECES];
    uint64_t from = 0;

    if (!view->pinned)
        return crew_is_value((struct slice){view->bytes, view->length}, place, version);
    if (view->length > sizeof worker->bytes)
        return false;
    while (from < view->length) {
        size_t count = store_view_pieces(view, from, pieces, PIECES);
        for (size_t i = 0; i < count; i++) {
            if (pieces[i].iov_len > view->length - from)
                return false;
            memcpy(worker->bytes + from, pieces[i].iov_base, pieces[i].iov_len);
            from += pieces[i].iov_len;
        }
        if (count == 0)
            return false;
    }
    return crew_is_value((struct slice){worker->bytes, view->length}, place, version);
}

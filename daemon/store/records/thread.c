/*
 * thread.c - threads, their counters and their epochs; see thread.h.
 */
#include "daemon/store/records/thread.h"

#include <stdlib.h>
#include <string.h>

void store_threads_init(struct threads *threads)
{
    memset(threads, 0, sizeof *threads);
    threads->epoch = 1;
}

void store_threads_deinit(struct threads *threads)
{
    for (unsigned chunk = 0; chunk < COUNTER_CHUNKS; chunk++) {
        free(threads->gone[chunk]);
        free(threads->reset[chunk]);
    }
}

uint64_t store_threads_unlinked(struct threads *threads)
{
    return __atomic_fetch_add(&threads->epoch, 1, __ATOMIC_SEQ_CST);
}

/* The caller holds namespaces.lock: no thread comes or goes. */
bool store_threads_have_left(const struct threads *threads, uint64_t epoch)
{
    for (unsigned i = 0; i < STORE_THREADS_MAX; i++) {
        const struct store_thread *thread = threads->all[i];
        uint64_t entered = thread == NULL ? 0 : __atomic_load_n(&thread->epoch, __ATOMIC_SEQ_CST);
        if (entered != 0 && entered <= epoch) {
            return false;
        }
    }
    return true;
}

struct store_counters *store_thread_new_counters(struct store_thread *thread, uint32_t id)
{
    struct store_counters *chunk = calloc(COUNTER_CHUNK, sizeof *chunk);
    if (chunk == NULL) {
        return &thread->scrap;
    }
    __atomic_store_n(&thread->counters[id / COUNTER_CHUNK], chunk, __ATOMIC_RELEASE);
    return &chunk[id % COUNTER_CHUNK];
}

enum { COUNTERS = sizeof(struct store_counters) / sizeof(uint64_t) };

void counters_add(struct store_counters *to, const struct store_counters *from)
{
    uint64_t *sum = (uint64_t *)to;
    const uint64_t *more = (const uint64_t *)from;
    for (unsigned i = 0; i < COUNTERS; i++) {
        sum[i] += __atomic_load_n(&more[i], __ATOMIC_RELAXED);
    }
}

void counters_subtract(struct store_counters *from, const struct store_counters *what)
{
    uint64_t *left = (uint64_t *)from;
    const uint64_t *less = (const uint64_t *)what;
    for (unsigned i = 0; i < COUNTERS; i++) {
        left[i] -= less[i];
    }
}

static void add_one(struct store_counters *const *chunks, uint32_t id, struct store_counters *sum)
{
    const struct store_counters *chunk =
        __atomic_load_n(&chunks[id / COUNTER_CHUNK], __ATOMIC_ACQUIRE);
    if (chunk != NULL) {
        counters_add(sum, &chunk[id % COUNTER_CHUNK]);
    }
}

void store_threads_sum(const struct threads *threads, uint32_t id, struct store_counters *sum)
{
    memset(sum, 0, sizeof *sum);
    add_one(threads->gone, id, sum);
    for (unsigned i = 0; i < STORE_THREADS_MAX; i++) {
        if (threads->all[i] != NULL) {
            add_one(threads->all[i]->counters, id, sum);
        }
    }
}

static uint64_t evictions_of(struct store_counters *const *chunks, uint32_t id)
{
    const struct store_counters *chunk =
        __atomic_load_n(&chunks[id / COUNTER_CHUNK], __ATOMIC_ACQUIRE);
    return chunk != NULL ? __atomic_load_n(&chunk[id % COUNTER_CHUNK].evictions, __ATOMIC_RELAXED)
                         : 0;
}

uint64_t store_threads_evictions(const struct threads *threads, uint32_t id)
{
    uint64_t sum = evictions_of(threads->gone, id);
    for (unsigned i = 0; i < STORE_THREADS_MAX; i++) {
        if (threads->all[i] != NULL) {
            sum += evictions_of(threads->all[i]->counters, id);
        }
    }
    return sum;
}

static void add_chunk(struct store_counters *const *chunks, uint32_t at, struct store_counters *sum)
{
    const struct store_counters *chunk = __atomic_load_n(&chunks[at], __ATOMIC_ACQUIRE);
    for (unsigned i = 0; chunk != NULL && i < COUNTER_CHUNK; i++) {
        counters_add(sum, &chunk[i]);
    }
}

void store_threads_sum_all(const struct threads *threads, uint32_t highest,
                           struct store_counters *sum)
{
    memset(sum, 0, sizeof *sum);
    for (uint32_t at = 0; at <= highest / COUNTER_CHUNK; at++) {
        add_chunk(threads->gone, at, sum);
        for (unsigned i = 0; i < STORE_THREADS_MAX; i++) {
            if (threads->all[i] != NULL) {
                add_chunk(threads->all[i]->counters, at, sum);
            }
        }
    }
}

void store_threads_reset(struct threads *threads, uint32_t id)
{
    struct store_counters **chunk = &threads->reset[id / COUNTER_CHUNK];
    if (*chunk == NULL) {
        *chunk = calloc(COUNTER_CHUNK, sizeof **chunk);
    }
    if (*chunk != NULL) {
        store_threads_sum(threads, id, &(*chunk)[id % COUNTER_CHUNK]);
    }
}

/* Counters only go up: of two moments, the later one has the larger values. */
void store_threads_since_reset(const struct threads *threads, uint32_t id,
                               const struct store_counters *before, struct store_counters *sum)
{
    const struct store_counters *chunk = threads->reset[id / COUNTER_CHUNK];
    const uint64_t *created = (const uint64_t *)before;
    const uint64_t *reset = chunk == NULL ? created : (const uint64_t *)&chunk[id % COUNTER_CHUNK];
    uint64_t *left = (uint64_t *)sum;
    for (unsigned i = 0; i < COUNTERS; i++) {
        left[i] -= created[i] > reset[i] ? created[i] : reset[i];
    }
}

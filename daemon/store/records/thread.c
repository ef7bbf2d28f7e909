/*
 * thread.c - threads, their counters and their epochs; see thread.h.
 */
#include "daemon/store/records/thread.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/store/records/state.h"

void store_threads_init(struct threads *threads)
{
    memset(threads, 0, sizeof *threads);
    threads->epoch = 1;
}

void store_threads_deinit(struct threads *threads)
{
    for (unsigned chunk = 0; chunk < LANE_CHUNKS; chunk++) {
        free(threads->gone[chunk]);
        free(threads->reset[chunk]);
    }
}

struct store_thread *store_thread_create(struct store *store)
{
    struct store_thread *thread = calloc(1, sizeof *thread);
    if (thread == NULL) {
        return NULL;
    }
    thread->store = store;
    pthread_mutex_lock(&store->namespaces.lock);
    while (thread->number < LANES_MAX && store->threads.all[thread->number] != NULL) {
        thread->number++;
    }
    bool room = thread->number < LANES_MAX;
    if (room) {
        __atomic_store_n(&store->threads.all[thread->number], thread, __ATOMIC_SEQ_CST);
    }
    pthread_mutex_unlock(&store->namespaces.lock);
    if (!room) {
        free(thread);
        return NULL;
    }
    return thread;
}

void store_thread_set_creator(struct store_thread *thread, store_creator *creator, void *context)
{
    thread->creator = creator;
    thread->creator_context = context;
}

/* What a thread has counted stays: handed over as it is, or added to what is there. */
static void bequeath(struct store_thread *from, struct threads *to)
{
    for (unsigned chunk = 0; chunk < LANE_CHUNKS; chunk++) {
        if (to->gone[chunk] == NULL) {
            to->gone[chunk] = from->counters[chunk];
            continue;
        }
        for (unsigned i = 0; from->counters[chunk] != NULL && i < LANE_CHUNK; i++) {
            counters_add(&to->gone[chunk][i], &from->counters[chunk][i]);
        }
        free(from->counters[chunk]);
    }
}

void store_thread_destroy(struct store_thread **thread)
{
    struct store_thread *gone = *thread;
    if (gone == NULL) {
        return;
    }
    struct store *store = gone->store;
    pthread_mutex_lock(&store->namespaces.lock);
    __atomic_store_n(&store->threads.all[gone->number], NULL, __ATOMIC_SEQ_CST);
    bequeath(gone, &store->threads);
    pthread_mutex_unlock(&store->namespaces.lock);
    free(gone);
    *thread = NULL;
}

struct store *store_of(const struct store_thread *thread)
{
    return thread->store;
}

void store_enter(struct store_thread *thread)
{
    uint64_t epoch = __atomic_load_n(&thread->store->threads.epoch, __ATOMIC_SEQ_CST);
    /* An exchange, so that it is seen before anything is looked up. */
    __atomic_exchange_n(&thread->epoch, epoch, __ATOMIC_SEQ_CST);
}

void store_leave(struct store_thread *thread)
{
    __atomic_store_n(&thread->epoch, 0, __ATOMIC_RELEASE);
}

uint64_t store_threads_unlinked(struct threads *threads)
{
    return __atomic_fetch_add(&threads->epoch, 1, __ATOMIC_SEQ_CST);
}

/* The caller holds namespaces.lock: no thread comes or goes. */
bool store_threads_have_left(const struct threads *threads, uint64_t epoch)
{
    for (unsigned i = 0; i < LANES_MAX; i++) {
        const struct store_thread *thread = threads->all[i];
        uint64_t entered = thread == NULL ? 0 : __atomic_load_n(&thread->epoch, __ATOMIC_SEQ_CST);
        if (entered != 0 && entered <= epoch) {
            return false;
        }
    }
    return true;
}

/* Spreads names over the few places; equal names fall on the same one. */
static unsigned name_place(struct slice name)
{
    unsigned mix = (unsigned)name.length * 31;
    mix += (unsigned char)name.bytes[0] * 7u + (unsigned char)name.bytes[name.length - 1];
    return mix % LANE_NAMES;
}

struct namespace *store_thread_find(struct store_thread *thread, struct slice name)
{
    const struct namespaces *all = &thread->store->namespaces;
    uint32_t removals = __atomic_load_n(&all->removals, __ATOMIC_SEQ_CST);
    if (name.length == 0) {
        return NULL;
    }
    if (removals != thread->names_removals) {
        memset(thread->names, 0, sizeof thread->names);
        thread->names_removals = removals;
    }
    struct namespace **known = &thread->names[name_place(name)];
    if (*known == NULL ||
        !slice_equal(name, (struct slice){(*known)->name, (*known)->name_length})) {
        struct namespace *found = namespaces_find(all, name);
        if (found == NULL) {
            return NULL;
        }
        *known = found;
    }
    return *known;
}

struct store_counters *store_thread_counters(struct store_thread *thread, uint32_t id)
{
    struct store_counters *chunk = thread->counters[id / LANE_CHUNK];
    if (chunk == NULL) {
        chunk = calloc(LANE_CHUNK, sizeof *chunk);
        if (chunk == NULL) {
            return &thread->scrap;
        }
        __atomic_store_n(&thread->counters[id / LANE_CHUNK], chunk, __ATOMIC_RELEASE);
    }
    return &chunk[id % LANE_CHUNK];
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
        __atomic_load_n(&chunks[id / LANE_CHUNK], __ATOMIC_ACQUIRE);
    if (chunk != NULL) {
        counters_add(sum, &chunk[id % LANE_CHUNK]);
    }
}

void store_threads_sum(const struct threads *threads, uint32_t id, struct store_counters *sum)
{
    memset(sum, 0, sizeof *sum);
    add_one(threads->gone, id, sum);
    for (unsigned i = 0; i < LANES_MAX; i++) {
        if (threads->all[i] != NULL) {
            add_one(threads->all[i]->counters, id, sum);
        }
    }
}

static void add_chunk(struct store_counters *const *chunks, uint32_t at, struct store_counters *sum)
{
    const struct store_counters *chunk = __atomic_load_n(&chunks[at], __ATOMIC_ACQUIRE);
    for (unsigned i = 0; chunk != NULL && i < LANE_CHUNK; i++) {
        counters_add(sum, &chunk[i]);
    }
}

void store_threads_sum_all(const struct threads *threads, uint32_t highest,
                           struct store_counters *sum)
{
    memset(sum, 0, sizeof *sum);
    for (uint32_t at = 0; at <= highest / LANE_CHUNK; at++) {
        add_chunk(threads->gone, at, sum);
        for (unsigned i = 0; i < LANES_MAX; i++) {
            if (threads->all[i] != NULL) {
                add_chunk(threads->all[i]->counters, at, sum);
            }
        }
    }
}

void store_threads_reset(struct threads *threads, uint32_t id)
{
    struct store_counters **chunk = &threads->reset[id / LANE_CHUNK];
    if (*chunk == NULL) {
        *chunk = calloc(LANE_CHUNK, sizeof **chunk);
    }
    if (*chunk != NULL) {
        store_threads_sum(threads, id, &(*chunk)[id % LANE_CHUNK]);
    }
}

/* Counters only go up, so the later one of two moments has the larger ones. */
void store_threads_since_reset(const struct threads *threads, uint32_t id,
                               const struct store_counters *before, struct store_counters *sum)
{
    const struct store_counters *chunk = threads->reset[id / LANE_CHUNK];
    const uint64_t *born = (const uint64_t *)before;
    const uint64_t *reset = chunk == NULL ? born : (const uint64_t *)&chunk[id % LANE_CHUNK];
    uint64_t *left = (uint64_t *)sum;
    for (unsigned i = 0; i < COUNTERS; i++) {
        left[i] -= born[i] > reset[i] ? born[i] : reset[i];
    }
}

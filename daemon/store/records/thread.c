/*
 * thread.c - lanes, their counters and their epochs; see thread.h.
 */
#include "daemon/store/records/thread.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/store/records/state.h"

void lanes_init(struct lanes *lanes)
{
    memset(lanes, 0, sizeof *lanes);
    lanes->epoch = 1;
}

void lanes_deinit(struct lanes *lanes)
{
    for (unsigned chunk = 0; chunk < LANE_CHUNKS; chunk++) {
        free(lanes->gone[chunk]);
    }
}

struct lane *store_lane_create(struct store *store)
{
    struct lane *lane = calloc(1, sizeof *lane);
    if (lane == NULL) {
        return NULL;
    }
    lane->store = store;
    pthread_mutex_lock(&store->namespaces.lock);
    while (lane->number < LANES_MAX && store->lanes.all[lane->number] != NULL) {
        lane->number++;
    }
    bool room = lane->number < LANES_MAX;
    if (room) {
        __atomic_store_n(&store->lanes.all[lane->number], lane, __ATOMIC_SEQ_CST);
    }
    pthread_mutex_unlock(&store->namespaces.lock);
    if (!room) {
        free(lane);
        return NULL;
    }
    return lane;
}

void store_lane_name_maker(struct lane *lane, store_maker *maker, void *context)
{
    lane->maker = maker;
    lane->maker_context = context;
}

/* What a lane has counted stays: handed over as it is, or added to what is there. */
static void bequeath(struct lane *from, struct lanes *to)
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

void store_lane_destroy(struct lane **lane)
{
    struct lane *gone = *lane;
    if (gone == NULL) {
        return;
    }
    struct store *store = gone->store;
    pthread_mutex_lock(&store->namespaces.lock);
    __atomic_store_n(&store->lanes.all[gone->number], NULL, __ATOMIC_SEQ_CST);
    bequeath(gone, &store->lanes);
    pthread_mutex_unlock(&store->namespaces.lock);
    free(gone);
    *lane = NULL;
}

struct store *store_of(const struct lane *lane)
{
    return lane->store;
}

void store_enter(struct lane *lane)
{
    uint64_t epoch = __atomic_load_n(&lane->store->lanes.epoch, __ATOMIC_SEQ_CST);
    /* An exchange, so that it is seen before anything is looked up. */
    __atomic_exchange_n(&lane->epoch, epoch, __ATOMIC_SEQ_CST);
}

void store_leave(struct lane *lane)
{
    __atomic_store_n(&lane->epoch, 0, __ATOMIC_RELEASE);
}

uint64_t lanes_unlinked(struct lanes *lanes)
{
    return __atomic_fetch_add(&lanes->epoch, 1, __ATOMIC_SEQ_CST);
}

/* The caller holds namespaces.lock: no lane comes or goes. */
bool lanes_have_left(const struct lanes *lanes, uint64_t epoch)
{
    for (unsigned i = 0; i < LANES_MAX; i++) {
        const struct lane *lane = lanes->all[i];
        uint64_t entered = lane == NULL ? 0 : __atomic_load_n(&lane->epoch, __ATOMIC_SEQ_CST);
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

struct namespace *lane_find(struct lane *lane, struct slice name)
{
    const struct namespaces *all = &lane->store->namespaces;
    uint32_t removals = __atomic_load_n(&all->removals, __ATOMIC_SEQ_CST);
    if (name.length == 0) {
        return NULL;
    }
    if (removals != lane->names_removals) {
        memset(lane->names, 0, sizeof lane->names);
        lane->names_removals = removals;
    }
    struct namespace **known = &lane->names[name_place(name)];
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

struct store_counters *lane_counters(struct lane *lane, uint32_t id)
{
    struct store_counters *chunk = lane->counters[id / LANE_CHUNK];
    if (chunk == NULL) {
        chunk = calloc(LANE_CHUNK, sizeof *chunk);
        if (chunk == NULL) {
            return &lane->scrap;
        }
        __atomic_store_n(&lane->counters[id / LANE_CHUNK], chunk, __ATOMIC_RELEASE);
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

void lanes_sum(const struct lanes *lanes, uint32_t id, struct store_counters *sum)
{
    memset(sum, 0, sizeof *sum);
    add_one(lanes->gone, id, sum);
    for (unsigned i = 0; i < LANES_MAX; i++) {
        if (lanes->all[i] != NULL) {
            add_one(lanes->all[i]->counters, id, sum);
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

void lanes_sum_all(const struct lanes *lanes, uint32_t highest, struct store_counters *sum)
{
    memset(sum, 0, sizeof *sum);
    for (uint32_t at = 0; at <= highest / LANE_CHUNK; at++) {
        add_chunk(lanes->gone, at, sum);
        for (unsigned i = 0; i < LANES_MAX; i++) {
            if (lanes->all[i] != NULL) {
                add_chunk(lanes->all[i]->counters, at, sum);
            }
        }
    }
}

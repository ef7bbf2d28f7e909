/*
 * slow_log.c - entries that are written and read without a lock.
 *
 * Each entry has a number that is odd while its worker writes it (a seqlock). A reader that finds
 * it odd, or another one after it has read the entry, leaves the entry out. Words are stored with
 * release and loaded with acquire: a reader that sees a word of a later entry sees the odd number
 * too.
 *
 * Ids are given out by one counter for all workers, so that the entries of the last n ids are the
 * newest n.
 */
#include "daemon/watch/slow_log.h"

#include <stdlib.h>

enum { WORDS = (sizeof(struct slow_request) + 7) / 8 };

struct entry {
    _Atomic uint64_t turn; /* odd: it is being written */
    _Atomic uint64_t id;   /* 0: there is none */
    _Atomic uint64_t words[WORDS];
};

struct ring {
    _Alignas(64) struct entry *entries; /* SLOW_ENTRIES_MAX */
    uint64_t added;                     /* the worker's */
};

struct slow_log {
    _Atomic uint64_t last;   /* the last id that was given out */
    _Atomic uint64_t forgot; /* entries up to this one are forgotten */
    atomic_uint keep;
    unsigned workers;
    struct ring *rings;
};

struct slow_log *slow_log_create(unsigned workers)
{
    struct slow_log *log = calloc(1, sizeof *log);
    size_t bytes = workers * sizeof(struct ring);
    if (log == NULL || (log->rings = aligned_alloc(_Alignof(struct ring), bytes)) == NULL) {
        free(log);
        return NULL;
    }
    memset(log->rings, 0, bytes);
    log->workers = workers;
    bool made = true;
    for (unsigned i = 0; i < workers; i++) {
        log->rings[i].entries = calloc(SLOW_ENTRIES_MAX, sizeof(struct entry));
        made &= log->rings[i].entries != NULL;
    }
    if (!made) {
        slow_log_destroy(&log);
    }
    return log;
}

void slow_log_destroy(struct slow_log **place)
{
    struct slow_log *log = *place;
    *place = NULL;
    if (log == NULL) {
        return;
    }
    for (unsigned i = 0; i < log->workers; i++) {
        free(log->rings[i].entries);
    }
    free(log->rings);
    free(log);
}

void slow_log_keep(struct slow_log *log, unsigned entries)
{
    atomic_store(&log->keep, entries < SLOW_ENTRIES_MAX ? entries : SLOW_ENTRIES_MAX);
}

void slow_log_reset(struct slow_log *log)
{
    atomic_store(&log->forgot, atomic_load(&log->last));
}

/* --- writing ------------------------------------------------------------------------- */

void slow_log_add(struct slow_log *log, unsigned worker, struct slow_request *slow)
{
    struct ring *ring = &log->rings[worker];
    struct entry *entry = &ring->entries[ring->added++ % SLOW_ENTRIES_MAX];
    uint64_t words[WORDS] = {0};
    slow->id = atomic_fetch_add(&log->last, 1) + 1;
    memcpy(words, slow, sizeof *slow);
    uint64_t turn = atomic_load_explicit(&entry->turn, memory_order_relaxed);
    atomic_store_explicit(&entry->turn, turn + 1, memory_order_relaxed);
    atomic_store_explicit(&entry->id, slow->id, memory_order_release);
    for (size_t i = 0; i < WORDS; i++) {
        atomic_store_explicit(&entry->words[i], words[i], memory_order_release);
    }
    atomic_store_explicit(&entry->turn, turn + 2, memory_order_release);
}

/* --- reading ------------------------------------------------------------------------- */

/* False: it is being written over. */
static bool read_entry(const struct entry *entry, uint64_t id, struct slow_request *slow)
{
    uint64_t words[WORDS];
    uint64_t turn = atomic_load_explicit(&entry->turn, memory_order_acquire);
    bool same = atomic_load_explicit(&entry->id, memory_order_acquire) == id;
    for (size_t i = 0; i < WORDS; i++) {
        words[i] = atomic_load_explicit(&entry->words[i], memory_order_acquire);
    }
    uint64_t after = atomic_load_explicit(&entry->turn, memory_order_relaxed);
    memcpy(slow, words, sizeof *slow);
    return same && turn == after && turn % 2 == 0;
}

enum { FOUND_MAX = 32 };

/* The entries with the lowest ids above `after`, in order. */
struct found {
    uint64_t ids[FOUND_MAX];
    const struct entry *entries[FOUND_MAX];
    size_t count, most;
};

static void find(struct found *found, const struct entry *entry, uint64_t id)
{
    if (found->count == found->most) {
        if (id > found->ids[found->count - 1]) {
            return;
        }
        found->count--;
    }
    size_t at = found->count++;
    for (; at > 0 && found->ids[at - 1] > id; at--) {
        found->ids[at] = found->ids[at - 1];
        found->entries[at] = found->entries[at - 1];
    }
    found->ids[at] = id;
    found->entries[at] = entry;
}

size_t slow_log_read(const struct slow_log *log, uint64_t after, struct slow_request *to,
                     size_t most)
{
    struct found found = {.most = most < FOUND_MAX ? most : FOUND_MAX};
    size_t count = 0;
    for (unsigned worker = 0; worker < log->workers; worker++) {
        const struct ring *ring = &log->rings[worker];
        for (size_t i = 0; i < SLOW_ENTRIES_MAX; i++) {
            const struct entry *entry = &ring->entries[i];
            uint64_t id = atomic_load_explicit(&entry->id, memory_order_relaxed);
            if (id == 0) {
                break; /* nor has it any behind */
            }
            if (id > after) {
                find(&found, entry, id);
            }
        }
    }
    for (size_t i = 0; i < found.count; i++) {
        count += read_entry(found.entries[i], found.ids[i], &to[count]);
    }
    return count;
}

uint64_t slow_log_before(const struct slow_log *log, uint64_t most)
{
    uint64_t last = atomic_load(&log->last);
    uint64_t forgot = atomic_load(&log->forgot);
    uint64_t keep = atomic_load(&log->keep);
    uint64_t wanted = most == 0 || most > keep ? keep : most;
    uint64_t before = last > wanted ? last - wanted : 0;
    return before > forgot ? before : forgot;
}

/*
 * read.c - from a key to a value: the way of a GET.
 */
#include "daemon/store/records/share_limits.h"
#include "daemon/store/records/view.h"

enum store_status store_locate(struct store_thread *thread, struct slice name, struct slice key,
                               struct store_key *at)
{
    struct store *store = thread->store;
    *at = (struct store_key){.name = name, .key = key};
    if (lookup_locate_inline(thread, at)) {
        index_prefetch(&store->index, at->hash);
        return STORE_OK;
    }
    return namespaces_missing(&store->namespaces, name);
}

bool store_declares(struct store_thread *thread, struct slice name)
{
    const struct namespace *ns = namespaces_find_cached(&thread->store->namespaces, thread, name);
    return ns != NULL ? __atomic_load_n(&ns->declared, __ATOMIC_RELAXED) != 0
                      : namespaces_declare(&thread->store->namespaces, name);
}

void store_fetch(struct store_thread *thread, struct store_key *at)
{
    const struct store *store = thread->store;
    uint32_t place = at->ns == NULL ? 0 : index_peek(&store->index, at->hash, &at->slot);
    if (place != 0) {
        /* A record of 100 bytes lies in two lines or three; asking for the third took
         * a tenth off a pipelined GET. */
        const char *bytes = place_bytes(&store->segments, place);
        __builtin_prefetch(bytes);
        __builtin_prefetch(bytes + 64);
        __builtin_prefetch(bytes + 128);
    }
}

static enum store_status __attribute__((noinline))
count_miss(struct store_thread *thread, uint32_t number)
{
    store_thread_count(&store_thread_counters(thread, number)->misses, 1);
    return STORE_NOT_FOUND;
}

static inline void note_hit(struct store_thread *thread, const struct store_key *at,
                            struct found *found, uint64_t now)
{
    store_thread_count(&store_thread_counters(thread, at->ns->id)->hits, 1);
    slot_count_read(&found->slot);
    if (found->record.noted) {
        record_note_read(found->bytes, found->record.notes, now);
    }
}

/* What was found is a copy, so that it stays in registers where nothing is pinned. */
static enum store_status __attribute__((noinline))
get_pinned(struct store_thread *thread, const struct store_key *at, struct bucket *home,
           struct found found, uint64_t now, struct store_view *view)
{
    struct store *store = thread->store;
    bool may = view_may_pin(store, found.segment, &found.record, now);
    if (may) {
        note_hit(thread, at, &found, now);
        view_open(store, home, &found, view);
    }
    index_unlock(home);
    return may ? STORE_OK : STORE_CROWDED;
}

/* Of a key that was located in the current generation. */
static inline enum store_status get(struct store_thread *thread, const struct store_key *at,
                                    uint64_t now, struct store_view *view)
{
    struct store *store = thread->store;
    struct found found;
    struct bucket *home = index_lock(&store->index, at->hash);
    if (!lookup(store, home, at, &found) || !found_lives(&found, now)) {
        index_unlock(home);
        return count_miss(thread, at->ns->id);
    }
    if (view_is_pinned(&found.record)) {
        return get_pinned(thread, at, home, found, now, view);
    }
    note_hit(thread, at, &found, now);
    view_hold(home, &found, view);
    return STORE_OK;
}

/* The namespace was made, or flushed, since the key was located. */
static enum store_status __attribute__((noinline))
locate_and_get(struct store_thread *thread, const struct store_key *where, uint64_t now,
               struct store_view *view)
{
    struct store_key at = *where;
    return lookup_locate(thread, &at) ? get(thread, &at, now, view) : count_miss(thread, 0);
}

enum store_status store_get(struct store_thread *thread, const struct store_key *at, uint64_t now,
                            struct store_view *view)
{
    return lookup_is_current(at) ? get(thread, at, now, view)
                                 : locate_and_get(thread, at, now, view);
}

enum store_status store_expiry(struct store_thread *thread, const struct store_key *where,
                               uint64_t now, uint64_t *expires)
{
    struct store *store = thread->store;
    struct store_key at = *where;
    struct found found;
    if (!lookup_refresh(thread, &at)) {
        return STORE_NOT_FOUND;
    }
    struct bucket *home = index_lock(&store->index, at.hash);
    bool lives = lookup(store, home, &at, &found) && found_lives(&found, now);
    index_unlock(home);
    if (!lives) {
        return STORE_NOT_FOUND;
    }
    *expires = found.expires == SEGMENT_NEVER ? STORE_NEVER : found.expires;
    return STORE_OK;
}

static enum store_status end_record(struct store_thread *thread, struct store_key *at,
                                    const uint64_t *expected, uint64_t now, enum retire_reason why)
{
    struct store *store = thread->store;
    struct found found;
    if (!lookup_refresh(thread, at)) {
        return STORE_NOT_FOUND;
    }
    struct bucket *home = index_lock(&store->index, at->hash);
    bool exists = lookup(store, home, at, &found);
    bool lives = exists && found_lives(&found, now);
    enum store_status status = lives ? STORE_OK : STORE_NOT_FOUND;
    if (lives && expected != NULL && *expected != found_version(store, &found)) {
        status = STORE_CHANGED;
    } else if (exists) {
        record_retire(thread, found.segment, found.bytes, &found.record,
                      lives ? why : RETIRED_EXPIRED);
        index_remove(&store->index, &found.slot);
    }
    index_unlock(home);
    return status;
}

enum store_status store_delete(struct store_thread *thread, struct store_key *at,
                               const uint64_t *expected, uint64_t now)
{
    return end_record(thread, at, expected, now, RETIRED_DELETED);
}

void store_drop(struct store_thread *thread, struct store_key *at, uint64_t now)
{
    end_record(thread, at, NULL, now, RETIRED_REPLACED);
}

/*
 * lookup.h - from a key to its record, and the end of a record.
 *
 * All of it happens with the key's bucket locked.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_LOOKUP_H
#define KVCACHED_DAEMON_STORE_RECORDS_LOOKUP_H

#include "daemon/store/records/state.h"

struct found {
    struct slot slot;
    struct segment *segment;
    char *bytes;
    struct record record;
    uint64_t expires; /* on the store's clock, or SEGMENT_NEVER */
};

/*
 * The record of that key in that generation, expired or not; false: there is
 * none. `home` is the locked bucket of at->hash.
 */
static inline __attribute__((always_inline)) bool lookup(const struct store *store,
                                                         struct bucket *home,
                                                         const struct store_key *at,
                                                         struct found *found)
{
    const struct segments *segments = &store->segments;
    uint16_t tag = index_tag(at->hash);
    bool guessed = index_guess(home, at->slot, &found->slot);
    while (guessed || index_next(&store->index, &found->slot, tag)) {
        uint32_t place = slot_place(&found->slot);
        found->segment = place_segment(segments, place);
        /* Another namespace's record, or one that was flushed, is not ours. */
        if (__atomic_load_n(&found->segment->generation, __ATOMIC_RELAXED) == at->generation) {
            found->bytes = place_bytes(segments, place);
            segment_record(found->segment, found->bytes, &found->record, &found->expires);
            if (slice_equal(found->record.key, at->key)) {
                return true;
            }
        }
        if (guessed) {
            found->slot = index_slots(home);
            guessed = false;
        }
    }
    return false;
}

/* The record's version. It comes from where it was written. It stays the same when the
 * record is moved after a client was told it. */
static inline uint64_t record_version(const struct store *store, const struct segment *segment,
                                      const char *bytes, const struct record *record)
{
    if (record->version != 0) {
        return record->version;
    }
    uint64_t first = __atomic_load_n(&segment->version, __ATOMIC_RELAXED);
    return first + (uint64_t)(bytes - segment_bytes(&store->segments, segment));
}

static inline uint64_t found_version(const struct store *store, const struct found *found)
{
    return record_version(store, found->segment, found->bytes, &found->record);
}

static inline bool found_lives(const struct found *found, uint64_t now)
{
    return now < found->expires;
}

/* Finds its namespace, where that is not known, and its place in the current generation. False when
 * the namespace does not exist. */
bool lookup_locate(struct store_thread *thread, struct store_key *at);

/* The same, inline. */
static inline __attribute__((always_inline)) bool lookup_locate_inline(struct store_thread *thread,
                                                                       struct store_key *at)
{
    if (at->ns == NULL) {
        at->ns = namespaces_find_cached(&thread->store->namespaces, thread, at->name);
        if (at->ns == NULL) {
            return false;
        }
    }
    at->generation = namespace_generation(at->ns);
    at->hash = store_hash(thread->store, at->generation, at->key);
    return true;
}

static inline bool lookup_is_current(const struct store_key *at)
{
    return at->ns != NULL && namespace_generation(at->ns) == at->generation;
}

/*
 * Makes sure that the key was located in the namespace's current generation: a
 * flush, or the making of the namespace, may have come in between. False when
 * the namespace does not exist.
 */
static inline bool lookup_refresh(struct store_thread *thread, struct store_key *at)
{
    return lookup_is_current(at) || lookup_locate(thread, at);
}

/* Why a record ends: for the counters, and for listings, which follow one that was REPLACED by
 * a copy with the same key. Then, and only then, the caller holds the namespace's lock too. */
enum retire_reason {
    RETIRED_REPLACED,
    RETIRED_DELETED,
    RETIRED_EXPIRED,
    RETIRED_EVICTED,
    RETIRED_FLUSHED
};

/*
 * The record is dead from now on: marked where it lies, taken off the counts, and
 * its segment left to the housekeeper if there is little else in it. The slot is
 * the caller's to empty or to turn elsewhere.
 */
void record_retire(struct store_thread *thread, struct segment *segment, char *bytes,
                   const struct record *record, enum retire_reason why);

/* The same of a record that another one of its generation comes in place of, which takes so many
 * bytes and was not counted in the generation: the two are counted as one, which is half the work.
 * In a pipeline of sets that took a twentieth off each. */
void record_supersede(struct store_thread *thread, struct segment *segment, char *bytes,
                      const struct record *record, enum retire_reason why, uint32_t successor);

#endif

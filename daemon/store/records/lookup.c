/*
 * lookup.c - finding and retiring records; see lookup.h.
 */
#include "daemon/store/records/lookup.h"
#include "daemon/store/records/cursors_revisit.h"

bool lookup_locate(struct store_thread *thread, struct store_key *at)
{
    at->slot = 0; /* of another hash, perhaps */
    return lookup_locate_inline(thread, at);
}

uint32_t store_key_number(const struct store_key *at)
{
    return at->ns != NULL ? at->ns->id : 0;
}

static void count_retired(struct store_thread *thread, const struct generation *generation,
                          enum retire_reason why)
{
    struct store_counters *counters = store_thread_counters(thread, generation->ns->id);
    switch (why) {
    case RETIRED_REPLACED:
    case RETIRED_FLUSHED:
        break;
    case RETIRED_DELETED:
        store_thread_count(&counters->deletes, 1);
        break;
    case RETIRED_EXPIRED:
        store_thread_count(&counters->expirations, 1);
        break;
    case RETIRED_EVICTED:
        store_thread_count(&counters->evictions, 1);
        break;
    }
}

static void observe_expiry(const struct store_thread *thread, const struct namespace *ns,
                           const struct record *record, uint32_t size)
{
    store_thread_observe(thread, &(struct store_observed){.deed = STORE_DEED_EXPIRED,
                                                          .ns = {ns->name, ns->name_length},
                                                          .key = record->key,
                                                          .number = ns->id,
                                                          .bytes = size});
}

/* Ends the record, but for its count in the generation. Returns the bytes that it took. */
static inline uint32_t end_record(struct store_thread *thread, struct segment *segment, char *bytes,
                                  const struct record *record, enum retire_reason why)
{
    struct store *store = thread->store;
    struct generation *generation = segment->generation;
    uint32_t size = record_footprint_at(&store->segments, bytes, record);
    uint32_t half = segment_capacity(segment) / 2;
    bool sealed = segment_state(segment) == SEGMENT_SEALED;
    if (why == RETIRED_REPLACED && generation->listings != NULL) {
        cursors_revisit(store, segment, bytes, record->key);
    }
    if (why == RETIRED_EXPIRED) {
        observe_expiry(thread, generation->ns, record, size);
    }
    uint32_t used = __atomic_load_n(&segment->used, __ATOMIC_RELAXED);
    record_kill(bytes, store->segments.guard != 0);
    /* With its last byte gone the segment may be freed at once by another thread:
     * nothing of it is read after this. */
    uint32_t live = used - __atomic_add_fetch(&segment->dead, size, __ATOMIC_ACQ_REL);
    count_retired(thread, generation, why);
    /* Now all dead, or just half dead: worth a look. An open segment waits until it
     * is sealed, or its namespace is found empty. */
    if (sealed && (live == 0 || (live <= half && live + size > half))) {
        backlog_add_segment(&store->backlog, &store->segments, segment, generation);
    }
    return size;
}

void record_retire(struct store_thread *thread, struct segment *segment, char *bytes,
                   const struct record *record, enum retire_reason why)
{
    struct generation *generation = segment->generation;
    uint32_t size = end_record(thread, segment, bytes, record, why);
    if (generation_count(generation, -1, -(int64_t)size) == 0 &&
        generation == namespace_generation(generation->ns)) {
        backlog_add_namespace(&thread->store->backlog, generation->ns);
    }
}

void record_supersede(struct store_thread *thread, struct segment *segment, char *bytes,
                      const struct record *record, enum retire_reason why, uint32_t successor)
{
    struct generation *generation = segment->generation;
    uint32_t size = end_record(thread, segment, bytes, record, why);
    if (size != successor) {
        __atomic_fetch_add(&generation->bytes, (uint64_t)successor - size, __ATOMIC_RELAXED);
    }
}

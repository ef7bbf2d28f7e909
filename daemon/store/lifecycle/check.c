/*
 * check.c - does everything agree? For tests, with no other thread inside.
 *
 * Every slot of the index must point to a record that is alive, in a segment that
 * is in use, in the bucket that its hash asks for; every record that is alive must
 * be found that way; and all counts must be what a recount gives. With a file: what it
 * says must be what a start would make of it.
 */
#include "daemon/store/lifecycle/check_file.h"
#include "daemon/store/lifecycle/check_share.h"
#include "daemon/store/records/state.h"

struct recount {
    struct store *store;
    uint64_t items; /* of one generation */
    uint64_t bytes;
    uint64_t memory;
    uint64_t young; /* of that */
    uint64_t all_items;
};

static const char *check_record(struct recount *count, struct segment *segment, char *bytes,
                                const struct record *record)
{
    struct store *store = count->store;
    uint64_t hash = store_hash(store, segment->generation, record->key);
    uint32_t offset = (uint32_t)(bytes - segment_bytes(&store->segments, segment));
    struct slot slot;
    struct bucket *home = index_lock(&store->index, hash);
    bool found = index_find_place(&store->index, home, hash,
                                  place_of(&store->segments, segment, offset), &slot);
    index_unlock(home);
    count->items++;
    count->bytes += record_footprint(&store->segments, record);
    return found ? NULL : "a live record is not in the index";
}

static const char *check_segment(struct recount *count, struct segment *segment)
{
    struct store *store = count->store;
    char *start = segment_bytes(&store->segments, segment);
    uint64_t live = 0;
    for (char *bytes = start + store->segments.lead; bytes < start + segment->used;) {
        struct record record;
        uint64_t expires = 0;
        segment_record(segment, bytes, &record, &expires);
        if (!record_is_dead(bytes)) {
            const char *wrong = check_record(count, segment, bytes, &record);
            if (wrong != NULL) {
                return wrong;
            }
            live += record_footprint(&store->segments, &record);
            if (expires != SEGMENT_NEVER && segment->due > segment->latest) {
                return "a segment with records that expire is not due before the last does";
            }
        }
        if (place_segment(&store->segments, place_of(&store->segments, segment,
                                                     (uint32_t)(bytes - start))) != segment) {
            return "a place does not lead to its segment";
        }
        bytes += record_footprint(&store->segments, &record);
    }
    const char *wrong = check_labels(store, segment);
    if (wrong != NULL) {
        return wrong;
    }
    for (uint32_t piece = segment_number(&store->segments, segment); piece != 0;
         piece = segment_at(&store->segments, piece)->piece) {
        uint32_t bytes = segment_capacity(segment_at(&store->segments, piece));
        count->memory += bytes;
        count->young += segment_queue(segment) == SEGMENT_YOUNG ? bytes : 0;
    }
    return live == segment_live(segment) ? NULL : "a segment's live bytes are miscounted";
}

static const char *check_generation(struct recount *count, const struct generation *generation)
{
    const char *wrong = NULL;
    uint32_t last = 0;
    count->items = count->bytes = count->memory = count->young = 0;
    uint32_t first_young = 0;
    for (uint32_t number = generation->first; number != 0 && wrong == NULL;) {
        struct segment *segment = segment_at(&count->store->segments, number);
        if (segment->generation != generation || segment->previous != last) {
            return "a list of segments is broken";
        }
        wrong = check_segment(count, segment);
        if (first_young == 0 && segment_queue(segment) == SEGMENT_YOUNG) {
            first_young = number;
        }
        last = number;
        number = segment->next;
    }
    if (wrong == NULL && last != generation->last) {
        wrong = "a list of segments does not end where it should";
    }
    if (wrong == NULL && (count->items != generation->items || count->bytes != generation->bytes)) {
        wrong = "a namespace's records are miscounted";
    }
    if (wrong == NULL &&
        (count->memory != generation->memory || count->young != generation->young)) {
        wrong = "a namespace's memory is miscounted";
    }
    if (wrong == NULL && first_young != generation->first_young) {
        wrong = "a namespace's oldest young segment is another";
    }
    count->all_items += count->items;
    return wrong;
}

static uint64_t count_slots(const struct index *index)
{
    uint64_t slots = 0;
    for (uint64_t i = 0; i < index->size; i++) {
        for (struct slot slot = index_slots(&index->buckets[i]); index_next_filled(index, &slot);) {
            slots++;
        }
    }
    return slots;
}

/* What all parts say they hold, in bytes. */
static uint64_t count_memory(struct store *store)
{
    const struct arena *arena = &store->arena;
    uint64_t namespaces = store->namespaces.count;
    const struct namespace *ns;
    STAILQ_FOREACH(ns, &store->gone, next_gone)
    {
        namespaces++;
    }
    return (arena->fresh - 1 - arena->cold_count) * arena_frame_size(arena) +
           store->segments.numbers.count * segments_chunk_cost(&store->segments) +
           index_resident(&store->index) + store->ghost.paid + namespaces * NAMESPACE_COST +
           store->expire.resident * sizeof(struct expire_entry);
}

/* Free numbers are those of segments that are free. */
static const char *check_numbers(const struct segments *segments)
{
    uint32_t in_use = 0;
    for (uint32_t number = 1; number < segments_end(segments); number++) {
        bool is_free = segment_state(segment_at(segments, number)) == SEGMENT_FREE;
        bool there = number_chunk_is_there(&segments->numbers, number_chunk_of(number));
        uint64_t free = segments->numbers.free[number_chunk_of(number)];
        in_use += !is_free;
        if (there ? (free >> number % NUMBER_CHUNK_NUMBERS & 1) != is_free : !is_free) {
            return "a segment's number is free and the segment is not, or the other way";
        }
    }
    return in_use == segments->in_use ? NULL : "the segments in use are miscounted";
}

/* How many namespaces are declared, and how many each creator has. */
static const char *check_creators(const struct namespaces *all)
{
    uint32_t declared = 0;
    uint32_t made = 0;
    uint32_t counted = 0;
    for (uint32_t id = 1; id <= all->highest; id++) {
        const struct namespace *ns = all->by_id[id];
        declared += ns != NULL && ns->declared;
        made += ns != NULL && ns->creator != NULL;
    }
    for (unsigned i = 0; i < CREATORS_HEADS; i++) {
        for (const struct creator *creator = all->creators.heads[i]; creator != NULL;
             creator = creator->next) {
            counted += creator->namespaces;
        }
    }
    if (declared != all->declared_there) {
        return "the namespaces that are declared are miscounted";
    }
    /* Namespaces that are gone and not freed yet are counted, too. */
    return counted >= made ? NULL : "the namespaces of a creator are miscounted";
}

const char *store_check(struct store_thread *thread, uint64_t now)
{
    (void)now;
    struct store *store = thread->store;
    struct recount count = {.store = store};
    const char *wrong = NULL;
    for (uint32_t id = 1; id <= store->namespaces.highest && wrong == NULL; id++) {
        struct namespace *ns = store->namespaces.by_id[id];
        if (ns != NULL) {
            wrong = check_generation(&count, ns->generation);
        }
        if (wrong == NULL) {
            wrong = check_name(store, id);
        }
    }
    for (const struct generation *flushed = backlog_first_retired(&store->backlog);
         flushed != NULL && wrong == NULL; flushed = flushed->next_retired) {
        wrong = check_generation(&count, flushed);
    }
    if (wrong == NULL && (count_slots(&store->index) != count.all_items ||
                          store->index.entries != count.all_items)) {
        wrong = "the index holds another number of records than the segments";
    }
    if (wrong == NULL) {
        wrong = check_free_labels(store);
    }
    if (wrong == NULL) {
        wrong = check_shares(store);
    }
    if (wrong == NULL) {
        wrong = check_creators(&store->namespaces);
    }
    if (wrong == NULL && budget_used(&store->budget) > budget_limit(&store->budget)) {
        wrong = "more memory is used than allowed";
    }
    if (wrong == NULL) {
        wrong = check_numbers(&store->segments);
    }
    if (wrong == NULL && count_memory(store) != budget_used(&store->budget)) {
        wrong = "the memory that is used is miscounted";
    }
    return wrong;
}

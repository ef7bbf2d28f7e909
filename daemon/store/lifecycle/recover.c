/*
 * recover.c - from names and labels to a store that can be used; see recover.h.
 *
 * While all this goes on the budget has no limit, so that nothing fails half way. What was
 * there before is counted in, and only then what does not fit is evicted.
 */
#include "daemon/store/lifecycle/recover.h"

#include <stdlib.h>

#include "daemon/store/arena/file_namespace.h"
#include "daemon/store/lifecycle/recover_records.h"
#include "daemon/store/lifecycle/recover_segments.h"
#include "daemon/store/lifecycle/recover_threads.h"
#include "daemon/store/reclaim/compact.h"
#include "daemon/store/reclaim/housekeep.h"
#include "daemon/store/reclaim/shrink.h"
#include "daemon/store/records/append.h"

enum {
    YOUNG_SHARE = 16, /* of what a namespace holds, see below */
};

/* Above all versions that may have been given and that no label tells of any more. */
#define VERSIONS_APART  (UINT64_C(1) << 32)
#define VERSIONS_UNSURE (UINT64_C(1) << 40) /* where the file's own count is damaged */

/* --- namespaces ----------------------------------------------------------------- */

static bool is_twice(const struct recover *recover, const struct file_namespace_fields *facts)
{
    const struct namespaces *all = &recover->store->namespaces;
    return namespaces_find(all, facts->name) != NULL;
}

/* False without memory. */
static bool adopt_name(struct recover *recover, uint32_t id)
{
    struct store *store = recover->store;
    struct file_namespace_fields facts;
    enum file_namespace_state state = file_namespace_open(store->arena.file, id, &facts);
    if (state == FILE_NAMESPACE_IS_FREE) {
        return true;
    }
    if (state == FILE_NAMESPACE_IS_DAMAGED || is_twice(recover, &facts)) {
        recover->found->damaged_namespaces++;
        file_namespace_remove(store->arena.file, id);
        return true;
    }
    struct namespace *ns = namespaces_adopt(&store->namespaces, id, &facts);
    if (ns != NULL) {
        recover->owners[recover->owner_count++] = ns->generation;
    }
    return ns != NULL;
}

static int by_number(const void *a, const void *b)
{
    const struct generation *const *left = a;
    const struct generation *const *right = b;
    return ((*left)->number > (*right)->number) - ((*left)->number < (*right)->number);
}

static bool recover_names(struct recover *recover)
{
    uint32_t first = 1;
    uint32_t end = 0;
    recover->owners = malloc(LAYOUT_NAMESPACES * sizeof *recover->owners);
    bool good = recover->owners != NULL;
    while (good && file_namespace_run(recover->store->arena.file, &first, &end)) {
        for (; good && first < end; first++) {
            good = adopt_name(recover, first);
        }
    }
    if (good) {
        qsort(recover->owners, recover->owner_count, sizeof *recover->owners, by_number);
    }
    return good;
}

/* --- what the segments are to each other ------------------------------------------- */

/* Those without a record that lives are freed. Of the others what was not used is given
 * back, as if they had just been sealed. */
static void sort_out(struct recover *recover)
{
    struct segments *segments = &recover->store->segments;
    size_t kept = 0;
    for (size_t i = 0; i < recover->count; i++) {
        struct segment *segment = segment_at(segments, recover->segments[i]);
        if (segment_live(segment) == 0) {
            recover_drop(recover, segment);
            continue;
        }
        uint8_t from = segment->order;
        if (!recover_is_span(recover, segment) && segment_narrow(segments, segment)) {
            recover_unclaim(recover, segment->unit, from);
            recover_claim(recover, segment->unit, segment->order);
        }
        recover->segments[kept++] = recover->segments[i];
    }
    recover->count = kept;
}

/* A version is a segment's age, too: it rises with every one that is made. */
struct aged {
    uint64_t version;
    uint32_t number;
};

static int by_age(const void *a, const void *b)
{
    const struct aged *left = a;
    const struct aged *right = b;
    return (left->version > right->version) - (left->version < right->version);
}

static bool sort_by_age(struct recover *recover)
{
    struct aged *aged = malloc((recover->count + 1) * sizeof *aged);
    if (aged == NULL) {
        return false;
    }
    for (size_t i = 0; i < recover->count; i++) {
        const struct segment *segment = segment_at(&recover->store->segments, recover->segments[i]);
        aged[i] = (struct aged){recover_label(recover, segment)->version, recover->segments[i]};
    }
    qsort(aged, recover->count, sizeof *aged, by_age);
    for (size_t i = 0; i < recover->count; i++) {
        recover->segments[i] = aged[i].number;
    }
    free(aged);
    return true;
}

static uint64_t bytes_of(const struct segments *segments, const struct segment *segment)
{
    uint64_t bytes = segment_capacity(segment);
    while (segment->piece != 0) {
        segment = segment_at(segments, segment->piece);
        bytes += segment_capacity(segment);
    }
    return bytes;
}

/*
 * Whether a segment was young or proven is not in the file, and no record was read yet.
 * The newest are taken for young, up to the share that young ones have where memory is
 * full: so eviction goes on about where it stood, and what outlived many others before is
 * not thrown away at the first pressure, as it would be if all were young.
 */
static void choose_queues(struct recover *recover)
{
    struct segments *segments = &recover->store->segments;
    for (size_t i = 0; i < recover->count; i++) {
        const struct segment *segment = segment_at(segments, recover->segments[i]);
        segment->generation->memory += bytes_of(segments, segment);
    }
    for (size_t i = recover->count; i-- > 0;) {
        struct segment *segment = segment_at(segments, recover->segments[i]);
        struct generation *generation = segment->generation;
        bool is_young =
            !append_separates(generation) || generation->young < generation->memory / YOUNG_SHARE;
        segment->queue = is_young ? SEGMENT_YOUNG : SEGMENT_PROVEN;
        generation->young += is_young ? bytes_of(segments, segment) : 0;
    }
    for (size_t i = 0; i < recover->owner_count; i++) {
        recover->owners[i]->memory = recover->owners[i]->young = 0; /* linking counts them */
    }
}

static void link_segment(struct recover *recover, struct segment *segment)
{
    struct store *store = recover->store;
    segment->serial = ++store->segments.serial;
    __atomic_store_n(&segment->state, SEGMENT_SEALED, __ATOMIC_RELEASE);
    generation_link(segment->generation, &store->segments, segment);
    if (segment->earliest != SEGMENT_NEVER) {
        expire_schedule(&store->expire, segment, segment->earliest);
    }
    if (segment_is_half_dead(segment)) {
        backlog_add_segment(&store->backlog, &store->segments, segment, segment->generation);
    }
}

/* Whether a large record is stale is what its label says: the note in the record is not
 * written in the same instruction. One that is stale had got another version than the one it
 * was written with: that is not in the file, so it gets one that no client was told. */
static void note_stale(struct recover *recover, struct segment *segment)
{
    struct segments *segments = &recover->store->segments;
    struct file_segment_fields facts;
    if (!recover_is_span(recover, segment) ||
        file_segment_open(segments->file, segment_number(segments, segment), &facts) !=
            FILE_SEGMENT_IS_VALID) {
        return;
    }
    char *bytes = segment_bytes(segments, segment) + segments->lead;
    struct record record;
    record_read(bytes, &record);
    if (facts.stale) {
        record_set_notes(bytes, record.notes | NOTE_STALE);
        segment->version = segments_next_version(segments) - segments->lead;
    } else {
        record_set_notes(bytes, (uint8_t)(record.notes & ~NOTE_STALE));
    }
}

/* Versions go on above all that were given. */
static void go_on_counting(struct recover *recover)
{
    struct segments *segments = &recover->store->segments;
    uint64_t given = 0;
    bool sure = file_segment_versions(recover->store->arena.file, &given);
    given = given > recover->newest ? given : recover->newest;
    segments->version = given + (sure ? VERSIONS_APART : VERSIONS_UNSURE);
    segments->versions_told = file_segment_set_versions(segments->file, segments->version);
}

/* --- what does not fit ------------------------------------------------------------- */

/* Evicts until what is left is within the memory, or nothing is left. */
static void fit(struct recover *recover, struct store_thread *thread)
{
    struct store *store = recover->store;
    uint64_t before = __atomic_load_n(&store->index.entries, __ATOMIC_RELAXED);
    while (
        store->shrink.active && !recover_is_cancelled(recover) &&
        (compact_next(thread, recover->now, true) > 0 || shrink_step(thread, recover->now) > 0)) {
    }
    recover->found->evicted += before - __atomic_load_n(&store->index.entries, __ATOMIC_RELAXED);
}

/* From here on the memory is the limit again. */
static bool evict_the_rest(struct recover *recover)
{
    struct store *store = recover->store;
    shrink_begin(store);
    if (!store->shrink.active) {
        return true;
    }
    struct store_thread *thread = store_thread_create(store);
    if (thread == NULL) {
        return false;
    }
    store_enter(thread);
    pthread_mutex_lock(&store->reclaim_lock);
    fit(recover, thread);
    pthread_mutex_unlock(&store->reclaim_lock);
    store_leave(thread);
    store_thread_destroy(&thread);
    return !recover_is_cancelled(recover);
}

/* --- in order ------------------------------------------------------------------------ */

static void link_all(struct recover *recover)
{
    struct store *store = recover->store;
    segments_adopted(&store->segments);
    go_on_counting(recover);
    choose_queues(recover);
    for (size_t i = 0; i < recover->count; i++) {
        struct segment *segment = segment_at(&store->segments, recover->segments[i]);
        note_stale(recover, segment);
        link_segment(recover, segment);
    }
    for (size_t i = 0; i < recover->owner_count; i++) {
        backlog_add_namespace(&store->backlog, recover->owners[i]->ns);
    }
    arena_adopt(&store->arena, recover->claimed);
}

static void count_all(struct recover *recover)
{
    for (size_t i = 0; i < recover->owner_count; i++) {
        recover->found->records += recover->owners[i]->items;
        recover->found->bytes += recover->owners[i]->bytes;
    }
    recover->found->namespaces = recover->owner_count;
}

/* Entries that will be written to have blocks, also where the file has lost them. */
static bool back_tables(struct store *store)
{
    return file_back_namespace(&store->file, store->namespaces.highest) &&
           segments_back_labels(&store->segments);
}

/* As large as it will have to be, at once; as dense as it was, or the rest would not fit. */
static void reserve_index(const struct recover *recover)
{
    struct store *store = recover->store;
    uint64_t taken = 0;
    for (size_t i = 0; i <= arena_units(&store->arena) / 64; i++) {
        taken += (uint64_t)__builtin_popcountll(recover->claimed[i]) * ARENA_UNIT;
    }
    uint64_t memory = store_memory_target(store);
    index_set_dense(&store->index, taken > memory - memory / STORE_DENSE);
    index_reserve(&store->index, recover->alive);
}

static bool recover_all(struct recover *recover)
{
    struct store *store = recover->store;
    if (!recover_names(recover) || !recover_segments(recover) || !back_tables(store)) {
        return false;
    }
    if (!recover_each(recover, recover_examine)) {
        return false;
    }
    reserve_index(recover);
    if (!recover_each(recover, recover_insert)) {
        return false;
    }
    sort_out(recover);
    if (!sort_by_age(recover)) {
        return false;
    }
    link_all(recover);
    return true;
}

bool recover_store(struct store *store, const struct store_options *options, uint64_t now,
                   struct store_recovery *found)
{
    struct recover recover = {.store = store,
                              .now = now,
                              .threads = options->threads,
                              .progress = options->progress,
                              .cancelled = options->cancelled,
                              .context = options->context,
                              .found = found};
    budget_set_limit(&store->budget, UINT64_MAX);
    bool good = recover_all(&recover) && evict_the_rest(&recover);
    if (good) {
        count_all(&recover);
    }
    free(recover.claimed);
    free(recover.owners);
    free(recover.segments);
    return good;
}

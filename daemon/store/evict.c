/*
 * evict.c - choosing segments and emptying them; see evict.h.
 *
 * Victims are whole frames: where a frame is shared by small segments they are
 * all emptied, else memory would come back in crumbs that no full segment fits.
 * Namespaces with a quota may have such a small segment there too; theirs is moved
 * elsewhere and loses nothing.
 */
#include "daemon/store/evict.h"

#include <string.h>

#include "daemon/store/upkeep.h"

enum {
    KEEP_SHARE = 2,      /* at most half of a segment is kept */
    LOOK_AT_MOST = 1024, /* segments of a namespace, for one that nobody reads */
};

/* --- emptying one segment --------------------------------------------------- */

struct eviction {
    bool may_drop;                       /* else: move what lives */
    unsigned keep_from;                  /* reads from which every record is kept */
    uint64_t room;                       /* for how many bytes with one read less, too */
    uint64_t bytes[INDEX_READS_MAX + 1]; /* of records, by reads */
};

static void survey_record(struct visited *visited)
{
    struct eviction *eviction = visited->context;
    if (visited->expires > visited->now) {
        eviction->bytes[slot_reads(&visited->slot)] +=
            record_footprint(visited->lane->store, &visited->record);
    }
}

/* The lowest count of reads at which what is kept is no more than the share; what
 * is left of the share goes to the count below. */
static unsigned choose_threshold(struct eviction *eviction, uint64_t share)
{
    uint64_t kept = 0;
    unsigned reads = INDEX_READS_MAX + 1;
    while (reads > 1 && kept + eviction->bytes[reads - 1] <= share) {
        reads--;
        kept += eviction->bytes[reads];
    }
    eviction->room = reads > 1 ? share - kept : 0;
    return reads;
}

/* A large record stays where it is and is given another round. */
static bool spare_span(struct visited *visited)
{
    struct segments *segments = &visited->lane->store->segments;
    uint32_t serial = __atomic_load_n(&segments->serial, __ATOMIC_RELAXED);
    __atomic_store_n(&visited->segment->serial, serial, __ATOMIC_RELAXED);
    return true;
}

static bool keep_record(struct visited *visited)
{
    unsigned reads = slot_reads(&visited->slot);
    slot_set_reads(&visited->slot, reads / 2);
    return visited->record.span ? spare_span(visited) : compact_move(visited);
}

/* Whether it is among those that are read most. Of records that were read equally
 * often, and are too many to be kept all, the first are. */
static bool is_worth_keeping(struct eviction *eviction, const struct visited *visited)
{
    unsigned reads = slot_reads(&visited->slot);
    if (visited->record.span) {
        return reads > 0;
    }
    if (reads == 0 || reads + 1 != eviction->keep_from) {
        return reads >= eviction->keep_from;
    }
    uint64_t bytes = record_footprint(visited->lane->store, &visited->record);
    bool fits = bytes <= eviction->room;
    eviction->room -= fits ? bytes : 0;
    return fits;
}

static void evict_record(struct visited *visited)
{
    struct eviction *eviction = visited->context;
    if (visited->expires <= visited->now) {
        visited_remove(visited, BURIED_EXPIRED);
    } else if (!eviction->may_drop) {
        compact_move(visited);
    } else if (!is_worth_keeping(eviction, visited) || !keep_record(visited)) {
        visited_remove(visited, BURIED_EVICTED);
    }
}

/* Nobody appends to it from now on. False when it is not there any more. */
static bool seal(struct store *store, struct segment *segment, struct generation *generation)
{
    lock_take(&generation->ns->lock);
    enum segment_state state = segment_state(segment);
    bool good = segment->generation == generation && !generation->retired &&
                (state == SEGMENT_OPEN || state == SEGMENT_SEALED);
    if (good) {
        generation_seal(generation, &store->segments, segment);
    }
    lock_give(&generation->ns->lock);
    return good;
}

static size_t evict_segment(struct lane *lane, struct segment *segment, bool may_drop, uint64_t now)
{
    struct store *store = lane->store;
    struct generation *generation = __atomic_load_n(&segment->generation, __ATOMIC_RELAXED);
    if (generation == NULL || !seal(store, segment, generation)) {
        return 1;
    }
    struct eviction eviction = {.may_drop = may_drop};
    struct visit survey = {.lane = lane,
                           .segment = segment,
                           .now = now,
                           .expired_by = SEGMENT_NEVER,
                           .each = survey_record,
                           .context = &eviction};
    if (may_drop) {
        visit_segment(&survey);
        eviction.keep_from = choose_threshold(&eviction, segment_capacity(segment) / KEEP_SHARE);
    }
    struct visit visit = {.lane = lane,
                          .segment = segment,
                          .now = now,
                          .expired_by = SEGMENT_NEVER,
                          .lock_namespace = true,
                          .each = evict_record,
                          .context = &eviction};
    visit_segment(&visit);
    reclaim_segment(store, segment);
    return visit.seen + survey.seen + 1;
}

/* --- choosing --------------------------------------------------------------- */

static bool in_use(const struct segment *segment)
{
    enum segment_state state = segment_state(segment);
    return state == SEGMENT_OPEN || state == SEGMENT_SEALED;
}

/* A segment that somebody reads from would not come free. */
static bool is_pinned(const struct segment *segment)
{
    return __atomic_load_n(&segment->references, __ATOMIC_RELAXED) > 1;
}

static bool in_pool(const struct segment *segment)
{
    const struct generation *generation = __atomic_load_n(&segment->generation, __ATOMIC_RELAXED);
    return generation != NULL && namespace_quota(generation->ns) == 0;
}

static uint32_t age(const struct segments *segments, uint32_t serial)
{
    return __atomic_load_n(&segments->serial, __ATOMIC_RELAXED) - serial;
}

/* Keeps the oldest, sorted: the oldest last, so that it is taken first. */
static void offer(struct evict *evict, const struct segments *segments, uint32_t number,
                  uint32_t serial)
{
    unsigned at = 0;
    if (evict->count == evict->most) {
        if (age(segments, serial) <= age(segments, evict->serial[0])) {
            return;
        }
    } else {
        memmove(evict->candidate + 1, evict->candidate, evict->count * sizeof(uint32_t));
        memmove(evict->serial + 1, evict->serial, evict->count * sizeof(uint32_t));
        evict->count++;
    }
    while (at + 1 < evict->count && age(segments, evict->serial[at + 1]) < age(segments, serial)) {
        evict->candidate[at] = evict->candidate[at + 1];
        evict->serial[at] = evict->serial[at + 1];
        at++;
    }
    evict->candidate[at] = number;
    evict->serial[at] = serial;
}

static void find_candidates(struct store *store)
{
    struct segments *segments = &store->segments;
    uint32_t count = __atomic_load_n(&segments->count, __ATOMIC_ACQUIRE);
    uint32_t share = __atomic_load_n(&segments->in_use, __ATOMIC_RELAXED) / 8 + 1;
    store->evict.most = share < EVICT_CANDIDATES ? share : EVICT_CANDIDATES;
    for (uint32_t number = 1; number <= count; number++) {
        const struct segment *segment = segment_at(segments, number);
        if (in_use(segment) && !is_pinned(segment) && in_pool(segment)) {
            offer(&store->evict, segments, number,
                  __atomic_load_n(&segment->serial, __ATOMIC_RELAXED));
        }
    }
}

/* A candidate counts only while it is the segment that was chosen. */
static struct segment *take_candidate(struct store *store)
{
    struct evict *evict = &store->evict;
    while (evict->count > 0) {
        evict->count--;
        struct segment *segment = segment_at(&store->segments, evict->candidate[evict->count]);
        if (in_use(segment) && !is_pinned(segment) &&
            __atomic_load_n(&segment->serial, __ATOMIC_RELAXED) == evict->serial[evict->count]) {
            return segment;
        }
    }
    return NULL;
}

static struct segment *choose(struct store *store)
{
    struct segment *segment = take_candidate(store);
    if (segment == NULL) {
        find_candidates(store);
        segment = take_candidate(store);
    }
    return segment;
}

/* --- emptying a frame that small segments share ------------------------------- */

static struct segment *segment_of_unit(struct store *store, uint32_t unit)
{
    struct segments *segments = &store->segments;
    uint32_t number = __atomic_load_n(&segments->by_unit[unit], __ATOMIC_RELAXED);
    struct segment *segment = segment_at(segments, number);
    if (number == 0 || __atomic_load_n(&segment->unit, __ATOMIC_RELAXED) != unit) {
        return NULL;
    }
    if (segment_state(segment) == SEGMENT_PIECE) {
        segment = segment_at(segments, __atomic_load_n(&segment->previous, __ATOMIC_RELAXED));
    }
    return in_use(segment) && !is_pinned(segment) ? segment : NULL;
}

static size_t evict_frame(struct lane *lane, uint32_t frame, uint64_t now)
{
    struct store *store = lane->store;
    uint32_t first = frame << store->arena.frame_order;
    size_t effort = 1;
    for (uint32_t i = 0; i < 1u << store->arena.frame_order; i++) {
        struct segment *segment = segment_of_unit(store, first + i);
        if (segment != NULL) {
            effort += evict_segment(lane, segment, in_pool(segment), now);
        }
    }
    return effort;
}

size_t evict_from_pool(struct lane *lane, uint64_t now)
{
    struct store *store = lane->store;
    struct segment *segment = choose(store);
    if (segment == NULL) {
        return 0;
    }
    if (__atomic_load_n(&segment->order, __ATOMIC_RELAXED) == store->arena.frame_order) {
        return evict_segment(lane, segment, true, now);
    }
    uint32_t unit = __atomic_load_n(&segment->unit, __ATOMIC_RELAXED);
    return evict_frame(lane, arena_frame_of(&store->arena, unit), now);
}

/* --- inside of one namespace -------------------------------------------------- */

static struct segment *oldest_of(struct store *store, struct namespace *ns)
{
    struct segment *found = NULL;
    lock_take(&ns->lock);
    uint32_t number = ns->generation->first;
    for (int i = 0; i < LOOK_AT_MOST && number != 0 && found == NULL; i++) {
        struct segment *segment = segment_at(&store->segments, number);
        if (!is_pinned(segment)) {
            found = segment;
        }
        number = segment->next;
    }
    lock_give(&ns->lock);
    return found;
}

size_t evict_from_namespace(struct lane *lane, struct namespace *ns, uint64_t now)
{
    struct segment *segment = oldest_of(lane->store, ns);
    return segment == NULL ? 0 : evict_segment(lane, segment, true, now);
}

size_t evict_ahead(struct lane *lane, struct namespace *ns, uint64_t now)
{
    enum { EFFORT = 4096 };
    struct store *store = lane->store;
    uint64_t headroom = namespace_quota(ns) / 8;
    uint64_t frame = arena_frame_size(&store->arena);
    headroom = headroom < frame ? headroom : frame;
    size_t effort = 0;
    size_t step = 1;
    while (step > 0 && !append_quota_allows(namespace_generation(ns), headroom)) {
        if (effort >= EFFORT) { /* the rest has to wait for its turn */
            work_add_namespace(&store->work, ns);
            break;
        }
        step = evict_from_namespace(lane, ns, now);
        effort += step;
    }
    return effort;
}

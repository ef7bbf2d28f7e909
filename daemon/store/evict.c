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
    LOOK_AT_MOST = 1024, /* segments of a namespace */
    WASTE_LEAST = 200,   /* of 1024: below, moving the rest costs too much */
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
    bool good =
        segment->generation == generation && !generation->retired && segment_is_linked(segment);
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

static bool in_pool(const struct segment *segment)
{
    const struct generation *generation = __atomic_load_n(&segment->generation, __ATOMIC_RELAXED);
    return generation != NULL && namespace_quota(generation->ns) == 0;
}

/* How much of a segment is dead, and could be won back without losing a record:
 * parts in 1024, or 0 where it is too little, or nothing may be moved. */
static uint32_t waste_of(const struct segment *segment)
{
    const struct generation *generation = __atomic_load_n(&segment->generation, __ATOMIC_RELAXED);
    uint64_t used = __atomic_load_n(&segment->used, __ATOMIC_RELAXED);
    uint64_t live = __atomic_load_n(&segment->live, __ATOMIC_RELAXED);
    if (segment_state(segment) != SEGMENT_SEALED || live >= used || generation == NULL ||
        __atomic_load_n(&generation->listings, __ATOMIC_RELAXED) != NULL) {
        return 0;
    }
    uint32_t waste = (uint32_t)((used - live) * 1024 / segment_capacity(segment));
    return waste >= WASTE_LEAST ? waste : 0;
}

static void find_victims(struct store *store)
{
    struct evict *evict = &store->evict;
    struct segments *segments = &store->segments;
    uint32_t count = __atomic_load_n(&segments->count, __ATOMIC_ACQUIRE);
    uint32_t newest = __atomic_load_n(&segments->serial, __ATOMIC_RELAXED);
    /* Few of few, so that a list does not outlive what it says. */
    uint32_t most = __atomic_load_n(&segments->in_use, __ATOMIC_RELAXED) / 8 + 1;
    victims_clear(&evict->old, most);
    victims_clear(&evict->wasteful, most);
    for (uint32_t number = 1; number <= count; number++) {
        const struct segment *segment = segment_at(segments, number);
        if (!victims_is_eligible(segment) || !in_pool(segment)) {
            continue;
        }
        uint32_t serial = __atomic_load_n(&segment->serial, __ATOMIC_RELAXED);
        uint32_t waste = waste_of(segment);
        victims_offer(&evict->old, (struct victim){number, serial, newest - serial});
        if (waste > 0) {
            victims_offer(&evict->wasteful, (struct victim){number, serial, waste});
        }
    }
    evict->found_waste = evict->wasteful.count > 0;
}

static struct segment *choose_wasteful(struct store *store)
{
    struct evict *evict = &store->evict;
    struct segment *segment = victims_take(&evict->wasteful, &store->segments);
    if (segment == NULL && (evict->found_waste || evict->old.count == 0)) {
        find_victims(store);
        segment = victims_take(&evict->wasteful, &store->segments);
    }
    return segment;
}

static struct segment *choose_old(struct store *store)
{
    struct segment *segment = victims_take(&store->evict.old, &store->segments);
    if (segment == NULL) {
        find_victims(store);
        segment = victims_take(&store->evict.old, &store->segments);
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
    return victims_is_eligible(segment) ? segment : NULL;
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
    struct segment *segment = choose_wasteful(store);
    size_t effort = 0;
    if (segment != NULL) {
        if (compact_segment(lane, segment, now, &effort)) {
            return effort;
        }
        store->evict.found_waste = false; /* not now: do not look for more at once */
    }
    segment = choose_old(store);
    if (segment == NULL) {
        return 0;
    }
    if (__atomic_load_n(&segment->order, __ATOMIC_RELAXED) == store->arena.frame_order) {
        return effort + evict_segment(lane, segment, true, now);
    }
    uint32_t unit = __atomic_load_n(&segment->unit, __ATOMIC_RELAXED);
    return effort + evict_frame(lane, arena_frame_of(&store->arena, unit), now);
}

/* --- inside of one namespace -------------------------------------------------- */

/* The oldest of the namespace's segments, and the one that wastes most. */
static struct segment *look_through(struct store *store, struct namespace *ns,
                                    struct segment **wasteful)
{
    struct segment *oldest = NULL;
    uint32_t most = 0;
    *wasteful = NULL;
    lock_take(&ns->lock);
    uint32_t number = ns->generation->first;
    for (int i = 0; i < LOOK_AT_MOST && number != 0; i++) {
        struct segment *segment = segment_at(&store->segments, number);
        number = segment->next;
        if (!victims_is_eligible(segment)) {
            continue;
        }
        oldest = oldest == NULL ? segment : oldest;
        if (waste_of(segment) > most) {
            most = waste_of(segment);
            *wasteful = segment;
        }
    }
    lock_give(&ns->lock);
    return oldest;
}

size_t evict_from_namespace(struct lane *lane, struct namespace *ns, uint64_t now)
{
    struct segment *wasteful = NULL;
    struct segment *oldest = look_through(lane->store, ns, &wasteful);
    size_t effort = 0;
    if (wasteful != NULL && compact_segment(lane, wasteful, now, &effort)) {
        return effort;
    }
    return oldest == NULL ? 0 : effort + evict_segment(lane, oldest, true, now);
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

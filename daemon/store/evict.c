/*
 * evict.c - choosing segments; see evict.h.
 *
 * Victims are whole frames: where a frame is shared by small segments they are
 * all emptied, else memory would come back in crumbs that no full segment fits.
 * Namespaces with a quota may have such a small segment there too; theirs is moved
 * elsewhere and loses nothing.
 */
#include "daemon/store/evict.h"

#include "daemon/store/cull.h"
#include "daemon/store/upkeep.h"

enum {
    YOUNG_SHARE = 16,    /* of the memory: the young may have a sixteenth */
    LISTED_SHARE = 32,   /* of the segments are listed at once */
    LOOK_AT_MOST = 1024, /* segments of a namespace */
    WASTE_LEAST = 200,   /* of 1024: below, moving the rest costs too much */
    FRAME_STEP = 32,     /* segments that are emptied at once, of a frame that many share */
    SEGMENT_EFFORT = 8,  /* what emptying one costs beside its records, in records */
    FRESH = 16,          /* segments, those made last: not emptied for others' sake */
};

/* --- choosing --------------------------------------------------------------- */

static bool in_pool(const struct segment *segment)
{
    const struct generation *generation = __atomic_load_n(&segment->generation, __ATOMIC_RELAXED);
    return generation != NULL && namespace_quota(generation->ns) == 0;
}

/* How much of a segment is dead, and could be won back without losing a record:
 * parts in 1024, or 0 where it is too little. */
static uint32_t waste_of(const struct segment *segment)
{
    const struct generation *generation = __atomic_load_n(&segment->generation, __ATOMIC_RELAXED);
    uint64_t used = __atomic_load_n(&segment->used, __ATOMIC_RELAXED);
    uint64_t live = __atomic_load_n(&segment->live, __ATOMIC_RELAXED);
    if (segment_state(segment) != SEGMENT_SEALED || live >= used || generation == NULL) {
        return 0;
    }
    uint32_t waste = (uint32_t)((used - live) * 1024 / segment_capacity(segment));
    return waste >= WASTE_LEAST ? waste : 0;
}

static void offer(struct evict *evict, const struct segment *segment, uint32_t number,
                  uint32_t newest)
{
    enum segment_queue queue = segment_queue(segment);
    uint32_t serial = __atomic_load_n(&segment->serial, __ATOMIC_RELAXED);
    uint32_t waste = waste_of(segment);
    evict->bytes[queue] += segment_capacity(segment);
    victims_offer(&evict->old[queue], (struct victim){number, serial, newest - serial});
    if (waste > 0) {
        victims_offer(&evict->wasteful, (struct victim){number, serial, waste});
    }
}

static void clear(struct evict *evict, uint32_t segments)
{
    /* Few of few, so that a list does not outlive what it says. */
    uint32_t most = (segments < EVICT_SAMPLE ? segments : EVICT_SAMPLE) / LISTED_SHARE + 1;
    victims_clear(&evict->wasteful, most);
    for (int queue = 0; queue < SEGMENT_QUEUES; queue++) {
        victims_clear(&evict->old[queue], most);
        evict->bytes[queue] = 0;
    }
}

static bool is_listed(const struct evict *evict)
{
    return evict->old[SEGMENT_YOUNG].count + evict->old[SEGMENT_PROVEN].count > 0;
}

/* One in `stride`, from `number` on. */
static void look_at(struct store *store, uint32_t number, uint32_t stride, uint32_t end)
{
    struct evict *evict = &store->evict;
    uint32_t newest = __atomic_load_n(&store->segments.serial, __ATOMIC_RELAXED);
    uint32_t young = 0;
    clear(evict, __atomic_load_n(&store->segments.in_use, __ATOMIC_RELAXED));
    for (; number < end; number += stride) {
        const struct segment *segment = segment_at(&store->segments, number);
        if (victims_is_eligible(segment) && in_pool(segment)) {
            offer(evict, segment, number, newest);
            young += segment_queue(segment) == SEGMENT_YOUNG;
        }
    }
    if (young == evict->old[SEGMENT_YOUNG].count) {
        victims_spare(&evict->old[SEGMENT_YOUNG]); /* what was written last does not go at once */
    }
    evict->found_waste = evict->wasteful.count > 0;
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Where the next sample begins, of `stride` that there are: not beside the last one, which would
 * look into the same frames again, and each has its turn. */
static uint32_t next_hand(uint32_t hand, uint32_t stride)
{
    uint32_t step = (uint32_t)(stride * UINT64_C(0x9e3779b9) >> 32); /* the golden section */
    while (common_divisor(step, stride) != 1) {
        step++;
    }
    return (uint32_t)(((uint64_t)hand + step) % stride);
}

/* Goes on to the next sample in which there are some; looks at each segment once at most. */
static void find_victims(struct store *store)
{
    struct evict *evict = &store->evict;
    uint32_t end = segments_end(&store->segments);
    uint32_t stride = end / (EVICT_SAMPLE + 1) + 1;
    uint32_t looks = 0;
    do {
        evict->hand = next_hand(evict->hand, stride);
        look_at(store, evict->hand + 1, stride, end);
    } while (++looks < stride && !is_listed(evict));
}

static struct segment *choose_wasteful(struct store *store)
{
    struct evict *evict = &store->evict;
    struct segment *segment = victims_take(&evict->wasteful, &store->segments);
    if (segment == NULL && (evict->found_waste || !is_listed(evict))) {
        find_victims(store);
        segment = victims_take(&evict->wasteful, &store->segments);
    }
    return segment;
}

/* Whose turn it is. The young have theirs until they are few. */
static enum segment_queue choose_queue(uint64_t young, uint64_t all)
{
    return young > all / YOUNG_SHARE ? SEGMENT_YOUNG : SEGMENT_PROVEN;
}

static struct segment *take_old(struct store *store)
{
    struct evict *evict = &store->evict;
    uint64_t young = evict->bytes[SEGMENT_YOUNG];
    enum segment_queue queue = choose_queue(young, young + evict->bytes[SEGMENT_PROVEN]);
    return victims_take(&evict->old[queue], &store->segments);
}

static struct segment *choose_old(struct store *store)
{
    struct evict *evict = &store->evict;
    struct segment *segment = take_old(store);
    if (segment == NULL) {
        find_victims(store);
        segment = take_old(store);
    }
    for (int queue = 0; queue < SEGMENT_QUEUES && segment == NULL; queue++) {
        segment = victims_take(&evict->old[queue], &store->segments);
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

/* The lists are not made again at once: what came free will be filled by young ones, and
 * what was moved is proven now. */
static void follow(struct evict *evict, enum segment_queue from, uint64_t bytes, uint64_t moved)
{
    evict->bytes[from] -= bytes < evict->bytes[from] ? bytes : evict->bytes[from];
    evict->bytes[SEGMENT_PROVEN] += moved;
    evict->bytes[SEGMENT_YOUNG] += moved < bytes ? bytes - moved : 0;
}

/* Each segment that is emptied pays for some of the memory of what was evicted. Frames
 * that just came free may have to be given back for it. */
static void pay_for_ghosts(struct store *store)
{
    if (!store->resize.shrinks && !ghost_pay(&store->ghost, &store->budget)) {
        arena_trim(&store->arena, 0, 1);
    }
}

static size_t evict_segment(struct lane *lane, struct segment *segment, bool may_drop, uint64_t now)
{
    struct store *store = lane->store;
    struct cull cull = {.lane = lane, .segment = segment, .now = now, .may_drop = may_drop};
    enum segment_queue queue = segment_queue(segment);
    uint64_t bytes = segment_capacity(segment);
    bool counts = may_drop && in_pool(segment);
    cull_segment(&cull);
    if (counts) {
        follow(&store->evict, queue, bytes, cull.moved);
    }
    pay_for_ghosts(store);
    return cull.effort + SEGMENT_EFFORT;
}

static bool is_fresh(const struct store *store, const struct segment *segment)
{
    uint32_t newest = __atomic_load_n(&store->segments.serial, __ATOMIC_RELAXED);
    return newest - __atomic_load_n(&segment->serial, __ATOMIC_RELAXED) < FRESH;
}

/* Goes on with the frame that is being emptied. Not to its end at once: where segments are
 * small one of them is what a writer needs, and all of them take as long as a hundred writes. */
static size_t go_on_with_frame(struct lane *lane, uint64_t now)
{
    struct store *store = lane->store;
    struct evict *evict = &store->evict;
    size_t effort = 0;
    for (int emptied = 0; evict->unit < evict->units_end && emptied < FRAME_STEP; evict->unit++) {
        struct segment *segment = segment_of_unit(store, evict->unit);
        if (segment != NULL && !is_fresh(store, segment)) {
            effort += evict_segment(lane, segment, in_pool(segment), now);
            emptied++;
        }
    }
    return effort;
}

/* The victim, and then those that share its frame. */
static size_t begin_frame(struct lane *lane, struct segment *victim, uint64_t now)
{
    struct store *store = lane->store;
    uint32_t unit = __atomic_load_n(&victim->unit, __ATOMIC_RELAXED);
    store->evict.unit = arena_frame_of(&store->arena, unit) << store->arena.frame_order;
    store->evict.units_end = store->evict.unit + (1u << store->arena.frame_order);
    size_t effort = evict_segment(lane, victim, true, now);
    return effort + go_on_with_frame(lane, now);
}

static size_t evict_with_frame(struct lane *lane, struct segment *segment, uint64_t now)
{
    if (__atomic_load_n(&segment->order, __ATOMIC_RELAXED) == lane->store->arena.frame_order) {
        return evict_segment(lane, segment, true, now);
    }
    return begin_frame(lane, segment, now);
}

size_t evict_from_pool(struct lane *lane, uint64_t now)
{
    struct store *store = lane->store;
    size_t effort = go_on_with_frame(lane, now);
    if (effort > 0) {
        return effort;
    }
    struct segment *segment = choose_wasteful(store);
    if (segment != NULL) {
        if (compact_segment(lane, segment, now, &effort)) {
            return effort;
        }
        store->evict.found_waste = false; /* not now: do not look for more at once */
    }
    segment = choose_old(store);
    return segment == NULL ? 0 : effort + evict_with_frame(lane, segment, now);
}

/* --- inside of one namespace -------------------------------------------------- */

/* What may go, of one namespace. */
struct choice {
    struct segment *oldest[SEGMENT_QUEUES];
    struct segment *wasteful;
    uint32_t waste;
};

static void consider(struct choice *choice, struct segment *segment)
{
    struct segment **oldest = &choice->oldest[segment_queue(segment)];
    if (!victims_is_eligible(segment)) {
        return;
    }
    if (*oldest == NULL || (int32_t)(segment->serial - (*oldest)->serial) < 0) {
        *oldest = segment;
    }
    if (waste_of(segment) > choice->waste) {
        choice->waste = waste_of(segment);
        choice->wasteful = segment;
    }
}

/* Those from `number` on; under the namespace's lock. */
static void look_through(struct store *store, uint32_t number, int most, struct choice *choice)
{
    while (number != 0 && most-- > 0) {
        struct segment *segment = segment_at(&store->segments, number);
        consider(choice, segment);
        number = segment->next;
    }
}

static void choose_of_namespace(struct store *store, struct namespace *ns, struct choice *choice,
                                enum segment_queue *queue)
{
    enum { YOUNG_AT_MOST = 16 };
    lock_take(&ns->lock);
    const struct generation *generation = ns->generation;
    look_through(store, generation->first, LOOK_AT_MOST, choice);
    look_through(store, generation->first_young, YOUNG_AT_MOST, choice);
    *queue = choose_queue(generation->young, generation->memory);
    lock_give(&ns->lock);
}

static struct segment *oldest_of(const struct choice *choice, enum segment_queue queue)
{
    struct segment *segment = choice->oldest[queue];
    return segment != NULL
               ? segment
               : choice->oldest[queue == SEGMENT_YOUNG ? SEGMENT_PROVEN : SEGMENT_YOUNG];
}

size_t evict_from_namespace(struct lane *lane, struct namespace *ns, uint64_t now)
{
    struct choice choice = {.waste = 0};
    enum segment_queue queue = SEGMENT_YOUNG;
    choose_of_namespace(lane->store, ns, &choice, &queue);
    size_t effort = 0;
    if (choice.wasteful != NULL && compact_segment(lane, choice.wasteful, now, &effort)) {
        return effort;
    }
    struct segment *segment = oldest_of(&choice, queue);
    return segment == NULL ? 0 : effort + evict_segment(lane, segment, true, now);
}

size_t evict_frame_of_namespace(struct lane *lane, struct namespace *ns, uint64_t now)
{
    struct choice choice = {.waste = 0};
    enum segment_queue queue = SEGMENT_YOUNG;
    choose_of_namespace(lane->store, ns, &choice, &queue);
    struct segment *segment = oldest_of(&choice, queue);
    return segment == NULL ? 0 : evict_with_frame(lane, segment, now);
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

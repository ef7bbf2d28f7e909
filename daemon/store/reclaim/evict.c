/*
 * evict.c - choosing what is emptied; see evict.h.
 *
 * Victims are whole frames: where a frame is shared by small segments they are
 * all emptied (evict_frame.h), else memory would come back in crumbs that no full segment fits.
 */
#include "daemon/store/reclaim/evict.h"

#include "daemon/store/reclaim/evict_frame.h"
#include "daemon/store/reclaim/evict_segment.h"
#include "daemon/store/reclaim/housekeep.h"
#include "daemon/store/reclaim/victims.h"

enum {
    YOUNG_SHARE = 16,   /* of the memory: the young may have a sixteenth */
    LISTED_SHARE = 32,  /* of the segments are listed at once */
    SEGMENT_EFFORT = 8, /* what emptying one costs beside its records, in records */
};

/* --- choosing --------------------------------------------------------------- */

static bool in_pool(const struct generation *generation)
{
    return generation != NULL && namespace_quota(generation->ns) == 0;
}

/* What is dead of one that is appended to no more; of one that has not been for a while, what
 * will be given back when it is sealed. The tail of a sealed one is not counted: where what lives
 * in it is moved to, there will be such a tail, too. */
static uint64_t lost_in(const struct store *store, const struct segment *segment)
{
    uint64_t used = __atomic_load_n(&segment->used, __ATOMIC_RELAXED);
    uint64_t live = __atomic_load_n(&segment->live, __ATOMIC_RELAXED);
    if (segment_state(segment) == SEGMENT_OPEN) {
        return age_is_idle(store, segment)
                   ? segment_capacity(segment) - arena_block_size(arena_order_for(used))
                   : 0;
    }
    return live < used ? used - live : 0;
}

uint32_t evict_waste(const struct store *store, const struct segment *segment)
{
    if (segment_owner(segment) == NULL || segment->span) {
        return 0;
    }
    uint32_t waste = (uint32_t)(lost_in(store, segment) * 1024 / segment_capacity(segment));
    return waste >= EVICT_WASTE_LEAST ? waste : 0;
}

static void offer(struct store *store, const struct segment *segment, uint32_t number,
                  uint32_t newest)
{
    struct evict *evict = &store->evict;
    uint32_t serial = __atomic_load_n(&segment->serial, __ATOMIC_RELAXED);
    uint32_t waste = evict_waste(store, segment);
    if (waste > 0) {
        victims_offer(&evict->wasteful, (struct victim){number, serial, waste});
    }
    if (in_pool(segment_owner(segment))) {
        enum segment_queue queue = segment_queue(segment);
        evict->bytes[queue] += segment_weight(segment);
        if (!age_is_fresh(store, segment)) {
            victims_offer(&evict->old[queue], (struct victim){number, serial, newest - serial});
        }
    }
}

static void clear(struct evict *evict, uint32_t segments)
{
    /* Few of few, so that a list does not outlive what it says. */
    uint32_t most = (segments < EVICT_SAMPLE ? segments : EVICT_SAMPLE) / LISTED_SHARE + 1;
    victims_clear(&evict->wasteful, most);
    victims_clear(&evict->sparse, most);
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
        if (victims_is_eligible(segment)) {
            offer(store, segment, number, newest);
            young += segment_queue(segment) == SEGMENT_YOUNG && in_pool(segment_owner(segment));
        }
    }
    if (young == evict->old[SEGMENT_YOUNG].count) {
        victims_spare(&evict->old[SEGMENT_YOUNG]); /* what was written last does not go at once */
    }
}

/* Frames that are in use and have room, those with the most of it. */
static void look_at_frames(struct store *store)
{
    struct evict *evict = &store->evict;
    const struct arena *arena = &store->arena;
    uint32_t frames = arena->frames;
    uint32_t stride = frames / (EVICT_SAMPLE + 1) + 1;
    evict->frame_hand = (evict->frame_hand + 1) % stride;
    for (uint32_t frame = evict->frame_hand + 1; frame < frames; frame += stride) {
        uint32_t room = (arena_vacant(arena, frame) << 10) >> arena->frame_order;
        if (room >= EVICT_WASTE_LEAST) {
            victims_offer(&evict->sparse, (struct victim){.segment = frame, .rank = room});
        }
    }
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
    } while (++looks < stride && !is_listed(evict) && evict->wasteful.count == 0);
    look_at_frames(store);
    evict->found_waste = evict->wasteful.count + evict->sparse.count > 0;
}

/* Whose turn it is. The young have theirs until they are few. */
enum segment_queue evict_queue(uint64_t young, uint64_t all)
{
    return young > all / YOUNG_SHARE ? SEGMENT_YOUNG : SEGMENT_PROVEN;
}

/* One that has become fresh since it was listed is passed over. */
static struct segment *take_from(struct store *store, enum segment_queue queue)
{
    struct victims *old = &store->evict.old[queue];
    struct segment *segment = victims_take(old, &store->segments);
    while (segment != NULL && age_is_fresh(store, segment)) {
        segment = victims_take(old, &store->segments);
    }
    return segment;
}

static struct segment *take_old(struct store *store)
{
    struct evict *evict = &store->evict;
    uint64_t young = evict->bytes[SEGMENT_YOUNG];
    return take_from(store, evict_queue(young, young + evict->bytes[SEGMENT_PROVEN]));
}

static struct segment *choose_old(struct store *store)
{
    struct segment *segment = take_old(store);
    if (segment == NULL) {
        find_victims(store);
        segment = take_old(store);
    }
    for (int queue = 0; queue < SEGMENT_QUEUES && segment == NULL; queue++) {
        segment = take_from(store, (enum segment_queue)queue);
    }
    return segment;
}

/* --- emptying ----------------------------------------------------------------- */

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
    if (!store->shrink.active && !ghost_pay(&store->ghost, &store->budget)) {
        arena_trim(&store->arena, 0, 1);
    }
}

size_t evict_segment(struct store_thread *thread, struct segment *segment, bool may_drop,
                     uint64_t now)
{
    struct store *store = thread->store;
    struct segment_eviction eviction = {
        .thread = thread, .segment = segment, .now = now, .may_drop = may_drop};
    enum segment_queue queue = segment_queue(segment);
    uint64_t bytes = segment_weight(segment);
    bool counts = may_drop && in_pool(segment_owner(segment));
    evict_segment_records(&eviction);
    if (counts) {
        follow(&store->evict, queue, bytes, eviction.moved);
    }
    pay_for_ghosts(store);
    return eviction.effort + SEGMENT_EFFORT;
}

static bool win_frame(struct store_thread *thread, uint32_t frame, uint64_t now, size_t *effort)
{
    bool begun = frame_begin(thread->store, frame);
    *effort += begun ? frame_go_on(thread, now) : 1;
    return begun;
}

/* The next segment, or frame, that lost much of what it held. False: none is listed. */
static bool win_one(struct store_thread *thread, uint64_t now, bool *won, size_t *effort)
{
    struct store *store = thread->store;
    struct evict *evict = &store->evict;
    struct segment *segment = victims_take(&evict->wasteful, &store->segments);
    if (segment != NULL && evict_waste(store, segment) > 0) {
        bool alone = segment->order == store->arena.frame_order;
        if (alone || segment_state(segment) == SEGMENT_OPEN) {
            *won = compact_segment(thread, segment, now, effort);
        } else {
            *won = win_frame(thread, arena_frame_of(&store->arena, segment->unit), now, effort);
        }
    } else if (segment == NULL && evict->sparse.count > 0) {
        *won = win_frame(thread, evict->sparse.entries[--evict->sparse.count].segment, now, effort);
    } else {
        return segment != NULL;
    }
    return true;
}

static bool win_listed(struct store_thread *thread, uint64_t now, size_t *effort)
{
    bool won = false;
    while (!won && win_one(thread, now, &won, effort)) {
    }
    return won;
}

/* Wins back what is lost between records that live, and loses none of them. Where there was
 * nothing when the lists were made they are not made again for that. */
static bool win_back(struct store_thread *thread, uint64_t now, size_t *effort)
{
    struct evict *evict = &thread->store->evict;
    if (win_listed(thread, now, effort)) {
        return true;
    }
    if (!evict->found_waste && is_listed(evict)) {
        return false;
    }
    find_victims(thread->store);
    bool won = win_listed(thread, now, effort);
    evict->found_waste = evict->found_waste && won;
    return won;
}

size_t evict_with_frame(struct store_thread *thread, struct segment *segment, uint64_t now)
{
    struct store *store = thread->store;
    uint32_t unit = __atomic_load_n(&segment->unit, __ATOMIC_RELAXED);
    bool alone = __atomic_load_n(&segment->order, __ATOMIC_RELAXED) == store->arena.frame_order;
    size_t effort = evict_segment(thread, segment, true, now);
    if (!alone) {
        frame_begin_dropping(store, arena_frame_of(&store->arena, unit));
        effort += frame_go_on(thread, now);
    }
    return effort;
}

size_t evict_from_pool(struct store_thread *thread, uint64_t now)
{
    struct store *store = thread->store;
    size_t effort = frame_go_on(thread, now);
    if (effort > 0 || win_back(thread, now, &effort)) {
        return effort;
    }
    struct segment *segment = choose_old(store);
    return segment == NULL ? 0 : effort + evict_with_frame(thread, segment, now);
}

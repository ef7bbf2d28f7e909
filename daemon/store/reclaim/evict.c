/*
 * evict.c - choosing what is emptied; see evict.h.
 *
 * Victims are whole frames. Where small segments share a frame all of them are emptied
 * (evict_frame.h), else memory would come back in blocks that are too small for a full segment.
 */
#include "daemon/store/reclaim/evict.h"

#include "daemon/store/reclaim/compact.h"
#include "daemon/store/reclaim/evict_frame.h"
#include "daemon/store/reclaim/evict_segment.h"
#include "daemon/store/reclaim/victims.h"
#include "daemon/store/records/age_segment.h"

enum {
    LISTED_SHARE = 32, /* of the segments are listed at once */
};

/* --- choosing --------------------------------------------------------------- */

static void offer(struct store *store, const struct segment *segment, uint32_t number,
                  uint32_t newest)
{
    struct evict *evict = &store->evict;
    uint32_t serial = __atomic_load_n(&segment->serial, __ATOMIC_RELAXED);
    uint32_t waste = evict_segment_waste(store, segment);
    if (waste > 0) {
        victims_offer(&evict->wasteful, (struct victim){number, serial, waste});
    }
    if (evict_segment_is_pooled(segment)) {
        enum segment_queue queue = segment_queue(segment);
        evict->bytes[queue] += segment_weight(segment);
        if (!age_is_fresh(store, segment)) {
            victims_offer(&evict->old[queue], (struct victim){number, serial, newest - serial});
        }
    }
}

static void clear_lists(struct evict *evict, uint32_t segments)
{
    /* Short lists for few segments: a long one would be out of date before it is used up. */
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

/* Offers one segment in `stride`, from `number` on. */
static void sample_segments(struct store *store, uint32_t number, uint32_t stride, uint32_t end)
{
    struct evict *evict = &store->evict;
    uint32_t newest = __atomic_load_n(&store->segments.serial, __ATOMIC_RELAXED);
    uint32_t young = 0;
    clear_lists(evict, __atomic_load_n(&store->segments.in_use, __ATOMIC_RELAXED));
    for (; number < end; number += stride) {
        const struct segment *segment = segment_at(&store->segments, number);
        if (victims_is_eligible(segment)) {
            offer(store, segment, number, newest);
            young += segment_queue(segment) == SEGMENT_YOUNG && evict_segment_is_pooled(segment);
        }
    }
    if (young == evict->old[SEGMENT_YOUNG].count) {
        victims_spare(
            &evict->old[SEGMENT_YOUNG]); /* what was written last is not evicted at once */
    }
}

/* Offers frames that are in use and have much free space. */
static void sample_frames(struct store *store)
{
    struct evict *evict = &store->evict;
    const struct arena *arena = &store->arena;
    uint32_t frames = arena_frames(arena);
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

/* Where the next of `stride` samples begins. Not beside the last one, which would look into the
 * same frames again; each sample is used once in a round. */
static uint32_t next_hand(uint32_t hand, uint32_t stride)
{
    uint32_t step = (uint32_t)(stride * UINT64_C(0x9e3779b9) >> 32); /* the golden section */
    while (common_divisor(step, stride) != 1) {
        step++;
    }
    return (uint32_t)(((uint64_t)hand + step) % stride);
}

/* Goes on to the next sample that has victims. Looks at each segment once at most. */
static void find_victims(struct store *store)
{
    struct evict *evict = &store->evict;
    uint32_t end = segments_end(&store->segments);
    uint32_t stride = end / (EVICT_SAMPLE + 1) + 1;
    uint32_t samples = 0;
    do {
        evict->hand = next_hand(evict->hand, stride);
        sample_segments(store, evict->hand + 1, stride, end);
    } while (++samples < stride && !is_listed(evict) && evict->wasteful.count == 0);
    sample_frames(store);
    evict->found_waste = evict->wasteful.count + evict->sparse.count > 0;
}

/* A segment that has become fresh since it was listed is passed over. */
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

/* --- compacting ----------------------------------------------------------------- */

static bool compact_frame(struct store_thread *thread, uint32_t frame, uint64_t now, size_t *effort)
{
    bool begun = evict_frame_begin(thread->store, frame);
    *effort += begun ? evict_frame_continue(thread, now) : 1;
    return begun;
}

/* Compacts the next segment, or frame, that lost much of what it held. False: none is listed. */
static bool compact_one(struct store_thread *thread, uint64_t now, bool *won, size_t *effort)
{
    struct store *store = thread->store;
    struct evict *evict = &store->evict;
    struct segment *segment = victims_take(&evict->wasteful, &store->segments);
    if (segment != NULL && evict_segment_waste(store, segment) > 0) {
        bool alone = segment_order(segment) == store->arena.frame_order;
        if (alone || segment_state(segment) == SEGMENT_OPEN) {
            *won = compact_segment(thread, segment, now, effort);
        } else {
            *won = compact_frame(thread, arena_frame_of(&store->arena, segment->unit), now, effort);
        }
    } else if (segment == NULL && evict->sparse.count > 0) {
        *won = compact_frame(thread, evict->sparse.entries[--evict->sparse.count].segment, now,
                             effort);
    } else {
        return segment != NULL;
    }
    return true;
}

static bool compact_listed(struct store_thread *thread, uint64_t now, size_t *effort)
{
    bool won = false;
    while (!won && compact_one(thread, now, &won, effort)) {
    }
    return won;
}

/* Wins back dead space without a loss of records. If there was none when the lists were made, they
 * are not made again for it. */
static bool compact_wasteful(struct store_thread *thread, uint64_t now, size_t *effort)
{
    struct evict *evict = &thread->store->evict;
    if (compact_listed(thread, now, effort)) {
        return true;
    }
    if (!evict->found_waste && is_listed(evict)) {
        return false;
    }
    find_victims(thread->store);
    bool won = compact_listed(thread, now, effort);
    evict->found_waste = evict->found_waste && won;
    return won;
}

size_t evict_from_pool(struct store_thread *thread, uint64_t now)
{
    struct store *store = thread->store;
    size_t effort = evict_frame_continue(thread, now);
    if (effort > 0 || compact_wasteful(thread, now, &effort)) {
        return effort;
    }
    struct segment *segment = choose_old(store);
    return segment == NULL ? 0 : effort + evict_frame_around(thread, segment, now);
}

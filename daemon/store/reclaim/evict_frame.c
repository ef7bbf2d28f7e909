/*
 * evict_frame.c - emptying a frame, unit by unit; see evict_frame.h.
 */
#include "daemon/store/reclaim/evict_frame.h"

#include "daemon/store/reclaim/evict_segment.h"
#include "daemon/store/reclaim/span_move.h"
#include "daemon/store/reclaim/victims.h"
#include "daemon/store/records/age_segment.h"

enum {
    FRAME_STEP = 32, /* segments that are emptied at once */
    VAIN_MOST = 8,   /* frames a period that may turn out not to become empty */
};

/* --- what lies in it -------------------------------------------------------------- */

/*
 * The segment whose block begins at the unit; for a piece, its head. NULL: none that can be
 * emptied. by_unit may be out of date: the number may be free by now, or used for another segment.
 */
static struct segment *segment_at_unit(const struct store *store, uint32_t unit, uint8_t *order)
{
    const struct segments *segments = &store->segments;
    uint32_t number = __atomic_load_n(&segments->by_unit[unit], __ATOMIC_RELAXED);
    struct segment *segment = segment_at(segments, number);
    bool is_piece = segment_state(segment) == SEGMENT_PIECE;
    race_window_pass(WINDOW_UNIT);
    uint32_t head = is_piece ? __atomic_load_n(&segment->previous, __ATOMIC_RELAXED) : number;
    struct segment *found = segment_at(segments, head);
    *order = segment_order(segment);
    if (number == 0 || !victims_is_eligible(found) ||
        __atomic_load_n(&segment->unit, __ATOMIC_RELAXED) != unit ||
        *order >= store->arena.frame_order) {
        return NULL;
    }
    /* A linked head stays linked. So a number that still says that it is a piece of it is one,
     * since pieces are freed before their head. */
    bool is_still = !is_piece || (segment_state(segment) == SEGMENT_PIECE &&
                                  __atomic_load_n(&segment->previous, __ATOMIC_RELAXED) == head);
    return is_still ? found : NULL;
}

/* What is in a frame, in bytes. */
struct content {
    uint64_t free;
    uint64_t live; /* what it will take elsewhere */
    bool stays;    /* something in it cannot be moved */
};

/* What a block's records will take elsewhere: the block without its dead bytes, since its unused
 * ones will be unused elsewhere, too. If the namespace holds little else, the living records take
 * a block of their own. */
static uint64_t live_in(const struct segment *segment, uint8_t order)
{
    enum { MUCH = 4 };
    uint64_t block = arena_block_size(order);
    uint32_t dead = segment_dead(segment);
    if (segment->span || dead == 0) {
        return block;
    }
    uint64_t all = __atomic_load_n(&segment->generation->bytes, __ATOMIC_RELAXED);
    return all >= MUCH * block ? block - dead
                               : arena_block_size(arena_order_for(segment_live(segment)));
}

/* Reads free blocks without the lock: a hint. */
static struct content survey(struct store *store, uint32_t unit, uint32_t end)
{
    struct content content = {.free = 0};
    while (unit < end && !content.stays) {
        uint8_t free = __atomic_load_n(&store->arena.block[unit], __ATOMIC_RELAXED);
        uint8_t order = free > 0 ? (uint8_t)(free - 1) : 0;
        if (free > 0) {
            content.free += arena_block_size(order);
        } else {
            const struct segment *segment = segment_at_unit(store, unit, &order);
            content.stays = segment == NULL || segment_owner(segment) == NULL ||
                            (segment->span && !span_may_move(store, segment));
            content.live += content.stays ? 0 : live_in(segment, order);
        }
        unit += 1u << order;
    }
    return content;
}

/* --- beginning ---------------------------------------------------------------------- */

static void begin(struct store *store, uint32_t frame, bool drops)
{
    struct evict *evict = &store->evict;
    evict->unit = frame << store->arena.frame_order;
    evict->units_end = evict->unit + (1u << store->arena.frame_order);
    evict->drops = drops;
    evict->fills = false;
}

/* Only VAIN_MOST frames that cannot be emptied are tried in one period (age.h). */
static bool is_in_vain(struct store *store)
{
    struct evict *evict = &store->evict;
    uint32_t period = age_period(&store->age);
    if (period != evict->period) {
        evict->period = period;
        evict->vain = 0;
    }
    return evict->vain >= VAIN_MOST;
}

/* If most of the space to be won is free and not dead, the living records must fit into other
 * frames' free blocks: nothing would be won if they took another frame. */
bool evict_frame_begin(struct store *store, uint32_t frame)
{
    uint32_t unit = frame << store->arena.frame_order;
    uint64_t size = arena_frame_size(&store->arena);
    uint64_t least = size * EVICT_WASTE_LEAST / 1024;
    if (is_in_vain(store)) {
        return false;
    }
    struct content content = survey(store, unit, unit + (1u << store->arena.frame_order));
    if (content.stays || content.live + least > size) {
        return false;
    }
    begin(store, frame, false);
    store->evict.fills = content.live + content.free + least > size;
    arena_withdraw(&store->arena, frame);
    return true;
}

/* --- going on ------------------------------------------------------------------------- */

static size_t empty_span(struct store_thread *thread, struct segment *segment, uint64_t now)
{
    struct store *store = thread->store;
    size_t effort = 0;
    if (!store->evict.drops && span_may_move(store, segment)) {
        span_move(thread, segment, now, &effort);
    } else if (store->evict.drops && evict_segment_is_pooled(segment) &&
               !age_is_fresh(store, segment)) {
        effort = evict_segment(thread, segment, true, now);
    }
    return effort;
}

static size_t empty_unit(struct store_thread *thread, uint32_t unit, uint64_t now)
{
    struct store *store = thread->store;
    uint8_t order = 0;
    struct segment *segment = segment_at_unit(store, unit, &order);
    if (segment == NULL) {
        return 0;
    }
    if (segment->span) {
        return empty_span(thread, segment, now);
    }
    return evict_segment(thread, segment, store->evict.drops && evict_segment_is_pooled(segment),
                         now);
}

/* Every unit was looked at. */
static void end(struct store *store)
{
    struct evict *evict = &store->evict;
    if (arena_restore(&store->arena)) {
        evict->vain++;
        evict->sparse.count = 0;
    }
}

size_t evict_frame_continue(struct store_thread *thread, uint64_t now)
{
    struct store *store = thread->store;
    struct evict *evict = &store->evict;
    size_t effort = 0;
    if (evict->unit == evict->units_end) {
        return 0;
    }
    evict->thrifty = evict->fills;
    for (int emptied = 0; evict->unit < evict->units_end && emptied < FRAME_STEP; evict->unit++) {
        size_t step = empty_unit(thread, evict->unit, now);
        effort += step;
        emptied += step > 0;
    }
    evict->thrifty = false;
    if (evict->unit == evict->units_end) {
        end(store);
    }
    return effort;
}

size_t evict_frame_around(struct store_thread *thread, struct segment *segment, uint64_t now)
{
    struct store *store = thread->store;
    uint32_t unit = __atomic_load_n(&segment->unit, __ATOMIC_RELAXED);
    bool alone = segment_order(segment) == store->arena.frame_order;
    size_t effort = evict_segment(thread, segment, true, now);
    if (!alone) {
        begin(store, arena_frame_of(&store->arena, unit), true);
        effort += evict_frame_continue(thread, now);
    }
    return effort;
}

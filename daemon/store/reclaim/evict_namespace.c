/*
 * evict_namespace.c - a namespace with a quota makes room for itself; see evict.h.
 */
#include "daemon/store/reclaim/evict_namespace.h"

#include "daemon/store/reclaim/compact.h"
#include "daemon/store/reclaim/evict_frame.h"
#include "daemon/store/reclaim/evict_segment.h"
#include "daemon/store/reclaim/victims.h"
#include "daemon/store/records/append.h"

enum { LOOK_AT_MOST = 1024 /* segments of a namespace */ };

/* What may be emptied of one namespace. */
struct choice {
    struct segment *oldest[SEGMENT_QUEUES];
    struct segment *wasteful;
    uint32_t waste;
};

static void consider(const struct store *store, struct choice *choice, struct segment *segment)
{
    struct segment **oldest = &choice->oldest[segment_queue(segment)];
    if (!victims_is_eligible(segment)) {
        return;
    }
    bool older = *oldest == NULL || (int32_t)(segment->serial - (*oldest)->serial) < 0;
    if (older && !age_is_fresh(store, segment)) {
        *oldest = segment;
    }
    uint32_t waste = evict_segment_waste(store, segment);
    if (waste > choice->waste) {
        choice->waste = waste;
        choice->wasteful = segment;
    }
}

/* Considers segments from `number` on, `most` at most. Under the namespace's lock. */
static void consider_some(struct store *store, uint32_t number, int most, struct choice *choice)
{
    while (number != 0 && most-- > 0) {
        struct segment *segment = segment_at(&store->segments, number);
        consider(store, choice, segment);
        number = segment->next;
    }
}

static void choose_of_namespace(struct store *store, struct namespace *ns, struct choice *choice,
                                enum segment_queue *queue)
{
    enum { YOUNG_AT_MOST = 16 };
    lock_take(&ns->lock);
    const struct generation *generation = ns->generation;
    consider_some(store, generation->first, LOOK_AT_MOST, choice);
    consider_some(store, generation->first_young, YOUNG_AT_MOST, choice);
    *queue = evict_queue(generation->young, generation->memory);
    lock_give(&ns->lock);
}

static struct segment *oldest_of(const struct choice *choice, enum segment_queue queue)
{
    struct segment *segment = choice->oldest[queue];
    return segment != NULL
               ? segment
               : choice->oldest[queue == SEGMENT_YOUNG ? SEGMENT_PROVEN : SEGMENT_YOUNG];
}

size_t evict_namespace(struct store_thread *thread, struct namespace *ns, uint64_t now)
{
    struct choice choice = {.waste = 0};
    enum segment_queue queue = SEGMENT_YOUNG;
    choose_of_namespace(thread->store, ns, &choice, &queue);
    size_t effort = 0;
    if (choice.wasteful != NULL && compact_segment(thread, choice.wasteful, now, &effort)) {
        return effort;
    }
    struct segment *segment = oldest_of(&choice, queue);
    return segment == NULL ? 0 : effort + evict_segment(thread, segment, true, now);
}

size_t evict_namespace_frame(struct store_thread *thread, struct namespace *ns, uint64_t now)
{
    struct choice choice = {.waste = 0};
    enum segment_queue queue = SEGMENT_YOUNG;
    choose_of_namespace(thread->store, ns, &choice, &queue);
    struct segment *segment = oldest_of(&choice, queue);
    return segment == NULL ? 0 : evict_frame_around(thread, segment, now);
}

size_t evict_namespace_ahead(struct store_thread *thread, struct namespace *ns, uint64_t now)
{
    enum { EFFORT = 4096 };
    struct store *store = thread->store;
    uint64_t headroom = namespace_quota(ns) / 8;
    uint64_t frame = arena_frame_size(&store->arena);
    headroom = headroom < frame ? headroom : frame;
    size_t effort = 0;
    size_t step = 1;
    while (step > 0 && !append_quota_allows(namespace_generation(ns), headroom)) {
        if (effort >= EFFORT) { /* the rest is done later */
            backlog_add_namespace(&store->backlog, ns);
            break;
        }
        step = evict_namespace(thread, ns, now);
        effort += step;
    }
    return effort;
}

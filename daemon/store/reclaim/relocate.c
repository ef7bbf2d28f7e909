/*
 * relocate.c - emptying a segment that stands in the way; see relocate.h.
 *
 * Records of a log are moved as compaction does, large ones as span_move.c does.
 */
#include "daemon/store/reclaim/relocate.h"

#include "daemon/store/reclaim/compact.h"
#include "daemon/store/reclaim/reclaim.h"
#include "daemon/store/reclaim/span_move.h"
#include "daemon/store/reclaim/victims.h"
#include "daemon/store/records/age_segment.h"

static void relocate_record(struct visited *visited)
{
    if (visited->expires <= visited->now) {
        visited_remove(visited, RETIRED_EXPIRED);
    } else {
        const uint32_t *fresh_from = visited->context;
        compact_move(visited, segment_queue(visited->segment), *fresh_from);
    }
}

/* Seals the segment, so that no more is appended to it. False: it is not linked any more. */
static bool seal(struct store *store, struct segment *segment, uint32_t *fresh_from)
{
    struct generation *generation = segment_owner(segment);
    if (generation == NULL || !victims_is_eligible(segment)) {
        return false;
    }
    lock_take(&generation->ns->lock);
    bool good = segment->generation == generation && !generation_is_retired(generation) &&
                segment_is_linked(segment);
    if (good) {
        *fresh_from = age_fresh_in(store, segment);
        generation_seal(generation, &store->segments, segment);
    }
    lock_give(&generation->ns->lock);
    return good;
}

size_t relocate_segment(struct store_thread *thread, struct segment *segment, uint64_t now)
{
    uint32_t fresh_from = 0;
    size_t effort = 1;
    if (!seal(thread->store, segment, &fresh_from)) {
        return effort;
    }
    if (segment->span) {
        if (span_may_move(thread->store, segment)) {
            span_move(thread, segment, now, &effort);
        }
        return effort;
    }
    struct visit visit = {.thread = thread,
                          .segment = segment,
                          .now = now,
                          .expired_by = SEGMENT_NEVER,
                          .lock_namespace = true,
                          .each = relocate_record,
                          .context = &fresh_from};
    visit_segment(&visit);
    reclaim_segment(thread->store, segment);
    return visit.seen + 1;
}

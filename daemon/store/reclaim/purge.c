/*
 * purge.c - removing records that have expired; see purge.h.
 *
 * A segment is due when the first of its records expires. A segment that has
 * expired as a whole is emptied and freed. Of one that has expired in part the
 * records are walked over if about a 16th of it has expired, or if there is effort to
 * spare, of which a little is granted with each interval. So a small cache is
 * exact after every interval, and in a huge one the cost follows what expires.
 */
#include "daemon/store/reclaim/purge.h"

#include "daemon/store/reclaim/reclaim.h"
#include "daemon/store/reclaim/visit.h"

enum {
    WALK_SHARE = 16,   /* walk when 1/16 has expired */
    SPARE_PER_MS = 64, /* records that may be walked over for less, a millisecond */
    SPARE_MAX = 16384,
};

static void purge_record(struct visited *visited)
{
    visited_remove(visited, RETIRED_EXPIRED);
}

/* When records of a segment expire, read under its namespace's lock. */
struct expiries {
    bool alive; /* it still belongs to a current generation */
    uint64_t earliest, latest;
    uint32_t live;
};

static struct expiries read_expiries(struct segment *segment)
{
    struct expiries expiries = {.alive = false};
    struct generation *generation = segment_owner(segment);
    if (generation == NULL) {
        return expiries;
    }
    lock_take(&generation->ns->lock);
    expiries.alive = segment->generation == generation && !generation_is_retired(generation) &&
                     segment_is_linked(segment);
    expiries.earliest = segment->earliest;
    expiries.latest = segment->latest;
    expiries.live = segment_live(segment);
    lock_give(&generation->ns->lock);
    return expiries;
}

/* When a 16th of the time between the first expiry and the last has passed. */
static uint64_t worth_walking_at(const struct expiries *expiries)
{
    uint64_t spread = expiries->latest - expiries->earliest;
    return expiries->latest == SEGMENT_NEVER ? expiries->earliest
                                             : expiries->earliest + spread / WALK_SHARE;
}

/* Before the walk (`begin`): resets the first expiry, so that appends note theirs meanwhile. After
 * it: takes the earlier one of theirs and what the walk found, and schedules the segment. */
static void set_earliest(struct store *store, struct segment *segment, uint64_t earliest,
                         bool begin)
{
    struct lock *lock = &segment->generation->ns->lock;
    lock_take(lock);
    if (begin || earliest < segment->earliest) {
        segment->earliest = earliest;
    }
    uint64_t due = segment->earliest;
    lock_give(lock);
    if (!begin) {
        expire_schedule(&store->expire, segment, due);
    }
}

size_t purge_next(struct store_thread *thread, uint64_t now)
{
    struct store *store = thread->store;
    uint32_t number = expire_take(&store->expire, now);
    if (number == 0) {
        return 0;
    }
    struct segment *segment = segment_at(&store->segments, number);
    struct expiries expiries = read_expiries(segment);
    if (!expiries.alive) {
        return 1;
    }
    uint64_t worth = worth_walking_at(&expiries);
    if (worth > now && store->spare_effort == 0) {
        expire_schedule(&store->expire, segment, worth);
        return 1;
    }
    struct visit visit = {
        .thread = thread, .segment = segment, .now = now, .expired_by = now, .each = purge_record};
    set_earliest(store, segment, SEGMENT_NEVER, true);
    visit_segment(&visit);
    if (worth > now) {
        store->spare_effort -= visit.seen < store->spare_effort ? visit.seen : store->spare_effort;
    }
    if (!reclaim_segment(store, segment)) {
        set_earliest(store, segment, visit.earliest_left, false);
    }
    return visit.seen + 1;
}

void purge_grant(struct store *store, uint64_t now)
{
    uint64_t passed = now > store->last_slice ? now - store->last_slice : 0;
    uint64_t grant = passed < SPARE_MAX ? passed * SPARE_PER_MS : SPARE_MAX;
    store->last_slice = now;
    store->spare_effort += grant;
    if (store->spare_effort > SPARE_MAX) {
        store->spare_effort = SPARE_MAX;
    }
}

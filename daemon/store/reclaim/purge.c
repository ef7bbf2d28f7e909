/*
 * purge.c - records whose time has come.
 *
 * A segment is due when the first of its records expires. If all of it has
 * expired it is emptied and freed. If only a part has, it is walked when that
 * pays: when about a sixteenth of it has expired, or when there is effort to
 * spare, of which a little is granted with each interval. So a small cache is
 * exact after every interval, and in a huge one the cost follows what expires.
 */
#include "daemon/store/reclaim/purge.h"

#include "daemon/store/reclaim/reclaim.h"
#include "daemon/store/reclaim/visit.h"

enum {
    WALK_SHARE = 16,   /* walk when 1/16 has expired */
    SPARE_PER_MS = 64, /* records that may be walked for less, a millisecond */
    SPARE_MAX = 16384,
};

static void purge_record(struct visited *visited)
{
    visited_remove(visited, RETIRED_EXPIRED);
}

/* What the segment says of itself, read under its namespace's lock. */
struct outlook {
    bool alive; /* it still belongs to a current generation */
    uint64_t earliest, latest;
    uint32_t live;
};

static struct outlook look_at(struct segment *segment)
{
    struct outlook outlook = {.alive = false};
    struct generation *generation = segment_owner(segment);
    if (generation == NULL) {
        return outlook;
    }
    lock_take(&generation->ns->lock);
    outlook.alive =
        segment->generation == generation && !generation->retired && segment_is_linked(segment);
    outlook.earliest = segment->earliest;
    outlook.latest = segment->latest;
    outlook.live = __atomic_load_n(&segment->live, __ATOMIC_RELAXED);
    lock_give(&generation->ns->lock);
    return outlook;
}

/* When a sixteenth of what lies between the first expiry and the last has come. */
static uint64_t worth_walking_at(const struct outlook *outlook)
{
    uint64_t spread = outlook->latest - outlook->earliest;
    return outlook->latest == SEGMENT_NEVER ? outlook->earliest
                                            : outlook->earliest + spread / WALK_SHARE;
}

/* Lets appends note earlier expiries while the segment is walked, and takes both
 * together afterwards. */
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
    struct outlook outlook = look_at(segment);
    if (!outlook.alive) {
        return 1;
    }
    uint64_t worth = worth_walking_at(&outlook);
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

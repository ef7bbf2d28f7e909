/*
 * backlog.c - three lists that are linked through what waits; see backlog.h.
 */
#include "daemon/store/records/backlog.h"

#include "daemon/store/arena/pages.h"

enum { WAITED_LONG = 1 << 30 /* ms: more than any wait that is asked for */ };

static bool nears_quota(const struct generation *generation)
{
    uint64_t quota = namespace_quota(generation->ns);
    return quota != 0 && __atomic_load_n(&generation->memory, __ATOMIC_RELAXED) >= quota / 2;
}

static void put_first(struct backlog *backlog, struct segment *segment, uint32_t number)
{
    segment->queued = backlog->first_segment;
    segment->queued_at = backlog->now - WAITED_LONG;
    backlog->first_segment = number;
    if (backlog->last_segment == 0) {
        backlog->last_segment = number;
    }
}

static void put_last(struct backlog *backlog, struct segments *segments, struct segment *segment,
                     uint32_t number)
{
    segment->queued = 0;
    segment->queued_at = backlog->now;
    if (backlog->last_segment != 0) {
        segment_at(segments, backlog->last_segment)->queued = number;
    } else {
        backlog->first_segment = number;
    }
    backlog->last_segment = number;
}

void backlog_add_segment(struct backlog *backlog, struct segments *segments,
                         struct segment *segment, const struct generation *owner)
{
    bool first = nears_quota(owner);
    lock_take(&backlog->lock);
    if (!segment->waiting) {
        uint32_t number = segment_number(segments, segment);
        segment->waiting = 1;
        if (first) {
            put_first(backlog, segment, number);
        } else {
            put_last(backlog, segments, segment, number);
        }
    }
    lock_give(&backlog->lock);
}

static bool has_waited(const struct backlog *backlog, const struct segment *segment,
                       uint32_t waited)
{
    return backlog->now - segment->queued_at >= waited;
}

uint32_t backlog_take_segment(struct backlog *backlog, struct segments *segments, uint32_t waited)
{
    lock_take(&backlog->lock);
    uint32_t number = backlog->first_segment;
    struct segment *segment = segment_at(segments, number);
    bool takes = number != 0 && has_waited(backlog, segment, waited);
    if (takes) {
        segment->waiting = 0;
        backlog->first_segment = segment->queued;
        if (backlog->first_segment == 0) {
            backlog->last_segment = 0;
        }
    }
    lock_give(&backlog->lock);
    return takes ? number : 0;
}

void backlog_set_time(struct backlog *backlog, uint64_t now)
{
    lock_take(&backlog->lock);
    backlog->now = (uint32_t)now;
    lock_give(&backlog->lock);
}

bool backlog_forget_segments(struct backlog *backlog, struct segments *segments, uint32_t first,
                             uint32_t count)
{
    bool waits = false;
    lock_take(&backlog->lock);
    for (uint32_t number = first; number < first + count && !waits; number++) {
        waits = segment_at(segments, number)->waiting != 0;
    }
    if (!waits) {
        pages_forget(segment_at(segments, first), count * sizeof(struct segment));
    }
    lock_give(&backlog->lock);
    return !waits;
}

void backlog_add_namespace(struct backlog *backlog, struct namespace *ns)
{
    lock_take(&backlog->lock);
    if (!ns->waiting && !ns->gone) {
        ns->waiting = 1;
        ns->queued = NULL;
        if (backlog->last_namespace != NULL) {
            backlog->last_namespace->queued = ns;
        } else {
            backlog->first_namespace = ns;
        }
        backlog->last_namespace = ns;
    }
    lock_give(&backlog->lock);
}

struct namespace *backlog_take_namespace(struct backlog *backlog)
{
    lock_take(&backlog->lock);
    struct namespace *ns = backlog->first_namespace;
    if (ns != NULL) {
        ns->waiting = 0;
        backlog->first_namespace = ns->queued;
        if (backlog->first_namespace == NULL) {
            backlog->last_namespace = NULL;
        }
    }
    lock_give(&backlog->lock);
    return ns;
}

void backlog_add_retired(struct backlog *backlog, struct generation *generation)
{
    lock_take(&backlog->lock);
    generation->next_retired = NULL;
    if (backlog->last_retired != NULL) {
        backlog->last_retired->next_retired = generation;
    } else {
        backlog->first_retired = generation;
    }
    backlog->last_retired = generation;
    lock_give(&backlog->lock);
    backlog_hurry(backlog);
}

struct generation *backlog_first_retired(struct backlog *backlog)
{
    lock_take(&backlog->lock);
    struct generation *generation = backlog->first_retired;
    lock_give(&backlog->lock);
    return generation;
}

struct generation *backlog_take_retired(struct backlog *backlog)
{
    lock_take(&backlog->lock);
    struct generation *generation = backlog->first_retired;
    if (generation != NULL) {
        backlog->first_retired = generation->next_retired;
        if (backlog->first_retired == NULL) {
            backlog->last_retired = NULL;
        }
    }
    lock_give(&backlog->lock);
    return generation;
}

/*
 * backlog.c - three lists that are linked through what waits; see backlog.h.
 */
#include "daemon/store/records/backlog.h"

#include "daemon/store/arena/pages.h"

void work_add_segment(struct work *work, struct segments *segments, struct segment *segment)
{
    lock_take(&work->lock);
    if (!segment->waiting) {
        uint32_t number = segment_number(segments, segment);
        segment->waiting = 1;
        segment->queued = 0;
        if (work->last_segment != 0) {
            segment_at(segments, work->last_segment)->queued = number;
        } else {
            work->first_segment = number;
        }
        work->last_segment = number;
    }
    lock_give(&work->lock);
}

uint32_t work_take_segment(struct work *work, struct segments *segments)
{
    lock_take(&work->lock);
    uint32_t number = work->first_segment;
    if (number != 0) {
        struct segment *segment = segment_at(segments, number);
        segment->waiting = 0;
        work->first_segment = segment->queued;
        if (work->first_segment == 0) {
            work->last_segment = 0;
        }
    }
    lock_give(&work->lock);
    return number;
}

bool work_forget_segments(struct work *work, struct segments *segments, uint32_t first,
                          uint32_t count)
{
    bool waits = false;
    lock_take(&work->lock);
    for (uint32_t number = first; number < first + count && !waits; number++) {
        waits = segment_at(segments, number)->waiting != 0;
    }
    if (!waits) {
        reserve_forget(segment_at(segments, first), count * sizeof(struct segment));
    }
    lock_give(&work->lock);
    return !waits;
}

void work_add_namespace(struct work *work, struct namespace *ns)
{
    lock_take(&work->lock);
    if (!ns->waiting && !ns->gone) {
        ns->waiting = 1;
        ns->queued = NULL;
        if (work->last_namespace != NULL) {
            work->last_namespace->queued = ns;
        } else {
            work->first_namespace = ns;
        }
        work->last_namespace = ns;
    }
    lock_give(&work->lock);
}

struct namespace *work_take_namespace(struct work *work)
{
    lock_take(&work->lock);
    struct namespace *ns = work->first_namespace;
    if (ns != NULL) {
        ns->waiting = 0;
        work->first_namespace = ns->queued;
        if (work->first_namespace == NULL) {
            work->last_namespace = NULL;
        }
    }
    lock_give(&work->lock);
    return ns;
}

void work_add_retired(struct work *work, struct generation *generation)
{
    lock_take(&work->lock);
    generation->next_retired = NULL;
    if (work->last_retired != NULL) {
        work->last_retired->next_retired = generation;
    } else {
        work->first_retired = generation;
    }
    work->last_retired = generation;
    lock_give(&work->lock);
    work_hurry(work);
}

struct generation *work_first_retired(struct work *work)
{
    lock_take(&work->lock);
    struct generation *generation = work->first_retired;
    lock_give(&work->lock);
    return generation;
}

struct generation *work_take_retired(struct work *work)
{
    lock_take(&work->lock);
    struct generation *generation = work->first_retired;
    if (generation != NULL) {
        work->first_retired = generation->next_retired;
        if (work->first_retired == NULL) {
            work->last_retired = NULL;
        }
    }
    lock_give(&work->lock);
    return generation;
}

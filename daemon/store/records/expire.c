/*
 * expire.c - the heap of due segments; see expire.h.
 *
 * Stale entries are dropped when they come up, or all at once when there are twice as many
 * entries as segments; then half of them are stale at least. What the heap
 * has grown to is given back only when the memory is made smaller.
 */
#include "daemon/store/records/expire.h"

#include <string.h>

#include "daemon/store/arena/pages.h"

enum {
    ENTRIES_PER_STEP = 256, /* a page */
    STEPS_AT_ONCE = 16,     /* that are given back */
};

/* Two for each segment that there may be. */
static size_t capacity_for(size_t units)
{
    return 2 * units + 2 * ENTRIES_PER_STEP;
}

static size_t heap_bytes(size_t units)
{
    return capacity_for(units) * sizeof(struct expire_entry);
}

bool expire_init(struct expire *expire, struct segments *segments, struct budget *budget)
{
    const struct arena *arena = segments->arena;
    memset(expire, 0, sizeof *expire);
    expire->segments = segments;
    expire->budget = budget;
    expire->heap = pages_reserve(heap_bytes(arena_units_max(arena)));
    return expire->heap != NULL && expire_open(expire, arena_frames(arena));
}

void expire_deinit(struct expire *expire)
{
    if (expire->heap != NULL) {
        pages_release(expire->heap, heap_bytes(arena_units_max(expire->segments->arena)));
        expire->heap = NULL;
    }
}

bool expire_open(struct expire *expire, uint32_t frames)
{
    size_t units = (size_t)frames << expire->segments->arena->frame_order;
    bool open = pages_open(expire->heap, heap_bytes(units));
    lock_take(&expire->lock);
    if (open && capacity_for(units) > expire->capacity) {
        expire->capacity = capacity_for(units);
    }
    lock_give(&expire->lock);
    return open;
}

/* Entries that count, at most. */
static size_t most_current(const struct expire *expire)
{
    return __atomic_load_n(&expire->segments->in_use, __ATOMIC_RELAXED);
}

/* From here on stale ones are dropped before more memory is taken. */
static size_t enough(const struct expire *expire)
{
    size_t most = 2 * most_current(expire);
    return most < expire->capacity - ENTRIES_PER_STEP ? most : expire->capacity - ENTRIES_PER_STEP;
}

static void sift_up(struct expire *expire, size_t at)
{
    struct expire_entry entry = expire->heap[at];
    while (at > 0 && expire->heap[(at - 1) / 2].due > entry.due) {
        expire->heap[at] = expire->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    expire->heap[at] = entry;
}

static void sift_down(struct expire *expire, size_t at)
{
    struct expire_entry entry = expire->heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= expire->count) {
            break;
        }
        if (child + 1 < expire->count && expire->heap[child + 1].due < expire->heap[child].due) {
            child++;
        }
        if (expire->heap[child].due >= entry.due) {
            break;
        }
        expire->heap[at] = expire->heap[child];
        at = child;
    }
    expire->heap[at] = entry;
}

static bool is_current(const struct expire *expire, const struct expire_entry *entry)
{
    const struct segment *segment = segment_at(expire->segments, entry->segment);
    return __atomic_load_n(&segment->due, __ATOMIC_RELAXED) == entry->due;
}

/* Keeps what counts: at most one entry a segment. */
static void drop_stale(struct expire *expire)
{
    size_t kept = 0;
    for (size_t i = 0; i < expire->count; i++) {
        if (is_current(expire, &expire->heap[i])) {
            expire->heap[kept++] = expire->heap[i];
        }
    }
    expire->count = kept;
    for (size_t i = kept / 2; i-- > 0;) {
        sift_down(expire, i);
    }
}

static void push(struct expire *expire, struct segment *segment, uint64_t when)
{
    if (expire->count == expire->resident && expire->count >= enough(expire)) {
        drop_stale(expire);
    }
    if (expire->count == expire->resident) {
        /* It is small, and to forget an expiry would be worse. */
        budget_force(expire->budget, ENTRIES_PER_STEP * sizeof(struct expire_entry));
        expire->resident += ENTRIES_PER_STEP;
    }
    expire->heap[expire->count] =
        (struct expire_entry){when, segment_number(expire->segments, segment)};
    sift_up(expire, expire->count++);
}

void expire_schedule(struct expire *expire, struct segment *segment, uint64_t when)
{
    lock_take(&expire->lock);
    if (when < segment->due) {
        __atomic_store_n(&segment->due, when, __ATOMIC_RELAXED);
        push(expire, segment, when);
    }
    lock_give(&expire->lock);
}

void expire_reschedule(struct expire *expire, struct segment *segment, uint64_t when)
{
    lock_take(&expire->lock);
    if (when != segment->due) {
        __atomic_store_n(&segment->due, when, __ATOMIC_RELAXED);
        if (when != SEGMENT_NEVER) {
            push(expire, segment, when);
        }
    }
    lock_give(&expire->lock);
}

uint32_t expire_take(struct expire *expire, uint64_t now)
{
    uint32_t found = 0;
    lock_take(&expire->lock);
    while (found == 0 && expire->count > 0 && expire->heap[0].due <= now) {
        struct expire_entry entry = expire->heap[0];
        expire->heap[0] = expire->heap[--expire->count];
        if (expire->count > 0) {
            sift_down(expire, 0);
        }
        if (is_current(expire, &entry)) {
            struct segment *segment = segment_at(expire->segments, entry.segment);
            __atomic_store_n(&segment->due, SEGMENT_NEVER, __ATOMIC_RELAXED);
            found = entry.segment;
        }
    }
    lock_give(&expire->lock);
    return found;
}

/* --- giving back ------------------------------------------------------------------- */

static void remove_at(struct expire *expire, size_t at)
{
    struct expire_entry last = expire->heap[--expire->count];
    if (at < expire->count) {
        expire->heap[at] = last;
        sift_down(expire, at);
        sift_up(expire, at);
    }
}

/* Whole steps behind the last entry, and the one behind that, which may be wanted at once. */
static size_t unused(const struct expire *expire)
{
    size_t kept = (expire->count / ENTRIES_PER_STEP + 2) * ENTRIES_PER_STEP;
    return expire->resident > kept ? expire->resident - kept : 0;
}

static size_t give_back(struct expire *expire)
{
    size_t entries = unused(expire);
    if (entries > STEPS_AT_ONCE * ENTRIES_PER_STEP) {
        entries = STEPS_AT_ONCE * ENTRIES_PER_STEP;
    }
    if (entries > 0) {
        expire->resident -= entries;
        pages_forget(&expire->heap[expire->resident], entries * sizeof *expire->heap);
        budget_give(expire->budget, entries * sizeof *expire->heap);
    }
    return entries;
}

size_t expire_tidy(struct expire *expire, size_t *hand, size_t most)
{
    size_t looked = 0;
    lock_take(&expire->lock);
    for (; looked < most && *hand < expire->count; looked++) {
        if (is_current(expire, &expire->heap[*hand])) {
            (*hand)++;
        } else {
            remove_at(expire, *hand);
        }
    }
    if (looked == 0) {
        looked = give_back(expire);
    }
    lock_give(&expire->lock);
    return looked;
}

uint64_t expire_excess(struct expire *expire)
{
    lock_take(&expire->lock);
    size_t stale = expire->count > most_current(expire) ? expire->count - most_current(expire) : 0;
    size_t entries = unused(expire) + stale / ENTRIES_PER_STEP * ENTRIES_PER_STEP;
    lock_give(&expire->lock);
    return entries * sizeof *expire->heap;
}

/*
 * expire.c - the heap of due segments; see expire.h.
 *
 * Stale entries are dropped when they come up, or all at once when the heap has
 * no room left, which is for twice as many entries as there can be segments.
 */
#include "daemon/store/expire.h"

#include <string.h>

#include "daemon/store/reserve.h"

enum { ENTRIES_PER_STEP = 256 /* a page */ };

static size_t heap_bytes(const struct expire *expire)
{
    return expire->capacity * sizeof(struct expire_entry);
}

bool expire_init(struct expire *expire, struct segments *segments, struct budget *budget)
{
    const struct arena *arena = segments->arena;
    memset(expire, 0, sizeof *expire);
    expire->segments = segments;
    expire->budget = budget;
    expire->capacity = 2 * arena_units(arena) + ENTRIES_PER_STEP;
    expire->heap = reserve_pages(heap_bytes(expire));
    return expire->heap != NULL;
}

void expire_deinit(struct expire *expire)
{
    reserve_release(expire->heap, heap_bytes(expire));
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

/* Keeps what counts: at most one entry a segment, so half of the room is free
 * after this. */
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
    if (expire->count == expire->capacity) {
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

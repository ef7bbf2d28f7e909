/*
 * compact.c - winning back the dead space between records that live; see compact.h.
 *
 * The living records of a segment that is half dead are appended to the namespace's open
 * segments, by their time to live, and the segment is freed. Listings that have not visited
 * a record before it is moved look for it later (cursor.c).
 */
#include "daemon/store/reclaim/compact.h"

#include "daemon/store/reclaim/reclaim.h"
#include "daemon/store/records/append.h"

enum {
    SOON = 1000, /* ms; with less time than this left, the rest of a segment is left to the purge */
    /* ms that a segment waits while memory is plentiful: where keys are written again and again it
     * loses most of what is left. A pipeline of sets on 1,000,000 keys took 0.40 us of CPU a
     * request where none waited, 0.35 us since. */
    PATIENCE = 1000,
};

/* The record as it is to be appended: with its time of reading, and its version if a client was
 * told of it. */
static struct record take_along(const struct visited *visited)
{
    struct record fresh = visited->record;
    if (fresh.noted) {
        fresh.read_at = record_read_at(visited->bytes);
    }
    if ((fresh.notes & NOTE_TOLD) != 0) {
        fresh.version =
            record_version(visited->thread->store, visited->segment, visited->bytes, &fresh);
    }
    return fresh;
}

bool compact_move(struct visited *visited, enum segment_queue queue, uint32_t fresh_from)
{
    struct store *store = visited->thread->store;
    struct generation *generation = visited->segment->generation;
    if (generation_is_retired(generation) || visited->record.span) {
        return false;
    }
    struct segment *to = NULL;
    struct append append = {.expires = visited->expires,
                            .size = append_size(store, &visited->record, visited->expires),
                            .appender = APPENDER_RECLAIM,
                            .queue = queue};
    if (append_room(store, generation, &append, visited->now, &to) != ROOM_FOUND) {
        return false;
    }
    if (visited_offset(visited) >= fresh_from) {
        age_note_fresh(store, to);
    }
    struct record fresh = take_along(visited);
    uint32_t size;
    uint32_t place = append_record(store, to, &fresh, visited->expires, &size);
    slot_set_place(&visited->slot, place);
    record_supersede(visited->thread, visited->segment, visited->bytes, &visited->record,
                     RETIRED_REPLACED, size);
    return true;
}

struct compaction {
    uint32_t fresh_from;
    bool stuck; /* there is no room for a record that is to be moved */
};

static void compact_record(struct visited *visited)
{
    struct compaction *compaction = visited->context;
    if (visited->expires <= visited->now) {
        visited_remove(visited, RETIRED_EXPIRED);
    } else if (!compaction->stuck) {
        compaction->stuck =
            !compact_move(visited, segment_queue(visited->segment), compaction->fresh_from);
    }
}

/* Under the namespace's lock. A span is one record: it cannot be half dead. */
static bool is_worth_compacting(const struct segment *segment, uint64_t now, bool pressing)
{
    bool dead = segment_live(segment) == 0;
    bool stays = segment->latest == SEGMENT_NEVER || segment->latest > now + SOON;
    return dead || (segment_is_half_dead(segment) && !segment->span && (stays || pressing));
}

static bool may_compact(struct segment *segment, uint64_t now, bool pressing)
{
    struct generation *generation = segment_owner(segment);
    if (generation == NULL) {
        return false;
    }
    lock_take(&generation->ns->lock);
    bool good = segment->generation == generation && !generation_is_retired(generation) &&
                segment_state(segment) == SEGMENT_SEALED &&
                is_worth_compacting(segment, now, pressing);
    lock_give(&generation->ns->lock);
    return good;
}

/* Seals an open segment, and frees what it did not use. True: that was something. */
static bool seal(struct store *store, struct segment *segment)
{
    struct generation *generation = segment->generation;
    uint8_t order = segment_order(segment);
    lock_take(&generation->ns->lock);
    if (segment_state(segment) == SEGMENT_OPEN) {
        generation_seal(generation, &store->segments, segment);
        generation_shrink(generation, &store->segments, segment);
    }
    lock_give(&generation->ns->lock);
    return segment_order(segment) < order;
}

bool compact_segment(struct store_thread *thread, struct segment *segment, uint64_t now,
                     size_t *effort)
{
    struct store *store = thread->store;
    struct compaction compaction = {.fresh_from = age_fresh_in(store, segment)};
    store->evict.whole = segment_order(segment) == store->arena.frame_order;
    *effort += 1;
    if (seal(store, segment)) {
        return true;
    }
    if (segment_live(segment) == 0) {
        return reclaim_segment(store, segment);
    }
    struct visit visit = {.thread = thread,
                          .segment = segment,
                          .now = now,
                          .expired_by = SEGMENT_NEVER,
                          .lock_namespace = true,
                          .each = compact_record,
                          .context = &compaction,
                          .stop = &compaction.stuck};
    visit_segment(&visit);
    *effort += visit.seen;
    bool freed = reclaim_segment(store, segment);
    if (freed) {
        __atomic_fetch_add(&store->compactions, 1, __ATOMIC_RELAXED);
    }
    return freed;
}

/* Half of it is free. */
static bool memory_is_plentiful(struct store *store)
{
    return !store->shrink.active && !store_is_short(store, 2);
}

size_t compact_next(struct store_thread *thread, uint64_t now, bool pressing)
{
    struct store *store = thread->store;
    uint32_t wait = !pressing && memory_is_plentiful(store) ? PATIENCE : 0;
    uint32_t number = backlog_take_segment(&store->backlog, &store->segments, wait);
    size_t effort = 1;
    if (number == 0) {
        return 0;
    }
    struct segment *segment = segment_at(&store->segments, number);
    if (may_compact(segment, now, pressing)) {
        compact_segment(thread, segment, now, &effort);
    }
    return effort;
}

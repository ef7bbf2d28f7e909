/*
 * evict_segment.c - a survey of what was read how often, then the cut; see evict_segment.h.
 *
 * Records of a young segment are kept if they were read at all, and keep their count. Those
 * of a proven segment are kept with one read less, and with KEPT_READS at most, so that what is
 * not popular any more has no reads left after KEPT_READS + 1 rounds. What the store misses on
 * traces of tests/store/eviction/simulate.c, with other numbers of KEPT_READS:
 *
 *                            Zipf 0.8   Zipf 1.0   drift   sets
 *     5 at most                0.291      0.119    0.125   0.131
 *     3 at most                0.291      0.119    0.125   0.122
 *     2 at most                0.291      0.119    0.125   0.121
 *     1 at most                0.293      0.119    0.126   0.120
 *
 * A proven segment need not lose any record, as long as the ones before it lost more than their
 * share: else records are dropped that were read, in a segment where all were, while other segments
 * keep none that are better. If each segment lost an eighth by itself, Zipf 0.8 and sizes would
 * miss 0.293 and 0.222 instead of 0.291 and 0.221. What is saved has a limit, since a writer may
 * wait: four frames of segments in a row, at most, are emptied without a byte won.
 */
#include "daemon/store/reclaim/evict_segment.h"

#include "daemon/store/reclaim/compact.h"
#include "daemon/store/reclaim/reclaim.h"
#include "daemon/store/records/append.h"

/* What is kept of a segment at most, in eighths. */
enum { EIGHTHS_OF_YOUNG = 6, EIGHTHS_OF_PROVEN = 7 };

/* What proven segments kept less than that is saved for the next ones, up to half of one. */
enum { SAVED_SHARE = 2 };

enum { KEPT_READS = 2 /* of a proven record that is kept, at most */ };

enum { SEGMENT_EFFORT = 8 /* what emptying one costs beside its records, in records */ };

struct eviction {
    struct store_thread *thread;
    struct segment *segment;
    uint64_t now;
    bool may_drop; /* what is not fresh (age.h); else what lives is moved, all of it */
    /* results */
    size_t effort;  /* records looked at */
    uint64_t moved; /* bytes of those that were kept */
};

struct cut {
    struct eviction *eviction;
    bool proves;                         /* what is kept becomes proven */
    uint32_t fresh_from;                 /* from this byte on records are fresh, and are kept */
    uint64_t fresh;                      /* bytes of them */
    unsigned keep_from;                  /* reads from which on every record is kept */
    uint64_t room;                       /* bytes of records with one read less to be kept, too */
    uint64_t bytes[INDEX_READS_MAX + 1]; /* of records, by reads */
};

/* What may be kept of the segment, in bytes. */
static uint64_t share_of(const struct cut *cut)
{
    const struct eviction *eviction = cut->eviction;
    uint64_t capacity = segment_capacity(eviction->segment);
    if (cut->proves) {
        return capacity * EIGHTHS_OF_YOUNG / 8;
    }
    return capacity * EIGHTHS_OF_PROVEN / 8 + eviction->thread->store->evict.saved;
}

/* `kept` of `share` were kept. */
static void save(const struct cut *cut, uint64_t share, uint64_t kept)
{
    struct eviction *eviction = cut->eviction;
    if (!cut->proves) {
        uint64_t most = arena_frame_size(&eviction->thread->store->arena) / SAVED_SHARE;
        uint64_t left = share > kept ? share - kept : 0;
        eviction->thread->store->evict.saved = left < most ? left : most;
    }
}

static bool is_fresh(const struct cut *cut, const struct visited *visited)
{
    return visited_offset(visited) >= cut->fresh_from;
}

static void survey_record(struct visited *visited)
{
    struct cut *cut = visited->context;
    uint64_t bytes = record_footprint(&visited->thread->store->segments, &visited->record);
    if (visited->expires <= visited->now) {
        return;
    }
    if (is_fresh(cut, visited)) {
        cut->fresh += bytes;
    } else {
        cut->bytes[slot_reads(&visited->slot)] += bytes;
    }
}

/* Chooses the lowest count of reads with which what is kept is no more than the share. What is
 * left of the share is for records of the count below. */
static void choose_threshold(struct cut *cut, uint64_t share)
{
    uint64_t kept = cut->fresh;
    unsigned reads = INDEX_READS_MAX + 1;
    while (reads > 1 && kept + cut->bytes[reads - 1] <= share) {
        reads--;
        kept += cut->bytes[reads];
    }
    cut->room = reads > 1 && kept < share ? share - kept : 0;
    cut->keep_from = reads;
}

/* A large record stays where it is, and is young in its queue again. */
static bool spare_span(struct cut *cut, struct segment *segment)
{
    struct segments *segments = &cut->eviction->thread->store->segments;
    uint32_t serial = __atomic_load_n(&segments->serial, __ATOMIC_RELAXED);
    __atomic_store_n(&segment->serial, serial, __ATOMIC_RELAXED);
    if (cut->proves) {
        generation_prove(segment->generation, segments, segment);
    }
    cut->eviction->moved += segment_weight(segment);
    return true;
}

static bool move_record(struct cut *cut, struct visited *visited)
{
    bool proves = cut->proves && !is_fresh(cut, visited);
    enum segment_queue queue = proves ? SEGMENT_PROVEN : segment_queue(cut->eviction->segment);
    if (!compact_move(visited, queue, cut->fresh_from)) {
        return false;
    }
    cut->eviction->moved += record_footprint(&visited->thread->store->segments, &visited->record);
    return true;
}

static unsigned one_less(unsigned reads)
{
    unsigned less = reads > 0 ? reads - 1 : 0;
    return less < KEPT_READS ? less : KEPT_READS;
}

static bool keep_record(struct cut *cut, struct visited *visited)
{
    if (!cut->proves) {
        slot_set_reads(&visited->slot, one_less(slot_reads(&visited->slot)));
    }
    return visited->record.span ? spare_span(cut, visited->segment) : move_record(cut, visited);
}

/* Whether the record is among those that were read most. Of records that were read equally often,
 * but are too many to be kept, the first ones are kept. */
static bool is_worth_keeping(struct cut *cut, const struct visited *visited)
{
    unsigned reads = slot_reads(&visited->slot);
    if (visited->record.span) {
        return reads > 0;
    }
    if (reads == 0 || reads + 1 != cut->keep_from) {
        return reads >= cut->keep_from;
    }
    uint64_t bytes = record_footprint(&visited->thread->store->segments, &visited->record);
    bool fits = bytes <= cut->room;
    cut->room -= fits ? bytes : 0;
    return fits;
}

static void cut_record(struct visited *visited)
{
    struct cut *cut = visited->context;
    struct store *store = visited->thread->store;
    if (visited->expires <= visited->now) {
        visited_remove(visited, RETIRED_EXPIRED);
    } else if (!cut->eviction->may_drop || is_fresh(cut, visited)) {
        move_record(cut, visited);
    } else if (!is_worth_keeping(cut, visited) || !keep_record(cut, visited)) {
        ghost_add(&store->ghost, visited->hash, segment_queue(visited->segment));
        visited_remove(visited, RETIRED_EVICTED);
    }
}

/* Seals the segment, so that no more is appended to it. False: it is not linked any more. */
static bool seal(struct cut *cut, struct segment *segment, struct generation *generation)
{
    struct store *store = cut->eviction->thread->store;
    lock_take(&generation->ns->lock);
    bool good = segment->generation == generation && !generation_is_retired(generation) &&
                segment_is_linked(segment);
    if (good) {
        cut->fresh_from = age_fresh_in(store, segment);
        generation_seal(generation, &store->segments, segment);
        cut->proves = cut->eviction->may_drop && segment_queue(segment) == SEGMENT_YOUNG &&
                      append_separates(generation);
    }
    lock_give(&generation->ns->lock);
    return good;
}

static void visit(struct cut *cut, void (*each)(struct visited *), bool lock_namespace)
{
    struct eviction *eviction = cut->eviction;
    struct visit visit = {.thread = eviction->thread,
                          .segment = eviction->segment,
                          .now = eviction->now,
                          .expired_by = SEGMENT_NEVER,
                          .lock_namespace = lock_namespace,
                          .each = each,
                          .context = cut};
    visit_segment(&visit);
    eviction->effort += visit.seen;
}

static void empty(struct eviction *eviction)
{
    struct segment *segment = eviction->segment;
    struct generation *generation = segment_owner(segment);
    struct cut cut = {.eviction = eviction};
    uint64_t share = 0;
    eviction->effort++;
    eviction->thread->store->evict.whole =
        segment_order(segment) == eviction->thread->store->arena.frame_order;
    if (generation == NULL || !seal(&cut, segment, generation)) {
        return;
    }
    if (eviction->may_drop) {
        visit(&cut, survey_record, false);
        share = share_of(&cut);
        choose_threshold(&cut, share);
    }
    visit(&cut, cut_record, true);
    if (eviction->may_drop) {
        save(&cut, share, eviction->moved);
    }
    reclaim_segment(eviction->thread->store, segment);
}

/* --- one segment --------------------------------------------------------------- */

/* Bytes that can be won back. Of a sealed segment: what is dead. Its unused tail does not count,
 * since the segment that its records are moved to will have one, too. Of an open segment that was
 * not appended to for a while: what is given back when it is sealed. */
static uint64_t lost_in(const struct store *store, const struct segment *segment)
{
    if (segment_state(segment) == SEGMENT_OPEN) {
        uint64_t used = __atomic_load_n(&segment->used, __ATOMIC_RELAXED);
        return age_is_idle(store, segment)
                   ? segment_capacity(segment) - arena_block_size(arena_order_for(used))
                   : 0;
    }
    return segment_dead(segment);
}

uint32_t evict_segment_waste(const struct store *store, const struct segment *segment)
{
    if (segment_owner(segment) == NULL || segment->span) {
        return 0;
    }
    uint32_t waste = (uint32_t)(lost_in(store, segment) * 1024 / segment_capacity(segment));
    return waste >= EVICT_WASTE_LEAST ? waste : 0;
}

/* Updates the queues' sizes instead of counting them again: what came free will be filled by young
 * segments, and what was moved is proven now. */
static void follow(struct evict *evict, enum segment_queue from, uint64_t bytes, uint64_t moved)
{
    evict->bytes[from] -= bytes < evict->bytes[from] ? bytes : evict->bytes[from];
    evict->bytes[SEGMENT_PROVEN] += moved;
    evict->bytes[SEGMENT_YOUNG] += moved < bytes ? bytes - moved : 0;
}

/* Each segment that is emptied pays for some of the memory of ghosts. A frame that just came free
 * may have to be given back for it. The payment follows at once: the next writer takes the frame
 * again, so that a later one would find no memory either. */
static void pay_for_ghosts(struct store *store)
{
    if (store->shrink.active || ghost_pay(&store->ghost, &store->budget)) {
        return;
    }
    if (arena_trim(&store->arena, 0, 1) > 0) {
        ghost_pay(&store->ghost, &store->budget);
    }
}

size_t evict_segment(struct store_thread *thread, struct segment *segment, bool may_drop,
                     uint64_t now)
{
    struct store *store = thread->store;
    struct eviction eviction = {
        .thread = thread, .segment = segment, .now = now, .may_drop = may_drop};
    enum segment_queue queue = segment_queue(segment);
    uint64_t bytes = segment_weight(segment);
    bool counts = may_drop && evict_segment_is_pooled(segment);
    empty(&eviction);
    if (counts) {
        follow(&store->evict, queue, bytes, eviction.moved);
    }
    pay_for_ghosts(store);
    return eviction.effort + SEGMENT_EFFORT;
}

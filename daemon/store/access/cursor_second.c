/*
 * cursor_second.c - the second round of a listing: what is to be revisited, from where it lies now.
 *
 * Its position is one in the order of reversed hashes (revisits.h). For a position the bucket that
 * holds it is locked, and what of the bucket is to be revisited from there on is given in that
 * order. So nothing is missed when buckets are split and merged between two steps, nor when the
 * visitor stops in the middle of a bucket.
 */
#include "daemon/store/access/cursor_second.h"

enum {
    BUCKET_AT_ONCE = 16, /* records that are given with their bucket locked once */
    BUCKET_EFFORT = 3,   /* what a look into a bucket costs besides, in records */
};

/* Part of the reversed order, both ends included, in one locked bucket; and what of it is
 * to be revisited: the first ones in that order. */
struct part {
    struct bucket *home;
    uint64_t from, to;
    size_t most;
    size_t count;
    struct {
        uint64_t at;
        uint32_t place;
    } found[BUCKET_AT_ONCE];
};

static void keep_lowest(struct part *part, uint64_t at, uint32_t place)
{
    size_t i = part->count;
    if (i < part->most) {
        part->count++;
    } else if (at < part->found[--i].at) {
        part->to = part->found[i].at - 1; /* that one has to wait, with all behind it */
    } else {
        part->to = at - 1;
        return;
    }
    for (; i > 0 && part->found[i - 1].at > at; i--) {
        part->found[i] = part->found[i - 1];
    }
    part->found[i].at = at;
    part->found[i].place = place;
}

/* The record at that place, if it is the listing's, and was written or moved since the
 * beginning: what lies where it lay then was met in the first round. */
static struct segment *candidate(const struct store_cursor *cursor, uint32_t place,
                                 struct record *record, uint64_t *expires)
{
    const struct segments *segments = &cursor->store->segments;
    struct segment *segment = place_segment(segments, place);
    if (__atomic_load_n(&segment->generation, __ATOMIC_RELAXED) != cursor->generation ||
        segment->link <= cursor->bound) {
        return NULL;
    }
    segment_record(segment, place_bytes(segments, place), record, expires);
    return segment;
}

static void gather_one(const struct store_cursor *cursor, struct part *part, uint32_t place)
{
    struct record record;
    uint64_t expires = 0;
    if (candidate(cursor, place, &record, &expires) == NULL) {
        return;
    }
    uint64_t at = revisits_reverse(store_hash(cursor->store, cursor->generation, record.key));
    bool is_due = cursor->revisits.map == NULL || revisits_has(&cursor->revisits, at);
    if (at >= part->from && at <= part->to && is_due) {
        keep_lowest(part, at, place);
    }
}

static void gather(const struct store_cursor *cursor, struct part *part)
{
    for (struct slot slot = index_slots(part->home);
         index_next_filled(&cursor->store->index, &slot);) {
        gather_one(cursor, part, slot_place(&slot));
    }
}

/* False: the visitor wants to stop before the one at part->from. */
static bool offer_part(struct cursor_step *step, struct part *part)
{
    const struct segments *segments = &step->cursor->store->segments;
    for (size_t i = 0; i < part->count; i++) {
        struct cursor_record at;
        at.segment = candidate(step->cursor, part->found[i].place, &at.record, &at.expires);
        at.bytes = place_bytes(segments, part->found[i].place);
        at.offset = (uint32_t)(at.bytes - segment_bytes(segments, at.segment));
        part->from = part->found[i].at;
        if (!cursor_offer(step, &at, part->home)) {
            return false;
        }
    }
    return true;
}

/* Gives what is to be revisited from *from on, up to `to` or to the end of its bucket, and moves
 * *from to where that was, or before the record that the visitor does not want yet: then false. */
static bool give_part(struct cursor_step *step, uint64_t *from, uint64_t to)
{
    struct index *index = &step->cursor->store->index;
    struct part part = {.from = *from};
    part.most = step->left < BUCKET_AT_ONCE ? step->left : BUCKET_AT_ONCE;
    part.home = index_lock(index, revisits_reverse(*from));
    part.to = *from | UINT64_MAX >> index_shared_bits(index, part.home);
    part.to = part.to < to ? part.to : to;
    gather(step->cursor, &part);
    bool goes_on = offer_part(step, &part);
    index_unlock(part.home);
    size_t effort = part.count + BUCKET_EFFORT;
    step->left -= step->left < effort ? step->left : effort;
    *from = goes_on ? part.to : part.from;
    return goes_on;
}

static bool give_listed(struct cursor_step *step)
{
    struct revisits *revisits = &step->cursor->revisits;
    uint64_t at = revisits->list[revisits->count - 1];
    bool goes_on = give_part(step, &at, at);
    revisits->count -= goes_on;
    return goes_on;
}

/* False: the visitor wants to stop. */
static bool give_marked(struct cursor_step *step, bool *ended)
{
    struct store_cursor *cursor = step->cursor;
    if (!revisits_next(&cursor->revisits, &cursor->from)) {
        *ended = true;
        return true;
    }
    bool goes_on = give_part(step, &cursor->from, UINT64_MAX);
    if (goes_on) {
        *ended = ++cursor->from == 0;
    }
    return goes_on;
}

bool cursor_second_step(struct cursor_step *step, bool *ended)
{
    const struct revisits *revisits = &step->cursor->revisits;
    if (revisits->map != NULL) {
        return give_marked(step, ended);
    }
    *ended = revisits->count == 0;
    return *ended || give_listed(step);
}

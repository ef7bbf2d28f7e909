/*
 * recover_records.c - the two walks over a segment; see recover.h.
 *
 * The first trusts only that the segment's block lies inside of the arena. A record with a wrong
 * guard is passed over by its own lengths. They may be wrong too, but what is met next has to pass
 * its own guard, and the seed of a guard depends on the place. The segment ends where no record
 * can be made out.
 */
#include "daemon/store/lifecycle/recover_records.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/store/records/lookup.h"

enum {
    BATCH = 16,
    POPULATE_READ = 22, /* MADV_POPULATE_READ of Linux 5.14; older headers lack it */
};

/* --- are they right? ------------------------------------------------------------ */

/* Has the pages mapped at once. False: the disk cannot give them; without this it
 * would be SIGBUS. Kernels that do not know how are left to fault. */
static bool populate(const struct segments *segments, const struct segment *segment)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = (uintptr_t)segment_bytes(segments, segment) & ~(page - 1);
    uintptr_t end = (uintptr_t)segment_bytes(segments, segment) + segment_capacity(segment);
    end = (end + page - 1) & ~(page - 1);
    return madvise((void *)from, end - from, POPULATE_READ) == 0 ||
           (errno != EFAULT && errno != EHWPOISON);
}

/* Both marks of a death, so that no flipped byte undoes it. One that was just being retired
 * may have a part of them, and one that is damaged has none that can be told: theirs are
 * made anew, the flag first. */
static void retire_for_good(char *bytes, uint32_t size, enum guard guard, uint64_t seed)
{
    record_kill(bytes, false);
    if (guard == GUARD_BAD) {
        record_guard(bytes, size, seed);
    }
    if (guard != GUARD_DEAD) {
        record_guard_kill(bytes);
    }
}

struct walk {
    struct recover *recover;
    struct segment *segment;
    char *start;
    uint64_t seed; /* of its guards */
    uint64_t alive;
};

static void examine_record(struct walk *walk, uint32_t at, const struct record *record,
                           uint32_t size)
{
    const struct segment *segment = walk->segment;
    char *bytes = walk->start + at;
    uint64_t seed = segment_guard_seed(walk->seed, at);
    enum guard guard = record_guard_check(bytes, size, seed);
    bool dead = record_is_dead(bytes);
    bool expired = record->expires && segment->base_time + record->after <= walk->recover->now;
    if (guard == GUARD_BAD && !dead) {
        recover_count(&walk->recover->found->damaged_records, 1);
    } else if (guard == GUARD_LIVE && !dead && expired) {
        recover_count(&walk->recover->found->expired, 1);
    }
    if (guard != GUARD_LIVE || dead || expired) {
        retire_for_good(bytes, size, guard, seed);
    } else {
        walk->alive++;
    }
}

/* From here on there is nothing. What an append that was not committed left there must
 * not be met either, should `used` be damaged one day: without a key the walk ends. */
static void end_at(const struct walk *walk, uint32_t at)
{
    struct segment *segment = walk->segment;
    uint32_t left = segment_capacity(segment) - at;
    if (at != segment->used) {
        file_segment_set_used(recover_label(walk->recover, segment), at);
        segment->used = at;
        segment_set_live(segment, 0);
    }
    memset(walk->start + at, 0, left < RECORD_HEADER_MAX ? left : RECORD_HEADER_MAX);
}

/* Something that can be walked over, later too: then its size is what its lengths need,
 * which a damaged header may have more room for. */
static bool make_out(const struct walk *walk, uint32_t at, struct record *record, uint32_t *size)
{
    const struct store *store = walk->recover->store;
    uint32_t left = walk->segment->used - at;
    return record_measure(walk->start + at, left, record, size) && !record->span &&
           *size == record_size(record) && record_footprint(&store->segments, record) <= left;
}

static void examine_log(struct walk *walk)
{
    struct store *store = walk->recover->store;
    uint32_t at = store->segments.lead;
    while (at < walk->segment->used) {
        struct record record;
        uint32_t size = 0;
        if (!make_out(walk, at, &record, &size)) {
            recover_count(&walk->recover->found->damaged_records, 1);
            break;
        }
        examine_record(walk, at, &record, size);
        at += record_footprint(&store->segments, &record);
    }
    end_at(walk, at);
}

/* All of the value is there, and is what was written. `from`: where it begins in the head. */
static bool is_value_whole(const struct recover *recover, const struct segment *segment,
                           uint32_t from, uint64_t length)
{
    const struct segments *segments = &recover->store->segments;
    bool whole = true;
    while (whole && segment != NULL) {
        const struct segment_entry *label = recover_label(recover, segment);
        uint32_t here = segment->used - from;
        whole = segment->used >= from && here <= length &&
                (here == length || segment->used == segment_capacity(segment)) &&
                label->sum == file_segment_sum_of(segments->file, label->version,
                                                  segment_bytes(segments, segment) + from, here);
        length -= here;
        from = 0;
        segment = segment->piece == 0 ? NULL : segment_at(segments, segment->piece);
    }
    return whole && length == 0;
}

static bool is_span_right(const struct walk *walk)
{
    const struct segments *segments = &walk->recover->store->segments;
    const struct segment *segment = walk->segment;
    uint32_t at = segments->lead;
    struct record record;
    uint32_t size = 0;
    if (segment->used <= at ||
        !record_measure(walk->start + at, segment->used - at, &record, &size) || !record.span) {
        return false;
    }
    uint64_t seed = segment_guard_seed(walk->seed, at);
    return record_guard_check(walk->start + at, size, seed) == GUARD_LIVE &&
           is_value_whole(walk->recover, segment, at + size, record.value_length);
}

/* One that was retired goes as well: the guard tells of it where the flag does not. */
static bool examine_span(const struct walk *walk)
{
    struct recover *recover = walk->recover;
    if (record_is_dead(walk->start + recover->store->segments.lead)) {
        return false;
    }
    if (walk->segment->latest <= recover->now) {
        recover_count(&recover->found->expired, 1);
        return false;
    }
    if (!is_span_right(walk)) {
        recover_count(&recover->found->damaged_records, 1);
        return false;
    }
    return true;
}

static bool populate_all(const struct segments *segments, const struct segment *segment)
{
    bool there = true;
    while (segment != NULL && there) {
        there = populate(segments, segment);
        segment = segment->piece == 0 ? NULL : segment_at(segments, segment->piece);
    }
    return there;
}

void recover_examine(struct recover *recover, struct segment *segment)
{
    struct segments *segments = &recover->store->segments;
    struct walk walk = {.recover = recover,
                        .segment = segment,
                        .start = segment_bytes(segments, segment),
                        .seed = segment->seed};
    bool good = populate_all(segments, segment);
    if (!good) {
        recover_count(&recover->found->damaged_segments, 1);
    } else if (recover_is_span(recover, segment)) {
        good = examine_span(&walk);
        walk.alive = good;
    } else {
        examine_log(&walk);
    }
    if (!good) {
        __atomic_store_n(&segment->state, SEGMENT_GONE, __ATOMIC_RELAXED);
    }
    recover_count(&recover->alive, walk.alive);
}

/* --- into the index -------------------------------------------------------------- */

struct batch {
    struct recover *recover;
    struct segment *segment;
    uint64_t items, bytes; /* of those that went in */
    unsigned count;
    char *at[BATCH];
    uint64_t hash[BATCH];
};

static void count_in(struct batch *batch, uint32_t size, uint64_t expires)
{
    struct segment *segment = batch->segment;
    segment->dead -= size;
    segment->earliest = expires < segment->earliest ? expires : segment->earliest;
    segment->latest = expires > segment->latest ? expires : segment->latest;
    batch->items++;
    batch->bytes += size;
}

/* Of two that live this one goes: the other may be in use as soon as it is in the index. */
static void insert_one(struct batch *batch, char *bytes, uint64_t hash)
{
    struct recover *recover = batch->recover;
    struct store *store = recover->store;
    struct segment *segment = batch->segment;
    struct record record;
    struct slot slot;
    struct found other;
    uint64_t expires = 0;
    segment_record(segment, bytes, &record, &expires);
    struct store_key at = {.key = record.key, .generation = segment->generation, .hash = hash};
    struct bucket *home = index_lock(&store->index, hash);
    bool twice = lookup(store, home, &at, &other);
    bool fits = !twice && index_free_slot(&store->index, home, &slot);
    if (fits) {
        uint32_t offset = (uint32_t)(bytes - segment_bytes(&store->segments, segment));
        index_fill(&store->index, &slot, hash, place_of(&store->segments, segment, offset));
        count_in(batch, record_footprint(&store->segments, &record), expires);
    } else {
        record_kill(bytes, true);
        recover_count(twice ? &recover->found->duplicates : &recover->found->evicted, 1);
    }
    index_unlock(home);
}

static void insert_batch(struct batch *batch)
{
    for (unsigned i = 0; i < batch->count; i++) {
        insert_one(batch, batch->at[i], batch->hash[i]);
    }
    batch->count = 0;
}

static void add(struct batch *batch, char *bytes, struct slice key)
{
    struct store *store = batch->recover->store;
    uint64_t hash = store_hash(store, batch->segment->generation, key);
    index_prefetch(&store->index, hash);
    batch->at[batch->count] = bytes;
    batch->hash[batch->count++] = hash;
    if (batch->count == BATCH) {
        insert_batch(batch);
    }
}

void recover_insert(struct recover *recover, struct segment *segment)
{
    struct store *store = recover->store;
    char *start = segment_bytes(&store->segments, segment);
    struct batch batch = {.recover = recover, .segment = segment};
    if (segment_state(segment) == SEGMENT_GONE) {
        return;
    }
    for (uint32_t at = store->segments.lead; at < segment->used;) {
        struct record record;
        record_read(start + at, &record);
        if (!record_is_dead(start + at)) {
            add(&batch, start + at, record.key);
        }
        at = recover_is_span(recover, segment) ? segment->used
                                               : at + record_footprint(&store->segments, &record);
    }
    insert_batch(&batch);
    recover_count(&segment->generation->items, batch.items);
    recover_count(&segment->generation->bytes, batch.bytes);
}

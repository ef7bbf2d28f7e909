/*
 * append.c - choosing, opening and filling segments; see append.h.
 *
 * A segment is about a sixteenth of what its namespace holds, from a kilobyte to a
 * frame, and a small namespace does with few classes of time to live, and does not
 * tell young records from proven ones. So ten records cost a kilobyte or two, and
 * what lies unused at the ends of open segments stays in proportion.
 */
#include "daemon/store/records/append.h"

#include "daemon/store/records/lookup.h"
#include "daemon/store/records/ttl.h"

enum {
    SEGMENT_SHARE = 16,
    OPEN_SHARE = 8,            /* all open segments are no more of their namespace's records, */
    ONE_CLASS = 32 << 10,      /* bytes of records up to which there is one class, */
    WIDE_CLASSES = 1 << 20,    /* classes of four octaves, */
    OCTAVE_CLASSES = 16 << 20, /* classes of one octave */
};

bool append_separates(const struct generation *generation)
{
    return __atomic_load_n(&generation->bytes, __ATOMIC_RELAXED) >= ONE_CLASS;
}

/* How many of the quarter-octave classes are taken as one, as a power of 2. Of proven records there
 * are fewer by the second, so that they are never split further. */
static unsigned class_bits(const struct generation *generation, enum segment_queue queue)
{
    uint64_t bytes = __atomic_load_n(&generation->bytes, __ATOMIC_RELAXED);
    if (bytes < WIDE_CLASSES) {
        return 4;
    }
    return bytes < OCTAVE_CLASSES || queue == SEGMENT_PROVEN ? 2 : 0;
}

static uint8_t class_for(const struct generation *generation, enum segment_queue queue,
                         uint64_t expires, uint64_t now)
{
    if (!append_separates(generation)) {
        return TTL_CLASS_MIXED;
    }
    if (expires == SEGMENT_NEVER) {
        return TTL_CLASS_NEVER;
    }
    unsigned bits = class_bits(generation, queue);
    unsigned class = (unsigned)ttl_class(expires > now ? expires - now : 0) >> bits << bits;
    return (uint8_t)(class + TTL_CLASS_FIRST);
}

/* Whether the namespace, as large as it is now, still writes to such a class. */
static bool is_class_in_use(const struct generation *generation, enum segment_queue queue,
                            uint8_t class)
{
    bool one = !append_separates(generation);
    if (class < TTL_CLASS_FIRST) {
        return one == (class == TTL_CLASS_MIXED);
    }
    unsigned within = (1u << class_bits(generation, queue)) - 1;
    return !one && ((unsigned)(class - TTL_CLASS_FIRST) & within) == 0;
}

/* There is one at most that is `moving`, and one that is not. */
static struct segment *open_of_class(const struct store *store, const struct generation *generation,
                                     enum segment_queue queue, uint8_t class, bool moving)
{
    uint32_t number = generation->open;
    while (number != 0) {
        struct segment *segment = segment_at(&store->segments, number);
        if (segment->class == class && segment_queue(segment) == queue &&
            segment->moving == moving) {
            return segment;
        }
        number = segment->open_next;
    }
    return NULL;
}

static uint32_t room_in(const struct segment *segment)
{
    return segment_capacity(segment) - segment->used;
}

static bool has_room(const struct segment *segment, uint32_t size)
{
    return room_in(segment) >= size;
}

static uint32_t count_open(const struct store *store, const struct generation *generation)
{
    uint32_t count = 0;
    for (uint32_t number = generation->open; number != 0; count++) {
        number = segment_at(&store->segments, number)->open_next;
    }
    return count;
}

/* Of blocks that few such records fill a large part is unused. */
static uint64_t decent_size(uint32_t size)
{
    enum { MANY = 8 };
    return (uint64_t)MANY * size;
}

static uint8_t next_order(const struct store *store, const struct generation *generation,
                          uint32_t size)
{
    uint64_t bytes = __atomic_load_n(&generation->bytes, __ATOMIC_RELAXED);
    uint64_t share = bytes / SEGMENT_SHARE / 2;
    uint64_t apiece = bytes / OPEN_SHARE / (count_open(store, generation) + 1);
    uint8_t fit = arena_order_for((uint64_t)store->segments.lead + size);
    uint8_t order = arena_order_for((apiece < share ? apiece : share) + 1);
    while (arena_block_size(order) < decent_size(size) && arena_block_size(order) <= apiece) {
        order++;
    }
    if (order > store->arena.frame_order) {
        order = store->arena.frame_order;
    }
    return order > fit ? order : fit;
}

bool append_quota_allows(const struct generation *generation, uint64_t bytes)
{
    uint64_t quota = namespace_quota(generation->ns);
    return quota == 0 || __atomic_load_n(&generation->memory, __ATOMIC_RELAXED) +
                                 share_beside(&generation->ns->share) + bytes <=
                             quota;
}

/* A namespace that is about to reach its quota is noted, so that the housekeeper
 * makes room before a writer has to. */
static void foresee_quota(struct store *store, struct generation *generation)
{
    if (!append_quota_allows(generation, arena_frame_size(&store->arena))) {
        backlog_add_namespace(&store->backlog, generation->ns);
    }
}

/* Where nothing in it is dead and there is no smaller block, what lives would take such a block
 * again, and be moved for ever. */
static bool is_worth_compacting(const struct store *store, const struct segment *segment)
{
    bool is_whole = segment_dead(segment) == store->segments.lead;
    return segment_is_half_dead(segment) && !(is_whole && segment->order == 0);
}

void append_seal(struct store *store, struct generation *generation, struct segment *segment)
{
    uint8_t order = segment->order;
    age_seal(store, segment);
    generation_seal(generation, &store->segments, segment);
    generation_shrink(generation, &store->segments, segment);
    if (segment->order < order) {
        generation->remnants |= (uint16_t)(1u << (order - 1));
    }
    if (is_worth_compacting(store, segment)) {
        backlog_add_segment(&store->backlog, &store->segments, segment, generation);
    }
}

/* The full one, and those of classes that the namespace has grown or shrunk out of. */
static void seal_old(struct store *store, struct generation *generation, const struct segment *full)
{
    for (uint32_t number = generation->open; number != 0;) {
        struct segment *segment = segment_at(&store->segments, number);
        number = segment->open_next;
        if (segment == full ||
            !is_class_in_use(generation, segment_queue(segment), segment->class)) {
            append_seal(store, generation, segment);
        }
    }
}

/* The largest block, from `least` to `order`, that a sealed segment left unused, if there is one:
 * where segments are sealed early again and again, as listings do, these would be left over in
 * frame after frame. It may be in use by now, which does no harm. */
static uint8_t take_remnant(struct generation *generation, uint8_t least, uint8_t order)
{
    uint32_t fitting = generation->remnants & ((2u << order) - (1u << least));
    if (fitting == 0) {
        return order;
    }
    uint8_t found = (uint8_t)(31 - __builtin_clz(fitting));
    generation->remnants ^= (uint16_t)(1u << found);
    return found;
}

static uint8_t decent_order(uint8_t order, uint32_t size)
{
    uint8_t decent = arena_order_for(decent_size(size));
    return decent < order ? decent : order;
}

/* The first that is there, from one order down to another; 0: none. */
static uint32_t create(struct store *store, struct generation *generation, uint8_t order,
                       uint8_t least, uint32_t reserve, uint64_t now)
{
    uint32_t number = 0;
    do {
        number = segment_create(&store->segments, generation, SEGMENT_OPEN, order, reserve, now);
    } while (number == 0 && order-- > least);
    return number;
}

/* Small blocks that are left over are used before anything is evicted, very small ones where there
 * is nothing else. */
static enum room open_for_writer(struct store *store, struct generation *generation, uint32_t size,
                                 uint64_t now, uint32_t *number)
{
    uint8_t order = next_order(store, generation, size);
    uint8_t fit = arena_order_for((uint64_t)store->segments.lead + size);
    uint8_t decent = decent_order(order, size);
    order = take_remnant(generation, decent > fit ? decent : fit, order);
    while (!append_quota_allows(generation, arena_block_size(order))) {
        if (order <= fit) {
            return ROOM_QUOTA;
        }
        order--;
    }
    decent = decent_order(order, size);
    uint8_t least = arena_is_lent(&store->arena) || decent < fit ? fit : decent;
    *number = create(store, generation, order, least, APPEND_RESERVE, now);
    if (*number == 0) {
        return ROOM_ARENA;
    }
    if (generation->first == 0) {
        age_count_first(store, generation);
    }
    index_set_dense(&store->index, store_is_short(store, STORE_DENSE));
    return ROOM_FOUND;
}

/*
 * Where memory is short a frame is taken by what gives one back, or if another is left to go on
 * with; else it has to be what is left over of frames.
 */
static enum room open_for_reclaim(struct store *store, struct generation *generation, uint32_t size,
                                  uint64_t now, uint32_t *number)
{
    uint8_t order = next_order(store, generation, size);
    uint8_t fit = arena_order_for((uint64_t)store->segments.lead + size);
    uint32_t frames = arena_available(&store->arena);
    if (!store->evict.thrifty && (frames > 1 || (frames > 0 && store->evict.whole))) {
        *number = create(store, generation, order, fit, 0, now);
    } else {
        uint8_t decent = store->evict.thrifty ? fit : decent_order(order, size);
        *number = create(store, generation, order, decent > fit ? decent : fit, ARENA_CRUMBS, now);
    }
    return *number != 0 ? ROOM_FOUND : ROOM_ARENA;
}

/* Whether little is lost when it is sealed. What it has not used is lost in one segment after the
 * other, while to keep it open beside another costs one: much of it may be lost where there are
 * few segments. Where all were sealed, 64 MiB missed 0.105 of two million keys by Zipf 1.0, and
 * 0.104 since. */
static bool may_be_sealed(const struct generation *generation, const struct segment *segment)
{
    enum { FEW = 64 };
    uint64_t capacity = segment_capacity(segment);
    uint64_t segments = __atomic_load_n(&generation->memory, __ATOMIC_RELAXED) / capacity;
    return room_in(segment) * segments < FEW * capacity;
}

/* It takes the place of one that has less room, and may be sealed. Else it is left alone: what is
 * moved next has use for it. */
static bool hand_over(struct store *store, struct generation *generation, struct segment *segment)
{
    struct segment *other =
        open_of_class(store, generation, segment_queue(segment), segment->class, false);
    if (other != NULL &&
        (room_in(other) >= room_in(segment) || !may_be_sealed(generation, other))) {
        return false;
    }
    segment->moving = false;
    if (other != NULL) {
        append_seal(store, generation, other);
    }
    return other != NULL;
}

void append_hand_over(struct store *store, struct generation *generation)
{
    if (arena_available(&store->arena) < APPEND_RESERVE) {
        return;
    }
    for (uint32_t number = generation->open; number != 0;) {
        struct segment *segment = segment_at(&store->segments, number);
        number = segment->open_next;
        if (segment->moving && hand_over(store, generation, segment)) {
            number = generation->open; /* what was next may be sealed */
        }
    }
}

/* Better in any segment that is there than nowhere. */
static struct segment *any_open(struct store *store, const struct generation *generation,
                                uint32_t size)
{
    struct segment *found = NULL;
    for (uint32_t number = generation->open; number != 0 && found == NULL;) {
        struct segment *segment = segment_at(&store->segments, number);
        found = has_room(segment, size) ? segment : NULL;
        number = segment->open_next;
    }
    return found;
}

enum room append_room(struct store *store, struct generation *generation,
                      const struct append *append, uint64_t now, struct segment **segment)
{
    enum segment_queue queue = append_separates(generation) ? append->queue : SEGMENT_YOUNG;
    uint8_t class = class_for(generation, queue, append->expires, now);
    bool moves = append->appender == APPENDER_RECLAIM;
    struct segment *open = open_of_class(store, generation, queue, class, false);
    if (open != NULL && has_room(open, append->size)) {
        *segment = open;
        return ROOM_FOUND;
    }
    if (moves) {
        open = open_of_class(store, generation, queue, class, true);
        if (open != NULL && has_room(open, append->size)) {
            *segment = open;
            return ROOM_FOUND;
        }
    }
    uint32_t number = 0;
    enum room room = moves ? open_for_reclaim(store, generation, append->size, now, &number)
                           : open_for_writer(store, generation, append->size, now, &number);
    if (room == ROOM_FOUND) {
        seal_old(store, generation, open);
        *segment = segment_at(&store->segments, number);
        (*segment)->class = class;
        (*segment)->moving = moves;
        __atomic_store_n(&(*segment)->queue, (uint8_t)queue, __ATOMIC_RELAXED);
        age_begin(store, *segment, generation, !moves);
        generation_link(generation, &store->segments, *segment);
        foresee_quota(store, generation);
    } else if (moves) {
        *segment = any_open(store, generation, append->size);
        room = *segment != NULL ? ROOM_FOUND : room;
    }
    return room;
}

static void note_expiry(struct store *store, struct segment *segment, uint64_t expires)
{
    if (expires > segment->latest) {
        __atomic_store_n(&segment->latest, expires, __ATOMIC_RELAXED);
    }
    if (expires < segment->earliest) {
        segment->earliest = expires;
        expire_schedule(&store->expire, segment, expires);
    }
}

/* The record is written; from here on it exists in the file, too. */
static void commit(struct segments *segments, struct segment *segment, uint32_t offset,
                   uint32_t size, uint32_t used)
{
    if (segments->file != NULL) {
        segment_guard(segments, segment, offset, size);
        file_segment_set_used(&segments->file->segments[segment_number(segments, segment)], used);
    }
    __atomic_store_n(&segment->used, used, __ATOMIC_RELAXED);
}

uint32_t append_record(struct store *store, struct segment *segment, struct record *record,
                       uint64_t expires, uint32_t *footprint)
{
    record->expires = expires != SEGMENT_NEVER;
    record->after = record->expires ? expires - segment->base_time : 0;
    record->span = false;
    uint32_t offset = segment->used;
    char *bytes = segment_bytes(&store->segments, segment) + offset;
    char *value = record_write(bytes, record);
    uint32_t length = (uint32_t)(value - bytes) + record->value_length;
    uint32_t size = record_footprint_of(&store->segments, record, length);
    commit(&store->segments, segment, offset, length, offset + size);
    *footprint = size;
    note_expiry(store, segment, expires);
    return place_of(&store->segments, segment, offset);
}

/*
 * append.c - choosing, opening and filling segments; see append.h.
 *
 * The first segment of a class is as small as a record needs and each further
 * one twice the last, up to a frame. So ten records cost a kilobyte, and a
 * namespace never has more than about half of its space still unused.
 */
#include "daemon/store/append.h"

#include "daemon/store/lookup.h"
#include "daemon/store/ttl.h"

/* Up to here a namespace does without classes of time to live. */
enum { TINY_NAMESPACE = 8 * 1024 };

static uint8_t class_for(const struct generation *generation, uint64_t expires, uint64_t now)
{
    if (__atomic_load_n(&generation->memory, __ATOMIC_RELAXED) < TINY_NAMESPACE) {
        return TTL_CLASS_MIXED;
    }
    if (expires == SEGMENT_NEVER) {
        return TTL_CLASS_NEVER;
    }
    return ttl_class(expires > now ? expires - now : 0);
}

static struct segment *open_of_class(struct store *store, struct generation *generation,
                                     uint8_t class)
{
    uint32_t number = generation->open;
    while (number != 0) {
        struct segment *segment = segment_at(&store->segments, number);
        if (segment->class == class) {
            return segment;
        }
        number = segment->open_next;
    }
    return NULL;
}

static bool has_room(const struct segment *segment, uint32_t size)
{
    return segment_capacity(segment) - segment->used >= size;
}

static uint8_t next_order(const struct store *store, const struct generation *generation,
                          const struct segment *full, uint32_t size)
{
    uint8_t most = store->arena.frame_order;
    uint8_t fit = arena_order_for(size);
    uint8_t order = 0;
    if (full != NULL) {
        order = (uint8_t)(full->order + 1);
    } else {
        order = arena_order_for(generation->memory / 8);
    }
    if (order > most) {
        order = most;
    }
    return order > fit ? order : fit;
}

bool append_quota_allows(const struct generation *generation, uint64_t bytes)
{
    uint64_t quota = namespace_quota(generation->ns);
    return quota == 0 || __atomic_load_n(&generation->memory, __ATOMIC_RELAXED) + bytes <= quota;
}

/* A namespace that is about to reach its quota is noted, so that the housekeeper
 * makes room before a writer has to. */
static void foresee_quota(struct store *store, struct generation *generation)
{
    if (!append_quota_allows(generation, arena_frame_size(&store->arena))) {
        work_add_namespace(&store->work, generation->ns);
    }
}

static void seal(struct store *store, struct generation *generation, struct segment *segment)
{
    generation_seal(generation, &store->segments, segment);
    uint32_t live = __atomic_load_n(&segment->live, __ATOMIC_RELAXED);
    if (live <= segment_capacity(segment) / 2) {
        work_add_segment(&store->work, &store->segments, segment);
    }
}

enum room append_room(struct store *store, struct generation *generation, uint64_t expires,
                      uint32_t size, enum appender who, uint64_t now, struct segment **segment)
{
    uint8_t class = class_for(generation, expires, now);
    struct segment *open = open_of_class(store, generation, class);
    if (open != NULL && has_room(open, size)) {
        *segment = open;
        return ROOM_FOUND;
    }
    uint8_t order = next_order(store, generation, open, size);
    while (who == APPENDER_WRITER && !append_quota_allows(generation, arena_block_size(order))) {
        if (arena_block_size(order) / 2 < size || order == 0) {
            return ROOM_QUOTA;
        }
        order--;
    }
    uint32_t number = segment_create(&store->segments, generation, SEGMENT_OPEN, order,
                                     who == APPENDER_WRITER ? APPEND_RESERVE : 0, now);
    if (number == 0) {
        return ROOM_ARENA;
    }
    if (open != NULL) {
        seal(store, generation, open);
    }
    *segment = segment_at(&store->segments, number);
    (*segment)->class = class;
    generation_link(generation, &store->segments, *segment);
    foresee_quota(store, generation);
    return ROOM_FOUND;
}

uint32_t append_size(const struct store *store, const struct record *record, uint64_t expires)
{
    struct record widest = *record;
    widest.expires = expires != SEGMENT_NEVER;
    widest.after = UINT64_MAX;
    uint64_t size =
        (uint64_t)record_header_size(&widest) + record->key.length + record->value_length;
    return size > store->span_size ? store->span_size
                                   : place_aligned(&store->segments, (uint32_t)size);
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

uint32_t append_record(struct store *store, struct segment *segment, struct record *record,
                       uint64_t expires)
{
    record->expires = expires != SEGMENT_NEVER;
    record->after = record->expires ? expires - segment->base_time : 0;
    record->span = false;
    uint32_t offset = segment->used;
    uint32_t size = record_footprint(store, record);
    record_write(segment_bytes(&store->segments, segment) + offset, record);
    segment->used = offset + size;
    __atomic_fetch_add(&segment->live, size, __ATOMIC_RELAXED);
    __atomic_fetch_add(&segment->generation->items, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&segment->generation->bytes, size, __ATOMIC_RELAXED);
    note_expiry(store, segment, expires);
    return place_of(&store->segments, segment, offset);
}

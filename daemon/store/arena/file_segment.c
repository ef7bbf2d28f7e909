/*
 * file_segment.c - see file_segment.h.
 *
 * An entry's fields are checked in three ways, by how they change. What is written before it has
 * an owner has one check. What changes while it has one is a word of its own, written in one
 * store: a checked word, or one with its own XOR. `used` has no check: it changes with every
 * record, and bytes that a wrong one uncovers have no valid guard.
 */
#include "daemon/store/arena/file_segment.h"

#include "daemon/store/arena/arena_shape.h"
#include "daemon/store/arena/checksum.h"

enum {
    SHAPE_MARK = 0x5a,
    VERSION_UNIT_SHIFT = 20, /* the head is written once in 2^20 versions */
};

#define EXPIRY_STALE (UINT64_C(1) << 47)

static struct segment_entry *entry_at(const struct file *file, uint32_t number)
{
    return &file->segments[number];
}

static uint32_t check_of(const struct file *file, uint32_t number,
                         const struct segment_entry *entry)
{
    const size_t from = offsetof(struct segment_entry, base_time);
    return checksum_bytes(file_seed(file, CHECKSUM_SEGMENT, number), (const char *)entry + from,
                          offsetof(struct segment_entry, check) - from);
}

static uint32_t shape_of(uint8_t order, enum file_segment_kind kind)
{
    return order | (uint32_t)kind << 8 | (uint32_t)SHAPE_MARK << 16 |
           (uint32_t)(uint8_t)(order ^ kind ^ SHAPE_MARK) << 24;
}

/* Never 0, which no checked word can hold. */
static uint64_t expiry_word(uint64_t expires, bool stale)
{
    uint64_t when = expires < FILE_SEGMENT_NEVER ? expires : FILE_SEGMENT_NEVER - 1;
    if (expires == SEGMENT_NEVER) {
        when = FILE_SEGMENT_NEVER;
    } else if (when == 0) {
        when = 1;
    }
    return when | (stale ? EXPIRY_STALE : 0);
}

/* --- writing ------------------------------------------------------------------ */

void file_segment_write(const struct file *file, uint32_t number,
                        const struct file_segment_fields *fields)
{
    struct segment_entry *entry = entry_at(file, number);
    entry->base_time = fields->base_time;
    entry->version = fields->version;
    entry->bound = fields->bound;
    entry->unit = fields->unit;
    entry->piece = fields->piece;
    entry->sum = fields->sum;
    entry->check = check_of(file, number, entry);
    entry->used = fields->used;
    entry->shape = shape_of(fields->order, fields->kind);
    entry->expiry = 0;
    if (fields->kind == FILE_SEGMENT_SPAN) {
        file_segment_set_expiry(file, number, fields->expires, fields->stale);
    }
}

void file_segment_set_owner(const struct file *file, uint32_t number, uint64_t generation)
{
    checksum_store_word(&entry_at(file, number)->owner,
                        checksum_word(file_seed(file, CHECKSUM_OWNER, number), generation));
}

void file_segment_free(const struct file *file, uint32_t number)
{
    checksum_store_word(&entry_at(file, number)->owner, 0);
}

void file_segment_shrink(const struct file *file, uint32_t number, uint8_t order)
{
    struct segment_entry *entry = entry_at(file, number);
    enum file_segment_kind kind = (enum file_segment_kind)(entry->shape >> 8 & 0xff);
    __atomic_store_n(&entry->shape, shape_of(order, kind), __ATOMIC_RELEASE);
}

void file_segment_set_expiry(const struct file *file, uint32_t number, uint64_t expires, bool stale)
{
    checksum_store_word(
        &entry_at(file, number)->expiry,
        checksum_word(file_seed(file, CHECKSUM_SPAN, number), expiry_word(expires, stale)));
}

/* --- reading ------------------------------------------------------------------ */

static bool open_shape(uint32_t shape, struct file_segment_fields *fields)
{
    fields->order = (uint8_t)shape;
    fields->kind = (enum file_segment_kind)(shape >> 8 & 0xff);
    return shape == shape_of(fields->order, fields->kind) && fields->kind >= FILE_SEGMENT_LOG &&
           fields->kind <= FILE_SEGMENT_PIECE;
}

static bool open_expiry(const struct file *file, uint32_t number, uint64_t word,
                        struct file_segment_fields *fields)
{
    uint64_t payload = 0;
    fields->expires = SEGMENT_NEVER;
    fields->stale = false;
    if (fields->kind != FILE_SEGMENT_SPAN) {
        return word == 0;
    }
    if (!checksum_open(file_seed(file, CHECKSUM_SPAN, number), word, &payload)) {
        return false;
    }
    uint64_t when = payload & ~EXPIRY_STALE;
    fields->expires = when == FILE_SEGMENT_NEVER ? SEGMENT_NEVER : when;
    fields->stale = (payload & EXPIRY_STALE) != 0;
    return true;
}

/* A block of that order can begin there, outside of frame 0. */
static bool is_block(const struct file *file, uint32_t unit, uint8_t order)
{
    uint64_t units = (uint64_t)file->frames << file->frame_order;
    return order <= file->frame_order && unit % (1u << order) == 0 &&
           unit >> file->frame_order != 0 && unit < units;
}

enum file_segment_state file_segment_open(const struct file *file, uint32_t number,
                                          struct file_segment_fields *fields)
{
    const struct segment_entry *entry = entry_at(file, number);
    uint64_t owner = __atomic_load_n(&entry->owner, __ATOMIC_ACQUIRE);
    *fields = (struct file_segment_fields){.base_time = entry->base_time,
                                           .version = entry->version,
                                           .bound = entry->bound,
                                           .unit = entry->unit,
                                           .piece = entry->piece,
                                           .sum = entry->sum,
                                           .used = entry->used};
    if (owner == 0) {
        return FILE_SEGMENT_IS_FREE;
    }
    bool whole = checksum_open(file_seed(file, CHECKSUM_OWNER, number), owner, &fields->owner) &&
                 entry->check == check_of(file, number, entry) &&
                 open_shape(entry->shape, fields) &&
                 open_expiry(file, number, entry->expiry, fields) &&
                 is_block(file, fields->unit, fields->order) &&
                 fields->used <= arena_block_size(fields->order);
    return whole ? FILE_SEGMENT_IS_VALID : FILE_SEGMENT_IS_DAMAGED;
}

/* --- checks of what lies in it ----------------------------------------------- */

uint64_t file_segment_record_seed(const struct file *file, uint32_t number,
                                  const struct file_segment_fields *fields)
{
    uint64_t seed = checksum_mix(file_seed(file, CHECKSUM_RECORDS, number), fields->version);
    return checksum_mix(checksum_mix(seed, fields->owner), fields->base_time);
}

uint32_t file_segment_sum_of(const struct file *file, uint64_t version, const char *bytes,
                             uint32_t length)
{
    return checksum_bytes(file_seed(file, CHECKSUM_SUM, version), bytes, length);
}

/* --- versions ------------------------------------------------------------------- */

uint64_t file_segment_set_versions(const struct file *file, uint64_t version)
{
    uint64_t units = (version >> VERSION_UNIT_SHIFT) + 1;
    checksum_store_word(&file->head->versions,
                        checksum_word(file_seed(file, CHECKSUM_VERSIONS, 0), units));
    return units << VERSION_UNIT_SHIFT;
}

bool file_segment_versions(const struct file *file, uint64_t *version)
{
    uint64_t word = __atomic_load_n(&file->head->versions, __ATOMIC_ACQUIRE);
    uint64_t units = 0;
    *version = 0;
    if (word == 0) {
        return true;
    }
    if (!checksum_open(file_seed(file, CHECKSUM_VERSIONS, 0), word, &units)) {
        return false;
    }
    *version = units << VERSION_UNIT_SHIFT;
    return true;
}

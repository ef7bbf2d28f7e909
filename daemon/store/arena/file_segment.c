/*
 * file_segment.c - see file_segment.h.
 *
 * A label's fields are guarded in three ways, by how they change. What is written before
 * it has an owner has one check. What changes while it has one is a word of its own, in
 * one store: sealed, or with its own XOR. `used` has neither: it changes with every record,
 * and what it may wrongly uncover has no right guard.
 */
#include "daemon/store/arena/file_segment.h"

#include "daemon/store/arena/arena_shape.h"
#include "daemon/store/arena/checksum.h"

enum {
    SHAPE_MARK = 0x5a,
    VERSION_UNIT_SHIFT = 20, /* so that the head is written once in a million */
};

#define LIFE_STALE (UINT64_C(1) << 47)

static struct label *file_segment_at(const struct file *file, uint32_t number)
{
    return &file->labels[number];
}

static uint32_t check_of(const struct file *file, uint32_t number, const struct label *label)
{
    const size_t from = offsetof(struct label, base_time);
    return checksum_bytes(file_seed(file, SEAL_LABEL, number), (const char *)label + from,
                          offsetof(struct label, check) - from);
}

static uint32_t shape_of(uint8_t order, enum file_segment_kind kind)
{
    return order | (uint32_t)kind << 8 | (uint32_t)SHAPE_MARK << 16 |
           (uint32_t)(uint8_t)(order ^ kind ^ SHAPE_MARK) << 24;
}

/* Never 0, which could not be sealed. */
static uint64_t clock_record_of(uint64_t expires, bool stale)
{
    uint64_t when = expires < FILE_SEGMENT_NEVER ? expires : FILE_SEGMENT_NEVER - 1;
    if (expires == SEGMENT_NEVER) {
        when = FILE_SEGMENT_NEVER;
    } else if (when == 0) {
        when = 1;
    }
    return when | (stale ? LIFE_STALE : 0);
}

/* --- writing ------------------------------------------------------------------ */

static void set_word(uint64_t *field, uint64_t word)
{
    __atomic_store_n(field, word, __ATOMIC_RELEASE);
}

void file_segment_write(const struct file *file, uint32_t number,
                        const struct file_segment_facts *facts)
{
    struct label *label = file_segment_at(file, number);
    label->base_time = facts->base_time;
    label->version = facts->version;
    label->bound = facts->bound;
    label->unit = facts->unit;
    label->piece = facts->piece;
    label->sum = facts->sum;
    label->check = check_of(file, number, label);
    label->used = facts->used;
    label->shape = shape_of(facts->order, facts->kind);
    label->life = 0;
    if (facts->kind == FILE_SEGMENT_SPAN) {
        file_segment_life(file, number, facts->expires, facts->stale);
    }
}

void file_segment_own(const struct file *file, uint32_t number, uint64_t generation)
{
    set_word(&file_segment_at(file, number)->owner,
             checksum_word(file_seed(file, SEAL_OWNER, number), generation));
}

void file_segment_free(const struct file *file, uint32_t number)
{
    set_word(&file_segment_at(file, number)->owner, 0);
}

void file_segment_shrink(const struct file *file, uint32_t number, uint8_t order)
{
    struct label *label = file_segment_at(file, number);
    enum file_segment_kind kind = (enum file_segment_kind)(label->shape >> 8 & 0xff);
    __atomic_store_n(&label->shape, shape_of(order, kind), __ATOMIC_RELEASE);
}

void file_segment_life(const struct file *file, uint32_t number, uint64_t expires, bool stale)
{
    set_word(&file_segment_at(file, number)->life,
             checksum_word(file_seed(file, SEAL_SPAN, number), clock_record_of(expires, stale)));
}

/* --- reading ------------------------------------------------------------------ */

static bool open_shape(uint32_t shape, struct file_segment_facts *facts)
{
    facts->order = (uint8_t)shape;
    facts->kind = (enum file_segment_kind)(shape >> 8 & 0xff);
    return shape == shape_of(facts->order, facts->kind) && facts->kind >= FILE_SEGMENT_LOG &&
           facts->kind <= FILE_SEGMENT_PIECE;
}

static bool open_life(const struct file *file, uint32_t number, uint64_t word,
                      struct file_segment_facts *facts)
{
    uint64_t life = 0;
    facts->expires = SEGMENT_NEVER;
    facts->stale = false;
    if (facts->kind != FILE_SEGMENT_SPAN) {
        return word == 0;
    }
    if (!checksum_open(file_seed(file, SEAL_SPAN, number), word, &life)) {
        return false;
    }
    uint64_t when = life & ~LIFE_STALE;
    facts->expires = when == FILE_SEGMENT_NEVER ? SEGMENT_NEVER : when;
    facts->stale = (life & LIFE_STALE) != 0;
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
                                          struct file_segment_facts *facts)
{
    const struct label *label = file_segment_at(file, number);
    uint64_t owner = __atomic_load_n(&label->owner, __ATOMIC_ACQUIRE);
    *facts = (struct file_segment_facts){.base_time = label->base_time,
                                         .version = label->version,
                                         .bound = label->bound,
                                         .unit = label->unit,
                                         .piece = label->piece,
                                         .sum = label->sum,
                                         .used = label->used};
    if (owner == 0) {
        return FILE_SEGMENT_IS_FREE;
    }
    bool whole = checksum_open(file_seed(file, SEAL_OWNER, number), owner, &facts->owner) &&
                 label->check == check_of(file, number, label) && open_shape(label->shape, facts) &&
                 open_life(file, number, label->life, facts) &&
                 is_block(file, facts->unit, facts->order) &&
                 facts->used <= arena_block_size(facts->order);
    return whole ? FILE_SEGMENT_IS_VALID : FILE_SEGMENT_IS_DAMAGED;
}

/* --- seeds of what it vouches for ----------------------------------------------- */

uint64_t file_segment_record_seed(const struct file *file, uint32_t number,
                                  const struct file_segment_facts *facts)
{
    uint64_t seed = checksum_mix(file_seed(file, SEAL_RECORDS, number), facts->version);
    return checksum_mix(checksum_mix(seed, facts->owner), facts->base_time);
}

uint32_t file_segment_sum_of(const struct file *file, uint64_t version, const char *bytes,
                             uint32_t length)
{
    return checksum_bytes(file_seed(file, SEAL_SUM, version), bytes, length);
}

/* --- versions ------------------------------------------------------------------- */

uint64_t file_segment_set_versions(const struct file *file, uint64_t version)
{
    uint64_t units = (version >> VERSION_UNIT_SHIFT) + 1;
    set_word(&file->head->versions, checksum_word(file_seed(file, SEAL_VERSIONS, 0), units));
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
    if (!checksum_open(file_seed(file, SEAL_VERSIONS, 0), word, &units)) {
        return false;
    }
    *version = units << VERSION_UNIT_SHIFT;
    return true;
}

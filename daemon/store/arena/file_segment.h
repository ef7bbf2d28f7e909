/*
 * file_segment.h - what an arena file says of a segment.
 *
 * A segment exists in the file from file_segment_set_owner to file_segment_free; its records up to
 * file_segment_set_used. Entries are by the segment's number; one that is written must have its
 * blocks (file_back_segments). The segment's own lock (segment.h) sees to it that no two threads
 * write one entry at once.
 */
#ifndef KVCACHED_DAEMON_STORE_ARENA_FILE_SEGMENT_H
#define KVCACHED_DAEMON_STORE_ARENA_FILE_SEGMENT_H

#include "daemon/store/arena/file.h"

#define FILE_SEGMENT_NEVER ((UINT64_C(1) << 47) - 1) /* an expiry; later ones become one less */

struct file_segment_fields {
    enum file_segment_kind kind;
    uint8_t order;
    bool stale;       /* span */
    uint64_t owner;   /* number of the generation */
    uint64_t expires; /* span: store's clock, or SEGMENT_NEVER */
    uint64_t base_time, version, bound;
    uint32_t unit, piece, sum, used;
};

/* Writes everything but the owner: the segment does not exist yet. */
void file_segment_write(const struct file *file, uint32_t number,
                        const struct file_segment_fields *fields);
/* The segment exists from here on. */
void file_segment_set_owner(const struct file *file, uint32_t number, uint64_t generation);
/* It does not exist from here on. Before its block and its number are used for another. */
void file_segment_free(const struct file *file, uint32_t number);
/* Before the rest of the block is used for another. */
void file_segment_shrink(const struct file *file, uint32_t number, uint8_t order);
/* Of a span: expires on the store's clock, or SEGMENT_NEVER. */
void file_segment_set_expiry(const struct file *file, uint32_t number, uint64_t expires,
                             bool stale);

/* Records below `used` exist. */
static inline void file_segment_set_used(struct segment_entry *entry, uint32_t used)
{
    __atomic_store_n(&entry->used, used, __ATOMIC_RELEASE);
}

enum file_segment_state { FILE_SEGMENT_IS_FREE, FILE_SEGMENT_IS_VALID, FILE_SEGMENT_IS_DAMAGED };

/* Reads an entry. Valid: all checks are right, unit and order are inside of the file, and `used`
 * is not above the block's size. */
enum file_segment_state file_segment_open(const struct file *file, uint32_t number,
                                          struct file_segment_fields *fields);

/* The seed of the guards in the segment, to which each adds its place (segment_guard_seed). It
 * follows from version, owner and base time. */
uint64_t file_segment_record_seed(const struct file *file, uint32_t number,
                                  const struct file_segment_fields *fields);
/* The sum of a value's bytes that lie in a segment; `version` is the entry's. */
uint32_t file_segment_sum_of(const struct file *file, uint64_t version, const char *bytes,
                             uint32_t length);

/* Tells the file that versions below this may have been given, and those below the result, too.
 * Under segments.lock, before a version is given that was not covered. */
uint64_t file_segment_set_versions(const struct file *file, uint64_t version);
/* What was set, rounded up to what the file keeps; 0: none yet. False: damaged. */
bool file_segment_versions(const struct file *file, uint64_t *version);

#endif

/*
 * file_segment.h - what an arena file says of a segment.
 *
 * A segment exists in the file from file_segment_own to file_segment_free; its records up to
 * file_segment_set_used. Labels are by number; one that is written must have been backed
 * (file_back_label). Which lock a writer holds is the segment's own matter: two never write
 * one label at once.
 */
#ifndef KVCACHED_DAEMON_STORE_ARENA_FILE_SEGMENT_H
#define KVCACHED_DAEMON_STORE_ARENA_FILE_SEGMENT_H

#include "daemon/store/arena/file.h"

#define FILE_SEGMENT_NEVER ((UINT64_C(1) << 47) - 1) /* an expiry; later ones become one less */

struct file_segment_facts {
    enum file_segment_kind kind;
    uint8_t order;
    bool stale;       /* span */
    uint64_t owner;   /* number of the generation */
    uint64_t expires; /* span: store's clock, or SEGMENT_NEVER */
    uint64_t base_time, version, bound;
    uint32_t unit, piece, sum, used;
};

/* Everything but the owner: the segment does not exist yet. */
void file_segment_write(const struct file *file, uint32_t number,
                        const struct file_segment_facts *facts);
/* Now it does. */
void file_segment_own(const struct file *file, uint32_t number, uint64_t generation);
/* Now it does not: before its block and its number can be another's. */
void file_segment_free(const struct file *file, uint32_t number);
/* Before the rest of the block can be another's. */
void file_segment_shrink(const struct file *file, uint32_t number, uint8_t order);
/* Of a span: expires on the store's clock, or SEGMENT_NEVER. */
void file_segment_life(const struct file *file, uint32_t number, uint64_t expires, bool stale);

/* Records below `used` exist. */
static inline void file_segment_set_used(struct label *label, uint32_t used)
{
    __atomic_store_n(&label->used, used, __ATOMIC_RELEASE);
}

enum file_segment_state { FILE_SEGMENT_IS_FREE, FILE_SEGMENT_IS_VALID, FILE_SEGMENT_IS_DAMAGED };

/* Reads it. Valid: all checks are right; unit and order are inside of the file, `used` is
 * not above the block's size. */
enum file_segment_state file_segment_open(const struct file *file, uint32_t number,
                                          struct file_segment_facts *facts);

/*
 * The seed of the guards in the segment, to which each adds its place (segment_guard_seed); from
 * version, owner and base time. And the sum of a value's bytes in it; `version` is the label's.
 */
uint64_t file_segment_record_seed(const struct file *file, uint32_t number,
                                  const struct file_segment_facts *facts);
uint32_t file_segment_sum_of(const struct file *file, uint64_t version, const char *bytes,
                             uint32_t length);

/* The file knows that versions below this may have been given, and those below the result.
 * Under segments.lock, before one is given that was not covered. */
uint64_t file_segment_set_versions(const struct file *file, uint64_t version);
/* What was set, rounded up to what the file keeps. False: damaged; 0: none yet. */
bool file_segment_versions(const struct file *file, uint64_t *version);

#endif

/*
 * file_segment.h - what an arena file says of a segment.
 *
 * A segment exists in the file from label_own to label_free; its records up to
 * label_set_used. Labels are by number; one that is written must have been backed
 * (file_back_label). Which lock a writer holds is the segment's own matter: two never write
 * one label at once.
 */
#ifndef KVCACHED_DAEMON_STORE_ARENA_FILE_SEGMENT_H
#define KVCACHED_DAEMON_STORE_ARENA_FILE_SEGMENT_H

#include "daemon/store/arena/file.h"

#define LABEL_NEVER ((UINT64_C(1) << 47) - 1) /* an expiry; later ones become one less */

struct label_facts {
    enum label_kind kind;
    uint8_t order;
    bool stale;       /* span */
    uint64_t owner;   /* number of the generation */
    uint64_t expires; /* span: store's clock, or SEGMENT_NEVER */
    uint64_t base_time, version, bound;
    uint32_t unit, piece, sum, used;
};

/* Everything but the owner: the segment does not exist yet. */
void label_write(const struct file *file, uint32_t number, const struct label_facts *facts);
/* Now it does. */
void label_own(const struct file *file, uint32_t number, uint64_t generation);
/* Now it does not: before its block and its number can be another's. */
void label_free(const struct file *file, uint32_t number);
/* Before the rest of the block can be another's. */
void label_shrink(const struct file *file, uint32_t number, uint8_t order);
/* Of a span: expires on the store's clock, or SEGMENT_NEVER. */
void label_life(const struct file *file, uint32_t number, uint64_t expires, bool stale);

/* Records below `used` exist. */
static inline void label_set_used(struct label *label, uint32_t used)
{
    __atomic_store_n(&label->used, used, __ATOMIC_RELEASE);
}

enum label_state { LABEL_IS_FREE, LABEL_IS_VALID, LABEL_IS_DAMAGED };

/* Reads it. Valid: all checks are right; unit and order are inside of the file, `used` is
 * not above the block's size. */
enum label_state label_open(const struct file *file, uint32_t number, struct label_facts *facts);

/*
 * The seed of the guards in the segment, to which each adds its place (segment_guard_seed); from
 * version, owner and base time. And the sum of a value's bytes in it; `version` is the label's.
 */
uint64_t label_record_seed(const struct file *file, uint32_t number,
                           const struct label_facts *facts);
uint32_t label_sum_of(const struct file *file, uint64_t version, const char *bytes,
                      uint32_t length);

/* The file knows that versions below this may have been given, and those below the result.
 * Under segments.lock, before one is given that was not covered. */
uint64_t label_set_versions(const struct file *file, uint64_t version);
/* What was set, rounded up to what the file keeps. False: damaged; 0: none yet. */
bool label_versions(const struct file *file, uint64_t *version);

#endif

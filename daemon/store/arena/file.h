/*
 * file.h - the file that an arena may lie in, so that records outlive the process.
 *
 * The only part of this room that does input and output. It makes, opens, locks and maps
 * the file, sees to it that blocks are there before they are written (a page that the file
 * system cannot give would be SIGBUS), and keeps the head and the clock in it. What names,
 * labels and frames hold is others' business (file_namespace.h, file_segment.h, segment.h).
 *
 * A file is one store's: it is locked (flock) while it is open. A file that cannot be what
 * it should is set aside under another name, never overwritten.
 */
#ifndef KVCACHED_DAEMON_STORE_ARENA_FILE_H
#define KVCACHED_DAEMON_STORE_ARENA_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/arena/checksum.h"
#include "daemon/store/arena/layout.h"
#include "daemon/store/store.h"

struct file {
    int fd;
    char *map;     /* all of it; NULL: there is no file */
    size_t mapped; /* bytes; what lies behind the file's end must not be touched */
    struct arena_head *head;
    struct name_entry *names; /* by the namespace's number, below LAYOUT_NAMES */
    struct label *labels;     /* by the segment's number, below labels_max */
    uint32_t labels_max;      /* atomic */
    char *base;               /* of the arena */
    /* Of the arena. A file's stay as it was made; frames may become more */
    uint32_t frames;     /* that the file is long enough for, frame 0 included */
    uint32_t frames_max; /* that it has labels for, and that are mapped */
    uint8_t frame_order, place_shift;
    uint32_t names_backed; /* entries below are backed; atomic, only grows */
    int64_t clock_offset;  /* ms, the store's clock less the machine's uptime */
    char *path;
    bool made; /* by this start: it was not there */
    /* How often the file system gave blocks, refused some, or did not take some back, and the
     * errno of the last time; atomic */
    uint64_t granted, refused, kept;
    int why_refused, why_kept;
};

enum file_state { FILE_NEW, FILE_KEPT, FILE_FAILED };

/*
 * Opens options->file, or makes it. FILE_KEPT: there may be records; `clock_offset` says
 * what the store's clock is, and the file says "in use" from here on. FILE_FAILED with errno:
 * EWOULDBLOCK another process has it, ENOSPC, EINVAL not a regular file, or what open, ftruncate
 * and mmap have to say. `recovery` is told arena, why, aside, clock_offset and beyond.
 * A file whose end was cut off reads as zeros there.
 */
enum file_state file_open(struct file *file, const struct store_options *options,
                          struct store_recovery *recovery);

/* Bytes of the arena get their blocks, or keep them; false: the file system has none. Takes
 * its time: not to be called under a lock of more than one namespace. */
bool file_back(struct file *file, uint64_t arena_byte, uint64_t length);
/* Gives blocks back; they read as zeros. False: they are still there, as they were. */
bool file_forget(struct file *file, uint64_t arena_byte, uint64_t length);

/* Whether the file system has room for a file that takes so many bytes; false with errno. */
bool file_has_room(const struct file *file, uint64_t memory);
/* The file becomes long enough for so many frames, frames_max at most; no more of it is backed.
 * One thread at a time. False with errno, as EFBIG; then nothing has changed. */
bool file_grow(struct file *file, uint32_t frames);

/* Labels come and go by the page: those of `number` and of its neighbours can be written after
 * this; false: no space. segments.lock is held. */
enum { FILE_LABELS = 64 /* in a page; the first one's number is a multiple of it */ };
bool file_back_labels(struct file *file, uint32_t number);
/* None of them has an owner, and none is touched until they are backed again. */
bool file_forget_labels(struct file *file, uint32_t number);

/* An entry can be written after this; false: no space. Cheap when it was so before;
 * namespaces.lock is held. */
bool file_back_name(struct file *file, uint32_t id);

/*
 * The next entries from *first on that are backed, as *first <= n < *end. False: none.
 * Others must not be read: in a file system in memory, to read a hole is to fill it.
 */
bool file_label_run(const struct file *file, uint32_t *first, uint32_t *end);
bool file_name_run(const struct file *file, uint32_t *first, uint32_t *end);

/* Marks it as left in order, after all of it has been written. No thread is inside. False, with
 * errno: that cannot be known, and it is as after a crash. */
bool file_stop(struct file *file, const struct store_clock *clock);
/* Unmaps and unlocks. */
void file_close(struct file *file);
/* The same after a start that failed: a file that it made is removed. */
void file_drop(struct file *file);

/* --- file_clock.c: whether the store's clock can go on ----------------------- */

enum bridge {
    LIFE_GOES_ON, /* the machine has not been started again since */
    LIFE_BRIDGED, /* it has, after a stop in order: the wall clock bridges the gap */
    LIFE_CRASHED, /* it has, and nobody knows what was written and what not */
    LIFE_COPY,    /* of a file that was in use */
    LIFE_DAMAGED,
};

/*
 * What two lives say of a file with that inode, at `clock`. *offset for the first two of the
 * results, such that the store's clock never goes back. `secret` is the head's. Pure.
 */
enum bridge clock_record_continue(const struct clock_record lives[2], const uint64_t secret[2],
                                  const struct store_clock *clock, uint64_t inode, int64_t *offset);

/* Writes over the older one of the two. stopped, wall: 0 while in use. */
void clock_record_write(struct clock_record lives[2], const uint64_t secret[2],
                        const struct clock_record *fields);

/* What seals the fields of that kind and number in the file. */
static inline uint64_t file_seed(const struct file *file, enum checksum_what what, uint64_t number)
{
    return checksum_seed(file->head->secret, what, number);
}

#endif

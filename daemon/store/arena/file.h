/*
 * file.h - the file that an arena may lie in, so that records outlive the process.
 *
 * It is the only part of the store that does input and output. It makes, opens, locks and maps
 * the file, makes sure that blocks are there before they are written (a page that the file system
 * cannot give would be SIGBUS), and keeps the head and the clock in it. What namespaces, segments
 * and frames hold is defined in file_namespace.h, file_segment.h and segment.h.
 *
 * A file belongs to one store: it is locked (flock) while it is open. A file that is not what it
 * should be is set aside under another name, never overwritten.
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
    struct namespace_entry *namespaces; /* by the namespace's number, below LAYOUT_NAMESPACES */
    struct segment_entry *segments;     /* by the segment's number, below segments_max */
    uint32_t segments_max;              /* atomic */
    char *base;                         /* of the arena */
    /* The arena's shape stays as the file was made; only `frames` may grow. */
    uint32_t frames;     /* that the file is long enough for, frame 0 included */
    uint32_t frames_max; /* that it has segment entries for, and that are mapped */
    uint8_t frame_order, place_shift;
    uint32_t namespaces_backed; /* entries below are backed; atomic, only grows */
    int64_t clock_offset;       /* ms, the store's clock less the machine's uptime */
    char *path;
    bool made; /* by this start: it did not exist */
    /* How often the file system gave blocks, refused some, or did not take some back, and the
     * errno of the last time it refused; atomic. */
    uint64_t granted, refused, kept;
    int why_refused, why_kept;
};

enum file_state { FILE_NEW, FILE_KEPT, FILE_FAILED };

/*
 * Opens options->file, or makes it. FILE_KEPT: there may be records; `clock_offset` says
 * what the store's clock is, and the file says "in use" from here on. FILE_FAILED with errno:
 * EWOULDBLOCK another process has it, EINVAL it is not a regular file, ENOSPC, or an errno of
 * open, ftruncate and mmap. Sets arena, why, aside, clock_offset and beyond of `recovery`.
 * A file whose end was cut off reads as zeros there.
 */
enum file_state file_open(struct file *file, const struct store_options *options,
                          struct store_recovery *recovery);

/* Gives bytes of the arena their blocks, if they have none. False: the file system has none left.
 * A slow system call: call it without a lock that covers more than one namespace. */
bool file_back(struct file *file, uint64_t arena_byte, uint64_t length);
/* Gives blocks back; they read as zeros then. False: they are still there, unchanged. */
bool file_forget(struct file *file, uint64_t arena_byte, uint64_t length);

/* Whether the file system has room for a file that takes so many bytes; false with errno. */
bool file_has_room(const struct file *file, uint64_t memory);
/* The file becomes long enough for so many frames, frames_max at most; no more of it is backed.
 * One thread at a time. False with errno, as EFBIG; then nothing has changed. */
bool file_grow(struct file *file, uint32_t frames);

/* Segment entries get their blocks by the page: the one of `number` and the others of its page can
 * be written after this. False: no space. segments.lock is held. */
enum { FILE_SEGMENTS_PER_PAGE = 64 /* the first one's number is a multiple of it */ };
bool file_back_segments(struct file *file, uint32_t number);
/* Gives the page's blocks back. None of its entries has an owner, and none is touched until they
 * have blocks again. */
bool file_forget_segments(struct file *file, uint32_t number);

/* The entry of that namespace can be written after this; false: no space. Cheap if it could be
 * before. namespaces.lock is held. */
bool file_back_namespace(struct file *file, uint32_t id);

/*
 * The next entries from *first on that have blocks, as *first <= n < *end. False: none.
 * Others must not be read: in a file system in memory, reading a hole fills it.
 */
bool file_segment_run(const struct file *file, uint32_t *first, uint32_t *end);
bool file_namespace_run(const struct file *file, uint32_t *first, uint32_t *end);

/* Writes all of the file, then marks it as stopped cleanly. No thread uses the store. False with
 * errno: it is not known to be written, and the file is as after a crash. */
bool file_stop(struct file *file, const struct store_clock *clock);
/* Unmaps and unlocks. */
void file_close(struct file *file);
/* The same after a start that failed: a file that the start made is removed. */
void file_drop(struct file *file);

/* The seed of checks of that kind in the entry of that number. */
static inline uint64_t file_seed(const struct file *file, enum checksum_domain what,
                                 uint64_t number)
{
    return checksum_seed(file->head->secret, what, number);
}

#endif

/*
 * file.c - blocks of an open arena file; see file.h. How it is opened: file_open.c.
 */
#include "daemon/store/arena/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* --- blocks --------------------------------------------------------------------- */

static bool change_blocks(const struct file *file, int mode, uint64_t from, uint64_t length)
{
    int failed;
    do {
        failed = fallocate(file->fd, mode, (off_t)from, (off_t)length);
    } while (failed != 0 && errno == EINTR);
    return failed == 0;
}

static bool back(struct file *file, uint64_t from, uint64_t length)
{
    bool backed = change_blocks(file, FALLOC_FL_KEEP_SIZE, from, length);
    if (!backed) {
        __atomic_store_n(&file->why_refused, errno, __ATOMIC_RELAXED);
    }
    __atomic_fetch_add(backed ? &file->granted : &file->refused, 1, __ATOMIC_RELEASE);
    return backed;
}

static uint64_t position(const struct file *file, const void *at)
{
    return (uint64_t)((const char *)at - file->map);
}

bool file_back(struct file *file, uint64_t arena_byte, uint64_t length)
{
    return back(file, position(file, file->base) + arena_byte, length);
}

bool file_forget(struct file *file, uint64_t arena_byte, uint64_t length)
{
    bool taken = change_blocks(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                               position(file, file->base) + arena_byte, length);
    if (!taken) {
        __atomic_store_n(&file->why_kept, errno, __ATOMIC_RELAXED);
        __atomic_fetch_add(&file->kept, 1, __ATOMIC_RELEASE);
    }
    return taken;
}

static uint64_t segments_page(const struct file *file, uint32_t number)
{
    return position(file,
                    &file->segments[number / FILE_SEGMENTS_PER_PAGE * FILE_SEGMENTS_PER_PAGE]);
}

bool file_back_segments(struct file *file, uint32_t number)
{
    return number < __atomic_load_n(&file->segments_max, __ATOMIC_RELAXED) &&
           back(file, segments_page(file, number), FILE_SEGMENTS_PER_PAGE * sizeof *file->segments);
}

bool file_forget_segments(struct file *file, uint32_t number)
{
    return change_blocks(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                         segments_page(file, number),
                         FILE_SEGMENTS_PER_PAGE * sizeof *file->segments);
}

/* One step after the other, in order. */
bool file_back_namespace(struct file *file, uint32_t id)
{
    const size_t entry = sizeof *file->namespaces;
    uint32_t have = __atomic_load_n(&file->namespaces_backed, __ATOMIC_ACQUIRE);
    while (id < LAYOUT_NAMESPACES && id >= have) {
        if (!back(file, position(file, file->namespaces) + have * entry, LAYOUT_STEP)) {
            return false;
        }
        have += (uint32_t)(LAYOUT_STEP / entry);
        __atomic_store_n(&file->namespaces_backed, have, __ATOMIC_RELEASE);
    }
    return id < LAYOUT_NAMESPACES;
}

/* The first data, or hole, from `from` on and before `end`. `otherwise`: there is none, or the
 * file system cannot tell. */
static uint64_t seek(const struct file *file, int what, uint64_t from, uint64_t end,
                     uint64_t otherwise)
{
    off_t at = lseek(file->fd, (off_t)from, what);
    if (at < 0) {
        return what == SEEK_DATA && errno != ENXIO ? from : otherwise;
    }
    return (uint64_t)at < end ? (uint64_t)at : end;
}

static bool entry_run(const struct file *file, const void *table, size_t entry, uint32_t count,
                      uint32_t *first, uint32_t *end)
{
    uint64_t start = position(file, table);
    uint64_t stop = start + count * entry;
    uint64_t data = start + *first * entry;
    if (*first >= count) {
        return false;
    }
    data = seek(file, SEEK_DATA, data, stop, stop);
    uint64_t hole = data < stop ? seek(file, SEEK_HOLE, data, stop, stop) : stop;
    *first = (uint32_t)((data - start) / entry);
    *end = (uint32_t)((hole - start) / entry);
    return data < stop;
}

bool file_segment_run(const struct file *file, uint32_t *first, uint32_t *end)
{
    return entry_run(file, file->segments, sizeof *file->segments, file->segments_max, first, end);
}

bool file_namespace_run(const struct file *file, uint32_t *first, uint32_t *end)
{
    return entry_run(file, file->namespaces, sizeof *file->namespaces, LAYOUT_NAMESPACES, first,
                     end);
}

/* --- the end -------------------------------------------------------------------- */

void file_close(struct file *file)
{
    if (file->map == NULL) {
        return;
    }
    munmap(file->map, file->mapped);
    close(file->fd);
    free(file->path);
    *file = (struct file){.fd = -1};
}

void file_drop(struct file *file)
{
    if (file->map != NULL && file->made) {
        unlink(file->path);
    }
    file_close(file);
}

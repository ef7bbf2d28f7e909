/*
 * file_open.c - an arena file from its name to its mapping; see file.h.
 *
 * The file is judged by its head before anything of it is mapped or changed. There are three
 * verdicts: it is kept; it is emptied, since nothing in it could be believed; it is set aside
 * under another name, since it is something else or its head is damaged.
 *
 * A new file gets its length, then its head, then its magic: one without magic was never
 * finished. What is not touched takes no space.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "daemon/store/arena/arena_shape.h"
#include "daemon/store/arena/checksum.h"
#include "daemon/store/arena/file.h"
#include "daemon/store/arena/file_clock.h"

enum {
    LOCK_ATTEMPTS = 40, /* a process that was killed may still be unmapping the file */
    LOCK_PAUSE_MS = 50,
    OPEN_ATTEMPTS = 8, /* the name may be given to another file meanwhile */
    ASIDE_MOST = 99,
    ARENA_ALIGN = 1 << 20,
    FRAME_ORDER_MIN = 6,
    PLACE_SHIFT_MAX = 16,
};

/* --- where things are ------------------------------------------------------------ */

static uint64_t aligned(uint64_t bytes, uint64_t to)
{
    return (bytes + to - 1) / to * to;
}

struct regions {
    uint64_t segments, base, frame_size;
};

static struct regions regions_of(uint32_t frames_max, uint8_t frame_order)
{
    struct regions at = {.frame_size = arena_block_size(frame_order)};
    uint64_t entries = (uint64_t)frames_max << frame_order;
    at.segments =
        aligned(LAYOUT_HEAD + LAYOUT_NAMESPACES * sizeof(struct namespace_entry), LAYOUT_STEP);
    at.base = aligned(at.segments + entries * sizeof(struct segment_entry), ARENA_ALIGN);
    return at;
}

static uint64_t length_for(const struct file *file, uint32_t frames)
{
    struct regions at = regions_of(file->head->frames_max, file->frame_order);
    return at.base + frames * at.frame_size;
}

/* No more segments than units. */
static void set_frames(struct file *file, uint32_t frames)
{
    file->frames = frames;
    __atomic_store_n(&file->segments_max, frames << file->frame_order, __ATOMIC_RELAXED);
}

/* Maps all that the file may grow to, so that it can grow in place; or, if there is not so much
 * address space, what it has. */
static char *map_all(struct file *file)
{
    file->frames_max = file->head->frames_max;
    file->mapped = length_for(file, file->frames_max);
    char *bytes = mmap(NULL, file->mapped, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
    if (bytes == MAP_FAILED) {
        file->frames_max = file->frames;
        file->mapped = length_for(file, file->frames);
        bytes = mmap(NULL, file->mapped, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
    }
    return bytes == MAP_FAILED ? NULL : bytes;
}

static bool map(struct file *file, uint32_t frames)
{
    struct regions at = regions_of(file->head->frames_max, file->frame_order);
    set_frames(file, frames);
    if (ftruncate(file->fd, (off_t)length_for(file, frames)) != 0) {
        return false;
    }
    file->map = map_all(file);
    file->head = NULL;
    if (file->map == NULL) {
        return false;
    }
    file->head = (struct arena_head *)(void *)file->map;
    file->namespaces = (struct namespace_entry *)(void *)(file->map + LAYOUT_HEAD);
    file->segments = (struct segment_entry *)(void *)(file->map + at.segments);
    file->base = file->map + at.base;
    return true;
}

/* --- the head -------------------------------------------------------------------- */

static uint32_t head_check(const struct arena_head *head)
{
    size_t from = offsetof(struct arena_head, byte_order);
    return checksum_bytes(checksum_seed(head->secret, CHECKSUM_HEAD, 0), (const char *)head + from,
                          offsetof(struct arena_head, check) - from);
}

static bool all_zero(const void *bytes, size_t length)
{
    const char *at = bytes;
    return length == 0 || (at[0] == 0 && memcmp(at, at + 1, length - 1) == 0);
}

/* It has no magic and nothing behind its head: the start that made it did not finish. */
static bool is_half_made(int fd, const struct arena_head *head)
{
    bool blank = all_zero(head, sizeof *head) ||
                 (all_zero(head->magic, sizeof head->magic) && head->check == head_check(head));
    return blank && lseek(fd, LAYOUT_HEAD, SEEK_DATA) < 0 && errno == ENXIO;
}

/* NULL, or what is wrong with it, as a clause. */
static const char *fault_of(const struct arena_head *head)
{
    if (memcmp(head->magic, LAYOUT_MAGIC, sizeof head->magic) != 0) {
        return "it is no arena of kvcached";
    }
    if (head->byte_order != LAYOUT_BYTE_ORDER) {
        return "it was written by another kind of processor, or is damaged";
    }
    if (head->check != head_check(head)) {
        return "its head is damaged";
    }
    if (head->layout != LAYOUT_VERSION || head->guard != RECORD_GUARD) {
        return "it was written by another version of kvcached";
    }
    bool sound = head->frame_order >= FRAME_ORDER_MIN && head->frame_order <= ARENA_ORDER_MAX &&
                 head->place_shift <= PLACE_SHIFT_MAX && head->frames_max > 1 &&
                 head->frames_max <= UINT32_MAX >> head->frame_order;
    return sound ? NULL : "its head makes no sense";
}

enum verdict { IS_NEW, IS_KEPT, IS_DISCARDED, IS_SET_ASIDE, IS_UNREADABLE };

static enum verdict judge_clock(const struct arena_head *head, const struct store_clock *clock,
                                uint64_t inode, int64_t *offset, const char **why)
{
    switch (file_clock_continue(head->clocks, head->secret, clock, inode, offset)) {
    case FILE_CLOCK_CONTINUES:
    case FILE_CLOCK_BRIDGED:
        return IS_KEPT;
    case FILE_CLOCK_CRASHED:
        *why = "the machine went down without a clean stop of kvcached";
        return IS_DISCARDED;
    case FILE_CLOCK_COPY:
        *why = "it is a copy of an arena that was in use";
        return IS_SET_ASIDE;
    case FILE_CLOCK_DAMAGED:
        break;
    }
    *why = "its clock is damaged";
    return IS_SET_ASIDE;
}

static enum verdict judge(int fd, const struct stat *found, const struct store_clock *clock,
                          struct arena_head *head, int64_t *offset, const char **why)
{
    memset(head, 0, sizeof *head);
    if (found->st_size == 0) {
        return IS_NEW;
    }
    ssize_t got = pread(fd, head, sizeof *head, 0);
    if (got < 0) {
        return IS_UNREADABLE;
    }
    if (is_half_made(fd, head)) {
        return IS_NEW;
    }
    *why = (size_t)got < sizeof *head ? "it is too short" : fault_of(head);
    return *why != NULL ? IS_SET_ASIDE : judge_clock(head, clock, found->st_ino, offset, why);
}

/* --- opening and locking ---------------------------------------------------------- */

static void pause_ms(long ms)
{
    struct timespec time = {.tv_nsec = ms * 1000000};
    nanosleep(&time, NULL);
}

static bool is_cancelled(const struct store_options *options)
{
    bool cancelled = options->cancelled != NULL && options->cancelled(options->context);
    errno = cancelled ? ECANCELED : errno;
    return cancelled;
}

static bool lock_file(int fd, const struct store_options *options)
{
    for (int attempt = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; attempt++) {
        if (is_cancelled(options)) {
            return false;
        }
        if ((errno != EWOULDBLOCK && errno != EINTR) || attempt == LOCK_ATTEMPTS) {
            return false;
        }
        pause_ms(LOCK_PAUSE_MS);
    }
    return true;
}

static int open_or_make(const struct store_options *options, bool *made)
{
    const char *path = options->file;
    if (options->open_file != NULL) {
        return options->open_file(options->context, path, made);
    }
    const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    int fd = open(path, flags);
    *made = fd < 0 && errno == ENOENT;
    return *made ? open(path, flags | O_CREAT | O_EXCL, 0600) : fd;
}

/* Locks it. *moved: the name was given to another file since it was opened. */
static bool take(int fd, const struct store_options *options, struct stat *found, bool *moved)
{
    struct stat named;
    if (fstat(fd, found) != 0) {
        return false;
    }
    if (!S_ISREG(found->st_mode)) {
        errno = EINVAL;
        return false;
    }
    if (!lock_file(fd, options) || fstat(fd, found) != 0) {
        return false;
    }
    *moved = lstat(options->file, &named) != 0 || named.st_dev != found->st_dev ||
             named.st_ino != found->st_ino;
    return true;
}

/* Open and locked; -1 with errno. */
static int open_locked(const struct store_options *options, struct stat *found, bool *made)
{
    for (int attempt = 0; attempt < OPEN_ATTEMPTS; attempt++) {
        bool moved = false;
        int fd = open_or_make(options, made);
        if (fd < 0 && errno != EEXIST) {
            return -1;
        }
        if (fd >= 0 && take(fd, options, found, &moved) && !moved) {
            return fd;
        }
        int why = errno;
        if (fd >= 0) {
            close(fd);
        }
        if (fd >= 0 && !moved) {
            errno = why;
            return -1;
        }
    }
    errno = EWOULDBLOCK; /* another process keeps on replacing it */
    return -1;
}

/* Gives the file the first name that is free; NULL with errno. */
static char *rename_aside(const char *path)
{
    for (int number = 1; number <= ASIDE_MOST; number++) {
        char *name = NULL;
        int length = number == 1 ? asprintf(&name, "%s.aside", path)
                                 : asprintf(&name, "%s.aside.%d", path, number);
        if (length < 0) {
            errno = ENOMEM;
            return NULL;
        }
        if (renameat2(AT_FDCWD, path, AT_FDCWD, name, RENAME_NOREPLACE) == 0) {
            return name;
        }
        int why = errno;
        free(name);
        errno = why;
        if (why != EEXIST) {
            return NULL;
        }
    }
    return NULL;
}

/* --- a new file, a file that is kept ------------------------------------------------- */

/* All of the memory must fit, now: later there is no way to report that it does not. */
static bool has_room(int fd, uint64_t memory)
{
    struct statvfs system;
    struct stat file;
    if (fstatvfs(fd, &system) != 0 || fstat(fd, &file) != 0) {
        return false;
    }
    uint64_t has = (uint64_t)file.st_blocks * 512;
    uint64_t room = (uint64_t)system.f_bavail * system.f_frsize;
    /* f_blocks is 0 in a file system in memory without a limit. */
    if (system.f_blocks != 0 && memory > has && memory - has > room) {
        errno = ENOSPC;
        return false;
    }
    return true;
}

static void compose_head(struct arena_head *head, const struct store_options *options,
                         const struct arena_shape *shape)
{
    memset(head, 0, sizeof *head);
    head->byte_order = LAYOUT_BYTE_ORDER;
    head->layout = LAYOUT_VERSION;
    memcpy(head->secret, options->file_secret, sizeof head->secret);
    head->frames_max = shape->frames_max;
    head->frame_order = shape->frame_order;
    head->place_shift = shape->place_shift;
    head->guard = RECORD_GUARD;
    head->check = head_check(head);
}

static void begin_clock(struct file *file, const struct store_clock *clock, uint64_t inode)
{
    struct clock_record record = {.offset = file->clock_offset, .inode = inode};
    memcpy(record.boot, clock->boot, sizeof record.boot);
    file_clock_write(file->head->clocks, file->head->secret, &record);
}

/* Composes the head of a new file and maps it. If there is no address space to grow into, the file
 * is made so that it cannot grow. */
static bool map_new(struct file *file, const struct store_options *options, struct arena_head *head)
{
    struct arena_shape shape = arena_shape_choose(options->memory);
    for (;;) {
        compose_head(head, options, &shape);
        file->head = head;
        file->frame_order = head->frame_order;
        file->place_shift = head->place_shift;
        if (map(file, shape.frames)) {
            return true;
        }
        if (errno != ENOMEM || shape.frames_max == shape.frames) {
            return false;
        }
        shape.frames_max = shape.frames;
    }
}

static bool make(struct file *file, const struct store_options *options, const struct stat *found)
{
    struct arena_head head;
    file->clock_offset = 0;
    if (ftruncate(file->fd, 0) != 0 || !has_room(file->fd, options->memory) ||
        !map_new(file, options, &head) ||
        fallocate(file->fd, FALLOC_FL_KEEP_SIZE, 0, LAYOUT_HEAD) != 0) {
        return false;
    }
    *file->head = head;
    begin_clock(file, &options->clock, found->st_ino);
    uint64_t magic;
    memcpy(&magic, LAYOUT_MAGIC, sizeof magic);
    __atomic_store_n((uint64_t *)(void *)file->head->magic, magic, __ATOMIC_RELEASE);
    return true;
}

/* As many frames as the file has or the memory needs, but no more than it has segment entries
 * for. */
static uint32_t frames_for(const struct arena_head *head, const struct stat *found, uint64_t memory,
                           uint64_t *beyond)
{
    struct regions at = regions_of(head->frames_max, head->frame_order);
    uint64_t size = (uint64_t)found->st_size;
    uint64_t most = head->frames_max * at.frame_size;
    uint64_t wanted = memory / at.frame_size + 1;
    uint64_t has = size > at.base ? (size - at.base + at.frame_size - 1) / at.frame_size : 0;
    *beyond = memory > most ? memory - most : 0;
    uint64_t frames = wanted > has ? wanted : has;
    return (uint32_t)(frames < head->frames_max ? frames : head->frames_max);
}

static bool keep(struct file *file, const struct store_options *options, const struct stat *found,
                 struct arena_head *head, uint64_t *beyond)
{
    uint32_t frames = frames_for(head, found, options->memory, beyond);
    file->head = head;
    file->frame_order = head->frame_order;
    file->place_shift = head->place_shift;
    /* The head may be a hole in a file that was damaged. */
    if (!has_room(file->fd, options->memory) || !map(file, frames) ||
        fallocate(file->fd, FALLOC_FL_KEEP_SIZE, 0, LAYOUT_HEAD) != 0) {
        return false;
    }
    begin_clock(file, &options->clock, found->st_ino);
    return true;
}

/* --- all of it --------------------------------------------------------------------- */

static enum file_state give_up(struct file *file)
{
    int why = errno;
    if (file->fd >= 0 && file->made) {
        unlink(file->path);
    }
    if (file->map != NULL) {
        munmap(file->map, file->mapped);
    }
    if (file->fd >= 0) {
        close(file->fd);
    }
    free(file->path);
    *file = (struct file){.fd = -1};
    errno = why;
    return FILE_FAILED;
}

static enum file_state settle(struct file *file, enum verdict verdict,
                              const struct store_options *options, const struct stat *found,
                              struct arena_head *head, struct store_recovery *recovery)
{
    /* Only now it is known that the file is the store's and may be changed. */
    if (verdict != IS_UNREADABLE && fchmod(file->fd, 0600) != 0) {
        return give_up(file);
    }
    if (verdict == IS_KEPT) {
        recovery->arena = STORE_ARENA_KEPT;
        if (!keep(file, options, found, head, &recovery->beyond)) {
            return give_up(file);
        }
    } else if (verdict == IS_UNREADABLE || !make(file, options, found)) {
        return give_up(file);
    }
    recovery->clock_offset = file->clock_offset;
    return verdict == IS_KEPT ? FILE_KEPT : FILE_NEW;
}

static void report(struct store_recovery *recovery, enum store_arena arena, const char *why)
{
    recovery->arena = arena;
    snprintf(recovery->why, sizeof recovery->why, "%s", why != NULL ? why : "");
}

enum file_state file_open(struct file *file, const struct store_options *options,
                          struct store_recovery *recovery)
{
    struct stat found;
    struct arena_head head;
    *file = (struct file){.fd = -1, .path = strdup(options->file)};
    report(recovery, STORE_ARENA_NEW, NULL);
    for (int attempt = 0; file->path != NULL && attempt < OPEN_ATTEMPTS; attempt++) {
        const char *why = NULL;
        file->fd = open_locked(options, &found, &file->made);
        if (file->fd < 0) {
            return give_up(file);
        }
        enum verdict verdict =
            judge(file->fd, &found, &options->clock, &head, &file->clock_offset, &why);
        if (verdict == IS_DISCARDED) {
            report(recovery, STORE_ARENA_DISCARDED, why);
        }
        if (verdict != IS_SET_ASIDE) {
            return settle(file, verdict, options, &found, &head, recovery);
        }
        free(recovery->aside);
        recovery->aside = rename_aside(file->path);
        if (recovery->aside == NULL) {
            return give_up(file);
        }
        report(recovery, STORE_ARENA_ASIDE, why);
        close(file->fd);
        file->fd = -1;
    }
    return give_up(file);
}

/* --- a file that grows ---------------------------------------------------------------- */

bool file_has_room(const struct file *file, uint64_t memory)
{
    return has_room(file->fd, memory);
}

bool file_grow(struct file *file, uint32_t frames)
{
    if (frames > file->frames) {
        if (ftruncate(file->fd, (off_t)length_for(file, frames)) != 0) {
            return false;
        }
        set_frames(file, frames);
    }
    return true;
}

/* --- the end --------------------------------------------------------------------------- */

/* Says "in use" again; errno stays. */
static void unmark_stopped(struct file *file, struct clock_record *record)
{
    int why = errno;
    record->stopped = record->wall = 0;
    file_clock_write(file->head->clocks, file->head->secret, record);
    errno = why;
}

bool file_stop(struct file *file, const struct store_clock *clock)
{
    struct clock_record record = {.offset = file->clock_offset, .wall = clock->wall};
    struct stat found;
    memcpy(record.boot, clock->boot, sizeof record.boot);
    record.stopped = (uint64_t)((int64_t)clock->uptime + file->clock_offset);
    /* The mark must not be on the disk before what it covers. */
    if (fstat(file->fd, &found) != 0 || fsync(file->fd) != 0) {
        return false;
    }
    record.inode = found.st_ino;
    file_clock_write(file->head->clocks, file->head->secret, &record);
    bool written = fsync(file->fd) == 0;
    if (!written) {
        unmark_stopped(file, &record);
    }
    return written;
}

/*
 * image.c - see image.h.
 */
#include "tests/store/crash/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/store/arena/checksum.h"
#include "daemon/store/arena/layout.h"

enum { COMPARED_AT_ONCE = 65536 };

/* The next run from *from on, as *from .. *end; false: there is none. */
static bool next_run(int fd, uint64_t *from, uint64_t *end)
{
    off_t data = lseek(fd, (off_t)*from, SEEK_DATA);
    if (data < 0) {
        return false;
    }
    *from = (uint64_t)data;
    *end = (uint64_t)lseek(fd, data, SEEK_HOLE);
    return true;
}

static bool read_all(int fd, char *bytes, size_t length, uint64_t from)
{
    while (length > 0) {
        ssize_t got = pread(fd, bytes, length, (off_t)from);
        if (got <= 0) {
            return false;
        }
        bytes += got;
        length -= (size_t)got;
        from += (uint64_t)got;
    }
    return true;
}

static bool write_all(int fd, const char *bytes, size_t length, uint64_t from)
{
    while (length > 0) {
        ssize_t put = pwrite(fd, bytes, length, (off_t)from);
        if (put <= 0) {
            return false;
        }
        bytes += put;
        length -= (size_t)put;
        from += (uint64_t)put;
    }
    return true;
}

bool image_take(struct image *image, int fd)
{
    struct stat found;
    uint64_t end = 0;
    if (fstat(fd, &found) != 0) {
        return false;
    }
    image->length = (uint64_t)found.st_size;
    image->count = 0;
    for (uint64_t from = 0; next_run(fd, &from, &end); from = end) {
        if (image->count == IMAGE_RUNS) {
            errno = EFBIG;
            return false;
        }
        struct image_run *run = &image->runs[image->count++];
        if (run->length < end - from || run->bytes == NULL) {
            free(run->bytes);
            run->bytes = malloc(end - from);
        }
        run->from = from;
        run->length = end - from;
        if (run->bytes == NULL || !read_all(fd, run->bytes, run->length, from)) {
            return false;
        }
    }
    return true;
}

static bool run_is(const struct image_run *run, int fd)
{
    static char there[COMPARED_AT_ONCE];
    for (size_t done = 0; done < run->length; done += sizeof there) {
        size_t size = run->length - done < sizeof there ? run->length - done : sizeof there;
        if (!read_all(fd, there, size, run->from + done) ||
            memcmp(there, run->bytes + done, size) != 0) {
            return false;
        }
    }
    return true;
}

bool image_is(const struct image *image, int fd)
{
    struct stat found;
    uint64_t from = 0;
    uint64_t end = 0;
    if (fstat(fd, &found) != 0 || (uint64_t)found.st_size != image->length) {
        return false;
    }
    for (unsigned i = 0; i < image->count; i++) {
        const struct image_run *run = &image->runs[i];
        if (!next_run(fd, &from, &end) || from != run->from || end != run->from + run->length ||
            !run_is(run, fd)) {
            return false;
        }
        from = end;
    }
    return !next_run(fd, &from, &end);
}

void image_free(struct image *image)
{
    for (unsigned i = 0; i < IMAGE_RUNS; i++) {
        free(image->runs[i].bytes);
    }
    memset(image, 0, sizeof *image);
}

/* A record that was whole is so afterwards, and one that was not is not. */
static void move_record(struct clock_record *record, const uint64_t secret[2], unsigned slot,
                        uint64_t inode)
{
    const size_t from = offsetof(struct clock_record, boot);
    const size_t length = offsetof(struct clock_record, check) - from;
    uint64_t seed = checksum_seed(secret, CHECKSUM_CLOCK, slot);
    if (record->check == checksum_bytes(seed, (char *)record + from, length)) {
        record->inode = inode;
        record->check = checksum_bytes(seed, (char *)record + from, length);
    }
}

static bool move_lives(int fd, uint64_t inode)
{
    struct arena_head head;
    if (!read_all(fd, (char *)&head, sizeof head, 0)) {
        return true; /* there is no head */
    }
    for (unsigned slot = 0; slot < 2; slot++) {
        move_record(&head.clocks[slot], head.secret, slot, inode);
    }
    return write_all(fd, (char *)&head, sizeof head, 0);
}

bool image_put(const struct image *image, const char *path)
{
    struct stat found;
    /* A new file: some file systems write one that was made empty to the disk at once. */
    unlink(path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    bool good = ftruncate(fd, (off_t)image->length) == 0;
    for (unsigned i = 0; i < image->count && good; i++) {
        good = write_all(fd, image->runs[i].bytes, image->runs[i].length, image->runs[i].from);
    }
    good = good && fstat(fd, &found) == 0 && move_lives(fd, found.st_ino);
    close(fd);
    return good;
}

char *image_at(struct image *image, uint64_t from)
{
    for (unsigned i = 0; i < image->count; i++) {
        struct image_run *run = &image->runs[i];
        if (from >= run->from && from - run->from < run->length) {
            return run->bytes + (from - run->from);
        }
    }
    return NULL;
}

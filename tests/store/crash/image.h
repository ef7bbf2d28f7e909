/*
 * image.h - what an arena file holds, as a copy in memory that is put into a file
 * again: as it was, or with damage.
 *
 * Only what the file has blocks for is copied; the rest are holes, and holes they are
 * again. An image of a file that a store has open is what a kill at that moment would
 * leave, since a process dies and its memory does not.
 */
#ifndef KVCACHED_TESTS_STORE_CRASH_IMAGE_H
#define KVCACHED_TESTS_STORE_CRASH_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IMAGE_RUNS = 512 };

/* Bytes that are there, without holes. */
struct image_run {
    uint64_t from; /* in the file */
    size_t length;
    char *bytes;
};

struct image {
    uint64_t length; /* of the file */
    unsigned count;
    struct image_run runs[IMAGE_RUNS];
};

/* False with errno when the file cannot be read or lies in too many runs. The image need
 * not be empty: what it has room for is used again. */
bool image_take(struct image *image, int fd);
/* Whether the file is what was taken: its length, its holes, its bytes. */
bool image_is(const struct image *image, int fd);
void image_free(struct image *image);

/*
 * Makes a file at `path`, in place of what there is, that is what the image says. The clock
 * in it is told that this is its file (struct clock_record), else it would be taken for a copy of
 * one that was in use.
 */
bool image_put(const struct image *image, const char *path);

/* The byte at `from` in the file; NULL: it is in a hole. */
char *image_at(struct image *image, uint64_t from);

#endif

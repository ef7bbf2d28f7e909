/*
 * input.c - standard input.
 */
#include "scripts/cli/input.h"

#include <errno.h>
#include <unistd.h>

enum { PIECE = 64 * 1024 };

bool input_read_all(int fd, struct bytes *bytes)
{
    for (;;) {
        char *to = bytes_reserve(bytes, PIECE);
        ssize_t got = read(fd, to, PIECE);
        if (got == 0) {
            return true;
        }
        if (got < 0 && errno != EINTR) {
            return false;
        }
        bytes->length += got > 0 ? (size_t)got : 0;
    }
}

/*
 * conf_file.c - see conf_file.h.
 */
#include "conf/conf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_LARGEST = 16 << 20 /* bytes */ };

/* The contents of an open file, to be freed; NULL with errno. */
static char *read_all(int fd, size_t *length)
{
    char *bytes = NULL;
    size_t room = 0;
    for (*length = 0;;) {
        if (*length == room) {
            room = room * 2 + 16384;
            char *grown = room > FILE_LARGEST ? NULL : realloc(bytes, room);
            if (grown == NULL) {
                errno = room > FILE_LARGEST ? EFBIG : ENOMEM;
                break;
            }
            bytes = grown;
        }
        ssize_t got = read(fd, bytes + *length, room - *length);
        if (got == 0) {
            return bytes;
        }
        if (got < 0 && errno != EINTR) {
            break;
        }
        *length += got > 0 ? (size_t)got : 0;
    }
    free(bytes);
    return NULL;
}

char *conf_file_read(const char *file, bool included, size_t *length)
{
    struct stat status;
    int fd = open(file, O_RDONLY | O_CLOEXEC | (included ? O_NONBLOCK : 0));
    if (fd < 0) {
        return NULL;
    }
    char *bytes = NULL;
    if (fstat(fd, &status) == 0) {
        if (S_ISDIR(status.st_mode)) {
            errno = EISDIR;
        } else if (included && !S_ISREG(status.st_mode)) {
            errno = EINVAL;
        } else {
            bytes = read_all(fd, length);
        }
    }
    int saved = errno;
    close(fd);
    errno = saved;
    return bytes;
}

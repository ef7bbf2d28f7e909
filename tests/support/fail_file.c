/*
 * fail_file.c - a file system that refuses blocks, holes or a sync.
 *
 * A library for LD_PRELOAD, used by tests/e2e/test_arena.py. REFUSING names a directory. While
 * there is a file `blocks` in it, fallocate gives no blocks; `holes`: it takes none back; `sync`:
 * fsync fails. The file holds the number of the error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Sets errno where it is so. */
static bool is_refused(const char *what)
{
    const char *directory = getenv("REFUSING");
    char path[512];
    char number[16] = "";
    if (directory == NULL) {
        return false;
    }
    snprintf(path, sizeof path, "%s/%s", directory, what);
    int saved = errno;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool refused = fd >= 0 && read(fd, number, sizeof number - 1) > 0;
    if (fd >= 0) {
        close(fd);
    }
    errno = refused ? atoi(number) : saved;
    return refused;
}

int fallocate(int fd, int mode, off_t from, off_t length)
{
    if (is_refused((mode & FALLOC_FL_PUNCH_HOLE) != 0 ? "holes" : "blocks")) {
        return -1;
    }
    return (int)syscall(SYS_fallocate, fd, mode, from, length);
}

int fsync(int fd)
{
    return is_refused("sync") ? -1 : (int)syscall(SYS_fsync, fd);
}

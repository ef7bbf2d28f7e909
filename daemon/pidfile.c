/*
 * pidfile.c - a number in a locked file.
 *
 * Between opening a file and locking it, its former owner may have removed it:
 * then the lock is on a file without a name and protects nothing. So after
 * locking, the name must still lead to the same file, else all is done again.
 */
#include "daemon/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_still(int fd, const char *path)
{
    struct stat opened, named;

    return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

static pid_t read_number(int fd)
{
    char text[32];
    ssize_t length = pread(fd, text, sizeof text - 1, 0);

    if (length <= 0) {
        return 0;
    }
    text[length] = '\0';
    return (pid_t)strtol(text, NULL, 10);
}

static enum pidfile_status lock(const char *path, int *fd, pid_t *holder)
{
    for (;;) {
        *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (*fd < 0) {
            return PIDFILE_FAILED;
        }
        if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
            enum pidfile_status status = errno == EWOULDBLOCK ? PIDFILE_TAKEN : PIDFILE_FAILED;
            int why = errno;
            *holder = read_number(*fd);
            close(*fd);
            errno = why;
            return status;
        }
        if (is_still(*fd, path)) {
            return PIDFILE_OK;
        }
        close(*fd);
    }
}

static bool write_number(int fd)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%d\n", (int)getpid());

    if (ftruncate(fd, 0) != 0) {
        return false;
    }
    ssize_t written = pwrite(fd, text, (size_t)length, 0);
    if (written >= 0 && written != length) {
        errno = ENOSPC;
    }
    return written == length;
}

static void forget(struct pidfile *pidfile)
{
    int why = errno;

    litter_remove(&pidfile->litter);
    if (pidfile->path != NULL) {
        close(pidfile->fd);
    }
    free(pidfile->path);
    *pidfile = (struct pidfile){.path = NULL, .fd = -1};
    errno = why;
}

/* Locked, noted and with the number in it. */
static bool fill(struct pidfile *pidfile, const char *path, int fd)
{
    *pidfile = (struct pidfile){.path = strdup(path), .fd = fd};
    if (pidfile->path == NULL) {
        close(fd);
        return false;
    }
    if (!litter_note(&pidfile->litter, pidfile->path, fd) || !write_number(fd)) {
        forget(pidfile);
        return false;
    }
    return true;
}

enum pidfile_status pidfile_open(struct pidfile *pidfile, const char *path, pid_t *holder)
{
    sigset_t before;
    int fd;

    *pidfile = (struct pidfile){.path = NULL, .fd = -1};
    *holder = 0;
    litter_hold(&before);
    enum pidfile_status status = lock(path, &fd, holder);
    if (status == PIDFILE_OK && !fill(pidfile, path, fd)) {
        status = PIDFILE_FAILED;
    }
    litter_release(&before);
    return status;
}

void pidfile_close(struct pidfile *pidfile)
{
    forget(pidfile);
}

/*
 * pidfile.c - the number of the process in a locked file.
 */
#include "daemon/os/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/safe_open.h"

enum { TEXT_MAX = 64 }; /* bytes of a number with white space around it */

/* Whether the file is a pid file or empty: so that no configuration, arena or other file is
 * overwritten. */
static bool has_number_at_most(int fd)
{
    char text[TEXT_MAX + 1];
    ssize_t length = pread(fd, text, sizeof text, 0);
    if (length < 0 || length > TEXT_MAX) {
        return false;
    }
    text[length] = '\0';
    return strspn(text, "0123456789 \t\r\n") == (size_t)length;
}

/* Open and locked, or -1 with errno and *why. */
static int lock(const char *path, uid_t user, pid_t *holder, const char **why)
{
    const struct safe_terms terms = {
        .path = path, .flags = O_RDWR | O_CREAT, .mode = 0644, .user = user};
    bool made;
    int fd = safe_open_locked(&terms, &made, why, holder);
    if (fd >= 0 && !has_number_at_most(fd)) {
        close(fd);
        *why = "it is no pid file: its content is not a number";
        errno = EEXIST;
        return -1;
    }
    return fd;
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

static void discard(struct pidfile *pidfile)
{
    int why = errno;
    cleanup_remove(&pidfile->cleanup);
    if (pidfile->path != NULL) {
        close(pidfile->fd);
    }
    free(pidfile->path);
    *pidfile = (struct pidfile){.path = NULL, .fd = -1};
    errno = why;
}

/* Registers the locked file for cleanup and writes the number into it. */
static bool fill(struct pidfile *pidfile, const char *path, int fd)
{
    *pidfile = (struct pidfile){.path = strdup(path), .fd = fd};
    if (pidfile->path == NULL) {
        close(fd);
        return false;
    }
    if (!cleanup_register(&pidfile->cleanup, pidfile->path, fd) || !write_number(fd)) {
        discard(pidfile);
        return false;
    }
    return true;
}

enum pidfile_status pidfile_open(struct pidfile *pidfile, const char *path, uid_t user,
                                 pid_t *holder, const char **why)
{
    enum pidfile_status status = PIDFILE_OK;
    sigset_t before;
    *pidfile = (struct pidfile){.path = NULL, .fd = -1};
    *holder = 0;
    cleanup_block_signals(&before);
    int fd = lock(path, user, holder, why);
    if (fd < 0) {
        status = errno == EWOULDBLOCK ? PIDFILE_TAKEN : PIDFILE_FAILED;
    } else if (!fill(pidfile, path, fd)) {
        *why = strerror(errno);
        status = PIDFILE_FAILED;
    }
    cleanup_restore_signals(&before);
    return status;
}

void pidfile_close(struct pidfile *pidfile)
{
    discard(pidfile);
}

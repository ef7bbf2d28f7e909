/*
 * cleanup.c - a list of files to unlink; see cleanup.h.
 */
#include "daemon/os/cleanup.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

static struct cleanup *first;

void cleanup_block_signals(sigset_t *before)
{
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &blocked, before);
}

void cleanup_restore_signals(const sigset_t *before)
{
    int why = errno;
    pthread_sigmask(SIG_SETMASK, before, NULL);
    errno = why;
}

static bool is_registered(const struct cleanup *cleanup)
{
    const struct cleanup *at = first;
    while (at != NULL && at != cleanup) {
        at = at->next;
    }
    return at != NULL;
}

bool cleanup_register(struct cleanup *cleanup, const char *path, int fd)
{
    struct stat found;
    sigset_t before;
    if (lstat(path, &found) != 0) {
        return false;
    }
    cleanup_block_signals(&before);
    if (!is_registered(cleanup)) {
        cleanup->next = first;
        first = cleanup;
    }
    cleanup->path = path;
    cleanup->fd = fd;
    cleanup->device = found.st_dev;
    cleanup->inode = found.st_ino;
    cleanup_restore_signals(&before);
    return true;
}

/* If the process may no longer write in the directory, the file stays, empty. */
static void unlink_file(const struct cleanup *cleanup)
{
    struct stat found;
    if (lstat(cleanup->path, &found) != 0 || found.st_dev != cleanup->device ||
        found.st_ino != cleanup->inode || unlink(cleanup->path) == 0) {
        return;
    }
    if (cleanup->fd >= 0 && ftruncate(cleanup->fd, 0) != 0) {
        errno =
            0; /* neither worked: the file stays, and the end of its lock shows that it is stale */
    }
}

void cleanup_remove(struct cleanup *cleanup)
{
    struct cleanup **link = &first;
    sigset_t before;
    if (cleanup->path == NULL) {
        return;
    }
    cleanup_block_signals(&before);
    while (*link != cleanup) {
        link = &(*link)->next;
    }
    *link = cleanup->next;
    unlink_file(cleanup);
    cleanup->path = NULL;
    cleanup_restore_signals(&before);
}

void cleanup_remove_all(void)
{
    for (const struct cleanup *cleanup = first; cleanup != NULL; cleanup = cleanup->next) {
        unlink_file(cleanup);
    }
}

/*
 * cleanup.c - see cleanup.h.
 */
#include "daemon/os/cleanup.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

static struct cleanup *first;

void cleanup_hold(sigset_t *before)
{
    sigset_t held;

    sigemptyset(&held);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &held, before);
}

void cleanup_release(const sigset_t *before)
{
    int why = errno;

    pthread_sigmask(SIG_SETMASK, before, NULL);
    errno = why;
}

static bool is_noted(const struct cleanup *cleanup)
{
    const struct cleanup *at = first;

    while (at != NULL && at != cleanup) {
        at = at->next;
    }
    return at != NULL;
}

bool cleanup_note(struct cleanup *cleanup, const char *path, int fd)
{
    struct stat found;
    sigset_t before;

    if (lstat(path, &found) != 0) {
        return false;
    }
    cleanup_hold(&before);
    if (!is_noted(cleanup)) {
        cleanup->next = first;
        first = cleanup;
    }
    cleanup->path = path;
    cleanup->fd = fd;
    cleanup->device = found.st_dev;
    cleanup->inode = found.st_ino;
    cleanup_release(&before);
    return true;
}

/* Where the directory is no longer this user's to write in, the file stays, empty. */
static void sweep(const struct cleanup *cleanup)
{
    struct stat found;

    if (lstat(cleanup->path, &found) != 0 || found.st_dev != cleanup->device ||
        found.st_ino != cleanup->inode || unlink(cleanup->path) == 0) {
        return;
    }
    if (cleanup->fd >= 0 && ftruncate(cleanup->fd, 0) != 0) {
        errno = 0; /* neither worked: the lock's end says enough */
    }
}

void cleanup_remove(struct cleanup *cleanup)
{
    struct cleanup **link = &first;
    sigset_t before;

    if (cleanup->path == NULL) {
        return;
    }
    cleanup_hold(&before);
    while (*link != cleanup) {
        link = &(*link)->next;
    }
    *link = cleanup->next;
    sweep(cleanup);
    cleanup->path = NULL;
    cleanup_release(&before);
}

void cleanup_remove_all(void)
{
    for (const struct cleanup *cleanup = first; cleanup != NULL; cleanup = cleanup->next) {
        sweep(cleanup);
    }
}

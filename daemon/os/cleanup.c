/*
 * cleanup.c - see cleanup.h.
 */
#include "daemon/os/cleanup.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

static struct litter *first;

void litter_hold(sigset_t *before)
{
    sigset_t held;

    sigemptyset(&held);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &held, before);
}

void litter_release(const sigset_t *before)
{
    int why = errno;

    pthread_sigmask(SIG_SETMASK, before, NULL);
    errno = why;
}

static bool is_noted(const struct litter *litter)
{
    const struct litter *at = first;

    while (at != NULL && at != litter) {
        at = at->next;
    }
    return at != NULL;
}

bool litter_note(struct litter *litter, const char *path, int fd)
{
    struct stat found;
    sigset_t before;

    if (lstat(path, &found) != 0) {
        return false;
    }
    litter_hold(&before);
    if (!is_noted(litter)) {
        litter->next = first;
        first = litter;
    }
    litter->path = path;
    litter->fd = fd;
    litter->device = found.st_dev;
    litter->inode = found.st_ino;
    litter_release(&before);
    return true;
}

/* Where the directory is no longer this user's to write in, the file stays, empty. */
static void sweep(const struct litter *litter)
{
    struct stat found;

    if (lstat(litter->path, &found) != 0 || found.st_dev != litter->device ||
        found.st_ino != litter->inode || unlink(litter->path) == 0) {
        return;
    }
    if (litter->fd >= 0 && ftruncate(litter->fd, 0) != 0) {
        errno = 0; /* neither worked: the lock's end says enough */
    }
}

void litter_remove(struct litter *litter)
{
    struct litter **link = &first;
    sigset_t before;

    if (litter->path == NULL) {
        return;
    }
    litter_hold(&before);
    while (*link != litter) {
        link = &(*link)->next;
    }
    *link = litter->next;
    sweep(litter);
    litter->path = NULL;
    litter_release(&before);
}

void litter_remove_all(void)
{
    for (const struct litter *litter = first; litter != NULL; litter = litter->next) {
        sweep(litter);
    }
}

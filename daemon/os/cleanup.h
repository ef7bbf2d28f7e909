/*
 * cleanup.h - names in the file system that go when the process does.
 *
 * A pid file or a Unix socket is to be gone at every end of the daemon, one by a signal in the
 * middle of its start included. So each is noted in the same breath in which it is made, with
 * signals held, and removed by its note alone. A name that leads to something else by then is
 * left alone: another daemon may have been given it.
 *
 * The main thread's, while there are no others or they have signals blocked.
 */
#ifndef KVCACHED_DAEMON_OS_CLEANUP_H
#define KVCACHED_DAEMON_OS_CLEANUP_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Its owner keeps it where it is as long as it is noted. All zero: it is not. */
struct litter {
    const char *path; /* its owner's, for as long; NULL: not noted */
    int fd;           /* emptied where the name cannot be removed; -1: none */
    dev_t device;
    ino_t inode;
    struct litter *next;
};

/* From before a name is made until after it is noted. */
void litter_hold(sigset_t *before);
void litter_release(const sigset_t *before);

/* Notes what the name leads to now. False with errno, and nothing is noted. */
bool litter_note(struct litter *litter, const char *path, int fd);

/* Removes the name. Good for one that is not noted. */
void litter_remove(struct litter *litter);

/* Removes all. Safe in a signal handler of the main thread. */
void litter_remove_all(void);

#endif

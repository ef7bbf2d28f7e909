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
struct cleanup {
    const char *path; /* its owner's, for as long; NULL: not noted */
    int fd;           /* emptied where the name cannot be removed; -1: none */
    dev_t device;
    ino_t inode;
    struct cleanup *next;
};

/* From before a name is made until after it is noted. */
void cleanup_hold(sigset_t *before);
void cleanup_release(const sigset_t *before);

/* Notes what the name leads to now. False with errno, and nothing is noted. */
bool cleanup_note(struct cleanup *cleanup, const char *path, int fd);

/* Removes the name. Good for one that is not noted. */
void cleanup_remove(struct cleanup *cleanup);

/* Removes all. Safe in a signal handler of the main thread. */
void cleanup_remove_all(void);

#endif

/*
 * cleanup.h - files that are unlinked when the process ends.
 *
 * A pid file and a Unix socket must be gone after every end of the daemon, also after a signal in
 * the middle of its start. So each is registered as soon as it is made, while signals are blocked.
 * A name that leads to another file by then is left alone: another daemon may own it.
 *
 * For the main thread, while there is no other or all others have signals blocked.
 */
#ifndef KVCACHED_DAEMON_OS_CLEANUP_H
#define KVCACHED_DAEMON_OS_CLEANUP_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* The owner of the file has one; it must not move while it is registered. All zero: not registered.
 */
struct cleanup {
    const char *path; /* the owner's string; NULL: not registered */
    int fd;           /* truncated if the file cannot be unlinked; -1: none */
    dev_t device;
    ino_t inode;
    struct cleanup *next;
};

/* SIGTERM, SIGINT and SIGHUP must be blocked from before a file is made until it is registered;
 * `before` is the mask to restore. Restoring keeps errno. */
void cleanup_block_signals(sigset_t *before);
void cleanup_restore_signals(const sigset_t *before);

/* Registers the file that `path` leads to now. False with errno: it is not registered. */
bool cleanup_register(struct cleanup *cleanup, const char *path, int fd);

/* Unlinks the file and unregisters it. Legal if it is not registered. */
void cleanup_remove(struct cleanup *cleanup);

/* Unlinks all registered files. Async-signal-safe, in the main thread. */
void cleanup_remove_all(void);

#endif

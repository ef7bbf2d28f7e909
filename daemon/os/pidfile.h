/*
 * pidfile.h - the file with the process number of the daemon. The main thread's.
 *
 * Its lock, not its existence, means that a daemon runs: the kernel releases the lock with the
 * process, so a file that was left behind is taken over.
 */
#ifndef KVCACHED_DAEMON_OS_PIDFILE_H
#define KVCACHED_DAEMON_OS_PIDFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "daemon/os/cleanup.h"

enum pidfile_status {
    PIDFILE_OK,
    PIDFILE_TAKEN, /* another process holds it */
    PIDFILE_FAILED /* see errno and *why */
};

struct pidfile {
    char *path; /* NULL: there is none */
    int fd;
    struct cleanup cleanup;
};

/* Makes the file or takes over a stale one, locks it and writes the number of this process. A file
 * whose content is not a number is refused and left as it is; so is one that is not acceptable for
 * `user` (safe_open.h). The struct must not move until pidfile_close. With PIDFILE_FAILED *why is a
 * clause that says why, not to be freed; with PIDFILE_TAKEN *holder is the number of the other
 * process, 0 if the file has none. With PIDFILE_OK, pidfile_close must follow. */
enum pidfile_status pidfile_open(struct pidfile *pidfile, const char *path, uid_t user,
                                 pid_t *holder, const char **why);

/* Removes the file and its lock. If the process may no longer write in the directory, the file
 * stays, empty. A zeroed struct and a second call are legal. */
void pidfile_close(struct pidfile *pidfile);

#endif

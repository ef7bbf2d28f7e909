/*
 * pidfile.h - the file that says which process is the daemon.
 *
 * Its lock, not its existence, says that a daemon runs: the lock goes with the
 * process however that ends, so a file that was left behind is simply taken over.
 */
#ifndef KVCACHED_DAEMON_OS_PIDFILE_H
#define KVCACHED_DAEMON_OS_PIDFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "daemon/os/cleanup.h"

enum pidfile_status {
    PIDFILE_OK,
    PIDFILE_TAKEN, /* another process holds it */
    PIDFILE_FAILED /* errno says why */
};

struct pidfile {
    char *path; /* NULL: there is none */
    int fd;
    struct cleanup cleanup;
};

/* Makes the file or takes over a stale one, locks it and writes this process's
 * number. A file that has something else than a number in it is none, and left as it is; and it
 * must be `user`'s as safe_open.h has it. The struct stays where it is until pidfile_close. With
 * PIDFILE_FAILED *why says why, too; with PIDFILE_TAKEN *holder is the
 * other's number, 0 where the file does not tell. What succeeded is to be closed with
 * pidfile_close. */
enum pidfile_status pidfile_open(struct pidfile *pidfile, const char *path, uid_t user,
                                 pid_t *holder, const char **why);

/* Removes the file and its lock; where the directory is no longer this user's to
 * write in, the file stays, empty. Good for a zeroed one and for a second call. */
void pidfile_close(struct pidfile *pidfile);

#endif

/*
 * safe_open.h - opens files that the configuration names, so that no other user decides what is
 * opened.
 *
 * All such files are opened here: the log, the pid file, the arena and the locks of Unix sockets.
 * A file is accepted if it is a regular one, has one name, and belongs to root, to the user of the
 * process, or to the user that the process will become. The last part of a path must not be a
 * symbolic link; a link before it is followed only where none but root and the user of the process
 * can have put it there. Everything else is refused with a clause that says why (-t says the same
 * where it can: conf/conf_check_paths.c). A file is judged before anything is changed, and no
 * device or FIFO is opened.
 *
 * Any thread. A clause in *why completes "cannot open PATH: ...", and is not to be freed.
 */
#ifndef KVCACHED_DAEMON_BASE_SAFE_OPEN_H
#define KVCACHED_DAEMON_BASE_SAFE_OPEN_H

#include <stdbool.h>
#include <sys/types.h>

struct safe_terms {
    const char *path; /* absolute */
    int flags;        /* of open(2); with O_CREAT a missing file is made */
    mode_t mode;      /* of a file that is made */
    uid_t user;       /* the user that the process will become, or is */
};

/* Returns the descriptor, which the caller closes; *made: the file did not exist. Or -1, with errno
 * and *why. */
int safe_open(const struct safe_terms *terms, bool *made, const char **why);

/* The same, with an exclusive lock on the file (flock). With EWOULDBLOCK another process has the
 * lock, and *holder, unless NULL, is the number at the beginning of the file; 0: there is none. */
int safe_open_locked(const struct safe_terms *terms, bool *made, const char **why, pid_t *holder);

/* Whether the path still leads to the open file. */
bool safe_is_still(int fd, const char *path);

/* Checks the directories of a path that is not opened here, such as a socket's: they exist, and no
 * symbolic link among them is another user's. False with errno and *why. */
bool safe_path(const char *path, const char **why);

/* Whether users other than root can replace the file of that path. */
bool safe_is_open_to_others(const char *path);

/* Changes the owner of a socket that belongs to the user of this process. False with errno; EPERM:
 * the path does not lead to such a socket. */
bool safe_give_socket(const char *path, uid_t uid, gid_t gid);

#endif

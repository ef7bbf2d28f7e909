/*
 * safe_open.h - files that the configuration names, opened so that no other user decides what
 * is opened.
 *
 * The one place that decides it: the log, the pid file, the arena and the locks of Unix sockets
 * are opened here. A file is the daemon's when it is a regular one, has one name, and belongs to
 * root, to the user that the process is, or to the one that it will become. The last part of a
 * path is never a symbolic link, and a link before it counts only where none but root and the
 * process's own user could have put it. Everything else is refused, with a clause that says why
 * (-t says the same where it can: conf/conf_check_paths.c). Nothing is changed before a file was
 * judged, and no device or FIFO is opened.
 */
#ifndef KVCACHED_DAEMON_BASE_SAFE_OPEN_H
#define KVCACHED_DAEMON_BASE_SAFE_OPEN_H

#include <stdbool.h>
#include <sys/types.h>

struct safe_terms {
    const char *path; /* absolute */
    int flags;        /* of open(2); with O_CREAT it is made where there is none */
    mode_t mode;      /* of one that is made */
    uid_t user;       /* the one that the process will become, or is */
};

/* The descriptor; *made: there was none. Or -1, with errno and *why. */
int safe_open(const struct safe_terms *terms, bool *made, const char **why);

/* The same, and locked for this process alone. EWOULDBLOCK: another process has the lock, and
 * *holder, if it is not NULL, is the number that the file begins with. */
int safe_open_locked(const struct safe_terms *terms, bool *made, const char **why, pid_t *holder);

/* Whether a name is that of an open file. */
bool safe_is_still(int fd, const char *path);

/* Judges the way to a name that is not opened here, such as a socket's: its directories are
 * there, and its links none of another user's. False with errno and *why. */
bool safe_way(const char *path, const char **why);

/* Whether others than root may give the name to another file. */
bool safe_is_open_to_others(const char *path);

/* Gives what a name leads to, if that is a socket of this process's user, to another. False with
 * errno. */
bool safe_give_socket(const char *path, uid_t uid, gid_t gid);

#endif

/*
 * daemonize.h - leaving the terminal, but not before the daemon serves.
 */
#ifndef KVCACHED_DAEMON_OS_DAEMONIZE_H
#define KVCACHED_DAEMON_OS_DAEMONIZE_H

/*
 * Forks; returns in the child, which is in a session of its own with / as its
 * working directory and still speaks to the terminal. The parent waits for the
 * child and never returns: it exits with 0 once daemonize_ready was called, else
 * with the child's status. Returns a handle for daemonize_ready, or -1 with errno
 * when there is no child. Before any thread is started.
 */
int daemonize(void);

/* The daemon serves: lets the parent go, and the terminal. */
void daemonize_ready(int handle);

#endif

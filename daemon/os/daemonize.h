/*
 * daemonize.h - puts the daemon into the background, once it serves.
 */
#ifndef KVCACHED_DAEMON_OS_DAEMONIZE_H
#define KVCACHED_DAEMON_OS_DAEMONIZE_H

/*
 * Forks, and returns in the child, which has a session of its own, / as its working directory and
 * still the terminal as its stderr. The parent never returns: it waits until the child calls
 * daemonize_ready and exits with 0, or until the child ends and exits with the child's status.
 * Returns a handle for daemonize_ready, or -1 with errno: there is no child. To be called before
 * any thread is started.
 */
int daemonize(void);

/* The daemon serves: the parent exits, and stdin, stdout and stderr become /dev/null. */
void daemonize_ready(int handle);

#endif

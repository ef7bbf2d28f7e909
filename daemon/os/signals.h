/*
 * signals.h - SIGTERM, SIGINT, SIGHUP and SIGUSR1 while no event loop handles them.
 *
 * From the first line of main on no such signal is lost, and none ends the process in an undefined
 * state. While the daemon starts, a signal to stop (SIGTERM, SIGINT) unlinks the files that were
 * made (cleanup.h) and ends the process with status 0; while the arena is read it is only noted,
 * so that the file can be left in order. A signal to reload (SIGHUP), or to open the log file again
 * (SIGUSR1), is noted until the start is over. Then the event loop takes over. From signals_end on
 * a signal to stop ends the process at once again.
 *
 * The main thread's, where nothing else is said: other threads have signals blocked (thread.h).
 */
#ifndef KVCACHED_DAEMON_OS_SIGNALS_H
#define KVCACHED_DAEMON_OS_SIGNALS_H

#include <stdbool.h>
#include <sys/types.h>

/* Blocks these signals: for the first line of main. */
void signals_hold(void);
/* Unblocks them, with their default actions: for a command that is no daemon. */
void signals_ordinary(void);

/* Installs the handlers and unblocks the signals: the daemon starts. */
void signals_start(void);

/* For the process that waits until a daemon in the background is ready: passes signals to stop on
 * to the daemon, and goes on waiting for its end. */
void signals_pass_on(pid_t daemon);

/* From now on the first signal to stop is noted; a second one ends the process. */
void signals_note(void);
/* The number of the signal to stop that was noted; 0: none. Any thread. */
int signals_noted(void);

/* Between these two calls, in which signals are blocked, the event loop installs its own handlers.
 * The second returns the signals noted before, as numbers or 0. */
struct signals_given {
    int stop, reload, reopen;
};
void signals_hand_over(void);
struct signals_given signals_handed_over(void);

/* The daemon stops: a signal to stop ends the process, the others are ignored. */
void signals_end(void);

#endif

/*
 * signals.h - SIGTERM, SIGINT and SIGHUP where there is no event loop to take them.
 *
 * From the first line of main on none of them is lost, or ends the process as it comes. While
 * the daemon starts, a signal to stop removes what was made (cleanup.h) and ends the process with
 * status 0; while the arena is read it is noted, so that the file can be left in order. A signal
 * to reload is noted until the start is over. Then they are the event loop's, and from
 * signals_end on a signal to stop ends the process at once again.
 *
 * The main thread's: others have signals blocked (thread.h).
 */
#ifndef KVCACHED_DAEMON_OS_SIGNALS_H
#define KVCACHED_DAEMON_OS_SIGNALS_H

#include <stdbool.h>
#include <sys/types.h>

/* The first line of main: holds them. */
void signals_hold(void);
/* For a task that is no daemon: they do what they do by default. */
void signals_ordinary(void);

/* A daemon starts. */
void signals_start(void);

/* In the process that waits for a daemon in the background to be ready: a signal to stop is the
 * daemon's, and what became of that is waited for. */
void signals_pass_on(pid_t daemon);

/* From now on signals to stop are noted as well; a second one ends the process nevertheless. */
void signals_note(void);
/* The number of the one that was noted; 0: none. Any thread. */
int signals_noted(void);

/* The event loop has handlers of its own from between these two on. Those that were noted are
 * given back, as numbers or 0. */
struct signals_given {
    int stop, reload;
};
void signals_hand_over(void);
struct signals_given signals_handed_over(void);

/* The daemon ends: a reload comes too late. */
void signals_end(void);

#endif

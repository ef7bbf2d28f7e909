/*
 * event_errors.h - sends messages of libevent to the log, and ends the process in order after its
 * fatal errors: the log is written, and registered files are unlinked.
 *
 * By itself libevent writes to stderr, which may block a thread, and exits with 1.
 */
#ifndef KVCACHED_DAEMON_OS_EVENT_ERRORS_H
#define KVCACHED_DAEMON_OS_EVENT_ERRORS_H

/* To be called once, before libevent is used. */
void event_errors_to_log(void);

#endif

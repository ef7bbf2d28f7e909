/*
 * event_errors.h - what libevent complains of goes to the log, and what it cannot go on after
 * ends the process as everything else does.
 *
 * By itself it writes to stderr, which may keep a thread waiting, and exits with 1.
 */
#ifndef KVCACHED_DAEMON_OS_EVENT_ERRORS_H
#define KVCACHED_DAEMON_OS_EVENT_ERRORS_H

/* Before libevent is used. */
void event_errors_to_log(void);

#endif

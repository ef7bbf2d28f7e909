/*
 * thread.h - what all threads of the daemon have in common: start, priority, event base, waiting.
 *
 * Nothing here writes to the log, since the log's own thread is started here.
 */
#ifndef KVCACHED_DAEMON_BASE_THREAD_H
#define KVCACHED_DAEMON_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

struct event_base;

/* Starts a thread with every signal blocked but SIGBUS: signals are the main thread's. Returns 0,
 * or what errno would be, and no thread was started. */
int thread_start(pthread_t *thread, void *(*run)(void *), void *context);

/* For the calling thread: sets its name, of at most 15 bytes, and its niceness, so that other
 * threads go first. False with errno: the niceness stays what it was, which costs speed only. */
bool thread_set_background(const char *name, int niceness);

/* For the calling thread, which is woken often for a little work: sets its name, of at most 15
 * bytes, and asks for short time slices. Linux 6.12 and later then interrupts a thread that
 * computes on the same processor at once, instead of at the end of its slice of milliseconds.
 * False with errno: the slice stays what it was, which costs latency only. */
bool thread_set_short_slice(const char *name);

/* An event base without locks: only one thread may touch it. `flags` are further ones, of enum
 * event_base_config_flag. NULL with errno; freed with event_base_free. */
struct event_base *thread_base(int flags);

/* Milliseconds as libevent's timers take them. */
struct timeval thread_timeval(uint64_t ms);
/* A time of clock_precise, in nanoseconds, as waits for a condition variable take it. */
struct timespec thread_timespec(uint64_t ns);

/* A condition variable with timeouts by CLOCK_MONOTONIC, so that setting the wall clock makes no
 * wait longer. Returns 0, or what errno would be. */
int thread_cond_init(pthread_cond_t *cond);

#endif

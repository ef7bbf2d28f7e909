/*
 * thread.h - what all threads of the daemon have in common.
 */
#ifndef KVCACHED_DAEMON_BASE_THREAD_H
#define KVCACHED_DAEMON_BASE_THREAD_H

#include <pthread.h>

struct event_base;

/* Starts one with every signal blocked: they are the main thread's. 0, or what errno would
 * be, and nothing was started. */
int thread_start(pthread_t *thread, void *(*run)(void *), void *context);

/* For the thread itself: its name, of at most 15 bytes, and how much it lets others go first.
 * A hint: where it may not be nicer the log says so at debug. */
void thread_set_background(const char *name, int niceness);

/* For the thread itself: its name likewise, and that it is woken often for a little work. Where
 * the kernel knows of that (Linux 6.12) it interrupts whoever calculates on that processor at
 * once, instead of letting him have his slice of milliseconds first. A hint. */
void thread_set_short_slice(const char *name);

/* An event base that no other thread may touch: it has no locks. `flags`: further ones, of enum
 * event_base_config_flag. NULL with errno. */
struct event_base *thread_base(int flags);

/* A condition whose waits end by CLOCK_MONOTONIC, so that nobody who sets the wall clock makes
 * one longer. 0, or what errno would be. */
int thread_cond_init(pthread_cond_t *cond);

#endif

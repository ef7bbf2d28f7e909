/*
 * interrupt.h - Ctrl-C while something takes long.
 *
 * For a process of one thread.
 */
#ifndef KVCACHED_SCRIPTS_CLI_INTERRUPT_H
#define KVCACHED_SCRIPTS_CLI_INTERRUPT_H

#include <stdbool.h>

/* From now on SIGINT, and where `terminate` is set SIGTERM, is noted instead of ending the process;
 * a system call that waits returns EINTR. */
void interrupt_catch(bool terminate);
/* As poll(2) for one descriptor; -1 with EINTR also when one was noted before. */
int interrupt_poll(int fd, short events, int timeout);
/* The same as libkvcached waits: other signals do not end it. */
int interrupt_wait(void *context, int fd, short events, int timeout);
/* Whether one was noted since interrupt_forget. */
bool interrupt_noted(void);
void interrupt_forget(void);

#endif

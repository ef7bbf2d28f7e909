/*
 * process.h - what the system says about a running server: time and memory.
 */
#ifndef KVCACHED_SCRIPTS_LOAD_PROCESS_H
#define KVCACHED_SCRIPTS_LOAD_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process_time {
    uint64_t total;  /* nanoseconds on a CPU, all threads, from the scheduler */
    uint64_t user;   /* nanoseconds, but counted in ticks of 10 ms */
    uint64_t system; /* the same */
};

/* False when there is no such process or the kernel does not say. */
bool process_time(pid_t pid, struct process_time *time);

/* Resident bytes, 0 when unknown. */
uint64_t process_resident(pid_t pid);

/* Nanoseconds on the monotonic clock, the one that all programs here share. */
uint64_t process_clock(void);

#endif

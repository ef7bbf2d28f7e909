/*
 * thread.c - threads as Linux has them; see thread.h.
 */
#include "daemon/base/thread.h"

#include <errno.h>
#include <event2/event.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The new thread inherits a mask of all signals but SIGBUS, which a thread raises itself by reading
 * a mapped file: where SIGBUS is blocked, the kernel ends the process without calling the
 * handler. */
int thread_start(pthread_t *thread, void *(*run)(void *), void *context)
{
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, NULL, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

/* On Linux each thread has a niceness of its own. */
bool thread_set_background(const char *name, int niceness)
{
    pthread_setname_np(pthread_self(), name);
    return setpriority(PRIO_PROCESS, (id_t)gettid(), niceness) == 0;
}

/* struct sched_attr in its first version; the C library does not declare it. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period; /* ns */
};

/* Linux runs the thread with the earliest eligible deadline first (Stoica and Abdel-Wahab, 1995).
 * A thread that asks for short slices has early deadlines; its share of the time is the same.
 * Kernels before 6.12 ignore the request. */
bool thread_set_short_slice(const char *name)
{
    enum { SLICE_NS = 100000 }; /* the least that the kernel takes */
    struct attributes own = {.size = sizeof own};
    pthread_setname_np(pthread_self(), name);
    if (syscall(SYS_sched_getattr, 0, &own, sizeof own, 0) != 0 || own.policy != SCHED_OTHER) {
        return true; /* another policy was chosen for the process: not ours to change */
    }
    own.runtime = SLICE_NS;
    return syscall(SYS_sched_setattr, 0, &own, 0) == 0;
}

struct event_base *thread_base(int flags)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;
    if (config != NULL) {
        event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | flags);
        base = event_base_new_with_config(config);
        event_config_free(config);
    }
    if (base == NULL) {
        errno = ENOMEM;
    }
    return base;
}

struct timeval thread_timeval(uint64_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

struct timespec thread_timespec(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000),
                             .tv_nsec = (long)(ns % 1000000000)};
}

int thread_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);
    if (error != 0) {
        return error;
    }
    error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (error == 0) {
        error = pthread_cond_init(cond, &attributes);
    }
    pthread_condattr_destroy(&attributes);
    return error;
}

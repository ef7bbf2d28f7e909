/*
 * thread.c - see thread.h.
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

#include "daemon/base/log.h"

/* The new thread inherits a mask that has all but what it may bring upon itself (arena_watch.h):
 * where that is blocked, the kernel ends the process without asking the handler. */
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

/* On Linux a thread has a niceness of its own. */
void thread_set_background(const char *name, int niceness)
{
    pthread_setname_np(pthread_self(), name);
    if (setpriority(PRIO_PROCESS, (id_t)gettid(), niceness) != 0) {
        log_debug("the %s keeps its priority", name);
    }
}

/* As the kernel lays it out, in its first version; the C library has no name for it. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period; /* ns */
};

/* With the earliest eligible deadline first (Stoica and Abdel-Wahab, 1995), which is how Linux
 * chooses, who asks for short slices has early deadlines; his share of the time is the same.
 * Older kernels take no notice of it. */
void thread_set_short_slice(const char *name)
{
    enum { SLICE_NS = 100000 }; /* the least there is */
    struct attributes own = {.size = sizeof own};

    pthread_setname_np(pthread_self(), name);
    if (syscall(SYS_sched_getattr, 0, &own, sizeof own, 0) != 0 || own.policy != SCHED_OTHER) {
        return;
    }
    own.runtime = SLICE_NS;
    if (syscall(SYS_sched_setattr, 0, &own, 0) != 0) {
        log_debug("%s keeps its slice of time", name);
    }
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

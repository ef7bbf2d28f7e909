/*
 * interrupt.c - Ctrl-C while something takes long.
 */
#include "scripts/cli/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>

#include "scripts/cli/clock.h"

static volatile sig_atomic_t noted;

static void note(int signal)
{
    (void)signal;
    noted = 1;
}

void interrupt_catch(bool terminate)
{
    struct sigaction action = {.sa_handler = note};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    if (terminate) {
        sigaction(SIGTERM, &action, NULL);
    }
}

static struct timespec time_of(int milliseconds)
{
    return (struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000L};
}

/* The signals are blocked but for the wait itself: one that comes just before it is not missed. */
int interrupt_poll(int fd, short events, int timeout)
{
    struct pollfd ready = {.fd = fd, .events = events};
    struct timespec time = time_of(timeout);
    sigset_t signals, before;
    int count = -1;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, &before);
    if (noted != 0) {
        errno = EINTR;
    } else {
        count = ppoll(&ready, 1, timeout < 0 ? NULL : &time, &before);
    }
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return count;
}

int interrupt_wait(void *context, int fd, short events, int timeout)
{
    (void)context;
    int64_t until = clock_now() + timeout;
    for (;;) {
        int count = interrupt_poll(fd, events, timeout < 0 ? -1 : clock_left(until));
        if (count >= 0 || errno != EINTR || interrupt_noted()) {
            return count;
        }
    }
}

bool interrupt_noted(void)
{
    return noted != 0;
}

void interrupt_forget(void)
{
    noted = 0;
}

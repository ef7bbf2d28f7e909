/*
 * heartbeat.c - a timerfd whose expirations are counted; see heartbeat.h.
 *
 * It is a descriptor in the event loop and not a timer of it: while a base has timers, each turn of
 * its loop reads the clock once more, computes when the next one is due, and looks whether it is. A
 * worker has no other timer as a rule, and a request without pipeline is a turn of its own, which
 * takes a twenty-fifth fewer instructions this way.
 */
#include "daemon/base/heartbeat.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "daemon/base/thread.h"

static void beat(evutil_socket_t fd, short what, void *context)
{
    struct heartbeat *heartbeat = context;
    (void)what;
    uint64_t expirations; /* since the last beat; the loop was stuck if it is not 1 */
    if (read(fd, &expirations, sizeof expirations) == (ssize_t)sizeof expirations) {
        atomic_fetch_add_explicit(&heartbeat->beats, 1, memory_order_relaxed);
    }
}

/* A timerfd that expires every HEARTBEAT_MS. -1 with errno. */
static int open_timer(void)
{
    const struct timespec period = thread_timespec(HEARTBEAT_MS * UINT64_C(1000000));
    const struct itimerspec every = {.it_interval = period, .it_value = period};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd >= 0) {
        timerfd_settime(fd, 0, &every, NULL); /* it refuses nothing but wrong arguments */
    }
    return fd;
}

/* The event goes first: its base still watches the descriptor. */
static void forget(struct heartbeat *heartbeat, int fd)
{
    if (heartbeat->event != NULL) {
        event_free(heartbeat->event);
        heartbeat->event = NULL;
    }
    close(fd);
}

bool heartbeat_init(struct heartbeat *heartbeat, struct event_base *base)
{
    atomic_init(&heartbeat->beats, 0);
    heartbeat->event = NULL;
    int fd = open_timer();
    if (fd < 0) {
        return false;
    }
    heartbeat->event = event_new(base, fd, EV_READ | EV_PERSIST, beat, heartbeat);
    if (heartbeat->event == NULL || event_add(heartbeat->event, NULL) != 0) {
        forget(heartbeat, fd);
        errno = ENOMEM;
        return false;
    }
    return true;
}

void heartbeat_deinit(struct heartbeat *heartbeat)
{
    if (heartbeat->event != NULL) {
        forget(heartbeat, event_get_fd(heartbeat->event));
    }
}

uint64_t heartbeat_count(const struct heartbeat *heartbeat)
{
    return atomic_load_explicit(&heartbeat->beats, memory_order_relaxed);
}

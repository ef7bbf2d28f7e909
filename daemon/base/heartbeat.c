/*
 * heartbeat.c - a timer that counts; see heartbeat.h.
 */
#include "daemon/base/heartbeat.h"

#include <errno.h>
#include <event2/event.h>

#include "daemon/base/thread.h"

static void beat(evutil_socket_t fd, short what, void *context)
{
    struct heartbeat *heartbeat = context;
    (void)fd;
    (void)what;
    atomic_fetch_add_explicit(&heartbeat->beats, 1, memory_order_relaxed);
}

bool heartbeat_init(struct heartbeat *heartbeat, struct event_base *base)
{
    const struct timeval period = thread_timeval(HEARTBEAT_MS);
    atomic_init(&heartbeat->beats, 0);
    heartbeat->timer = event_new(base, -1, EV_PERSIST, beat, heartbeat);
    if (heartbeat->timer == NULL || event_add(heartbeat->timer, &period) != 0) {
        heartbeat_deinit(heartbeat);
        errno = ENOMEM;
        return false;
    }
    return true;
}

void heartbeat_deinit(struct heartbeat *heartbeat)
{
    if (heartbeat->timer != NULL) {
        event_free(heartbeat->timer);
        heartbeat->timer = NULL;
    }
}

uint64_t heartbeat_count(const struct heartbeat *heartbeat)
{
    return atomic_load_explicit(&heartbeat->beats, memory_order_relaxed);
}

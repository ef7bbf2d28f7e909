/*
 * wakeup.c - an eventfd; see wakeup.h.
 */
#include "daemon/base/wakeup.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/base/log.h"

bool wakeup_init(struct wakeup *wakeup, struct event_base *base, event_callback_fn woken,
                 void *context)
{
    wakeup->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wakeup->fd < 0) {
        return false;
    }
    wakeup->registered = true;
    wakeup->pending = false;
    pthread_mutex_init(&wakeup->lock, NULL);
    event_assign(&wakeup->event, base, wakeup->fd, EV_READ | EV_PERSIST, woken, context);
    errno = ENOMEM;
    return event_add(&wakeup->event, NULL) == 0;
}

void wakeup_deinit(struct wakeup *wakeup)
{
    if (wakeup->registered) {
        event_del(&wakeup->event);
        close(wakeup->fd);
        pthread_mutex_destroy(&wakeup->lock);
        wakeup->registered = false;
    }
}

/* EAGAIN: the counter is full, so the thread will be woken all the same. */
void wakeup_signal(const struct wakeup *wakeup)
{
    if (eventfd_write(wakeup->fd, 1) != 0 && errno != EAGAIN) {
        log_error(
            "cannot wake a thread: writing its eventfd failed: %m: restart the daemon if it hangs");
    }
}

void wakeup_clear(const struct wakeup *wakeup)
{
    eventfd_t count;
    if (eventfd_read(wakeup->fd, &count) != 0 && errno != EAGAIN) {
        log_error("a thread cannot reset its eventfd: reading it failed: %m: restart the daemon if "
                  "it hangs");
    }
}

void wakeup_lock(struct wakeup *wakeup)
{
    pthread_mutex_lock(&wakeup->lock);
}

void wakeup_unlock(struct wakeup *wakeup)
{
    pthread_mutex_unlock(&wakeup->lock);
}

void wakeup_send(struct wakeup *wakeup)
{
    bool pending = wakeup->pending;
    wakeup->pending = true;
    wakeup_unlock(wakeup);
    if (!pending) {
        wakeup_signal(wakeup);
    }
}

void wakeup_receive(struct wakeup *wakeup)
{
    wakeup_clear(wakeup);
    wakeup_lock(wakeup);
    wakeup->pending = false;
}

/*
 * wakeup.c - an eventfd; see wakeup.h.
 */
#include "daemon/base/wakeup.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/base/log.h"

bool wakeup_init(struct wakeup *wakeup, struct event_base *base, event_callback_fn heard,
                 void *context)
{
    wakeup->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wakeup->fd < 0) {
        return false;
    }
    wakeup->registered = true;
    wakeup->pending = false;
    pthread_mutex_init(&wakeup->lock, NULL);
    event_assign(&wakeup->event, base, wakeup->fd, EV_READ | EV_PERSIST, heard, context);
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

/* One that has been rung as often as it can count rings all the same. */
void wakeup_signal(const struct wakeup *wakeup)
{
    if (eventfd_write(wakeup->fd, 1) != 0 && errno != EAGAIN) {
        log_error("cannot write an eventfd: %m");
    }
}

void wakeup_clear(const struct wakeup *wakeup)
{
    eventfd_t rings;
    if (eventfd_read(wakeup->fd, &rings) != 0 && errno != EAGAIN) {
        log_error("cannot read an eventfd: %m");
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

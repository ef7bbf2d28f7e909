/*
 * wakeup.c - an eventfd; see wakeup.h.
 */
#include "daemon/base/wakeup.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/base/log.h"

bool bell_init(struct bell *bell, struct event_base *base, event_callback_fn heard, void *context)
{
    bell->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (bell->fd < 0) {
        return false;
    }
    bell->hangs = true;
    bell->rung = false;
    pthread_mutex_init(&bell->lock, NULL);
    event_assign(&bell->event, base, bell->fd, EV_READ | EV_PERSIST, heard, context);
    errno = ENOMEM;
    return event_add(&bell->event, NULL) == 0;
}

void bell_deinit(struct bell *bell)
{
    if (bell->hangs) {
        event_del(&bell->event);
        close(bell->fd);
        pthread_mutex_destroy(&bell->lock);
        bell->hangs = false;
    }
}

/* One that has been rung as often as it can count rings all the same. */
void bell_ring(const struct bell *bell)
{
    if (eventfd_write(bell->fd, 1) != 0 && errno != EAGAIN) {
        log_error("cannot write an eventfd: %m");
    }
}

void bell_still(const struct bell *bell)
{
    eventfd_t rings;
    if (eventfd_read(bell->fd, &rings) != 0 && errno != EAGAIN) {
        log_error("cannot read an eventfd: %m");
    }
}

void bell_lock(struct bell *bell)
{
    pthread_mutex_lock(&bell->lock);
}

void bell_unlock(struct bell *bell)
{
    pthread_mutex_unlock(&bell->lock);
}

void bell_send(struct bell *bell)
{
    bool rung = bell->rung;
    bell->rung = true;
    bell_unlock(bell);
    if (!rung) {
        bell_ring(bell);
    }
}

void bell_open(struct bell *bell)
{
    bell_still(bell);
    bell_lock(bell);
    bell->rung = false;
}

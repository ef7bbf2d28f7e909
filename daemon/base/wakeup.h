/*
 * wakeup.h - how other threads wake one that waits in its event loop.
 *
 * What they want is laid down before they ring: in something atomic, or under the wakeup's lock.
 */
#ifndef KVCACHED_DAEMON_BASE_WAKEUP_H
#define KVCACHED_DAEMON_BASE_WAKEUP_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdbool.h>

struct wakeup {
    int fd; /* an eventfd */
    bool registered;
    struct event event;
    pthread_mutex_t lock;
    bool pending; /* and not heard yet, by wakeup_send; under the lock */
};

/* Hangs it up in the base of the thread that will hear it, by `heard`. False with errno; then,
 * and for a zeroed one, wakeup_deinit is legal. */
bool wakeup_init(struct wakeup *wakeup, struct event_base *base, event_callback_fn heard,
                 void *context);
/* When the thread has ended, and before its base goes. */
void wakeup_deinit(struct wakeup *wakeup);

/* Any thread. */
void wakeup_signal(const struct wakeup *wakeup);

/* For `heard`, before it looks at what is wanted: who rings from now on is heard again. */
void wakeup_clear(const struct wakeup *wakeup);

/* Any thread: to lay something down, or to look at it. */
void wakeup_lock(struct wakeup *wakeup);
void wakeup_unlock(struct wakeup *wakeup);
/* Instead of wakeup_unlock, when something was laid down: rings, where nobody has since
 * wakeup_receive. */
void wakeup_send(struct wakeup *wakeup);
/* For `heard`, instead of wakeup_clear and wakeup_lock: all that was laid down is to be taken. */
void wakeup_receive(struct wakeup *wakeup);

#endif

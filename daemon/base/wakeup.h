/*
 * wakeup.h - how other threads wake one that waits in its event loop.
 *
 * What they want is laid down before they ring: in something atomic, or under the bell's lock.
 */
#ifndef KVCACHED_DAEMON_BASE_WAKEUP_H
#define KVCACHED_DAEMON_BASE_WAKEUP_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdbool.h>

struct bell {
    int fd; /* an eventfd */
    bool hangs;
    struct event event;
    pthread_mutex_t lock;
    bool rung; /* and not heard yet, by bell_send; under the lock */
};

/* Hangs it up in the base of the thread that will hear it, by `heard`. False with errno; then,
 * and for a zeroed one, bell_deinit is legal. */
bool bell_init(struct bell *bell, struct event_base *base, event_callback_fn heard, void *context);
/* When the thread has ended, and before its base goes. */
void bell_deinit(struct bell *bell);

/* Any thread. */
void bell_ring(const struct bell *bell);

/* For `heard`, before it looks at what is wanted: who rings from now on is heard again. */
void bell_still(const struct bell *bell);

/* Any thread: to lay something down, or to look at it. */
void bell_lock(struct bell *bell);
void bell_unlock(struct bell *bell);
/* Instead of bell_unlock, when something was laid down: rings, where nobody has since
 * bell_open. */
void bell_send(struct bell *bell);
/* For `heard`, instead of bell_still and bell_lock: all that was laid down is to be taken. */
void bell_open(struct bell *bell);

#endif

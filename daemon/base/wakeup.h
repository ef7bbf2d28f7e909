/*
 * wakeup.h - wakes a thread that waits in its event loop, and guards the mailbox that it drains.
 *
 * Other threads leave their request first, in an atomic variable or in a mailbox under the wakeup's
 * lock, and signal then.
 *
 *      with atomics:    other threads   set the variable, wakeup_signal
 *                       the thread      wakeup_clear, read the variable
 *      with a mailbox:  other threads   wakeup_lock, put something in, wakeup_send
 *                       the thread      wakeup_receive, take everything out, wakeup_unlock
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
    bool pending; /* signalled by wakeup_send and not received yet; under the lock */
};

/* Registers it in the base of the thread to be woken, which then calls `woken`. False with errno.
 * After that, and for a zeroed struct, wakeup_deinit is legal. */
bool wakeup_init(struct wakeup *wakeup, struct event_base *base, event_callback_fn woken,
                 void *context);
/* To be called after the thread has ended, and before its base is freed. */
void wakeup_deinit(struct wakeup *wakeup);

/* Any thread. */
void wakeup_signal(const struct wakeup *wakeup);

/* For `woken`, before it reads what was requested: a signal from now on calls it again. */
void wakeup_clear(const struct wakeup *wakeup);

/* Any thread: around each access to the mailbox. */
void wakeup_lock(struct wakeup *wakeup);
void wakeup_unlock(struct wakeup *wakeup);
/* Any thread: unlocks after something was put into the mailbox, and signals, unless a signal is
 * pending already. */
void wakeup_send(struct wakeup *wakeup);
/* For `woken`: clears and locks. Everything in the mailbox must be taken out, then
 * wakeup_unlock. */
void wakeup_receive(struct wakeup *wakeup);

#endif

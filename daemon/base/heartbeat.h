/*
 * heartbeat.h - the proof that the event loop of a thread still runs.
 *
 * A timer that the thread's event base watches counts once a second; the watchdog, in another
 * thread, checks that the number goes up. It does not while the thread is stuck in a request or
 * waits for a lock.
 */
#ifndef KVCACHED_DAEMON_BASE_HEARTBEAT_H
#define KVCACHED_DAEMON_BASE_HEARTBEAT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct event;
struct event_base;

enum { HEARTBEAT_MS = 1000 };

struct heartbeat {
    _Atomic uint64_t beats;
    struct event *event; /* owns a timerfd, which it watches; or NULL */
};

/* To be called before the thread of `base` runs. False with errno: memory or
 * descriptors are short. After that heartbeat_deinit is legal. */
bool heartbeat_init(struct heartbeat *heartbeat, struct event_base *base);
/* To be called after the thread has ended, and before its base is freed. A zeroed struct is legal.
 */
void heartbeat_deinit(struct heartbeat *heartbeat);

/* How often the timer has fired. Any thread. */
uint64_t heartbeat_count(const struct heartbeat *heartbeat);

#endif

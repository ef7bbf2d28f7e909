/*
 * heartbeat.h - a thread's proof that its event loop still turns.
 *
 * The thread beats in its own event base, once a second; the watchdog, in
 * another thread, looks whether the number goes up. A thread that is stuck in a
 * request or in a lock does not beat.
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
    struct event *timer;
};

/* Before the base's thread runs. False, with errno, when there is no memory. */
bool heartbeat_init(struct heartbeat *heartbeat, struct event_base *base);
/* When the thread has ended, and before its base goes. Good for a zeroed one. */
void heartbeat_deinit(struct heartbeat *heartbeat);

/* Any thread. */
uint64_t heartbeat_count(const struct heartbeat *heartbeat);

#endif

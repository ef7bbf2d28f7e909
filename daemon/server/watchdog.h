/*
 * watchdog.h - tells the service manager at intervals that the daemon works.
 *
 * Only if it does: the timer shows that the main thread runs, and the heartbeats of all workers,
 * handshakers and the housekeeper have to go up. When one of them stops, nothing is sent any more,
 * and the service manager restarts the daemon.
 */
#ifndef KVCACHED_DAEMON_SERVER_WATCHDOG_H
#define KVCACHED_DAEMON_SERVER_WATCHDOG_H

#include <stdint.h>

#include "daemon/server/threads.h"

struct watchdog;
struct event_base;

/* `interval`: milliseconds after which the service manager restarts a silent daemon. `base` and
 * `threads` must outlive the watchdog. NULL when there is no memory. For the thread of `base`. */
struct watchdog *watchdog_create(struct event_base *base, uint64_t interval,
                                 const struct threads *threads);
void watchdog_destroy(struct watchdog **watchdog);

#endif

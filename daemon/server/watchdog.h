/*
 * watchdog.h - tells the service manager that the daemon works, if it does.
 *
 * The main thread is well when it gets here; of the workers and the housekeeper
 * it looks at the heartbeats. As long as all of them go up the manager is told
 * so. When one has stopped nothing is said any more, and the manager restarts
 * the daemon.
 */
#ifndef KVCACHED_DAEMON_SERVER_WATCHDOG_H
#define KVCACHED_DAEMON_SERVER_WATCHDOG_H

#include <stdint.h>

#include "daemon/server/threads.h"

struct watchdog;
struct event_base;

/* `interval`: how long the manager puts up with silence, in milliseconds. The
 * others must outlive the watchdog. NULL when there is no memory. */
struct watchdog *watchdog_create(struct event_base *base, uint64_t interval,
                                 const struct threads *threads);
void watchdog_destroy(struct watchdog **watchdog);

#endif

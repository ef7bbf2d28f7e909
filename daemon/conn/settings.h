/*
 * settings.h - what a reload may change under a running connection.
 *
 * A value: the main thread makes one, and every worker reads a copy of its own.
 */
#ifndef KVCACHED_DAEMON_CONN_SETTINGS_H
#define KVCACHED_DAEMON_CONN_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/request.h"

struct conn_settings {
    uint64_t max_value;                                /* bytes */
    uint64_t buffers;                                  /* bytes, of all connections; 0: no limit */
    bool latency;                                      /* turns are timed */
    uint64_t slow_threshold;                           /* nanoseconds; 0: none is slow */
    uint64_t idle_timeout;                             /* milliseconds; 0: never */
    char default_namespace[REQUEST_NAMESPACE_MAX + 1]; /* what `-` stands for */
};

#endif

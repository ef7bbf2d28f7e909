/*
 * health.h - whether the threads that serve advance, by their heartbeats.
 *
 * Workers, their handshakers and the housekeeper. Each that looks has a struct health of its own,
 * and is one thread.
 */
#ifndef KVCACHED_DAEMON_SERVER_HEALTH_H
#define KVCACHED_DAEMON_SERVER_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/heartbeat.h"
#include "daemon/server/threads.h"

enum {
    /* A heart beats once a second, and a busy machine may hold one up: a shorter
     * silence says nothing. */
    HEALTH_PATIENCE_MIN_MS = 3 * HEARTBEAT_MS,
    HEALTH_PATIENCE_MS = 10000, /* of health_find_stuck */
    HEALTH_NAME_MAX = 64,       /* bytes, the NUL included */
};

struct health;

/* The threads must outlive it. NULL when there is no memory. */
struct health *health_create(const struct threads *threads);
void health_destroy(struct health **health);

unsigned health_count(const struct health *health);
/* Looks at one of them: how long its heart has been silent, in milliseconds. Good only where it is
 * asked every now and then. */
uint64_t health_silence(struct health *health, unsigned i, uint64_t now);
void health_name(const struct health *health, unsigned i, char name[HEALTH_NAME_MAX]);

/* Looks at all, as http_find_stuck wants it: true, and the name of the first that has been silent
 * for HEALTH_PATIENCE_MS. */
bool health_find_stuck(void *health, char name[HEALTH_NAME_MAX]);

#endif

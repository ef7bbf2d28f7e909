/*
 * health.h - whether workers, their handshakers and the housekeeper advance, by their heartbeats.
 *
 * A struct health belongs to one thread; each thread that checks has its own.
 */
#ifndef KVCACHED_DAEMON_SERVER_HEALTH_H
#define KVCACHED_DAEMON_SERVER_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/heartbeat.h"
#include "daemon/server/threads.h"

enum {
    /* A heartbeat goes up once in HEARTBEAT_MS, and may be late on a busy machine. So a shorter
     * silence means nothing. */
    HEALTH_PATIENCE_MIN_MS = 3 * HEARTBEAT_MS,
    HEALTH_PATIENCE_MS = 10000, /* for health_find_stuck */
    HEALTH_NAME_MAX = 64,       /* bytes, the NUL included */
};

struct health;

/* The threads must outlive it. NULL when there is no memory. Free it by health_destroy. */
struct health *health_create(const struct threads *threads);
void health_destroy(struct health **health);

/* The number of threads that are checked. */
unsigned health_count(const struct health *health);
/* Checks one of them: milliseconds since its heartbeat went up. Only as exact as the calls are
 * frequent. */
uint64_t health_silence(struct health *health, unsigned i, uint64_t now);
void health_name(const struct health *health, unsigned i, char name[HEALTH_NAME_MAX]);

/* Checks all, as http_find_stuck. True, and the name of the first one whose heartbeat has not gone
 * up for HEALTH_PATIENCE_MS. */
bool health_find_stuck(void *health, char name[HEALTH_NAME_MAX]);

#endif

/*
 * health.c - see health.h.
 */
#include "daemon/server/health.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/clock.h"

struct pulse {
    uint64_t count;
    uint64_t changed; /* when it last went up, by clock_now */
};

struct health {
    const struct threads *threads;
    struct pulse pulses[]; /* of the workers, their handshakers, and the housekeeper */
};

unsigned health_count(const struct health *health)
{
    return 2 * health->threads->count + 1;
}

static uint64_t count_of(const struct health *health, unsigned i)
{
    const struct threads *threads = health->threads;
    if (i < threads->count) {
        return worker_heartbeat(threads->workers[i]);
    }
    return i < 2 * threads->count
               ? worker_handshaker_heartbeat(threads->workers[i - threads->count])
               : housekeeper_heartbeat(threads->housekeeper);
}

void health_name(const struct health *health, unsigned i, char name[HEALTH_NAME_MAX])
{
    unsigned workers = health->threads->count;
    if (i < workers) {
        snprintf(name, HEALTH_NAME_MAX, "worker %u", i);
    } else if (i < 2 * workers) {
        snprintf(name, HEALTH_NAME_MAX, "the TLS handshake thread of worker %u", i - workers);
    } else {
        snprintf(name, HEALTH_NAME_MAX, "the housekeeper");
    }
}

uint64_t health_silence(struct health *health, unsigned i, uint64_t now)
{
    struct pulse *pulse = &health->pulses[i];
    uint64_t count = count_of(health, i);
    if (count != pulse->count) {
        *pulse = (struct pulse){.count = count, .changed = now};
    }
    return now > pulse->changed ? now - pulse->changed : 0;
}

bool health_find_stuck(void *context, char name[HEALTH_NAME_MAX])
{
    struct health *health = context;
    uint64_t now = clock_now();
    bool stuck = false;
    for (unsigned i = 0; i < health_count(health); i++) {
        if (health_silence(health, i, now) > HEALTH_PATIENCE_MS && !stuck) {
            stuck = true;
            health_name(health, i, name);
        }
    }
    return stuck;
}

struct health *health_create(const struct threads *threads)
{
    struct health *health =
        calloc(1, sizeof *health + (2 * threads->count + 1) * sizeof(struct pulse));
    if (health == NULL) {
        return NULL;
    }
    health->threads = threads;
    for (unsigned i = 0; i < health_count(health); i++) {
        health->pulses[i] = (struct pulse){.changed = clock_now()};
    }
    return health;
}

void health_destroy(struct health **health)
{
    free(*health);
    *health = NULL;
}

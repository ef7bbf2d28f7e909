/*
 * instance.h - the instance of a daemon with one worker, for tests of what needs some.
 */
#ifndef KVCACHED_TESTS_SUPPORT_INSTANCE_H
#define KVCACHED_TESTS_SUPPORT_INSTANCE_H

#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/instance.h"

enum { INSTANCE_SETS = INSTANCE_SETS_OF(1) }; /* of metrics */

/* All zero but for what never changes. Both are the caller's and outlive the worker. */
static inline void facts_of_one(struct instance *instance, struct metrics metrics[INSTANCE_SETS])
{
    memset(metrics, 0, INSTANCE_SETS * sizeof *metrics);
    memset(instance, 0, sizeof *instance);
    instance->version = "1.2.3";
    instance->arena = "memory";
    instance->started = clock_now();
    instance->threads = 1;
    instance->metrics = metrics;
    instance->metrics_sets = INSTANCE_SETS;
}

#endif

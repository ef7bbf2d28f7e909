/*
 * instance.h - the facts of a daemon with one worker, for tests of what needs some.
 */
#ifndef KVCACHED_TESTS_SUPPORT_INSTANCE_H
#define KVCACHED_TESTS_SUPPORT_INSTANCE_H

#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/instance.h"

enum { FACTS_SETS = FACTS_SETS_OF(1) }; /* of metrics */

/* All zero but for what never changes. Both are the caller's and outlive the worker. */
static inline void facts_of_one(struct facts *facts, struct metrics metrics[FACTS_SETS])
{
    memset(metrics, 0, FACTS_SETS * sizeof *metrics);
    memset(facts, 0, sizeof *facts);
    facts->version = "1.2.3";
    facts->arena = "memory";
    facts->started = clock_now();
    facts->threads = 1;
    facts->metrics = metrics;
    facts->metrics_sets = FACTS_SETS;
}

#endif

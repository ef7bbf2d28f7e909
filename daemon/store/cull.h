/*
 * cull.h - emptying one segment: which of its records stay; see evict.h.
 *
 * Under store.upkeep, with no namespace or bucket locked.
 */
#ifndef KVCACHED_CULL_H
#define KVCACHED_CULL_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/state.h"

struct cull {
    struct lane *lane;
    struct segment *segment;
    uint64_t now;
    bool may_drop; /* what is not fresh (age.h); else what lives is moved, all of it */
    /* results */
    size_t effort;  /* records looked at */
    uint64_t moved; /* bytes of those that were kept */
};

void cull_segment(struct cull *cull);

#endif

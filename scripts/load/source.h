/*
 * source.h - which request comes next, and when there are no more.
 */
#ifndef KVCACHED_SCRIPTS_LOAD_SOURCE_H
#define KVCACHED_SCRIPTS_LOAD_SOURCE_H

#include "scripts/load/plan.h"

struct source_item {
    uint32_t record;
    bool put;
};

struct source {
    const struct plan *plan;
    struct chance chance;
    uint64_t issued;
    uint64_t limit; /* 0: no count, the caller stops it by time */
    bool stopped;
    uint32_t *missed; /* cache-aside: records to store, a ring */
    uint32_t missed_size, missed_from, missed_count;
};

/* Takes memory for as many misses as requests can be under way. */
bool source_init(struct source *s, const struct plan *plan);
void source_deinit(struct source *s);

/* False when nothing is left to ask. */
bool source_next(struct source *s, struct source_item *item);

/* A get of this record missed. */
void source_missed(struct source *s, uint32_t record);

#endif

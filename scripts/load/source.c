/*
 * source.c - see source.h.
 *
 * In cache-aside mode the sets that misses call for go before everything else
 * and do not count as requests of the mixture, as in a program that looks up,
 * misses, computes and stores.
 */
#include "scripts/load/source.h"

#include <stdlib.h>

static bool in_order(const struct plan *plan)
{
    return plan->mode == PLAN_FILL || plan->mode == PLAN_READ;
}

bool source_init(struct source *s, const struct plan *plan)
{
    *s = (struct source){.plan = plan, .chance = {.state = plan->seed}};
    s->limit = in_order(plan) ? plan->keys.count : plan->requests;
    s->missed_size = plan->connections * plan->pipeline;
    s->missed = plan->cache_aside ? calloc(s->missed_size, sizeof *s->missed) : NULL;
    return !plan->cache_aside || s->missed;
}

void source_deinit(struct source *s)
{
    free(s->missed);
    s->missed = NULL;
}

bool source_next(struct source *s, struct source_item *item)
{
    const struct plan *plan = s->plan;
    if (s->stopped) {
        return false;
    }
    if (s->missed_count) {
        *item = (struct source_item){s->missed[s->missed_from], true};
        s->missed_from = (s->missed_from + 1) % s->missed_size;
        s->missed_count--;
        return true;
    }
    if (s->limit && s->issued == s->limit) {
        return false;
    }
    uint64_t number = s->issued++;
    if (in_order(plan)) {
        *item = (struct source_item){(uint32_t)number, plan->mode == PLAN_FILL};
        return true;
    }
    item->put = chance_below(&s->chance, plan->sets + plan->gets) < plan->sets;
    item->record = (uint32_t)keyspace_draw(&plan->keys, &s->chance);
    return true;
}

void source_missed(struct source *s, uint32_t record)
{
    if (!s->missed || s->missed_count == s->missed_size) {
        return;
    }
    s->missed[(s->missed_from + s->missed_count) % s->missed_size] = record;
    s->missed_count++;
}

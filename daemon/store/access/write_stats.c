/*
 * write_stats.c - what a write of a value counts as; see write_stats.h.
 *
 * Each request counts once, at the door where it came in: how often the store tried, and in
 * which parts it wrote, is not told. A value that is refused for what it is (too large, no
 * ttl) counts as nothing, as if it had not come.
 */
#include "daemon/store/access/write_stats.h"

/* Whether the comparison decides over the whole request. Elsewhere it is a further condition. */
static bool is_cas(const struct store_terms *terms)
{
    return terms->compares && (terms->mode == STORE_SET || terms->mode == STORE_REPLACE);
}

void write_stats_write(struct store_thread *thread, uint32_t id, const struct store_terms *terms,
                       enum store_status status)
{
    struct store_counters *counters = store_thread_counters(thread, id);
    uint64_t *outcome = &counters->denied;
    uint64_t *compared = NULL;
    switch (status) {
    case STORE_OK:
        outcome = &counters->sets;
        compared = &counters->cas_hits;
        break;
    case STORE_CHANGED:
        compared = &counters->cas_changed;
        break;
    case STORE_NOT_FOUND:
        compared = &counters->cas_missing;
        break;
    case STORE_EXISTS:
        break;
    case STORE_NO_MEMORY:
        outcome = &counters->full;
        break;
    default:
        return;
    }
    store_thread_count(outcome, 1);
    if (compared != NULL && is_cas(terms)) {
        store_thread_count(compared, 1);
    }
}

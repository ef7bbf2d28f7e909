/*
 * fit.c - bounds of large values; see fit.h.
 */
#include "daemon/store/fit.h"

#include "daemon/store/append.h"

static uint64_t three_quarters(uint64_t bytes)
{
    return bytes - bytes / 4;
}

static uint64_t less(uint64_t bytes, uint64_t by)
{
    return bytes > by ? bytes - by : 0;
}

/* What namespaces with a quota hold now. */
static uint64_t held_by_quotas(const struct store *store)
{
    const struct namespaces *all = &store->namespaces;
    uint32_t highest = __atomic_load_n(&all->highest, __ATOMIC_ACQUIRE);
    uint64_t sum = 0;
    for (uint32_t id = 1; id <= highest; id++) {
        const struct namespace *ns = __atomic_load_n(&all->by_id[id], __ATOMIC_SEQ_CST);
        if (ns != NULL && namespace_quota(ns) != 0) {
            sum += __atomic_load_n(&namespace_generation(ns)->memory, __ATOMIC_RELAXED) +
                   share_beside(&ns->share);
        }
    }
    return sum;
}

/* Of the pool; the namespaces are asked only where it may matter. */
static uint64_t most_of_pool(struct store *store, uint64_t size)
{
    uint64_t quotas = __atomic_load_n(&store->quotas, __ATOMIC_RELAXED);
    uint64_t all = less(budget_open(&store->budget), append_kept(store));
    all = less(all, index_resident(&store->index));
    uint64_t most = three_quarters(less(all, quotas));
    if (size > most && quotas > 0) {
        uint64_t held = held_by_quotas(store);
        most = three_quarters(less(all, held < quotas ? held : quotas));
    }
    uint64_t half = store_memory(store) / 2;
    return most < half ? most : half;
}

static uint64_t value_of(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

enum store_status fit_value(struct store *store, const struct namespace *ns, uint64_t length,
                            bool at_once)
{
    uint64_t quota = namespace_quota(ns);
    uint64_t size = length + STORE_KEY_MAX + RECORD_HEADER_MAX + ARENA_UNIT;
    uint64_t most = quota != 0 ? three_quarters(quota) : most_of_pool(store, size);
    if (size > most) {
        return STORE_TOO_LARGE;
    }
    uint64_t all = quota != 0 ? quota : less(budget_open(&store->budget), append_kept(store));
    uint64_t held = quota != 0 ? value_of(&ns->share.pinned) + value_of(&ns->share.writing)
                               : value_of(&store->pool.pinned);
    return at_once && held > 0 && size > less(all, held) ? STORE_NO_MEMORY : STORE_OK;
}

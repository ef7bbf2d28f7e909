/*
 * flush.c - forgetting a whole namespace, at once or at a time to come.
 *
 * A namespace is given a new generation, and what the old one holds is nobody's
 * from then on. Its segments are taken back behind (reclaim.c).
 *
 * A flush that was set for later happens in the first store_tick from that time on,
 * under namespaces.lock, so that a request which read the clock after that time
 * waits for it.
 */
#include "daemon/store/roll.h"
#include "daemon/store/upkeep.h"

bool flush_namespace(struct store *store, struct namespace *ns, bool due, uint64_t *records)
{
    struct generation *fresh = generation_create(&store->namespaces, ns);
    if (fresh == NULL) {
        return false;
    }
    lock_take(&ns->lock);
    struct generation *old = ns->generation;
    bool empty = old->first == 0;
    *records = __atomic_load_n(&old->items, __ATOMIC_RELAXED);
    if (!empty) {
        old->retired = true;
        roll_generation(store->namespaces.file, ns->id, fresh->number);
        __atomic_store_n(&ns->generation, fresh, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&ns->holds, 1, __ATOMIC_RELAXED);
        work_add_retired(&store->work, old);
    }
    if (due) { /* before anybody can write what a second flush would take */
        ns->flush_at = 0;
        roll_flush_at(store->namespaces.file, ns->id, 0);
    }
    work_add_namespace(&store->work, ns);
    lock_give(&ns->lock);
    if (empty) {
        generation_destroy(&fresh);
    }
    return true;
}

enum store_status store_flush(struct lane *lane, struct slice name, uint64_t now, uint64_t *records)
{
    (void)now;
    struct store *store = lane->store;
    struct namespace *ns = lane_find(lane, name);
    *records = 0;
    if (ns == NULL) {
        return __atomic_load_n(&store->namespaces.declared_only, __ATOMIC_RELAXED)
                   ? STORE_UNDECLARED
                   : STORE_OK;
    }
    return flush_namespace(store, ns, false, records) ? STORE_OK : STORE_NO_MEMORY;
}

/* --- later ------------------------------------------------------------------------ */

/* The caller holds namespaces.lock. */
static void look_no_later_than(struct namespaces *all, uint64_t when)
{
    if (when < all->next_flush) {
        __atomic_store_n(&all->next_flush, when, __ATOMIC_RELEASE);
    }
}

enum store_status store_flush_at(struct lane *lane, struct slice name, uint64_t when)
{
    struct namespaces *all = &lane->store->namespaces;
    pthread_mutex_lock(&all->lock);
    struct namespace *ns = namespaces_find(all, name);
    if (ns != NULL) {
        ns->flush_at = when;
        roll_flush_at(all->file, ns->id, when);
        look_no_later_than(all, when != 0 ? when : NAMESPACES_NO_FLUSH);
    }
    pthread_mutex_unlock(&all->lock);
    return ns != NULL ? STORE_OK : STORE_NOT_FOUND;
}

/* The caller holds namespaces.lock. */
static void flush_what_is_due(struct store *store, uint64_t now)
{
    struct namespaces *all = &store->namespaces;
    uint64_t next = NAMESPACES_NO_FLUSH;
    for (uint32_t id = 1; id <= all->highest; id++) {
        struct namespace *ns = all->by_id[id];
        uint64_t records = 0;
        if (ns == NULL || ns->flush_at == 0) {
            continue;
        }
        bool flushed = ns->flush_at <= now && flush_namespace(store, ns, true, &records);
        if (!flushed && ns->flush_at < next) {
            next = ns->flush_at;
        }
    }
    __atomic_store_n(&all->next_flush, next, __ATOMIC_RELEASE);
}

void store_tick(struct lane *lane, uint64_t now)
{
    struct namespaces *all = &lane->store->namespaces;
    if (now < __atomic_load_n(&all->next_flush, __ATOMIC_ACQUIRE)) {
        return;
    }
    pthread_mutex_lock(&all->lock);
    flush_what_is_due(lane->store, now);
    pthread_mutex_unlock(&all->lock);
}

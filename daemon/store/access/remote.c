/*
 * remote.c - namespaces whose records are kept elsewhere: their settings and counters.
 */
#include "daemon/store/records/state.h"

bool store_is_remote(struct store_thread *thread, struct slice name)
{
    struct namespaces *all = &thread->store->namespaces;
    const struct namespace *ns = namespaces_find_cached(all, thread, name);
    if (ns != NULL) {
        return __atomic_load_n(&ns->remote, __ATOMIC_RELAXED) != 0;
    }
    struct store_namespace_options options;
    return namespaces_options(all, name, &options) && options.remote;
}

enum store_status store_expires(struct store_thread *thread, struct slice name,
                                struct store_ttl ttl, uint64_t now, uint64_t *expires)
{
    struct namespaces *all = &thread->store->namespaces;
    const struct namespace *ns = namespaces_find_cached(all, thread, name);
    struct store_namespace_options options;
    uint64_t when = SEGMENT_NEVER;
    enum store_status status = STORE_OK;
    if (ns != NULL) {
        status = namespace_expiry(ns, ttl, now, &when);
    } else if (namespaces_options(all, name, &options)) {
        const struct ttl_policy policy = {options.ttl, options.max_ttl, options.require_ttl};
        status = ttl_policy_expiry(&policy, ttl, now, &when);
    } else {
        status = STORE_UNDECLARED;
    }
    *expires = when == SEGMENT_NEVER ? STORE_NEVER : when;
    return status;
}

struct store_counters *store_counters_of(struct store_thread *thread, struct slice name)
{
    const struct namespace *ns = namespaces_find_cached(&thread->store->namespaces, thread, name);
    return store_thread_counters(thread, ns != NULL ? ns->id : 0);
}

void store_count(uint64_t *counter)
{
    store_thread_count(counter, 1);
}

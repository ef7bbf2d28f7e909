/*
 * policy.c - putting a policy in force, a slice at a time.
 *
 * From store_policy_begin on each name has its new settings wherever a namespace is made, so
 * that one which is declared is never undeclared in between. What is there already follows:
 *
 *   MARK    the namespaces that there are get their settings
 *   MAKE    the declared ones that there are not are made
 *   SWITCH  where only declared ones count, the others are not found any more
 *   DRAIN   what had found them before is over
 *   DROP    and what they hold is flushed: nothing can be written to them now
 *
 * Each step does about as much as is done between two looks at the clock, and holds no lock
 * longer than that. One thread at a time.
 */
#include <string.h>

#include "daemon/store/arena/file_namespace.h"
#include "daemon/store/reclaim/housekeep.h"
#include "daemon/store/records/flush.h"
#include "daemon/store/records/share_limits.h"

enum {
    ROUND = 64,         /* namespaces in a step */
    TIDY_EFFORT = 1024, /* of housekeeping, where numbers are lacking */
    RETRY_ATTEMPTS = 4, /* to make room for what is owed */
    TIDIES_MAX = 1024,  /* how often, in a change of policy */
};

/* --- beginning --------------------------------------------------------------- */

static uint32_t undeclared_most(const struct store_policy *policy, uint32_t declared)
{
    uint32_t most = STORE_NAMESPACES_MAX - declared;
    return policy->undeclared_most != 0 && policy->undeclared_most < most ? policy->undeclared_most
                                                                          : most;
}

bool store_policy_begin(struct store_thread *thread, const struct store_policy *policy)
{
    struct store *store = thread->store;
    struct namespaces *all = &store->namespaces;
    struct declared *declared = declared_create(policy, &store->secret);
    if (declared == NULL) {
        return false;
    }
    store->policy_change = (struct policy_change){
        .phase = POLICY_MARK, .next = 1, .declared_only = policy->declared_only};
    __atomic_store_n(&store->max_value, policy->max_value, __ATOMIC_RELAXED);
    share_set_quotas(store, policy);
    pthread_mutex_lock(&all->lock);
    struct declared *before = all->declared;
    all->declared = declared;
    all->undeclared = policy->undeclared;
    all->undeclared.name = (struct slice){NULL, 0};
    all->undeclared_most = undeclared_most(policy, declared_count(declared));
    __atomic_store_n(&all->owed, declared_count(declared), __ATOMIC_RELEASE);
    if (!policy->declared_only) {
        __atomic_store_n(&all->declared_only, false, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock(&all->lock);
    declared_destroy(&before);
    return true;
}

/* --- steps: true when the phase is over ---------------------------------------- */

/* The namespaces of the next numbers, under the lock. */
static bool for_some(struct store *store, void (*one)(struct store *, struct namespace *))
{
    struct namespaces *all = &store->namespaces;
    struct policy_change *change = &store->policy_change;
    pthread_mutex_lock(&all->lock);
    for (int i = 0; i < ROUND && change->next <= all->highest; i++) {
        struct namespace *ns = all->by_id[change->next++];
        if (ns != NULL) {
            one(store, ns);
        }
    }
    bool over = change->next > all->highest;
    pthread_mutex_unlock(&all->lock);
    return over;
}

/* The records that a namespace had before it became remote are found no more. */
static void drop_local(struct store *store, struct namespace *ns)
{
    uint64_t records = 0;
    if (namespace_generation(ns)->items > 0 && !flush_namespace(store, ns, false, &records)) {
        flush_soon(store, ns);
    }
}

static void mark(struct store *store, struct namespace *ns)
{
    if (namespaces_settle(&store->namespaces, ns)) {
        backlog_add_namespace(&store->backlog, ns);
    }
    if (ns->remote) {
        drop_local(store, ns);
    }
}

/* What they hold must not come back when the policy is open again. */
static void drop(struct store *store, struct namespace *ns)
{
    uint64_t records = 0;
    if (!ns->declared && !flush_namespace(store, ns, false, &records)) {
        flush_soon(store, ns);
    }
}

/* Makes the next names until one cannot be made. */
static enum store_status make_some(struct store *store, const struct store_namespace_options **at)
{
    struct namespaces *all = &store->namespaces;
    struct policy_change *change = &store->policy_change;
    enum store_status why = STORE_OK;
    pthread_mutex_lock(&all->lock);
    uint32_t count = declared_count(all->declared);
    for (int i = 0; i < ROUND && change->next < count; i++) {
        *at = declared_at(all->declared, change->next);
        if (namespaces_obtain_locked(all, (*at)->name, 0, &why) == NULL) {
            break;
        }
        why = STORE_OK;
        change->next++;
        change->attempts = change->retries ? change->attempts : 0;
    }
    pthread_mutex_unlock(&all->lock);
    return why;
}

/* True when it makes sense to try again. When nothing may be evicted that is so for all that
 * follow, which then take what others give back. Little is evicted for what is owed, or all would
 * be, again and again, where memory is too small. */
static bool make_way(struct store_thread *thread, enum store_status why, uint64_t now)
{
    struct policy_change *change = &thread->store->policy_change;
    int most = change->retries ? RETRY_ATTEMPTS : HOUSEKEEP_ATTEMPTS;
    if (why == STORE_NO_MEMORY && !change->no_room) {
        change->no_room =
            ++change->attempts > most || !housekeep_make_room(thread, LACK_BUDGET, NULL, now);
        return !change->no_room;
    }
    /* Namespaces that are no longer declared may be going. */
    return why == STORE_TOO_MANY_NAMESPACES && change->tidies++ < TIDIES_MAX &&
           store_housekeep(thread, now, TIDY_EFFORT);
}

/* The name is passed over: what is written to it first makes the namespace. */
static void owe(struct policy_change *change, struct slice name, enum store_status why)
{
    if (change->result.owed++ == 0) {
        change->result.why = why;
        memcpy(change->result.first, name.bytes, name.length);
        change->result.first[name.length] = '\0';
    }
    change->next++;
}

static bool make(struct store_thread *thread, uint64_t now)
{
    struct store *store = thread->store;
    struct namespaces *all = &store->namespaces;
    struct policy_change *change = &store->policy_change;
    const struct store_namespace_options *at = NULL;
    enum store_status why = make_some(store, &at);
    if (why != STORE_OK && !make_way(thread, why, now)) {
        owe(change, at->name, why);
    }
    bool over = change->next >= declared_count(all->declared);
    if (over) {
        __atomic_store_n(&all->owed, change->result.owed, __ATOMIC_RELEASE);
    }
    return over;
}

/* No thread goes on with a name that is forbidden from now on. */
static void change_over(struct store *store)
{
    struct namespaces *all = &store->namespaces;
    pthread_mutex_lock(&all->lock);
    __atomic_store_n(&all->declared_only, store->policy_change.declared_only, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&all->removals, 1, __ATOMIC_SEQ_CST);
    store->policy_change.epoch = store_threads_unlinked(&store->threads);
    pthread_mutex_unlock(&all->lock);
}

static bool has_drained(struct store *store)
{
    pthread_mutex_lock(&store->namespaces.lock);
    bool left = store_threads_have_left(&store->threads, store->policy_change.epoch);
    pthread_mutex_unlock(&store->namespaces.lock);
    return left;
}

/* --- the whole ------------------------------------------------------------------- */

static void go_on(struct store *store, enum policy_phase phase, uint32_t next)
{
    store->policy_change.phase = phase;
    store->policy_change.next = next;
    backlog_hurry(&store->backlog);
}

enum store_progress store_policy_step(struct store_thread *thread, uint64_t now)
{
    struct store *store = thread->store;
    switch (store->policy_change.phase) {
    case POLICY_MARK:
        if (for_some(store, mark)) {
            go_on(store, POLICY_MAKE, 0);
        }
        return STORE_GOES_ON;
    case POLICY_MAKE:
        if (make(thread, now)) {
            go_on(store, POLICY_SWITCH, 0);
        }
        return STORE_GOES_ON;
    case POLICY_SWITCH:
        change_over(store);
        go_on(store, store->policy_change.declared_only ? POLICY_DRAIN : POLICY_DONE, 0);
        return STORE_GOES_ON;
    case POLICY_DRAIN:
        if (!has_drained(store)) {
            return STORE_WAITS;
        }
        go_on(store, POLICY_DROP, 1);
        return STORE_GOES_ON;
    case POLICY_DROP:
        if (for_some(store, drop)) {
            go_on(store, POLICY_DONE, 0);
        }
        return STORE_GOES_ON;
    case POLICY_DONE:
        break;
    }
    return STORE_DONE;
}

struct store_policy_result store_policy_result(const struct store_thread *thread)
{
    return thread->store->policy_change.result;
}

void store_policy_retry(struct store_thread *thread)
{
    struct policy_change *change = &thread->store->policy_change;
    if (change->phase == POLICY_DONE && change->result.owed > 0) {
        *change = (struct policy_change){
            .phase = POLICY_MAKE, .retries = true, .declared_only = change->declared_only};
    }
}

bool store_set_policy(struct store *store, struct store_thread *thread,
                      const struct store_policy *policy, uint64_t now)
{
    (void)store;
    if (!store_policy_begin(thread, policy)) {
        return false;
    }
    while (store_policy_step(thread, now) != STORE_DONE) {
        store_leave(thread); /* what is waited for may be this thread */
        sched_yield();
        store_enter(thread);
    }
    return true;
}

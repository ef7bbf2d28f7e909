/*
 * namespace.c - the table of namespaces and their settings; see namespace.h.
 *
 * Readers walk the table without a lock: links are atomic, and what was unlinked
 * is freed only after a grace period.
 */
#include "daemon/store/records/namespace.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/store/arena/file_namespace.h"
#include "daemon/store/arena/pages.h"
#include "daemon/store/records/segment.h"
#include "daemon/store/records/thread.h"

/* Longer than any clock will run, and far from overflow: some 4,400 years. */
#define TTL_MAX (UINT64_C(1) << 47)

_Static_assert(NAMESPACE_COST <= STORE_NAMESPACE_COST, "a namespace costs more than is said");

bool namespaces_init(struct namespaces *all, const struct siphash_key *secret,
                     struct budget *budget, const struct threads *threads, struct file *file)
{
    memset(all, 0, sizeof *all);
    pthread_mutex_init(&all->lock, NULL);
    all->secret = secret;
    all->next_flush = all->due_next = NAMESPACES_NO_FLUSH;
    all->undeclared_most = STORE_NAMESPACES_MAX;
    all->budget = budget;
    all->threads = threads;
    all->file = file;
    all->heads = pages_for(NAMESPACES_HEADS * sizeof(struct namespace *));
    all->by_id = pages_for((STORE_NAMESPACES_MAX + 1) * sizeof(struct namespace *));
    all->free_ids = pages_for(STORE_NAMESPACES_MAX * sizeof(uint32_t));
    if (all->heads == NULL || all->by_id == NULL || all->free_ids == NULL) {
        namespaces_deinit(all);
        return false;
    }
    return true;
}

void namespaces_deinit(struct namespaces *all)
{
    for (uint32_t id = 1; all->by_id != NULL && id <= all->highest; id++) {
        struct namespace *ns = all->by_id[id];
        if (ns != NULL) {
            namespace_destroy(all, &ns);
        }
    }
    pages_release(all->heads, NAMESPACES_HEADS * sizeof(struct namespace *));
    pages_release(all->by_id, (STORE_NAMESPACES_MAX + 1) * sizeof(struct namespace *));
    pages_release(all->free_ids, STORE_NAMESPACES_MAX * sizeof(uint32_t));
    declared_destroy(&all->declared);
    pthread_mutex_destroy(&all->lock);
}

static struct slice name_of(const struct namespace *ns)
{
    return (struct slice){ns->name, ns->name_length};
}

static struct namespace **head_of(const struct namespaces *all, struct slice name)
{
    return &all->heads[siphash13_64(all->secret, 0, name) % NAMESPACES_HEADS];
}

static bool is_named(const struct namespace *ns, struct slice name)
{
    return slice_equal(name, name_of(ns));
}

static struct namespace *find_any(const struct namespaces *all, struct slice name)
{
    struct namespace *ns = __atomic_load_n(head_of(all, name), __ATOMIC_SEQ_CST);
    while (ns != NULL && !is_named(ns, name)) {
        ns = __atomic_load_n(&ns->chain, __ATOMIC_SEQ_CST);
    }
    return ns;
}

struct namespace *namespaces_find(const struct namespaces *all, struct slice name)
{
    struct namespace *ns = find_any(all, name);
    return ns != NULL && namespace_is_allowed(all, ns) ? ns : NULL;
}

struct namespace *namespaces_find_and_note(const struct namespaces *all,
                                           struct store_thread *thread, struct slice name)
{
    uint32_t removals = __atomic_load_n(&all->removals, __ATOMIC_SEQ_CST);
    if (name.length == 0) {
        return NULL;
    }
    if (removals != thread->names_removals) {
        memset(thread->names, 0, sizeof thread->names);
        thread->names_removals = removals;
    }
    struct namespace *found = namespaces_find(all, name);
    if (found != NULL) {
        *store_thread_name(thread, name) = found;
    }
    return found;
}

enum store_status namespaces_missing_locked(const struct namespaces *all, struct slice name)
{
    bool allowed = !__atomic_load_n(&all->declared_only, __ATOMIC_RELAXED) ||
                   declared_find(all->declared, name) != NULL;
    return allowed ? STORE_OK : STORE_UNDECLARED;
}

bool namespaces_declare(struct namespaces *all, struct slice name)
{
    if (__atomic_load_n(&all->owed, __ATOMIC_ACQUIRE) == 0) {
        return false; /* all that are declared are there */
    }
    pthread_mutex_lock(&all->lock);
    bool declares = declared_find(all->declared, name) != NULL;
    pthread_mutex_unlock(&all->lock);
    return declares;
}

bool namespaces_options(struct namespaces *all, struct slice name,
                        struct store_namespace_options *options)
{
    pthread_mutex_lock(&all->lock);
    const struct store_namespace_options *declared = declared_find(all->declared, name);
    bool allowed = declared != NULL || !__atomic_load_n(&all->declared_only, __ATOMIC_RELAXED);
    *options = declared != NULL ? *declared : all->undeclared;
    options->name = name; /* the policy's own may be freed from now on */
    pthread_mutex_unlock(&all->lock);
    return allowed;
}

enum store_status namespaces_missing(struct namespaces *all, struct slice name)
{
    bool allowed =
        !__atomic_load_n(&all->declared_only, __ATOMIC_RELAXED) || namespaces_declare(all, name);
    return allowed ? STORE_OK : STORE_UNDECLARED;
}

static void set_number(const struct namespaces *all, struct generation *generation, uint64_t number)
{
    generation->number = number;
    generation->hashing = siphash13_begin(all->secret, number);
}

struct generation *generation_create(struct namespaces *all, struct namespace *ns)
{
    struct generation *generation = calloc(1, sizeof *generation);
    if (generation != NULL) {
        set_number(all, generation, __atomic_add_fetch(&all->generations, 1, __ATOMIC_RELAXED));
        generation->ns = ns;
        age_start(&generation->age);
    }
    return generation;
}

void generation_destroy(struct generation **generation)
{
    free(*generation);
    *generation = NULL;
}

void namespace_destroy(struct namespaces *all, struct namespace **ns)
{
    if ((*ns)->id != 0) {
        all->free_ids[all->free_count++] = (*ns)->id;
    }
    creators_give(&all->creators, &(*ns)->creator);
    all->declared_there -= (*ns)->declared;
    generation_destroy(&(*ns)->generation);
    free(*ns);
    *ns = NULL;
    budget_give(all->budget, NAMESPACE_COST);
}

/* Under its lock, so that a write has all settings of one policy. */
static void apply(struct namespace *ns, const struct store_namespace_options *options,
                  bool declared)
{
    __atomic_store_n(&ns->ttl, options->ttl, __ATOMIC_RELAXED);
    __atomic_store_n(&ns->max_ttl, options->max_ttl, __ATOMIC_RELAXED);
    __atomic_store_n(&ns->quota, options->memory, __ATOMIC_RELAXED);
    __atomic_store_n(&ns->require_ttl, options->require_ttl, __ATOMIC_RELAXED);
    __atomic_store_n(&ns->remote, options->remote, __ATOMIC_RELAXED);
    __atomic_store_n(&ns->declared, declared, __ATOMIC_RELAXED);
}

bool namespaces_settle(struct namespaces *all, struct namespace *ns)
{
    const struct store_namespace_options *declared = declared_find(all->declared, name_of(ns));
    const struct store_namespace_options *options = declared != NULL ? declared : &all->undeclared;
    bool was_declared = ns->declared;
    uint64_t quota = ns->quota;
    lock_take(&ns->lock);
    apply(ns, options, declared != NULL);
    lock_give(&ns->lock);
    if (declared != NULL) {
        creators_give(&all->creators, &ns->creator);
    }
    all->declared_there += (uint32_t)(declared != NULL) - was_declared;
    return (was_declared && declared == NULL) || quota != options->memory;
}

static struct namespace *namespace_create(struct namespaces *all, struct slice name)
{
    if (!budget_take(all->budget, NAMESPACE_COST)) {
        return NULL;
    }
    struct namespace *ns = calloc(1, sizeof *ns);
    if (ns == NULL) {
        budget_give(all->budget, NAMESPACE_COST);
        return NULL;
    }
    memcpy(ns->name, name.bytes, name.length);
    ns->name_length = (uint8_t)name.length;
    ns->generation = generation_create(all, ns);
    if (ns->generation == NULL) {
        namespace_destroy(all, &ns);
        return NULL;
    }
    namespaces_settle(all, ns);
    return ns;
}

/* False: the file has no room for its name. */
static bool link_namespace(struct namespaces *all, struct namespace *ns, struct slice name)
{
    if (all->free_count > 0) {
        ns->id = all->free_ids[--all->free_count];
    } else {
        ns->id = all->highest + 1;
        __atomic_store_n(&all->highest, ns->id, __ATOMIC_RELEASE);
    }
    const struct file_namespace_fields facts = {.name = name,
                                                .generation = ns->generation->number,
                                                .creator =
                                                    ns->creator != NULL ? ns->creator->tag : 0};
    if (!file_namespace_add(all->file, ns->id, &facts)) {
        return false;
    }
    __atomic_fetch_add(&all->count, 1, __ATOMIC_RELAXED);
    store_threads_sum(all->threads, ns->id, &ns->before);
    struct namespace **head = head_of(all, name);
    ns->chain = *head;
    __atomic_store_n(&all->by_id[ns->id], ns, __ATOMIC_SEQ_CST);
    __atomic_store_n(head, ns, __ATOMIC_SEQ_CST);
    return true;
}

/* A namespace that is gone keeps its number until every thread has left. */
static bool has_number(const struct namespaces *all)
{
    return all->free_count > 0 || all->highest < STORE_NAMESPACES_MAX;
}

/* Numbers of namespaces that are not declared, namespaces that are gone included: until
 * every thread has left they keep it, and else going ones could take all there are. */
static uint32_t undeclared_numbers(const struct namespaces *all)
{
    return all->highest - all->free_count - all->declared_there;
}

/* One creator alone leaves half of them to others. */
static uint32_t share_of_one(const struct namespaces *all)
{
    return all->undeclared_most - all->undeclared_most / 2;
}

static enum store_status may_make(const struct namespaces *all, struct slice name, uint64_t creator)
{
    enum store_status status = namespaces_missing_locked(all, name);
    if (status != STORE_OK) {
        return status;
    }
    bool declared = declared_find(all->declared, name) != NULL;
    if (!has_number(all) || (!declared && undeclared_numbers(all) >= all->undeclared_most)) {
        return STORE_TOO_MANY_NAMESPACES;
    }
    bool others = declared || creator == 0;
    return others || creators_namespaces(&all->creators, creator) < share_of_one(all)
               ? STORE_OK
               : STORE_TOO_MANY_OWN;
}

static struct namespace *make(struct namespaces *all, struct slice name, uint64_t creator)
{
    struct namespace *ns = namespace_create(all, name);
    if (ns == NULL) {
        return NULL;
    }
    if (!ns->declared) {
        ns->creator = creators_take(&all->creators, creator); /* without memory: NULL */
    }
    if (!link_namespace(all, ns, name)) {
        namespace_destroy(all, &ns);
    }
    return ns;
}

struct namespace *namespaces_obtain_locked(struct namespaces *all, struct slice name,
                                           uint64_t creator, enum store_status *why)
{
    struct namespace *ns = find_any(all, name);
    if (ns != NULL && !ns->declared && declared_find(all->declared, name) != NULL) {
        namespaces_settle(all, ns); /* the policy has just been changed */
    }
    if (ns != NULL) {
        *why = STORE_UNDECLARED;
        return namespace_is_allowed(all, ns) ? ns : NULL;
    }
    *why = may_make(all, name, creator);
    if (*why == STORE_OK) {
        ns = make(all, name, creator);
        *why = STORE_NO_MEMORY;
    }
    return ns;
}

struct namespace *namespaces_obtain(struct namespaces *all, struct slice name, uint64_t creator,
                                    enum store_status *why)
{
    pthread_mutex_lock(&all->lock);
    struct namespace *ns = namespaces_obtain_locked(all, name, creator, why);
    pthread_mutex_unlock(&all->lock);
    return ns;
}

struct namespace *namespaces_adopt(struct namespaces *all, uint32_t id,
                                   const struct file_namespace_fields *facts)
{
    uint64_t last = all->generations;
    struct namespace *ns = namespace_create(all, facts->name);
    if (ns == NULL) {
        return NULL;
    }
    ns->creator = creators_take(&all->creators, facts->creator);
    set_number(all, ns->generation, facts->generation);
    all->generations = facts->generation > last ? facts->generation : last;
    while (all->highest + 1 < id) {
        all->free_ids[all->free_count++] = ++all->highest;
    }
    all->highest = ns->id = id;
    all->count++;
    all->by_id[id] = ns;
    ns->chain = *head_of(all, facts->name);
    *head_of(all, facts->name) = ns;
    ns->flush_at = facts->flush_at;
    if (facts->flush_at != 0 && facts->flush_at < all->next_flush) {
        all->next_flush = facts->flush_at;
    }
    return ns;
}

uint32_t namespaces_take_evictions(struct namespaces *all, struct namespace *ns)
{
    uint64_t count = store_threads_evictions(all->threads, ns->id) - ns->before.evictions;
    uint32_t records = (uint32_t)count - ns->evictions_seen;
    ns->evictions_seen = (uint32_t)count;
    return records;
}

/* Its counters are not looked at any more. */
static void note_evictions(struct namespaces *all, struct namespace *ns)
{
    struct namespaces_gone_evicted *gone = &all->gone_evicted;
    uint32_t records = namespaces_take_evictions(all, ns);
    if (records > 0 && namespace_quota(ns) == 0) {
        gone->records += records;
        gone->namespaces++;
        gone->name_length = ns->name_length;
        memcpy(gone->name, ns->name, ns->name_length);
    }
}

void namespaces_unlink(struct namespaces *all, struct namespace *ns)
{
    note_evictions(all, ns);
    file_namespace_remove(all->file, ns->id);
    struct namespace **link = head_of(all, name_of(ns));
    while (*link != ns) {
        link = &(*link)->chain;
    }
    __atomic_store_n(link, ns->chain, __ATOMIC_SEQ_CST);
    __atomic_store_n(&all->by_id[ns->id], NULL, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&all->removals, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_sub(&all->count, 1, __ATOMIC_RELAXED);
}

/* `now` was rounded down: the millisecond that it may be short of is added, so that all of the
 * ttl has passed by then. */
static uint64_t expiry_after(uint64_t now, uint64_t ttl)
{
    return ttl == STORE_NEVER ? SEGMENT_NEVER : now + 1 + ttl;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When it shall be; the bound comes later. */
static uint64_t wanted_expiry(const struct ttl_policy *policy, struct store_ttl ttl, uint64_t now)
{
    switch (ttl.kind) {
    case STORE_TTL_DEFAULT:
    case STORE_TTL_KEEP:
        return expiry_after(now, policy->ttl);
    case STORE_TTL_NEVER:
        break;
    case STORE_TTL_FOR:
        return expiry_after(now, earlier(ttl.milliseconds, TTL_MAX));
    case STORE_TTL_UNTIL:
        return ttl.milliseconds > now ? earlier(ttl.milliseconds, expiry_after(now, TTL_MAX)) : now;
    case STORE_TTL_GONE:
        return now;
    }
    return SEGMENT_NEVER;
}

enum store_status ttl_policy_expiry(const struct ttl_policy *policy, struct store_ttl ttl,
                                    uint64_t now, uint64_t *expires)
{
    uint64_t wanted = wanted_expiry(policy, ttl, now);
    if (wanted == SEGMENT_NEVER && policy->required) {
        return STORE_TTL_REQUIRED;
    }
    *expires = earlier(wanted, expiry_after(now, policy->max_ttl));
    return STORE_OK;
}

enum store_status namespace_expiry(const struct namespace *ns, struct store_ttl ttl, uint64_t now,
                                   uint64_t *expires)
{
    const struct ttl_policy policy = {.ttl = __atomic_load_n(&ns->ttl, __ATOMIC_RELAXED),
                                      .max_ttl = __atomic_load_n(&ns->max_ttl, __ATOMIC_RELAXED),
                                      .required =
                                          __atomic_load_n(&ns->require_ttl, __ATOMIC_RELAXED)};
    return ttl_policy_expiry(&policy, ttl, now, expires);
}

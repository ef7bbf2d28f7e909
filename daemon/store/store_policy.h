/*
 * store_policy.h - the namespaces that a configuration declares, and their settings.
 * store.h includes it.
 */
#ifndef KVCACHED_DAEMON_STORE_STORE_POLICY_H
#define KVCACHED_DAEMON_STORE_STORE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store_status.h"
#include "protocol/slice.h"

struct store;
struct store_thread;

/* A namespace as the configuration declares it. */
struct store_namespace_options {
    struct slice name;
    uint64_t ttl;     /* milliseconds or STORE_NEVER: for a PUT without one */
    uint64_t max_ttl; /* milliseconds; STORE_NEVER: no bound */
    uint64_t memory;  /* bytes of quota; 0: none. A quota is kept free from
                         others' pressure, and bounds its namespace */
    bool require_ttl; /* a write that would leave a record for ever is refused */
    bool remote;      /* its records are kept elsewhere; see store_is_remote */
};

struct store_policy {
    const struct store_namespace_options *declared;
    size_t declared_count;
    bool declared_only;                        /* others are refused; else made with `undeclared` */
    struct store_namespace_options undeclared; /* name unused */
    uint32_t undeclared_most; /* that are not declared, at once; 0: as many as there are numbers.
                                 Never more than the declared ones leave over */
    uint64_t max_value;
};

/*
 * A new policy, at the start and at every reload. Records stay; new settings count for later
 * writes; a lowered quota is enforced by housekeeping. Declared namespaces exist even when they
 * hold nothing; records are evicted where there is no room for them. A namespace that is no longer
 * declared stays as an undeclared one; with declared_only it is flushed.
 *
 * A policy is put in force in steps, between which requests are served: store_policy_begin, then
 * store_policy_step until it returns STORE_DONE, all by one thread, which leaves and enters
 * between two steps. Meanwhile each namespace has the settings of either the old or the new
 * policy, and changes from old to new once. Another policy may begin at any time; it replaces the
 * one that is under way. The policy's slices are copied.
 *
 * False without memory: then nothing has changed.
 */
bool store_policy_begin(struct store_thread *thread, const struct store_policy *policy);

enum store_progress {
    STORE_GOES_ON,
    STORE_WAITS, /* for other threads to leave: try again after a pause */
    STORE_DONE,
};
enum store_progress store_policy_step(struct store_thread *thread, uint64_t now);

/* Declared names that have no namespace yet, because there was no room for it and nothing could be
 * evicted. All else is in force, their settings included: a write makes such a namespace when it
 * can. */
struct store_policy_result {
    uint32_t owed;         /* how many */
    enum store_status why; /* of the first: STORE_NO_MEMORY, STORE_TOO_MANY_NAMESPACES */
    char first[STORE_NAMESPACE_MAX + 1];
};
/* Once it is done. */
struct store_policy_result store_policy_result(const struct store_thread *thread);
/* Tries to make them, with further steps. */
void store_policy_retry(struct store_thread *thread);

/* All steps at once; names that were owed stay owed. Leaves and enters in between. False without
 * memory. */
bool store_set_policy(struct store *store, struct store_thread *thread,
                      const struct store_policy *policy, uint64_t now);

#endif

/*
 * conf_apply.c - makes a store_policy and conn_settings of struct conf.
 */
#include "daemon/server/conf_apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "protocol/protocol.h"

enum { SLICE_NS = 500000 };

_Static_assert((unsigned)CONF_NAMESPACE_COST == (unsigned)STORE_NAMESPACE_COST,
               "conf checks memory with the cost that the store counts");

/* Milliseconds. A namespace with require_ttl has no default from the daemon: the store then rejects
 * records without a ttl. */
static uint64_t own_ttl(const struct conf *conf, const struct conf_namespace *from)
{
    if (from->ttl_set) {
        return from->ttl;
    }
    return from->require_ttl ? STORE_NEVER : conf->ttl;
}

static struct store_namespace_options declared(const struct conf *conf,
                                               const struct conf_namespace *from)
{
    return (struct store_namespace_options){
        .name = slice_of(from->name),
        .ttl = own_ttl(conf, from),
        .max_ttl = from->max_ttl,
        .memory = from->memory,
        .require_ttl = from->require_ttl,
        .remote = conf_is_remote(conf, from),
    };
}

/* The namespace of a listener whose protocol has none. NULL: its requests name one. */
static const char *namespace_of(const struct conf *conf, const struct conf_listen *listen)
{
    if (strcmp(listen->protocol, protocol_memcache.name) != 0) {
        return NULL;
    }
    return listen->default_namespace != NULL ? listen->default_namespace : conf->default_namespace;
}

/* Appends the namespaces of listeners, which exist under any policy: so they can be written to, and
 * flushed at a later time. An entry of the same name further in front wins. Returns the new
 * count. */
static size_t declare_of_listeners(const struct conf *conf, struct store_namespace_options *all,
                                   size_t count)
{
    for (size_t i = 0; i < conf->listen_count; i++) {
        const char *name = namespace_of(conf, &conf->listen[i]);
        if (name != NULL) {
            all[count++] =
                (struct store_namespace_options){.name = slice_of(name),
                                                 .ttl = conf->ttl,
                                                 .max_ttl = STORE_NEVER,
                                                 .remote = conf->engine == CONF_ENGINE_CLUSTER};
        }
    }
    return count;
}

bool conf_apply_begin(const struct conf *conf, struct store_thread *store_thread)
{
    /* + 1: calloc(0) may return NULL. */
    struct store_namespace_options *all =
        calloc(conf->namespace_count + conf->listen_count + 1, sizeof *all);
    if (all == NULL) {
        return false;
    }
    for (size_t i = 0; i < conf->namespace_count; i++) {
        all[i] = declared(conf, &conf->namespaces[i]);
    }
    const struct store_policy policy = {
        .declared = all,
        .declared_count = declare_of_listeners(conf, all, conf->namespace_count),
        .declared_only = conf->policy == CONF_DECLARED,
        .undeclared = {.ttl = conf->ttl,
                       .max_ttl = STORE_NEVER,
                       .remote = conf->engine == CONF_ENGINE_CLUSTER},
        .undeclared_most = conf->undeclared_namespaces,
        .max_value = conf->max_value,
    };
    store_enter(store_thread);
    bool begun = store_policy_begin(store_thread, &policy);
    store_leave(store_thread);
    free(all);
    return begun;
}

enum store_progress conf_apply_continue(struct store_thread *store_thread, uint64_t now)
{
    uint64_t until = clock_precise() + SLICE_NS;
    enum store_progress progress = STORE_GOES_ON;
    while (progress == STORE_GOES_ON && clock_precise() < until) {
        store_enter(store_thread);
        progress = store_policy_step(store_thread, now);
        store_leave(store_thread);
    }
    return progress;
}

bool conf_apply_all(const struct conf *conf, struct store_thread *store_thread, uint64_t now)
{
    bool begun = conf_apply_begin(conf, store_thread);
    while (begun && conf_apply_continue(store_thread, now) != STORE_DONE) {
    }
    return begun;
}

bool conf_apply_is_incomplete(const struct store_thread *store_thread)
{
    struct store_policy_result result = store_policy_result(store_thread);
    const char *why = result.why == STORE_NO_MEMORY
                          ? "memory is full, and nothing may be evicted"
                          : "there are 65535 already; flush some that are not declared, and write "
                            "a lower undeclared_namespaces";
    if (result.owed > 0) {
        log_warning("namespaces: %u could not be made yet, the first is \"%s\": %s. What is "
                    "configured for them holds, and each is made as soon as there is room",
                    result.owed, result.first, why);
    }
    return result.owed > 0;
}

const char *conf_apply_conflict(const struct conf *conf, uint64_t memory)
{
    uint64_t quotas = 0;
    for (size_t i = 0; i < conf->namespace_count; i++) {
        quotas += conf->namespaces[i].memory;
    }
    if (conf->namespace_count * (uint64_t)CONF_NAMESPACE_COST > memory) {
        return "namespaces: so many take more than the memory that the daemon runs with before "
               "anything is in them, which takes a restart to change";
    }
    if (quotas > memory) {
        return "namespaces: the quotas come to more than the memory that the daemon has without "
               "a restart";
    }
    if (conf->max_value > memory / 4) {
        return "max_value: more than a quarter of the memory that the daemon has without a "
               "restart";
    }
    return NULL;
}

bool conf_apply_needs_cluster(const struct conf *conf)
{
    for (size_t i = 0; i < conf->namespace_count; i++) {
        if (conf_is_remote(conf, &conf->namespaces[i])) {
            return true;
        }
    }
    return conf->engine == CONF_ENGINE_CLUSTER;
}

struct conn_settings conf_apply_conn_settings(const struct conf *conf)
{
    struct conn_settings settings = {
        .max_value = conf->max_value,
        .buffers = conf->buffers,
        .latency = conf->metrics.latency,
        .idle_timeout = conf->idle_timeout,
        .slow_threshold = conf->slow_log.threshold * 1000000,
    };
    snprintf(settings.default_namespace, sizeof settings.default_namespace, "%s",
             conf->default_namespace);
    return settings;
}

/*
 * stats.c - figures from everywhere, under the names that memcached's users
 * know where it has one.
 */
#include "daemon/request/stats.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "daemon/base/clock.h"
#include "daemon/request/verbs.h"

void stats_text(struct executor *by, const struct request *request, const char *name,
                const char *value)
{
    outbox_reply(
        by->outbox, request,
        &(struct reply){.kind = REPLY_STAT, .name = slice_of(name), .text = slice_of(value)});
}

void stats_number(struct executor *by, const struct request *request, const char *name,
                  uint64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRIu64, value);
    stats_text(by, request, name, digits);
}

static void seconds(struct executor *by, const struct request *request, const char *name,
                    struct timeval time)
{
    char value[32];
    snprintf(value, sizeof value, "%lld.%06ld", (long long)time.tv_sec, (long)time.tv_usec);
    stats_text(by, request, name, value);
}

/* A time to live, as a configuration has it: seconds, or `never`. */
static void lifetime(struct executor *by, const struct request *request, const char *name,
                     uint64_t milliseconds)
{
    char value[32] = "never";
    if (milliseconds != STORE_NEVER) {
        snprintf(value, sizeof value, "%" PRIu64 ".%03u", milliseconds / 1000,
                 (unsigned)(milliseconds % 1000));
    }
    stats_text(by, request, name, value);
}

static void process(struct executor *by, const struct request *request)
{
    const struct instance *instance = by->instance;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    stats_number(by, request, "pid", (uint64_t)instance->pid);
    stats_number(by, request, "uptime", (by->now - instance->started) / 1000);
    stats_number(by, request, "time", clock_wall() / 1000);
    stats_text(by, request, "version", execute_version(by));
    stats_text(by, request, "kvcached_version", instance->version);
    stats_text(by, request, "libevent", event_get_version());
    stats_number(by, request, "pointer_size", sizeof(void *) * 8);
    seconds(by, request, "rusage_user", usage.ru_utime);
    seconds(by, request, "rusage_system", usage.ru_stime);
    stats_number(by, request, "threads", instance->threads);
    stats_number(by, request, "max_connections", atomic_load(&instance->max_connections));
    stats_number(by, request, "curr_connections", atomic_load(&instance->connections));
    stats_number(by, request, "accepting_conns", atomic_load(&instance->paused) ? 0 : 1);
    stats_number(by, request, "buffer_bytes", atomic_load(&instance->buffers));
}

static void counters(struct executor *by, const struct request *request)
{
    const struct instance *instance = by->instance;
    for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
        uint64_t sum = metrics_sum(instance->metrics, instance->metrics_sets, metric);
        stats_number(by, request, metrics_name(metric),
                     sum - metrics_sum(&instance->forgotten, 1, metric));
    }
}

/* What requests came to. */
static void requests(struct executor *by, const struct request *request,
                     const struct store_counters *counters)
{
    stats_number(by, request, "cmd_get", counters->hits + counters->misses);
    stats_number(by, request, "get_hits", counters->hits);
    stats_number(by, request, "get_misses", counters->misses);
    stats_number(by, request, "cmd_set", counters->sets + counters->denied);
    stats_number(by, request, "cas_hits", counters->cas_hits);
    stats_number(by, request, "cas_misses", counters->cas_missing);
    stats_number(by, request, "cas_badval", counters->cas_changed);
    stats_number(by, request, "store_no_memory", counters->full);
    stats_number(by, request, "delete_hits", counters->deletes);
    stats_number(by, request, "incr_hits", counters->increments);
    stats_number(by, request, "decr_hits", counters->decrements);
    stats_number(by, request, "touch_hits", counters->touches);
    stats_number(by, request, "evictions", counters->evictions);
    stats_number(by, request, "expirations", counters->expirations);
    stats_number(by, request, "reclaimed", counters->expirations);
}

static void records(struct executor *by, const struct request *request)
{
    struct store_figures figures;
    store_figures(by->lane, &figures);
    requests(by, request, &figures.counters);
    stats_number(by, request, "curr_items", figures.items);
    stats_number(by, request, "total_items", figures.total_items);
    stats_number(by, request, "bytes", figures.bytes);
    stats_number(by, request, "limit_maxbytes", figures.memory_limit);
    stats_text(by, request, "arena", by->instance->arena);
    stats_number(by, request, "recovered_items", by->instance->recovered);
    stats_number(by, request, "memory_used", figures.memory_used);
    stats_number(by, request, "index_bytes", figures.index_bytes);
    stats_number(by, request, "hash_bytes", figures.index_bytes);
    stats_number(by, request, "segments", figures.segments);
    stats_number(by, request, "segments_free", figures.segments_free);
    stats_number(by, request, "slab_global_page_pool", figures.segments_free);
    stats_number(by, request, "segment_size", figures.segment_size);
    stats_number(by, request, "namespaces", figures.namespaces);
    stats_number(by, request, "compactions", figures.compactions);
    stats_number(by, request, "direct_reclaims", figures.reclaims);
}

static void one_namespace(struct executor *by, const struct request *request,
                          const struct store_namespace_figures *figures)
{
    stats_number(by, request, "items", figures->items);
    stats_number(by, request, "bytes", figures->bytes);
    stats_number(by, request, "memory", figures->memory);
    stats_number(by, request, "quota", figures->quota);
    lifetime(by, request, "ttl", figures->ttl);
    lifetime(by, request, "max_ttl", figures->max_ttl);
    stats_number(by, request, "hits", figures->counters.hits);
    stats_number(by, request, "misses", figures->counters.misses);
    stats_number(by, request, "sets", figures->counters.sets);
    stats_number(by, request, "deletes", figures->counters.deletes);
    stats_number(by, request, "touches", figures->counters.touches);
    stats_number(by, request, "expirations", figures->counters.expirations);
    stats_number(by, request, "evictions", figures->counters.evictions);
}

/* --- topics ------------------------------------------------------------------- */

static enum outcome all(struct executor *by, const struct request *request)
{
    if (request->ns.length == 0) {
        process(by, request);
        counters(by, request);
        records(by, request);
        outbox_say(by->outbox, request, REPLY_END);
        return OUTCOME_DONE;
    }
    struct store_namespace_figures figures;
    struct slice ns = execute_namespace(by, request);
    enum store_status status = store_namespace_figures(by->lane, ns, &figures);
    if (status == STORE_OK) {
        one_namespace(by, request, &figures);
        outbox_say(by->outbox, request, REPLY_END);
    } else {
        execute_answer(by, request, ns, status);
    }
    return OUTCOME_DONE;
}

/* Counters are their owners' to change: what they are now is taken off from now on. */
static enum outcome reset(struct executor *by, const struct request *request)
{
    struct instance *instance = by->instance;
    for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
        atomic_store(&instance->forgotten.count[metric],
                     metrics_sum(instance->metrics, instance->metrics_sets, metric));
    }
    store_reset_counters(by->lane);
    outbox_say(by->outbox, request, REPLY_RESET);
    return OUTCOME_DONE;
}

enum outcome stats_answer(struct executor *by, struct execution *of)
{
    switch (of->request.topic) {
    case STATS_ALL:
        return all(by, &of->request);
    case STATS_RESET:
        return reset(by, &of->request);
    case STATS_SETTINGS:
        return stats_settings(by, &of->request);
    case STATS_CONNS:
        return stats_conns(by, &of->request);
    case STATS_ITEMS:
    case STATS_SLABS:
    case STATS_NAMESPACES:
    case STATS_NUMBERS:
        break;
    }
    return stats_by_namespace(by, of);
}

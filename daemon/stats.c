/*
 * stats.c - figures from everywhere, under the names that memcached's users
 * know where it has one.
 */
#include "daemon/stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "daemon/clock.h"

static void text(struct executor *by, const char *name, const char *value)
{
    outbox_reply(
        by->outbox,
        &(struct reply){.kind = REPLY_STAT, .name = slice_of(name), .text = slice_of(value)});
}

static void number(struct executor *by, const char *name, uint64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRIu64, value);
    text(by, name, digits);
}

static void seconds(struct executor *by, const char *name, struct timeval time)
{
    char value[32];
    snprintf(value, sizeof value, "%lld.%06ld", (long long)time.tv_sec, (long)time.tv_usec);
    text(by, name, value);
}

/* A time to live, as a configuration has it: seconds, or `never`. */
static void lifetime(struct executor *by, const char *name, uint64_t milliseconds)
{
    char value[32] = "never";
    if (milliseconds != STORE_NEVER) {
        snprintf(value, sizeof value, "%" PRIu64 ".%03u", milliseconds / 1000,
                 (unsigned)(milliseconds % 1000));
    }
    text(by, name, value);
}

static void process(struct executor *by)
{
    const struct facts *facts = by->facts;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    number(by, "pid", (uint64_t)facts->pid);
    number(by, "uptime", (by->now - facts->started) / 1000);
    number(by, "time", clock_wall_seconds());
    text(by, "version", facts->version);
    number(by, "pointer_size", sizeof(void *) * 8);
    seconds(by, "rusage_user", usage.ru_utime);
    seconds(by, "rusage_system", usage.ru_stime);
    number(by, "threads", facts->threads);
    number(by, "max_connections", atomic_load(&facts->max_connections));
    number(by, "curr_connections", atomic_load(&facts->connections));
}

static void counters(struct executor *by)
{
    const struct facts *facts = by->facts;
    for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
        number(by, metrics_name(metric), metrics_sum(facts->metrics, facts->metrics_sets, metric));
    }
}

static void records(struct executor *by)
{
    struct store_figures figures;
    store_figures(by->lane, &figures);
    number(by, "get_hits", figures.counters.hits);
    number(by, "get_misses", figures.counters.misses);
    number(by, "curr_items", figures.items);
    number(by, "total_items", figures.total_items);
    number(by, "bytes", figures.bytes);
    number(by, "limit_maxbytes", figures.memory_limit);
    number(by, "memory_used", figures.memory_used);
    number(by, "index_bytes", figures.index_bytes);
    number(by, "segments", figures.segments);
    number(by, "segments_free", figures.segments_free);
    number(by, "segment_size", figures.segment_size);
    number(by, "namespaces", figures.namespaces);
    number(by, "evictions", figures.counters.evictions);
    number(by, "expirations", figures.counters.expirations);
    number(by, "compactions", figures.compactions);
    number(by, "direct_reclaims", figures.reclaims);
}

void stats_daemon(struct executor *by)
{
    process(by);
    counters(by);
    records(by);
}

enum store_status stats_namespace(struct executor *by, struct slice ns)
{
    struct store_namespace_figures figures;
    enum store_status status = store_namespace_figures(by->lane, ns, &figures);
    if (status != STORE_OK) {
        return status;
    }
    number(by, "items", figures.items);
    number(by, "bytes", figures.bytes);
    number(by, "memory", figures.memory);
    number(by, "quota", figures.quota);
    lifetime(by, "ttl", figures.ttl);
    lifetime(by, "max_ttl", figures.max_ttl);
    number(by, "hits", figures.counters.hits);
    number(by, "misses", figures.counters.misses);
    number(by, "sets", figures.counters.sets);
    number(by, "deletes", figures.counters.deletes);
    number(by, "touches", figures.counters.touches);
    number(by, "expirations", figures.counters.expirations);
    number(by, "evictions", figures.counters.evictions);
    return STORE_OK;
}

/*
 * stats.c - STATS: statistics of the process, its connections and the store, under memcached's
 * names where it has one.
 */
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "daemon/base/clock.h"
#include "daemon/base/cluster_desk.h"
#include "daemon/request/remote.h"
#include "daemon/request/stats_lines.h"
#include "daemon/request/verbs.h"

static void seconds(struct command_context *ctx, const struct request *request, const char *name,
                    struct timeval time)
{
    char value[32];
    snprintf(value, sizeof value, "%lld.%06ld", (long long)time.tv_sec, (long)time.tv_usec);
    stats_text(ctx, request, name, value);
}

/* A ttl as a configuration has it: seconds, or `never`. */
static void lifetime(struct command_context *ctx, const struct request *request, const char *name,
                     uint64_t milliseconds)
{
    char value[32] = "never";
    if (milliseconds != STORE_NEVER) {
        snprintf(value, sizeof value, "%" PRIu64 ".%03u", milliseconds / 1000,
                 (unsigned)(milliseconds % 1000));
    }
    stats_text(ctx, request, name, value);
}

static void process(struct command_context *ctx, const struct request *request)
{
    const struct instance *instance = ctx->instance;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    stats_number(ctx, request, "pid", (uint64_t)instance->pid);
    stats_number(ctx, request, "uptime", (ctx->now - instance->started) / 1000);
    stats_number(ctx, request, "time", clock_wall() / 1000);
    stats_text(ctx, request, "version", command_version(ctx));
    stats_text(ctx, request, "kvcached_version", instance->version);
    stats_text(ctx, request, "libevent", event_get_version());
    stats_number(ctx, request, "pointer_size", sizeof(void *) * 8);
    seconds(ctx, request, "rusage_user", usage.ru_utime);
    seconds(ctx, request, "rusage_system", usage.ru_stime);
    stats_number(ctx, request, "threads", instance->threads);
    stats_number(ctx, request, "max_connections", atomic_load(&instance->max_connections));
    stats_number(ctx, request, "curr_connections", atomic_load(&instance->connections));
    stats_number(ctx, request, "accepting_conns", atomic_load(&instance->paused) ? 0 : 1);
    stats_number(ctx, request, "buffer_bytes", atomic_load(&instance->buffers));
}

static void counters(struct command_context *ctx, const struct request *request)
{
    const struct instance *instance = ctx->instance;
    for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
        if (metrics_is_of_cluster(metric) && instance->cluster == NULL) {
            continue;
        }
        uint64_t sum = metrics_sum(instance->metrics, instance->metrics_sets, metric);
        stats_number(ctx, request, metrics_name(metric),
                     sum - metrics_sum(&instance->forgotten, 1, metric));
    }
}

static void cluster(struct command_context *ctx, const struct request *request)
{
    const struct cluster_desk *desk = ctx->instance->cluster;
    struct cluster_state state;
    const struct cluster_state *f = &state;
    if (desk == NULL) {
        return;
    }
    desk->read(desk->context, &state);
#define FIGURE(stat, family, labels, value)
#define NAMESPACE_FIGURE(stat, family, labels, value)
#define NAMESPACE_LIFETIME(stat, family, value)
#define CLUSTER_FIGURE(stat, family, value) stats_number(ctx, request, stat, value);
#include "daemon/base/figures.def"
#undef FIGURE
#undef NAMESPACE_FIGURE
#undef NAMESPACE_LIFETIME
#undef CLUSTER_FIGURE
}

static void records(struct command_context *ctx, const struct request *request)
{
    struct store_stats stats;
    store_stats(ctx->store_thread, &stats);
    const struct store_stats *f = &stats;
    const struct {
        const char *name;
        uint64_t value;
    } figures[] = {
#define FIGURE(stat, family, labels, value) {stat, value},
#define NAMESPACE_FIGURE(stat, family, labels, value)
#define NAMESPACE_LIFETIME(stat, family, value)
#define CLUSTER_FIGURE(stat, family, value)
#include "daemon/base/figures.def"
#undef FIGURE
#undef NAMESPACE_FIGURE
#undef NAMESPACE_LIFETIME
#undef CLUSTER_FIGURE
    };
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        if (figures[i].name != NULL) {
            stats_number(ctx, request, figures[i].name, figures[i].value);
        }
    }
    stats_text(ctx, request, "arena", ctx->instance->arena);
    stats_number(ctx, request, "recovered_items", ctx->instance->recovered);
}

static void one_namespace(struct command_context *ctx, const struct request *request,
                          const struct store_namespace_stats *f)
{
#define FIGURE(stat, family, labels, value)
#define NAMESPACE_FIGURE(stat, family, labels, value) stats_number(ctx, request, stat, value);
#define NAMESPACE_LIFETIME(stat, family, value)       lifetime(ctx, request, stat, value);
#define CLUSTER_FIGURE(stat, family, value)
#include "daemon/base/figures.def"
#undef FIGURE
#undef NAMESPACE_FIGURE
#undef NAMESPACE_LIFETIME
#undef CLUSTER_FIGURE
}

/* What is known here of a namespace whose records are in a cluster. */
static void remote_namespace(struct command_context *ctx, const struct request *request)
{
    struct store_namespace_stats stats;
    struct slice ns = command_namespace(ctx, request);
    if (store_namespace_stats(ctx->store_thread, ns, &stats) == STORE_OK) {
        lifetime(ctx, request, "ttl", stats.ttl);
        lifetime(ctx, request, "max_ttl", stats.max_ttl);
        stats_number(ctx, request, "hits", stats.counters.hits);
        stats_number(ctx, request, "misses", stats.counters.misses);
        stats_number(ctx, request, "sets", stats.counters.sets);
        stats_number(ctx, request, "deletes", stats.counters.deletes);
        stats_number(ctx, request, "touches", stats.counters.touches);
    }
}

/* Its records are counted in the cluster. */
static enum outcome remote(struct command_context *ctx, struct command *cmd, struct slice ns)
{
    uint64_t records = 0;
    enum remote_progress progress = remote_count(ctx, cmd, ns, &records);
    if (progress != REMOTE_READY) {
        return remote_outcome(progress);
    }
    stats_number(ctx, &cmd->request, "items_about", records);
    remote_namespace(ctx, &cmd->request);
    reply_queue_status(ctx->replies, &cmd->request, REPLY_END);
    return OUTCOME_DONE;
}

/* --- topics ------------------------------------------------------------------- */

static enum outcome all(struct command_context *ctx, struct command *cmd)
{
    const struct request *request = &cmd->request;
    if (request->ns.length == 0) {
        process(ctx, request);
        counters(ctx, request);
        cluster(ctx, request);
        records(ctx, request);
        reply_queue_status(ctx->replies, request, REPLY_END);
        return OUTCOME_DONE;
    }
    struct store_namespace_stats stats;
    struct slice ns = command_namespace(ctx, request);
    if (ctx->remote != NULL && store_is_remote(ctx->store_thread, ns)) {
        return remote(ctx, cmd, ns);
    }
    enum store_status status = store_namespace_stats(ctx->store_thread, ns, &stats);
    if (status == STORE_OK) {
        one_namespace(ctx, request, &stats);
        reply_queue_status(ctx->replies, request, REPLY_END);
    } else {
        command_answer(ctx, request, ns, status);
    }
    return OUTCOME_DONE;
}

/* Only its own thread may change a counter. So the values of now are remembered, and subtracted
 * from now on. */
static enum outcome reset(struct command_context *ctx, const struct request *request)
{
    struct instance *instance = ctx->instance;
    for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
        atomic_store(&instance->forgotten.count[metric],
                     metrics_sum(instance->metrics, instance->metrics_sets, metric));
    }
    store_reset_counters(ctx->store_thread);
    reply_queue_status(ctx->replies, request, REPLY_RESET);
    return OUTCOME_DONE;
}

enum outcome verb_stats(struct command_context *ctx, struct command *cmd)
{
    switch (cmd->request.topic) {
    case STATS_ALL:
        return all(ctx, cmd);
    case STATS_RESET:
        return reset(ctx, &cmd->request);
    case STATS_SETTINGS:
        return stats_settings(ctx, cmd);
    case STATS_CONNS:
        return verb_clients(ctx, cmd);
    case STATS_ITEMS:
    case STATS_SLABS:
    case STATS_NAMESPACES:
    case STATS_NUMBERS:
        break;
    }
    return stats_detail(ctx, cmd);
}
